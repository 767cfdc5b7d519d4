import { objectAt, parsed, textAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

/**
 * What a chat's client has to send back and messages have no words for, such as a vendor's signature on a call: it goes to
 * the client as a block of thoughts that can't be read, which clients return as they are.
 */
export interface Keepsake {
  /** Members of the answer's message. */
  readonly ofMessage: JsonObject;
  /** Members of its calls, by their ids. */
  readonly ofCalls: JsonObject;
}

interface Kept {
  readonly ofMessage: JsonObject;
  ofCall(call: JsonObject): JsonObject;
}

/**
 * What is put on thoughts and keepsakes in place of a signature. It tells them from Anthropic's, and one vendor's from
 * another's: some refuse what they haven't written themselves.
 */
export function markOf(vendor: string): string {
  return `sluice1.${vendor}.`;
}

/** The members that vendors want back: Gemini's signatures, and the thoughts of whatever model OpenRouter has asked. */
const KEPT = ['extra_content', 'reasoning_details'];

/** Of a message, a delta or a call: what has to come back as it is. `before` came in earlier deltas. */
export function kept(source: JsonObject, before: JsonObject = {}): JsonObject {
  const found = KEPT.filter((name) => typeof source[name] === 'object' && source[name] !== null);
  return { ...before, ...Object.fromEntries(found.map((name) => [name, joined(before[name], source[name])])) };
}

function joined(before: unknown, value: unknown): unknown {
  return Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
}

/** As a block; null: there is nothing to keep. */
export function keepsakeBlock({ ofMessage, ofCalls }: Keepsake, vendor: string): JsonObject | null {
  if (Object.keys(ofMessage).length + Object.keys(ofCalls).length === 0) return null;
  const json = JSON.stringify({ message: ofMessage, calls: ofCalls });
  return { type: 'redacted_thinking', data: markOf(vendor) + Buffer.from(json).toString('base64url') };
}

/** What the vendor has put into the blocks of an assistant's turn. Others' blocks of this kind say nothing to it. */
export function readKeepsake(blocks: readonly JsonObject[], vendor: string): Kept {
  const mark = markOf(vendor);
  const data = blocks.map((block) => textAt(block, 'data')).find((text) => text?.startsWith(mark)) ?? null;
  const read = data === null ? null : parsed(Buffer.from(data.slice(mark.length), 'base64url').toString());
  const calls = objectAt(read, 'calls');
  return {
    ofMessage: kept(objectAt(read, 'message') ?? {}),
    ofCall: (call) => kept(objectAt(calls, textAt(call, 'id') ?? '') ?? {}),
  };
}
