import type { Entry, Measure, Meter, Reading } from './meter.ts';

export interface TokenBucketOptions {
  /** Refilled evenly over one window. */
  readonly limit: number;
  readonly windowMs: number;
  /** What a full bucket holds. */
  readonly capacity: number;
  /** What it holds at first. */
  readonly initial: number;
}

/** Refills continuously up to its capacity (OpenAI, Groq, Anthropic). Charges beyond the level leave a debt. */
export class TokenBucket implements Meter {
  readonly largest: number;
  readonly #ratePerMs: number;
  #level: number;
  #at = Number.NEGATIVE_INFINITY;
  #charged = 0;

  constructor(options: TokenBucketOptions) {
    this.largest = options.capacity;
    this.#ratePerMs = options.limit / options.windowMs;
    this.#level = options.initial;
  }

  waitMs(nowMs: number, amount: number): number {
    if (amount > this.largest) return Number.POSITIVE_INFINITY;
    return Math.max(0, (amount - this.#levelAt(nowMs)) / this.#ratePerMs);
  }

  take(nowMs: number, amount: number): Entry {
    this.#charge(nowMs, amount);
    return { at: nowMs, amount };
  }

  adjust(nowMs: number, entry: Entry, amount: number): void {
    this.#charge(nowMs, amount - entry.amount);
    entry.amount = amount;
  }

  read(nowMs: number): Reading {
    const level = this.#levelAt(nowMs);
    const used = this.largest - level;
    return { level, used, fullInMs: used / this.#ratePerMs };
  }

  measure(fromMs: number): (untilMs: number) => Measure {
    const level = this.#levelAt(fromMs);
    const charged = this.#charged;
    return (untilMs) => ({
      charged: this.#charged - charged,
      supply: level + (untilMs - fromMs) * this.#ratePerMs,
    });
  }

  #charge(nowMs: number, amount: number): void {
    // A refund into a bucket that has refilled meanwhile spills over: it never holds more than its capacity.
    this.#level = Math.min(this.largest, this.#levelAt(nowMs) - amount);
    this.#at = nowMs;
    this.#charged += amount;
  }

  #levelAt(nowMs: number): number {
    if (this.#at === Number.NEGATIVE_INFINITY) this.#at = nowMs;
    return Math.min(this.largest, this.#level + Math.max(0, nowMs - this.#at) * this.#ratePerMs);
  }
}
