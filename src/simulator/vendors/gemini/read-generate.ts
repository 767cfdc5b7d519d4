import type { InvalidRequest } from '../../api/failure.ts';
import { ANY_OBJECT, type ModelRequest, PLAIN_REQUEST } from '../../api/model-request.ts';
import { asObject, asObjects, asText, type Json, numberOf, stringOf } from '../../json.ts';
import { type Prompt, promptTokens } from '../../prompt-size.ts';
import { calledFunctions, type ToolChoice } from '../called-functions.ts';
import { mistakeInGenerate } from './mistakes.ts';
import { plainSchema } from './schema.ts';

export interface Generate {
  readonly model: string;
  readonly body: Json;
  readonly isStreaming: boolean;
}

/** Reads a request to generate content; what Gemini refuses is an error. */
export function readGenerate({ model, body, isStreaming }: Generate): ModelRequest | InvalidRequest {
  const mistake = mistakeInGenerate(body, model);
  if (mistake) return mistake;
  const config = asObject(body['generationConfig']);
  const prompt = promptOf(body);
  const { mode, allowedFunctionNames } = asObject(asObject(body['toolConfig'])['functionCallingConfig']);
  const allowed: readonly unknown[] = Array.isArray(allowedFunctionNames) ? allowedFunctionNames : [];
  return {
    ...PLAIN_REQUEST,
    ...{ model, isStreaming },
    n: numberOf(config['candidateCount']) ?? 1,
    choiceCap: numberOf(config['maxOutputTokens']),
    calls: calledFunctions({
      choice: choiceOf(mode),
      tools: allowed.length > 0 ? prompt.tools.filter(({ name }) => allowed.includes(name)) : prompt.tools,
      lastSaid: lastSaid(asObjects(body['contents'])),
      isOneAtMost: false,
    }),
    schema: schemaOf(config),
    thinking: thinkingOf(asObject(config['thinkingConfig'])),
    stops: [config['stopSequences']].flat().filter((text) => typeof text === 'string'),
    seq: asObject(body['labels'])['seq'],
    countPrompt: (count) => promptTokens(prompt, count),
  };
}

/** The prompt in the words that prompts are counted in. */
export function promptOf(body: Json): Prompt {
  const system = asObjects(asObject(body['systemInstruction'])['parts']).map(({ text }) => asText(text));
  const schema = schemaOf(asObject(body['generationConfig']));
  return {
    messages: [
      ...(system.length > 0 ? [{ role: 'system', content: system.join('\n') }] : []),
      ...asObjects(body['contents']).flatMap(messagesOf),
    ],
    tools: asObjects(body['tools'])
      .flatMap((tool) => asObjects(tool['functionDeclarations']))
      .map(toolOf),
    schema: schema === ANY_OBJECT ? null : schema,
  };
}

function toolOf(declaration: Json): Json {
  const { parameters, parametersJsonSchema } = declaration;
  return { ...declaration, parameters: parametersJsonSchema ?? plainSchema(asObject(parameters)) };
}

function messagesOf({ role, parts }: Json): Json[] {
  const given = asObjects(parts);
  const results = given.filter(({ functionResponse }) => functionResponse !== undefined);
  const calls = given.flatMap(({ functionCall }) => (functionCall === undefined ? [] : [functionCall]));
  const content = given.flatMap(partOf);
  return [
    ...results.map(({ functionResponse }) => ({
      role: 'tool',
      content: JSON.stringify(asObject(functionResponse)['response'] ?? {}),
    })),
    ...(content.length > 0 || calls.length > 0
      ? [{ role: role === 'model' ? 'assistant' : 'user', content, ...(calls.length > 0 ? { tool_calls: calls } : {}) }]
      : []),
  ];
}

function partOf({ text, inlineData, fileData, thought }: Json): Json[] {
  if (inlineData !== undefined || fileData !== undefined) return [{ type: 'image_url' }];
  return typeof text === 'string' && thought !== true ? [{ type: 'text', text }] : [];
}

function choiceOf(mode: unknown): ToolChoice {
  if (mode === 'NONE') return 'none';
  return mode === 'ANY' ? 'required' : 'auto';
}

/** Results of functions are no words of the user. */
function lastSaid(contents: readonly Json[]): string | null {
  const last = contents.at(-1);
  if (last === undefined || last['role'] === 'model') return null;
  const texts = asObjects(last['parts']).flatMap(({ text }) => stringOf(text) ?? []);
  return texts.length > 0 ? texts.join('\n') : null;
}

function schemaOf(config: Json): Json | null {
  if (config['responseMimeType'] !== 'application/json') return null;
  const { responseJsonSchema, responseSchema } = config;
  if (responseJsonSchema !== undefined) return asObject(responseJsonSchema);
  return responseSchema === undefined ? ANY_OBJECT : plainSchema(asObject(responseSchema));
}

function thinkingOf({ includeThoughts, thinkingBudget, thinkingLevel }: Json): ModelRequest['thinking'] {
  if (thinkingBudget === 0) return 'none';
  if (includeThoughts === true) return 'shown';
  return thinkingBudget === undefined && thinkingLevel === undefined ? 'none' : 'hidden';
}
