import type { Capability } from '../../providers/provider.ts';
import {
  ARRAY,
  BOOLEAN,
  CAP,
  CHOICES,
  invalidType,
  isObject,
  type JsonObject,
  listOf,
  missingParameter,
  OBJECT,
  optional,
  readModel,
  readUser,
} from './fields.ts';
import { needsOfParts } from './parts.ts';

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
  /** A part of the input lies with the upstream: what it counts says nothing of our estimate. */
  readonly hasUnseenInput?: boolean;
  /** Vectors are to come as base64 of their numbers; absent where there are none. */
  readonly wantsBase64?: boolean;
  /** The client has asked for the model's thoughts, and so knows what they look like. Absent: its format says nothing of it. */
  readonly wantsThinking?: boolean;
}

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
  'top_logprobs',
  'modalities',
  'audio',
  'user',
]);

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
  const needs = new Set([...needsOfFields(body), ...messages.flatMap(({ content }) => needsOfParts(content))]);
  if (n > 1) needs.add('n');
  return {
    model,
    isStreaming,
    wantsUsage: isStreaming && streamOptions?.['include_usage'] === true,
    outputCapTokens: cap > 0 ? cap * n : null,
    n,
    needs: [...needs],
    user: readUser(body),
  };
}

function readMessages(value: unknown): readonly JsonObject[] {
  if (value === undefined || value === null) throw missingParameter('messages');
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
