import type { JsonObject } from '../wire.ts';
import { fieldOf, isObject, textOf } from './json.ts';

/** The calls of one choice, as far as they have come. */
interface Places {
  readonly byId: Map<string, number>;
  next: number;
  last: number;
}

/** Gives the calls of tools in a stream the places and ids that clients put their pieces together by. */
export class CallPlaces {
  readonly #choices = new Map<unknown, Places>();

  get hasCalls(): boolean {
    return this.#choices.size > 0;
  }

  /** Whether the choice of that index has called a tool. */
  has(index: unknown): boolean {
    return this.#choices.has(index ?? 0);
  }

  /** The choice with its calls in place; the same object where they were. */
  placed(choice: JsonObject, answerId: unknown): JsonObject {
    const { delta } = choice;
    const calls = fieldOf(delta, 'tool_calls');
    if (!isObject(delta) || !Array.isArray(calls) || calls.length === 0) return choice;
    const places = this.#placesOf(choice['index'] ?? 0);
    const items: readonly unknown[] = calls;
    const placed = items.map((call) => (isObject(call) ? place(call, places, answerId) : call));
    if (placed.every((call, index) => call === items[index])) return choice;
    return { ...choice, delta: { ...delta, tool_calls: placed } };
  }

  #placesOf(index: unknown): Places {
    const known = this.#choices.get(index) ?? { byId: new Map<string, number>(), next: 0, last: 0 };
    this.#choices.set(index, known);
    return known;
  }
}

/** Ids for the calls of a whole answer; the same list where all have one. */
export function withIds(calls: unknown, answerId: unknown): unknown {
  if (!Array.isArray(calls)) return calls;
  const items: readonly unknown[] = calls;
  if (items.every((call) => !isObject(call) || call['id'])) return calls;
  return items.map((call, index) => (isObject(call) && !call['id'] ? { ...call, id: idOf(answerId, index) } : call));
}

function place(call: JsonObject, places: Places, answerId: unknown): JsonObject {
  const index = typeof call['index'] === 'number' ? call['index'] : indexOf(call, places);
  const isNew = index >= places.next;
  places.last = index;
  places.next = Math.max(places.next, index + 1);
  const id = textOf(call['id']) || (isNew ? idOf(answerId, index) : null);
  if (id) places.byId.set(id, index);
  const isRight = call['index'] === index && (call['id'] ?? null) === id;
  return isRight ? call : { ...call, index, ...(id ? { id } : {}), ...(isNew ? { type: 'function' } : {}) };
}

/** A call that names its function or itself begins; anything else goes on with the last one. */
function indexOf(call: JsonObject, { byId, next, last }: Places): number {
  const id = textOf(call['id']);
  const known = id ? byId.get(id) : undefined;
  if (known !== undefined) return known;
  return id || fieldOf(call['function'], 'name') ? next : last;
}

function idOf(answerId: unknown, index: number): string {
  return `call_${textOf(answerId) ?? ''}_${index}`;
}
