import { type InvalidRequest, invalidRequest } from '../../api/failure.ts';
import { asObject, asObjects, isCount, type Json } from '../../json.ts';
import { unknownWord } from './schema.ts';

const FIELDS = new Set(
  'contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent labels serviceTier store model'.split(
    ' ',
  ),
);

const CONFIG_FIELDS = new Set(
  (
    'stopSequences responseMimeType responseSchema responseJsonSchema responseModalities candidateCount maxOutputTokens ' +
    'temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs enableEnhancedCivicAnswers ' +
    'speechConfig thinkingConfig imageConfig mediaResolution'
  ).split(' '),
);

const MOST_STOPS = 5;
const MOST_CANDIDATES = 8;

/** What Gemini refuses in a request to generate content; null: nothing. */
export function mistakeInGenerate(body: Json, model: string): InvalidRequest | null {
  const message =
    unknownField(body) ??
    mistakeInConfig(asObject(body['generationConfig'])) ??
    mistakeInTools(body) ??
    mistakeInContents(asObjects(body['contents']), model);
  return message === null ? null : invalidRequest(message);
}

function unknownField(body: Json): string | null {
  const name = Object.keys(body).find((each) => !FIELDS.has(each));
  if (name !== undefined) return `Invalid JSON payload received. Unknown name "${name}": Cannot find field.`;
  const inConfig = Object.keys(asObject(body['generationConfig'])).find((each) => !CONFIG_FIELDS.has(each));
  if (inConfig === undefined) return null;
  return `Invalid JSON payload received. Unknown name "${inConfig}" at 'generation_config': Cannot find field.`;
}

function mistakeInConfig(config: Json): string | null {
  const { maxOutputTokens, candidateCount, stopSequences, responseMimeType: mime } = config;
  if (!isCount(maxOutputTokens)) return 'max_output_tokens must be positive';
  if (!isCount(candidateCount) || Number(candidateCount ?? 1) > MOST_CANDIDATES) {
    return `The number of candidates must be between 1 and ${MOST_CANDIDATES} inclusive.`;
  }
  if ([stopSequences ?? []].flat().length > MOST_STOPS) return `Only ${MOST_STOPS} stop sequences are allowed.`;
  const schema = config['responseSchema'] ?? config['responseJsonSchema'];
  if (schema !== undefined && mime !== 'application/json') {
    return 'response_schema and response_json_schema need the response mime type application/json';
  }
  const word = unknownWord(config['responseSchema'], 'generation_config.response_schema');
  if (word) return `Invalid JSON payload received. ${word}`;
  const { thinkingBudget, thinkingLevel } = asObject(config['thinkingConfig']);
  const hasBoth = thinkingBudget !== undefined && thinkingLevel !== undefined;
  return hasBoth ? 'You can only set only one of thinking budget and thinking level.' : null;
}

function mistakeInTools(body: Json): string | null {
  const declared = asObjects(body['tools']).flatMap((tool) => asObjects(tool['functionDeclarations']));
  for (const [index, { parameters }] of declared.entries()) {
    const place = `tools[0].function_declarations[${index}].parameters`;
    const word = unknownWord(parameters, place);
    if (word) return `Invalid JSON payload received. ${word}`;
    const { type, properties } = asObject(parameters);
    const isObjectType = typeof type === 'string' && type.toUpperCase() === 'OBJECT';
    if (isObjectType && Object.keys(asObject(properties)).length === 0) {
      return `* GenerateContentRequest.${place}.properties: should be non-empty for OBJECT type`;
    }
  }
  return null;
}

function mistakeInContents(contents: readonly Json[], model: string): string | null {
  if (contents.length === 0) return '* GenerateContentRequest.contents: contents is not specified';
  for (const [index, { role, parts }] of contents.entries()) {
    if (role !== undefined && role !== 'user' && role !== 'model') {
      return 'Please use a valid role: user, model.';
    }
    if (asObjects(parts).length === 0) {
      return `* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.`;
    }
    const mistake = mistakeInCalls(contents, index, model);
    if (mistake) return mistake;
  }
  return null;
}

/** As many results as calls in the turn that follows; newer models want the signature of the first back. */
function mistakeInCalls(contents: readonly Json[], index: number, model: string): string | null {
  const calls = asObjects(contents[index]?.['parts']).filter(({ functionCall }) => functionCall !== undefined);
  const results = asObjects(contents[index + 1]?.['parts']).filter((part) => part['functionResponse'] !== undefined);
  if (calls.length > 0 && results.length !== calls.length) {
    return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
  }
  if (calls.length === 0 || !model.startsWith('gemini-3') || calls[0]?.['thoughtSignature'] !== undefined) return null;
  return 'Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly.';
}
