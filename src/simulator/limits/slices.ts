import { type Entry, type Measure, type Meter, type Reading, ROUNDING } from './meter.ts';

export interface SlicesOptions {
  /** Per window; a slice gets its share, rounded down, but at least 1. */
  readonly limit: number;
  readonly windowMs: number;
  readonly sliceMs: number;
}

/**
 * A limit that is spread over short slices: 600 a minute become 10 in each second. What is larger than a slice but not
 * than the limit enters an empty slice and eats up the following ones.
 */
export class Slices implements Meter {
  readonly largest: number;
  readonly #share: number;
  readonly #sliceMs: number;
  #slice = Number.NEGATIVE_INFINITY;
  #used = 0;
  #charged = 0;

  constructor(options: SlicesOptions) {
    this.largest = options.limit;
    this.#sliceMs = options.sliceMs;
    this.#share = Math.max(1, Math.floor((options.limit * options.sliceMs) / options.windowMs));
  }

  waitMs(nowMs: number, amount: number): number {
    if (amount > this.largest) return Number.POSITIVE_INFINITY;
    this.#turn(nowMs);
    const mustBeLeft = Math.min(amount, this.#share);
    const excess = this.#used + mustBeLeft - this.#share;
    if (excess <= ROUNDING) return 0;
    return this.#startsInMs(nowMs, Math.ceil(excess / this.#share));
  }

  take(nowMs: number, amount: number): Entry {
    this.#turn(nowMs);
    this.#used += amount;
    this.#charged += amount;
    return { at: this.#slice, amount };
  }

  adjust(nowMs: number, entry: Entry, amount: number): void {
    this.#turn(nowMs);
    if (entry.at !== this.#slice) return;
    const change = amount - entry.amount;
    entry.amount = amount;
    this.#used += change;
    this.#charged += change;
  }

  read(nowMs: number): Reading {
    this.#turn(nowMs);
    return {
      level: this.#share - this.#used,
      used: this.#used,
      fullInMs: this.#used > 0 ? this.#startsInMs(nowMs, Math.ceil(this.#used / this.#share)) : 0,
    };
  }

  measure(fromMs: number): (untilMs: number) => Measure {
    this.#turn(fromMs);
    const charged = this.#charged;
    const level = this.#share - this.#used;
    const slice = this.#slice;
    return (untilMs) => ({
      charged: this.#charged - charged,
      supply: level + this.#share * Math.max(0, Math.ceil(untilMs / this.#sliceMs) - 1 - slice),
    });
  }

  #startsInMs(nowMs: number, slicesAhead: number): number {
    return (this.#slice + slicesAhead) * this.#sliceMs - nowMs;
  }

  #turn(nowMs: number): void {
    const slice = Math.floor(nowMs / this.#sliceMs);
    if (slice <= this.#slice) return;
    this.#used = this.#used > 0 ? Math.max(0, this.#used - this.#share * (slice - this.#slice)) : 0;
    this.#slice = slice;
  }
}
