import { crc32 } from 'node:zlib';
import { isObject } from '../request-body/fields.ts';
import type { Turns } from './turns.ts';

/** What a conversation is recognised by: a number for each of its beginnings. */
export interface Prefixes {
  /** Of all messages: what its next turn will begin with. Null: nobody has said anything yet. */
  readonly whole: number | null;
  /** Of fewer messages, the longest first; those that end more than 32 messages before the last are left out. */
  readonly earlier: readonly number[];
  /** The model has said something: this is no first turn. */
  readonly hasAnswers: boolean;
}

/** A turn with many tool calls adds about as many messages. */
const LOOK_BACK = 32;

/** Told, not said: a beginning of these alone is shared by conversations that have nothing to do with each other. */
const INSTRUCTING: ReadonlySet<unknown> = new Set(['system', 'developer']);

/** Parts that are nothing but their text: clients write a text as a string in one turn, and as a part in the next. */
const TEXT_PARTS: ReadonlySet<unknown> = new Set(['text', 'input_text', 'output_text']);

/** A mark that clients move on with each turn: it says where to cache, not what. */
const CACHE_MARK = 'cache_control';

/**
 * Goes once over the parsed messages, and keeps numbers only. The checksum is a fast one: two conversations of one client
 * that are taken for one prefer the same route, which does no harm.
 *
 * @param seed conversations with other seeds have other numbers
 */
export function prefixesOf({ instructions, messages }: Turns, seed: string): Prefixes {
  const digest = new Digest();
  digest.add(seed);
  addValue(digest, instructions);
  const marks: number[] = [];
  let [hasSaid, hasAnswers] = [false, false];
  for (const [index, message] of messages.entries()) {
    addMessage(digest, message);
    hasSaid ||= !INSTRUCTING.has(roleOf(message));
    hasAnswers ||= isOfModel(message);
    if (hasSaid && index >= messages.length - 1 - LOOK_BACK) marks.push(digest.value);
  }
  const whole = marks.pop() ?? null;
  return { whole, earlier: marks.reverse(), hasAnswers };
}

/** Items without a role are calls, their results, and thoughts. */
function isOfModel(message: unknown): boolean {
  const role = roleOf(message);
  return role === 'assistant' || role === undefined;
}

function roleOf(message: unknown): unknown {
  return isObject(message) ? message['role'] : undefined;
}

function addMessage(digest: Digest, message: unknown): void {
  if (!isObject(message)) {
    addValue(digest, message);
    return;
  }
  for (const name in message) {
    const value = message[name];
    if (name === 'role' || name === 'content') addValue(digest, value);
    // An item that is a message may say so or not.
    else if (!(name === 'type' && value === 'message')) addMember(digest, name, value);
  }
}

function addMember(digest: Digest, name: string, value: unknown): void {
  if (name === CACHE_MARK || value === null) return;
  digest.add(name);
  addValue(digest, value);
}

/** Nesting is bounded: deeper bodies have been refused. */
function addValue(digest: Digest, value: unknown): void {
  if (typeof value === 'string') digest.add(value);
  else if (Array.isArray(value)) for (const each of value) addValue(digest, each);
  else if (isObject(value)) addObject(digest, value);
  else if (value !== null && value !== undefined) digest.add(String(value));
}

function addObject(digest: Digest, value: Readonly<Record<string, unknown>>): void {
  if (TEXT_PARTS.has(value['type']) && typeof value['text'] === 'string') {
    digest.add(value['text']);
    return;
  }
  for (const name in value) addMember(digest, name, value[name]);
}

class Digest {
  #sum = 0;
  #length = 0;

  add(text: string): void {
    // Where one text ends counts too.
    this.#sum = Math.imul(crc32(text, this.#sum) ^ text.length, MIX) >>> 0;
    this.#length += text.length;
  }

  /** A whole number below 2 ** 53. */
  get value(): number {
    return (this.#length % 2 ** 21) * 2 ** 32 + this.#sum;
  }
}

/** Odd, so that nothing is lost. */
const MIX = 0x9e3779b1;
