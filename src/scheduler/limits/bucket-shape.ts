/** What a token bucket is made of. Amounts are of its limit's unit. */
export interface BucketOptions {
  readonly windowMs: number;
  /** What flows in during one window, and the largest cost of one request; Infinity: no limit. */
  readonly capacity: number;
  /** Share of the capacity that the bucket holds, above 0 and up to 1; never less than one unit. */
  readonly burst: number;
  readonly skewMs: number;
}

/**
 * The fixed numbers of a bucket, and its two rules. The only thing that changes with use is one instant, `zero`: when the
 * level was zero, or will be (a bucket in debt). An immutable shape is shared by the books and all views of them.
 *
 *     level
 *     size ┤          ┌───────── full: refill is lost
 *          │        ╱
 *        0 ┼──────╱────────────▶ time
 *               zero
 *
 * Refill counts as lost from `skewMs` after the moment of taking, not from that moment: the request may arrive that much
 * later, and an upstream that is full until then loses what we would have counted.
 */
export class BucketShape {
  readonly options: BucketOptions;
  readonly size: number;
  /** Time in which one unit flows in; 0 when there is no limit. */
  readonly msPerUnit: number;
  /** Time from empty to full; Infinity when there is no limit. */
  readonly fullMs: number;
  readonly #slackMs: number;

  constructor(options: BucketOptions) {
    const { windowMs, capacity, burst, skewMs } = options;
    this.options = options;
    this.size = Math.min(capacity, Math.max(burst * capacity, 1));
    this.msPerUnit = windowMs / (capacity > 0 ? capacity : 1);
    this.fullMs = this.size === Number.POSITIVE_INFINITY ? this.size : this.size * this.msPerUnit;
    this.#slackMs = skewMs - this.fullMs;
  }

  get capacity(): number {
    return this.options.capacity;
  }

  get isUnlimited(): boolean {
    return this.msPerUnit === 0;
  }

  with(changes: Partial<BucketOptions>): BucketShape {
    return new BucketShape({ ...this.options, ...changes });
  }

  level(zero: number, now: number): number {
    return this.isUnlimited ? Number.POSITIVE_INFINITY : Math.min(this.size, (now - zero) / this.msPerUnit);
  }

  /** When `amount` is there. A cost above the size, which a full bucket grants, leaves a debt. */
  ready(zero: number, amount: number): number {
    return zero + Math.min(amount, this.size) * this.msPerUnit;
  }

  /** Where `zero` would be at `at` if the bucket had just become full. */
  floor(at: number): number {
    return at + this.#slackMs;
  }

  /** The new `zero` after `amount` went at `at`. */
  spend(zero: number, amount: number, at: number): number {
    return Math.max(zero, this.floor(at)) + amount * this.msPerUnit;
  }
}
