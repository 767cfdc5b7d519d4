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
  readonly #limit: number;
  readonly #windowMs: number;
  #level: number;
  #at = Number.NEGATIVE_INFINITY;
  #charged = 0;

  constructor(options: TokenBucketOptions) {
    this.largest = options.capacity;
    this.#limit = options.limit;
    this.#windowMs = options.windowMs;
    this.#level = options.initial;
  }

  waitMs(nowMs: number, amount: number): number {
    if (amount > this.largest) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#refillMs(amount - this.#levelAt(nowMs)));
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
    return { level, used, fullInMs: this.#refillMs(used) };
  }

  measure(fromMs: number): (untilMs: number) => Measure {
    const level = this.#levelAt(fromMs);
    const charged = this.#charged;
    return (untilMs) => ({
      charged: this.#charged - charged,
      supply: level + this.#refilled(untilMs - fromMs),
    });
  }

  #charge(nowMs: number, amount: number): void {
    // A refund into a bucket that has refilled meanwhile spills over: it never holds more than its capacity.
    this.#level = Math.min(this.largest, this.#levelAt(nowMs) - amount);
    this.#at = nowMs;
    this.#charged += amount;
  }

  #refillMs(amount: number): number {
    return (amount * this.#windowMs) / this.#limit;
  }

  #refilled(spanMs: number): number {
    return (spanMs * this.#limit) / this.#windowMs;
  }

  #levelAt(nowMs: number): number {
    if (this.#at === Number.NEGATIVE_INFINITY) this.#at = nowMs;
    return Math.min(this.largest, this.#level + this.#refilled(Math.max(0, nowMs - this.#at)));
  }
}
