import { SAME_INSTANT_MS, type Tail, type Timeline } from './limit.ts';
import { firstAbove, firstIndex } from './sorted.ts';

/** What both views of a window start from. Sums are of the amounts before each entry, and after the last. */
export interface WindowView {
  readonly at: number[];
  readonly sums: number[];
  readonly spanMs: number;
  readonly capacity: number;
}

/** Sums of many fractions are off by a hair, which must not cost a whole window. */
export const ROUNDING = 1e-9;

/** What may be in use beside `amount`. */
export function roomBeside(amount: number, capacity: number): number {
  return capacity - amount + ROUNDING * Math.max(1, Math.min(capacity, Number.MAX_SAFE_INTEGER));
}

/**
 * A window with bookings of the future. Use rises at each booking and falls when an entry is a span old, so it is highest
 * right after bookings, and until what one needs only for its start has come back; those `peaks` say whether something that weighs on all of a span from its start fits under the
 * capacity, beside the bookings after it.
 */
export class WindowTimeline implements Timeline {
  readonly #at: number[];
  readonly #sums: number[];
  readonly #spanMs: number;
  readonly #capacity: number;
  /** How many entries are of the past; only the later ones have peaks. */
  readonly #past: number;
  readonly #peaks: number[] = [];
  /** What each booking needs for a start beyond what it keeps. */
  readonly #slacks: number[] = [];
  /** The highest peak from each booking on. */
  readonly #highest: number[] = [];

  constructor({ at, sums, spanMs, capacity }: WindowView) {
    this.#at = at;
    this.#sums = sums;
    this.#spanMs = spanMs;
    this.#capacity = capacity;
    this.#past = at.length;
  }

  earliest(amount: number, from: number): number {
    if (amount <= 0) return from;
    if (amount > this.#capacity) return Number.POSITIVE_INFINITY;
    const room = roomBeside(amount, this.#capacity);
    let start = from;
    for (;;) {
      const next = Math.max(this.#past, firstAbove(this.#at, start));
      const blocker = this.#lastAbove(room, next, start + this.#spanMs - SAME_INSTANT_MS);
      const moved = blocker < next ? this.#readyAfter(next, room, start) : (this.#at[blocker] as number);
      if (moved <= start) return start;
      start = moved;
    }
  }

  book(amount: number, at: number, needed = amount): void {
    if (needed <= 0) return;
    const index = Math.max(this.#past, firstAbove(this.#at, at));
    this.#at.splice(index, 0, at);
    this.#slacks.splice(index - this.#past, 0, Math.max(0, needed - amount));
    this.#sums.splice(index + 1, 0, this.#sums[index] as number);
    for (let later = index + 1; later < this.#sums.length; later += 1) {
      this.#sums[later] = (this.#sums[later] as number) + amount;
    }
    this.#recount(index - this.#past);
  }

  /** First instant >= `from` at which the first `count` entries leave the room. */
  #readyAfter(count: number, room: number, from: number): number {
    const sums = this.#sums;
    const freed = (sums[count] as number) - room;
    if (freed <= (sums[this.#firstAlive(from)] as number)) return from;
    const index = firstIndex(count, (entry) => (sums[entry] as number) >= freed);
    return (this.#at[index - 1] as number) + this.#spanMs;
  }

  /** The last booking in `next ..` before `end` beside which there is not the room; less than `next` if none. */
  #lastAbove(room: number, next: number, end: number): number {
    const at = this.#at;
    let index = at.length - 1;
    if (index < next) return -1;
    if ((at[index] as number) < end) {
      const highest = this.#highest;
      return this.#past + firstIndex(highest.length, (entry) => (highest[entry] as number) <= room) - 1;
    }
    while (index >= next && ((at[index] as number) >= end || (this.#peaks[index - this.#past] as number) <= room)) {
      index -= 1;
    }
    return index;
  }

  #recount(from: number): void {
    const peaks = this.#peaks;
    for (let index = from; index < this.#at.length - this.#past; index += 1) {
      const entry = index + this.#past;
      const used = this.#sums[entry + 1] as number;
      const gone = this.#sums[this.#firstAlive(this.#at[entry] as number)] as number;
      peaks[index] = used - gone + (this.#slacks[index] as number);
    }
    let highest = Number.NEGATIVE_INFINITY;
    for (let index = peaks.length - 1; index >= 0; index -= 1) {
      highest = Math.max(highest, peaks[index] as number);
      if (index < from && this.#highest[index] === highest) return;
      this.#highest[index] = highest;
    }
  }

  #firstAlive(at: number): number {
    const entries = this.#at;
    const goneBy = at + SAME_INSTANT_MS - this.#spanMs;
    return firstAbove(entries, goneBy);
  }
}

/**
 * The end of the queue on a window. All that waits counts as used from now on, so a newcomer starts when enough of the
 * oldest has gone: `#first` is the first entry that still weighs when the last one starts, and only moves on.
 */
export class WindowTail implements Tail {
  #at: number[];
  #sums: number[];
  readonly #spanMs: number;
  readonly #capacity: number;
  #first = 0;

  constructor({ at, sums, spanMs, capacity }: WindowView) {
    this.#at = at;
    this.#sums = sums;
    this.#spanMs = spanMs;
    this.#capacity = capacity;
  }

  earliest(amount: number, from: number): number {
    if (amount <= 0) return from;
    if (amount > this.#capacity) return Number.POSITIVE_INFINITY;
    const freed = this.#total() - roomBeside(amount, this.#capacity);
    let index = this.#first;
    while ((this.#sums[index] as number) < freed) index += 1;
    return index === 0 ? from : Math.max(from, (this.#at[index - 1] as number) + this.#spanMs);
  }

  /** One that starts before the last counts as starting with it. */
  append(amount: number, at: number): void {
    if (amount <= 0) return;
    this.#at.push(Math.max(at, this.#at.at(-1) ?? at));
    this.#sums.push(this.#total() + amount);
    while ((this.#sums[this.#first] as number) < this.#total() - this.#capacity) this.#first += 1;
    if (this.#first > COMPACT_FROM && this.#first > this.#at.length >> 1) this.#compact();
  }

  /** Taken off the end, where it shortens the wait of whoever comes next and nobody else's. */
  release(amount: number): void {
    let left = amount;
    while (left > 0 && this.#at.length > 0) {
      const last = this.#at.length - 1;
      const part = Math.min(left, this.#total() - (this.#sums[last] as number));
      left -= part;
      if (left > 0) {
        this.#at.pop();
        this.#sums.pop();
      } else {
        this.#sums[last + 1] = this.#total() - part;
      }
    }
    this.#first = Math.min(this.#first, this.#at.length);
    while (this.#first > 0 && (this.#sums[this.#first - 1] as number) >= this.#total() - this.#capacity)
      this.#first -= 1;
  }

  #total(): number {
    return this.#sums.at(-1) as number;
  }

  /** Whoever comes starts behind the entry before the first; older ones are never looked at again. */
  #compact(): void {
    this.#at = this.#at.slice(this.#first - 1);
    this.#sums = this.#sums.slice(this.#first - 1);
    this.#first = 1;
  }
}

const COMPACT_FROM = 256;
