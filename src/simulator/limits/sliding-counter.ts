import { type Entry, type Measure, type Meter, type Reading, ROUNDING } from './meter.ts';

/**
 * Two counters that stand in for a log: this window's, and the last one's, which fades as this window passes. Vendors
 * behind a CDN or a gateway count like this.
 */
export class SlidingCounter implements Meter {
  readonly largest: number;
  readonly #windowMs: number;
  #start = Number.NEGATIVE_INFINITY;
  #before = 0;
  #used = 0;
  #charged = 0;

  constructor(limit: number, windowMs: number) {
    this.largest = limit;
    this.#windowMs = windowMs;
  }

  waitMs(nowMs: number, amount: number): number {
    if (amount > this.largest) return Number.POSITIVE_INFINITY;
    this.#turn(nowMs);
    const room = this.largest - amount;
    if (this.#countAt(nowMs) <= room + ROUNDING) return 0;
    const endsInMs = this.#start + this.#windowMs - nowMs;
    // Within this window the older count fades; if that is not enough, this window's own count fades in the next.
    if (this.#used <= room) return endsInMs - ((room - this.#used) / this.#before) * this.#windowMs;
    return endsInMs + (1 - room / this.#used) * this.#windowMs;
  }

  take(nowMs: number, amount: number): Entry {
    this.#turn(nowMs);
    this.#used += amount;
    this.#charged += amount;
    return { at: this.#start, amount };
  }

  adjust(nowMs: number, entry: Entry, amount: number): void {
    this.#turn(nowMs);
    const change = amount - entry.amount;
    if (entry.at === this.#start) this.#used += change;
    else if (entry.at === this.#start - this.#windowMs) this.#before += change;
    else return;
    entry.amount = amount;
    this.#charged += change;
  }

  read(nowMs: number): Reading {
    this.#turn(nowMs);
    const endsInMs = this.#start + this.#windowMs - nowMs;
    const isFull = this.#before === 0 && this.#used === 0;
    const used = this.#countAt(nowMs);
    return {
      level: this.largest - used,
      used,
      fullInMs: isFull ? 0 : endsInMs + (this.#used > 0 ? this.#windowMs : 0),
    };
  }

  /** The supply is the fluid one, level and rate: what two counters admit depends on when it is asked for. */
  measure(fromMs: number): (untilMs: number) => Measure {
    this.#turn(fromMs);
    const charged = this.#charged;
    const level = this.largest - this.#countAt(fromMs);
    return (untilMs) => ({
      charged: this.#charged - charged,
      supply: level + (this.largest * (untilMs - fromMs)) / this.#windowMs,
    });
  }

  #countAt(nowMs: number): number {
    return this.#used + this.#before * (1 - (nowMs - this.#start) / this.#windowMs);
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#start + this.#windowMs) return;
    const start = Math.floor(nowMs / this.#windowMs) * this.#windowMs;
    this.#before = start === this.#start + this.#windowMs ? this.#used : 0;
    this.#used = 0;
    this.#start = start;
  }
}
