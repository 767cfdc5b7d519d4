import type { SseEvent } from '../../../streaming/sse-decoder.ts';
import type { ChunkFacts, EventFacts } from '../../../streaming/stream-facts.ts';
import { isObject, type JsonObject } from '../../request-body/fields.ts';

/** Reads an event of the Messages API completely, parsing its JSON. What it is stands in its `type`. */
export function readMessagesEvent({ data, event }: SseEvent): EventFacts {
  if (data === null || data === '') return { kind: 'silent' };
  // What this API doesn't say itself: the answer of another vendor has ended.
  if (data.startsWith('[DONE]')) return { kind: 'done' };
  const json = parse(data);
  if (json === undefined) return { kind: 'malformed' };
  if (!isObject(json)) return chunk(json, {});
  if (json['error'] || json['type'] === 'error' || event === 'error') return { kind: 'error', json };
  return readTyped(json);
}

function readTyped(json: JsonObject): EventFacts {
  switch (json['type']) {
    case 'ping':
      return { kind: 'silent' };
    case 'content_block_start':
      return chunk(json, { hasOutput: isBegun(json['content_block']) });
    case 'content_block_delta':
      return chunk(json, { hasOutput: isPiece(json['delta']) });
    case 'message_delta': {
      const { delta } = json;
      const hasFinishReason = isObject(delta) && Boolean(delta['stop_reason']);
      return chunk(json, { hasOutput: hasFinishReason, hasFinishReason });
    }
    case 'message_stop':
      return chunk(json, { hasOutput: true, hasFinishReason: true, endsStream: true });
    default:
      return chunk(json, {});
  }
}

/** Text and thoughts begin empty; every other block says something by being there. */
function isBegun(block: unknown): boolean {
  if (!isObject(block)) return false;
  const { type } = block;
  if (type === 'text' || type === 'thinking') return Boolean(block[type]);
  return true;
}

/** A delta is its type and one member, which may be empty. */
function isPiece(delta: unknown): boolean {
  return isObject(delta) && Object.entries(delta).some(([name, value]) => name !== 'type' && value !== '');
}

function chunk(json: unknown, facts: Partial<ChunkFacts>): ChunkFacts {
  const nothing = { hasOutput: false, hasFinishReason: false, endsStream: false, isUsageOnly: false };
  return { kind: 'chunk', json, ...nothing, ...facts };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
