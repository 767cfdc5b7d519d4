import type { SseEvent } from './sse-decoder.ts';

/**
 * What one event of an OpenAI-shaped stream is:
 * - `silent`: nothing that a client's parser would hand on, such as a comment;
 * - `chunk`: a `chat.completion.chunk`, or JSON that passes for one;
 * - `error`: an error in band, by its `error` member, its event name, or its `object` (old vLLM);
 * - `done`: `[DONE]`;
 * - `malformed`: data that is not JSON. SDKs throw on it.
 */
export type EventFacts =
  | { readonly kind: 'silent' | 'done' | 'malformed' }
  | { readonly kind: 'error'; readonly json: unknown }
  | ChunkFacts;

export interface ChunkFacts {
  readonly kind: 'chunk';
  readonly json: unknown;
  /** It carries what the client asked for: content, reasoning, a tool call, a refusal, a finish reason. */
  readonly hasOutput: boolean;
  readonly hasFinishReason: boolean;
  /** It is the last of its stream, in formats that end with an event of their own instead of `[DONE]`. */
  readonly endsStream: boolean;
  /** Its only purpose is the usage: `choices` is empty. Vendors send it when asked by `include_usage`. */
  readonly isUsageOnly: boolean;
  /** Its text has come before, piece by piece: it is not counted again. */
  readonly isRepeat?: boolean;
}

/** How the events of one format are read. */
export type StreamGrammar = (event: SseEvent) => EventFacts;

/** Reads an event of OpenAI's chats or completions completely, parsing its JSON. */
export function readEvent(event: SseEvent): EventFacts {
  const { data } = event;
  if (data === null || data === '') return { kind: 'silent' };
  // The Python SDK stops at what begins so, the Node SDK at what equals it.
  if (data.startsWith('[DONE]')) return { kind: 'done' };
  const json = parse(data);
  if (event.event === 'error') return { kind: 'error', json: json ?? null };
  if (json === undefined) return { kind: 'malformed' };
  if (isRecord(json) && (json['error'] || json['object'] === 'error')) return { kind: 'error', json };
  return chunkFacts(json);
}

function chunkFacts(json: unknown): ChunkFacts {
  const choices = isRecord(json) && Array.isArray(json['choices']) ? (json['choices'] as unknown[]) : null;
  const hasFinishReason = choices?.some((choice) => isRecord(choice) && Boolean(choice['finish_reason'])) ?? false;
  return {
    kind: 'chunk',
    json,
    hasOutput: hasFinishReason || (choices?.some((choice) => hasOutput(choice)) ?? false),
    hasFinishReason,
    endsStream: false,
    isUsageOnly: choices?.length === 0 && isRecord(json) && isRecord(json['usage']),
  };
}

/**
 * Vendors add members to `delta` (`reasoning_content`, `reasoning`, `audio`, ...), so whatever is filled counts but the
 * role, which every stream begins with. `text` is that of the legacy completions.
 */
function hasOutput(choice: unknown): boolean {
  if (!isRecord(choice)) return false;
  if (isFilled(choice['text'])) return true;
  const { delta } = choice;
  return isRecord(delta) && Object.entries(delta).some(([name, value]) => name !== 'role' && isFilled(value));
}

function isFilled(value: unknown): boolean {
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0;
  return isRecord(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
