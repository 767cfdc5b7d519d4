import type { Unit } from '../../charge.ts';
import { type BucketOptions, BucketShape } from './bucket-shape.ts';
import { BucketTail, BucketTimeline } from './bucket-timeline.ts';
import type { Booking, LevelBounds, Limit, LimitSnapshot, Tail, Timeline } from './limit.ts';
import { latestRefundMs, RecentSpending } from './recent-spending.ts';

export interface TokenBucketOptions extends BucketOptions {
  readonly unit: Unit;
}

/**
 * A bucket that fills at `capacity` a window. Its whole state is one number, the instant at which the level was zero;
 * it is never brought up to date, so it is exact however long nobody asks.
 *
 * Without a limit (capacity Infinity) nothing is kept: whoever teaches the limit says the level in the same breath.
 */
export class TokenBucket implements Limit {
  readonly unit: Unit;
  readonly windowMs: number;
  #shape: BucketShape;
  #zero = Number.NEGATIVE_INFINITY;
  #recent: RecentSpending;

  constructor({ unit, ...options }: TokenBucketOptions) {
    this.unit = unit;
    this.windowMs = options.windowMs;
    this.#shape = new BucketShape(options);
    this.#recent = new RecentSpending(latestRefundMs(options.skewMs));
  }

  get capacity(): number {
    return this.#shape.capacity;
  }

  get burst(): number {
    return this.#shape.options.burst;
  }

  level(now: number): number {
    return this.#shape.level(this.#zero, now);
  }

  fullInMs(now: number): number {
    return this.#shape.isUnlimited ? 0 : Math.max(0, this.#zero + this.#shape.fullMs - now);
  }

  readyAt(amount: number, from: number): number {
    if (amount <= 0) return from;
    if (amount > this.#shape.capacity) return Number.POSITIVE_INFINITY;
    return Math.max(from, this.#shape.ready(this.#zero, amount));
  }

  take(amount: number, now: number): Booking {
    this.#spend(amount, now);
    return { at: now, amount };
  }

  settle(booking: Booking, charged: number, now: number): boolean {
    const more = charged - booking.amount;
    if (more > 0) this.#spend(more, now);
    if (more < 0) this.#refund(booking, -more, now);
    booking.amount = charged;
    return more < 0;
  }

  fork(now: number): Timeline {
    return new BucketTimeline(this.#shape, this.#zero, now);
  }

  tail(): Tail {
    return new BucketTail(this.#shape, this.#zero);
  }

  observe({ now, lowest, highest, mayRaise }: LevelBounds): boolean {
    const level = this.level(now);
    if (level > highest) return this.#setLevel(highest, now);
    return mayRaise && level < Math.min(lowest, this.#shape.size) && this.#setLevel(lowest, now);
  }

  /** A bucket's refusal lasts as long as the refill takes: `until` is for windows. */
  refused(level: number, now: number): void {
    if (this.level(now) > level) this.#setLevel(level, now);
  }

  setCapacity(capacity: number, now: number): void {
    this.#reshape({ capacity }, now);
  }

  setSkew(skewMs: number): void {
    this.#shape = this.#shape.with({ skewMs });
    this.#recent.keepMs = latestRefundMs(skewMs);
  }

  /** What is there stays there, but for what a smaller bucket can't hold. */
  setBurst(burst: number, now: number): void {
    const level = this.level(now);
    this.#shape = this.#shape.with({ burst });
    this.#setLevel(Math.min(level, this.#shape.size), now);
  }

  snapshot(now: number): LimitSnapshot {
    const missing = this.#missing(now);
    return { capacity: this.capacity, used: missing > 0 ? [[0, missing]] : [] };
  }

  restore({ used }: LimitSnapshot, ageMs: number, now: number): void {
    const [missingAgeMs, missing] = used[0] ?? [0, 0];
    this.#setLevel(this.#shape.size - missing, now - ageMs - missingAgeMs);
  }

  #missing(now: number): number {
    return this.#shape.isUnlimited ? 0 : this.#shape.size - this.level(now);
  }

  /** What is missing stays missing. */
  #reshape(changes: Partial<BucketOptions>, now: number): void {
    const missing = this.#missing(now);
    this.#shape = this.#shape.with(changes);
    this.#recent = new RecentSpending(latestRefundMs(this.#shape.options.skewMs));
    this.#setLevel(this.#shape.size - missing, now);
  }

  #setLevel(level: number, now: number): boolean {
    this.#zero = this.#shape.isUnlimited ? Number.NEGATIVE_INFINITY : now - level * this.#shape.msPerUnit;
    return !this.#shape.isUnlimited;
  }

  #spend(amount: number, now: number): void {
    if (amount <= 0 || this.#shape.isUnlimited) return;
    this.#zero = this.#shape.spend(this.#zero, amount, now);
    this.#recent.record(now, amount * this.#shape.msPerUnit);
  }

  #refund(booking: Booking, refund: number, now: number): void {
    if (this.#shape.isUnlimited) return;
    const fullest = this.#shape.floor(this.#recent.fullSince(booking.at, now));
    this.#zero = Math.max(this.#zero - refund * this.#shape.msPerUnit, Math.min(this.#zero, fullest));
  }
}
