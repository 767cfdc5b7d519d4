import { type Entry, type Measure, type Meter, type Reading, ROUNDING } from './meter.ts';

/** Entries that have left are cut off once they are this many, so that cutting costs nothing per request. */
const TRIM_AT = 1024;

/** Remembers every charge for exactly one window (Mistral). A charge keeps its instant when it is corrected. */
export class SlidingLog implements Meter {
  readonly largest: number;
  readonly #windowMs: number;
  #entries: Entry[] = [];
  #first = 0;
  #used = 0;
  #charged = 0;

  constructor(limit: number, windowMs: number) {
    this.largest = limit;
    this.#windowMs = windowMs;
  }

  waitMs(nowMs: number, amount: number): number {
    if (amount > this.largest) return Number.POSITIVE_INFINITY;
    this.#forget(nowMs);
    let missing = this.#used + amount - this.largest;
    if (missing <= ROUNDING) return 0;
    for (let index = this.#first; index < this.#entries.length; index++) {
      const entry = this.#entries[index];
      missing -= entry?.amount ?? 0;
      if (entry && missing <= ROUNDING) return entry.at + this.#windowMs - nowMs;
    }
    return this.#windowMs;
  }

  take(nowMs: number, amount: number): Entry {
    this.#forget(nowMs);
    const entry = { at: nowMs, amount };
    this.#entries.push(entry);
    this.#used += amount;
    this.#charged += amount;
    return entry;
  }

  adjust(nowMs: number, entry: Entry, amount: number): void {
    if (entry.at <= nowMs - this.#windowMs) return;
    const change = amount - entry.amount;
    entry.amount = amount;
    this.#used += change;
    this.#charged += change;
  }

  read(nowMs: number): Reading {
    this.#forget(nowMs);
    const newest = this.#entries.at(-1);
    const isEmpty = this.#first === this.#entries.length || newest === undefined;
    return {
      level: this.largest - this.#used,
      used: this.#used,
      fullInMs: isEmpty ? 0 : newest.at + this.#windowMs - nowMs,
    };
  }

  /** Every unit can be used once a window: at once where it is free, else when the entry that holds it leaves. */
  measure(fromMs: number): (untilMs: number) => Measure {
    this.#forget(fromMs);
    const charged = this.#charged;
    let free = this.largest;
    const held = this.#entries
      .slice(this.#first)
      .reverse()
      .map((entry) => {
        // In debt, the entries that leave first make no room: the newest fill the whole limit.
        const amount = Math.min(entry.amount, free);
        free -= amount;
        return { freeAt: entry.at + this.#windowMs, amount };
      });
    held.push({ freeAt: fromMs, amount: free });
    return (untilMs) => ({
      charged: this.#charged - charged,
      supply: held.reduce((sum, { freeAt, amount }) => sum + amount * this.#turns(untilMs - freeAt), 0),
    });
  }

  #turns(spanMs: number): number {
    return Math.max(0, Math.ceil(spanMs / this.#windowMs));
  }

  #forget(nowMs: number): void {
    for (;;) {
      const entry = this.#entries[this.#first];
      if (entry === undefined || entry.at > nowMs - this.#windowMs) break;
      this.#used -= entry.amount;
      this.#first += 1;
    }
    if (this.#first < TRIM_AT || this.#first * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
