import { type InvalidRequest, invalidRequest } from '../../api/failure.ts';
import { ANY_OBJECT, type Beginning, type CacheUse, type ModelRequest } from '../../api/model-request.ts';
import { asObject, asObjects, asText, isCount, isObject, type Json, numberOf } from '../../json.ts';
import { type Prompt, promptTokens } from '../../prompt-size.ts';
import { calledFunctions, type ToolChoice } from '../called-functions.ts';

/** A request in the words of OpenAI's chat completions, whoever speaks them. */
export interface Chat {
  readonly request: ModelRequest;
  readonly prompt: Prompt;
  readonly includesUsage: boolean;
}

/** As many answers to one request as OpenAI gives. */
const MAX_CHOICES = 128;

/** Beginnings that are looked for: enough for a turn of a conversation. */
const MOST_BEGINNINGS = 20;

/** Reads a request body; what OpenAI refuses is an error. */
export function readChat(body: Json): Chat | InvalidRequest {
  const mistake = mistakeIn(body);
  if (mistake) return mistake;
  const messages = asObjects(body['messages']);
  const tools = functionsOf(body);
  const schema = schemaOf(asObject(body['response_format']));
  const prompt: Prompt = { messages, tools, schema: schema === ANY_OBJECT ? null : schema };
  const stop = body['stop'];
  return {
    prompt,
    includesUsage: asObject(body['stream_options'])['include_usage'] === true,
    request: {
      model: asText(body['model']),
      n: numberOf(body['n']) ?? 1,
      isStreaming: body['stream'] === true,
      choiceCap: numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']),
      calls: calledFunctions({
        choice: choiceOf(body['tool_choice']),
        tools,
        lastSaid: lastSaid(messages),
        isOneAtMost: body['parallel_tool_calls'] === false,
      }),
      schema,
      thinking: isThinking(body['reasoning_effort']) ? 'hidden' : 'none',
      stops: [stop].flat().filter((text) => typeof text === 'string'),
      seq: asObject(body['metadata'])['seq'],
      user: body['user'],
      cache: cacheUse(prompt),
      countPrompt: (count) => promptTokens(prompt, count),
    },
  };
}

function mistakeIn(body: Json): InvalidRequest | null {
  const { model, messages, n } = body;
  if (typeof model !== 'string' || model === '') return invalidRequest('you must provide a model parameter');
  if (messages === undefined) {
    return invalidRequest("Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter');
  }
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isObject)) {
    return invalidRequest("Invalid type for 'messages': expected a list of messages.", 'messages', 'invalid_type');
  }
  const wrongNumber = ['n', 'max_tokens', 'max_completion_tokens'].find((name) => !isCount(body[name]));
  if (wrongNumber) {
    const message = `Invalid value for '${wrongNumber}': expected a whole number of at least 1.`;
    return invalidRequest(message, wrongNumber, 'invalid_value');
  }
  if (typeof n !== 'number' || n <= MAX_CHOICES) return null;
  return invalidRequest(`Invalid value for 'n': expected at most ${MAX_CHOICES}.`, 'n', 'invalid_value');
}

/** What was read is known when it comes again with more behind it, and all but the last message with another one. */
function cacheUse({ messages, tools, schema }: Prompt): CacheUse {
  const upTo = (end: number): Beginning => {
    const read = messages.slice(0, end);
    return {
      text: () => JSON.stringify([read, tools]),
      count: (count) => promptTokens({ messages: read, tools, schema }, count),
    };
  };
  const shorter = Math.min(messages.length - 1, MOST_BEGINNINGS);
  const known = Array.from({ length: shorter }, (_, index) => upTo(messages.length - 1 - index));
  return { known, kept: [upTo(messages.length), ...known.slice(0, 1)], isMarked: false };
}

function functionsOf({ tools }: Json): Json[] {
  return asObjects(tools)
    .map((tool) => asObject(tool['function']))
    .filter(({ name }) => typeof name === 'string');
}

/** `any` is Mistral's word for `required`. */
function choiceOf(choice: unknown): ToolChoice {
  if (choice === 'none') return 'none';
  if (choice === 'required' || choice === 'any') return 'required';
  const name = asObject(asObject(choice)['function'])['name'];
  return name === undefined ? 'auto' : { name: asText(name) };
}

function lastSaid(messages: readonly Json[]): string | null {
  const last = messages.at(-1);
  return last?.['role'] === 'user' ? JSON.stringify(last['content'] ?? '') : null;
}

function isThinking(effort: unknown): boolean {
  return typeof effort === 'string' && effort !== 'none';
}

function schemaOf(format: Json): Json | null {
  if (format['type'] === 'json_object') return ANY_OBJECT;
  if (format['type'] !== 'json_schema') return null;
  return asObject(asObject(format['json_schema'])['schema']);
}
