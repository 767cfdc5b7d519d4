import { type ApiError, invalidRequest } from './api-error.ts';

export type Json = { readonly [name: string]: unknown };

/** The parts of a chat completion request that matter to a simulated vendor. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly Json[];
  readonly n: number;
  readonly isStreaming: boolean;
  readonly includesUsage: boolean;
  /** The client's cap on one choice, in tokens. */
  readonly choiceCap: number | null;
  readonly tools: readonly Json[];
  /** The function to call; null: answer in words. */
  readonly calls: Json | null;
  /** A schema to obey, `ANY_OBJECT` where any will do; null: answer in words. */
  readonly schema: Json | null;
  /** What the client calls this request, for the ledger. */
  readonly seq: unknown;
  readonly user: unknown;
}

/** As many answers to one request as OpenAI gives. */
const MAX_CHOICES = 128;

/** Deeper than any schema or message that vendors take; what is deeper is refused before anything walks through it. */
const MAX_DEPTH = 100;

/** What `json_object` asks for. It is not in the prompt. */
export const ANY_OBJECT: Json = { type: 'object' };

/** Reads a request body; what OpenAI refuses is an error. */
export function readChatRequest(text: string): ChatRequest | ApiError {
  const body = parse(text);
  if (!isObject(body)) return invalidRequest('We could not parse the JSON body of your request.');
  if (isDeeperThan(body, MAX_DEPTH)) return invalidRequest('The JSON body of your request is nested too deeply.');
  const { model, messages } = body;
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
  const n = typeof body['n'] === 'number' ? body['n'] : 1;
  if (n > MAX_CHOICES) {
    return invalidRequest(`Invalid value for 'n': expected at most ${MAX_CHOICES}.`, 'n', 'invalid_value');
  }
  const tools = functionsOf(body);
  return {
    model,
    messages,
    n,
    isStreaming: body['stream'] === true,
    includesUsage: asObject(body['stream_options'])['include_usage'] === true,
    choiceCap: capOf(body),
    tools,
    calls: calledFunction(body['tool_choice'], tools, messages),
    schema: schemaOf(asObject(body['response_format'])),
    seq: asObject(body['metadata'])['seq'],
    user: body['user'],
  };
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}

/** A value as text, whatever it is: strings as they are, the rest as JSON. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): boolean {
  return value === undefined || value === null || (Number.isInteger(value) && Number(value) >= 1);
}

function capOf(body: Json): number | null {
  const cap = body['max_completion_tokens'] ?? body['max_tokens'];
  return typeof cap === 'number' ? cap : null;
}

function functionsOf(body: Json): Json[] {
  const tools = body['tools'];
  if (!Array.isArray(tools)) return [];
  return tools.map((tool) => asObject(asObject(tool)['function'])).filter((tool) => typeof tool['name'] === 'string');
}

/** Which function the request wants called: by `tool_choice`, or because the last message speaks of using a tool. */
function calledFunction(choice: unknown, tools: readonly Json[], messages: readonly Json[]): Json | null {
  if (choice === 'none') return null;
  if (choice === 'required') return tools[0] ?? null;
  const name = asObject(asObject(choice)['function'])['name'];
  if (name !== undefined) return tools.find((tool) => tool['name'] === name) ?? null;
  const last = messages.at(-1);
  if (last?.['role'] !== 'user') return null;
  const text = JSON.stringify(last['content'] ?? '');
  const named = tools.find((tool) => text.includes(String(tool['name'])));
  return named ?? (/\b(call|use)\b[^.]*\b(tool|function)\b/i.test(text) ? (tools[0] ?? null) : null);
}

function schemaOf(format: Json): Json | null {
  if (format['type'] === 'json_object') return ANY_OBJECT;
  if (format['type'] !== 'json_schema') return null;
  return asObject(asObject(format['json_schema'])['schema']);
}
