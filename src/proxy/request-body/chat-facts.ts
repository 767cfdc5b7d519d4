import { ProxyError } from '../../errors.ts';
import type { Capability } from '../../providers/provider.ts';

/** What Sluice knows of a request once its parsed form is gone. */
export interface RequestFacts {
  /** As the client named it; null when it named none. */
  readonly model: string | null;
  readonly isStreaming: boolean;
  /** The client asked for the usage chunk at the end of its stream. */
  readonly wantsUsage: boolean;
  /** The largest cap given, times `n`, in LLM tokens; null when none was. */
  readonly outputCapTokens: number | null;
  readonly n: number;
  /** What a target must offer beyond text in, text out. */
  readonly needs: readonly Capability[];
  readonly user: string | null;
}

/** A JSON object of unknown members. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The top-level fields of chat completions that Sluice reads. Giving one twice is refused. */
export const CHAT_NAMES: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'tools',
  'functions',
  'response_format',
  'logprobs',
  'modalities',
  'audio',
  'user',
]);

/** OpenAI's own bound. */
const MAX_CHOICES = 128;

const CAPABILITY_OF_PART: ReadonlyMap<unknown, Capability> = new Map<unknown, Capability>([
  ['image_url', 'vision'],
  ['input_image', 'vision'],
  ['input_audio', 'audio'],
  ['file', 'files'],
  ['input_file', 'files'],
]);

/** What a field must be, if it is given at all. */
interface FieldType<T> {
  readonly expected: string;
  is(value: unknown): value is T;
}

const BOOLEAN: FieldType<boolean> = { expected: 'a boolean', is: (value) => typeof value === 'boolean' };
const OBJECT: FieldType<JsonObject> = { expected: 'an object', is: isObject };
const ARRAY: FieldType<readonly unknown[]> = { expected: 'an array', is: (value) => Array.isArray(value) };
const CAP: FieldType<number> = { expected: 'a positive integer', is: isPositiveInteger };
const CHOICES: FieldType<number> = {
  expected: `an integer from 1 to ${MAX_CHOICES}`,
  is: (value): value is number => isPositiveInteger(value) && value <= MAX_CHOICES,
};

/**
 * Checks the fields that Sluice reads, and no others: what it does not understand is the upstream's business.
 * @throws ProxyError `missing_required_parameter` or `invalid_type`, `param` set
 */
export function chatFacts(body: JsonObject): RequestFacts {
  const model = readModel(body['model']);
  const messages = readMessages(body['messages']);
  const isStreaming = optional(body, 'stream', BOOLEAN) ?? false;
  const streamOptions = optional(body, 'stream_options', OBJECT);
  const n = optional(body, 'n', CHOICES) ?? 1;
  const cap = Math.max(optional(body, 'max_tokens', CAP) ?? 0, optional(body, 'max_completion_tokens', CAP) ?? 0);
  const needs = new Set([...needsOfFields(body), ...needsOfParts(messages)]);
  if (n > 1) needs.add('n');
  return {
    model,
    isStreaming,
    wantsUsage: isStreaming && streamOptions?.['include_usage'] === true,
    outputCapTokens: cap > 0 ? cap * n : null,
    n,
    needs: [...needs],
    user: typeof body['user'] === 'string' ? body['user'] : null,
  };
}

function readModel(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && value !== '') return value;
  throw invalidType('model', 'a non-empty string', value);
}

function readMessages(value: unknown): readonly JsonObject[] {
  if (value === undefined || value === null) {
    throw new ProxyError('missing_required_parameter', "Missing required parameter: 'messages'.", {
      param: 'messages',
    });
  }
  if (!Array.isArray(value) || value.length === 0) throw invalidType('messages', 'a non-empty array', value);
  for (const [index, message] of value.entries()) {
    if (!isObject(message)) throw invalidType(`messages[${index}]`, 'an object', message);
    if (typeof message['role'] !== 'string') throw invalidType(`messages[${index}].role`, 'a string', message['role']);
  }
  return value;
}

function needsOfFields(body: JsonObject): readonly Capability[] {
  const needs: Capability[] = [];
  const tools = [optional(body, 'tools', ARRAY), optional(body, 'functions', ARRAY)];
  if (tools.some((list) => list !== null && list.length > 0)) needs.push('tools');
  const format = body['response_format'];
  if (isObject(format) && format['type'] === 'json_schema') needs.push('json_schema');
  if (isObject(body['audio']) || listOf(body['modalities']).includes('audio')) needs.push('audio');
  // Some servers take a number here; 0 asks for the chosen tokens only, and still for log probabilities.
  if (body['logprobs'] === true || typeof body['logprobs'] === 'number') needs.push('logprobs');
  return needs;
}

function* needsOfParts(messages: readonly JsonObject[]): Iterable<Capability> {
  for (const message of messages) {
    for (const part of listOf(message['content'])) {
      const capability = isObject(part) ? CAPABILITY_OF_PART.get(part['type']) : undefined;
      if (capability !== undefined) yield capability;
    }
  }
}

/** A field that may be absent or null. */
function optional<T>(body: JsonObject, name: string, type: FieldType<T>): T | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (!type.is(value)) throw invalidType(name, type.expected, value);
  return value;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPositiveInteger(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function invalidType(param: string, expected: string, got: unknown): ProxyError {
  return new ProxyError('invalid_type', `Invalid '${param}': expected ${expected}, but got ${kindOf(got)}.`, { param });
}

/** What a wrong value is, without repeating text of the client. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
