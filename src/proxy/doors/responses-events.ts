import type { ErrorBody } from '../../errors.ts';
import type { SseEvent } from '../../streaming/sse-decoder.ts';
import type { ChunkFacts, EventFacts } from '../../streaming/stream-facts.ts';
import { isObject, type JsonObject } from '../request-body/fields.ts';

/** Events that only say that something will come; with any other the answer has begun. */
const OPENING = new Set<unknown>([
  'response.created',
  'response.queued',
  'response.in_progress',
  'response.output_item.added',
  'response.content_part.added',
  'response.reasoning_summary_part.added',
  'keepalive',
]);

/** The last event of a stream, which holds the whole answer and its usage. */
const CLOSING = new Set<unknown>(['response.completed', 'response.incomplete', 'response.cancelled']);

/** Reads an event of the Responses API completely, parsing its JSON. What it is stands in its `type`. */
export function readResponsesEvent({ data, event }: SseEvent): EventFacts {
  if (data === null || data === '') return { kind: 'silent' };
  // Some servers end these streams as those of chats.
  if (data.startsWith('[DONE]')) return { kind: 'done' };
  const json = parse(data);
  if (json === undefined) return { kind: 'malformed' };
  const error = isObject(json) ? errorIn(json, event) : null;
  return error ? { kind: 'error', json: { error } } : chunkFacts(json);
}

/** An error as the last event of a stream. SDKs throw what is in `error`; the rest is OpenAI's own form. */
export function responsesErrorEvent({ error }: ErrorBody): string {
  const { message, code, param } = error;
  // Nobody has counted the events that went before.
  const json = { type: 'error', sequence_number: 0, code, message, param, error };
  return `event: error\ndata: ${JSON.stringify(json)}\n\n`;
}

/** The vendor's error object, wherever it stands. */
function errorIn(json: JsonObject, name: string | null): unknown {
  const { type, error, response } = json;
  if (error) return error;
  if (type === 'response.failed')
    return (isObject(response) && response['error']) || { message: 'The response failed.' };
  if (type !== 'error' && name !== 'error') return null;
  const { message, code, param } = json;
  return { message, code, param };
}

function chunkFacts(json: unknown): ChunkFacts {
  const type = isObject(json) ? String(json['type']) : '';
  const isLast = CLOSING.has(type);
  return {
    kind: 'chunk',
    json,
    hasOutput: !OPENING.has(type) && !isEmptyDelta(json),
    hasFinishReason: isLast,
    endsStream: isLast,
    isUsageOnly: false,
    isRepeat: isLast || type.endsWith('.done'),
  };
}

function isEmptyDelta(json: unknown): boolean {
  return isObject(json) && json['delta'] === '';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
