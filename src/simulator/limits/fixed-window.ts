import { nextPacificMidnight, pacificMidnight } from '../calendar.ts';
import { type Entry, type Measure, type Meter, type Reading, ROUNDING } from './meter.ts';

/**
 * Where windows begin: at this phase of the vendor's clock, with the first charge after the last one ended, or with the day
 * in California, however long it is.
 */
export const ANCHORS = ['first-use', 'pacific-day'] as const;
export type Anchor = number | (typeof ANCHORS)[number];

export interface FixedWindowOptions {
  readonly limit: number;
  readonly windowMs: number;
  readonly anchor: Anchor;
}

/** A counter that is emptied at the end of each window (Azure, Gemini). Debt ends with its window, and so do refunds. */
export class FixedWindow implements Meter {
  readonly largest: number;
  readonly #windowMs: number;
  readonly #anchor: Anchor;
  #start = Number.NEGATIVE_INFINITY;
  #end = Number.NEGATIVE_INFINITY;
  #used = 0;
  #charged = 0;

  constructor(options: FixedWindowOptions) {
    this.largest = options.limit;
    this.#windowMs = options.windowMs;
    this.#anchor = options.anchor;
  }

  waitMs(nowMs: number, amount: number): number {
    if (amount > this.largest) return Number.POSITIVE_INFINITY;
    this.#turn(nowMs);
    return this.#used + amount <= this.largest + ROUNDING ? 0 : this.#end - nowMs;
  }

  take(nowMs: number, amount: number): Entry {
    this.#turn(nowMs);
    if (this.#start === Number.NEGATIVE_INFINITY) this.#open(nowMs);
    this.#used += amount;
    this.#charged += amount;
    return { at: this.#start, amount };
  }

  adjust(nowMs: number, entry: Entry, amount: number): void {
    this.#turn(nowMs);
    if (entry.at !== this.#start) return;
    const change = amount - entry.amount;
    entry.amount = amount;
    this.#used += change;
    this.#charged += change;
  }

  read(nowMs: number): Reading {
    this.#turn(nowMs);
    return {
      level: this.largest - this.#used,
      used: this.#used,
      fullInMs: this.#used > 0 ? this.#end - nowMs : 0,
    };
  }

  measure(fromMs: number): (untilMs: number) => Measure {
    this.#turn(fromMs);
    const charged = this.#charged;
    const free = this.largest - this.#used;
    // A window that starts with its first charge could start right now.
    const start = this.#start === Number.NEGATIVE_INFINITY ? fromMs : this.#start;
    return (untilMs) => ({
      charged: this.#charged - charged,
      supply: free + this.largest * Math.max(0, Math.ceil((untilMs - start) / this.#windowMs) - 1),
    });
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#end) return;
    this.#used = 0;
    if (this.#anchor === 'first-use') {
      this.#start = Number.NEGATIVE_INFINITY;
    } else if (this.#anchor === 'pacific-day') {
      this.#start = pacificMidnight(nowMs);
      this.#end = nextPacificMidnight(nowMs);
    } else {
      this.#open(Math.floor((nowMs - this.#anchor) / this.#windowMs) * this.#windowMs + this.#anchor);
    }
  }

  #open(startMs: number): void {
    this.#start = startMs;
    this.#end = startMs + this.#windowMs;
  }
}
