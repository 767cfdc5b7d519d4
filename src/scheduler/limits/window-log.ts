import { firstAbove } from './sorted.ts';

export interface WindowLogOptions {
  /** How long an entry weighs. */
  readonly spanMs: number;
  /** From so many entries on, new ones closer together than `grainMs` are merged. */
  readonly exactEntries: number;
  readonly grainMs: number;
}

/**
 * What was used and when, as long as it weighs: two lists in the order of time, and their sum. Merged entries count from
 * their newest, so they weigh too long rather than too short.
 */
export class WindowLog {
  #spanMs: number;
  readonly #exactEntries: number;
  readonly #grainMs: number;
  #at: number[] = [];
  #amounts: number[] = [];
  #head = 0;
  #sum = 0;
  /** When the newest entry began, before others were merged into it. */
  #begunAt = Number.NEGATIVE_INFINITY;
  #expiredThrough = Number.NEGATIVE_INFINITY;

  constructor({ spanMs, exactEntries, grainMs }: WindowLogOptions) {
    this.#spanMs = spanMs;
    this.#exactEntries = exactEntries;
    this.#grainMs = grainMs;
  }

  get spanMs(): number {
    return this.#spanMs;
  }

  set spanMs(spanMs: number) {
    this.#spanMs = spanMs;
  }

  get length(): number {
    return this.#at.length - this.#head;
  }

  /** When nothing is left; `now` if nothing is. */
  emptyAt(now: number): number {
    return this.length === 0 ? now : Math.max(now, (this.#at.at(-1) as number) + this.#spanMs);
  }

  /** What weighs at `now`, and may be forgotten before it. */
  used(now: number): number {
    this.#expire(now);
    return this.#sum;
  }

  /** First instant >= `from` at which no more than `bound` is used, if nothing is added. */
  readyAt(bound: number, from: number): number {
    let index = this.#head;
    let used = this.#sum;
    while (used > bound && index < this.#at.length) {
      used -= this.#amounts[index] as number;
      index += 1;
    }
    return index === this.#head ? from : Math.max(from, (this.#at[index - 1] as number) + this.#spanMs);
  }

  add(at: number, amount: number): void {
    if (amount <= 0) return;
    this.#sum += amount;
    const last = this.#at.length - 1;
    const newest = last < this.#head ? Number.NEGATIVE_INFINITY : (this.#at[last] as number);
    if (at < newest) {
      this.#insert(at, amount);
    } else if (at === newest || this.#isMerged(at)) {
      this.#at[last] = at;
      this.#amounts[last] = (this.#amounts[last] as number) + amount;
    } else {
      this.#at.push(at);
      this.#amounts.push(amount);
      this.#begunAt = at;
    }
  }

  /**
   * Changes what was added at `at`, unless that weighs no more. More is added to it; less is taken off the entry that it
   * went into, which never falls below nothing.
   */
  change(at: number, more: number, now: number): boolean {
    if (at + this.#spanMs <= now || at <= this.#expiredThrough) return false;
    if (more > 0) {
      this.add(at, more);
      return true;
    }
    const after = firstAbove(this.#at, at, this.#head);
    const index = after > this.#head && this.#at[after - 1] === at ? after - 1 : after;
    const change = Math.max(more, -(this.#amounts[index] as number));
    this.#amounts[index] = (this.#amounts[index] as number) + change;
    this.#sum += change;
    return true;
  }

  /** Takes away from the oldest entries: what remains expires no earlier than the truth, whichever was wrong. */
  cut(amount: number): void {
    let left = amount;
    for (let index = this.#head; index < this.#at.length && left > 0; index += 1) {
      const part = Math.min(left, this.#amounts[index] as number);
      this.#amounts[index] = (this.#amounts[index] as number) - part;
      this.#sum -= part;
      left -= part;
    }
  }

  /** A copy of all that weighs, oldest first: instants, and sums of the amounts before each and after the last. */
  copy(now: number): { at: number[]; sums: number[] } {
    this.#expire(now);
    const at = this.#at.slice(this.#head);
    const sums = this.#amounts.slice(this.#head);
    let sum = 0;
    for (let index = 0; index < sums.length; index += 1) {
      const amount = sums[index] as number;
      sums[index] = sum;
      sum += amount;
    }
    sums.push(sum);
    return { at, sums };
  }

  #isMerged(at: number): boolean {
    return this.length >= this.#exactEntries && at - this.#begunAt < this.#grainMs;
  }

  #insert(at: number, amount: number): void {
    const index = firstAbove(this.#at, at, this.#head);
    if (index > this.#head && this.#at[index - 1] === at) {
      this.#amounts[index - 1] = (this.#amounts[index - 1] as number) + amount;
      return;
    }
    this.#at.splice(index, 0, at);
    this.#amounts.splice(index, 0, amount);
  }

  #expire(now: number): void {
    while (this.#head < this.#at.length && (this.#at[this.#head] as number) + this.#spanMs <= now) {
      this.#expiredThrough = this.#at[this.#head] as number;
      this.#sum -= this.#amounts[this.#head] as number;
      this.#head += 1;
    }
    if (this.length === 0) this.#sum = 0;
    if (this.#head <= COMPACT_FROM || this.#head <= this.length) return;
    this.#at = this.#at.slice(this.#head);
    this.#amounts = this.#amounts.slice(this.#head);
    this.#head = 0;
  }
}

/** Expired entries are dropped once there are so many, and more of them than of the others. */
const COMPACT_FROM = 256;
