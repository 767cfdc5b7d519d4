import type { Unit } from '../../charge.ts';
import type { Booking, LevelBounds, Limit, LimitSnapshot, Tail, Timeline } from './limit.ts';
import { ROUNDING } from './window-timeline.ts';

/** From `startMs` up to, not including, `endMs`; monotonic. */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

/** The period that an instant lies in. The next one begins at `endMs`. */
export type Boundaries = (instant: number) => Period;

export interface FixedWindowOptions {
  readonly unit: Unit;
  /** The usual length; a day that loses an hour is no concern of it. */
  readonly windowMs: number;
  readonly capacity: number;
  readonly skewMs: number;
  readonly boundaries: Boundaries;
}

/**
 * No more than `capacity` in each period, and the periods are known. Nothing is granted in the last skew of one, or it
 * might arrive in the next. What changes after a booking's period has passed is lost.
 */
export class FixedWindow implements Limit {
  readonly unit: Unit;
  readonly windowMs: number;
  readonly #boundaries: Boundaries;
  #capacity: number;
  #guardMs: number;
  #period: Period = { startMs: Number.NEGATIVE_INFINITY, endMs: Number.NEGATIVE_INFINITY };
  #used = 0;

  constructor({ unit, windowMs, capacity, skewMs, boundaries }: FixedWindowOptions) {
    this.unit = unit;
    this.windowMs = windowMs;
    this.#boundaries = boundaries;
    this.#capacity = capacity;
    this.#guardMs = guard(windowMs, skewMs);
  }

  get capacity(): number {
    return this.#capacity;
  }

  level(now: number): number {
    this.#enter(now);
    return this.#capacity - this.#used;
  }

  fullInMs(now: number): number {
    this.#enter(now);
    return this.#used > 0 ? this.#period.endMs - now : 0;
  }

  readyAt(amount: number, from: number): number {
    return this.#view().earliest(amount, from);
  }

  take(amount: number, now: number): Booking {
    this.#enter(now);
    this.#used += amount;
    return { at: now, amount };
  }

  settle(booking: Booking, charged: number, now: number): boolean {
    this.#enter(now);
    const more = charged - booking.amount;
    booking.amount = charged;
    if (more === 0 || booking.at < this.#period.startMs) return false;
    this.#used = Math.max(0, this.#used + more);
    return more < 0;
  }

  fork(): Timeline {
    return this.#view();
  }

  tail(): Tail {
    return this.#view();
  }

  observe({ now, lowest, highest, mayRaise }: LevelBounds): boolean {
    const level = this.level(now);
    const isTooLow = mayRaise && level < Math.min(lowest, this.#capacity);
    if (this.#capacity === Number.POSITIVE_INFINITY || (level <= highest && !isTooLow)) return false;
    this.#used += level - (isTooLow ? Math.min(lowest, this.#capacity) : highest);
    return true;
  }

  /** What is missing is gone until the period ends, which is known better than any hint. */
  refused(level: number, now: number): void {
    if (this.#capacity < Number.POSITIVE_INFINITY) this.#used += Math.max(0, this.level(now) - level);
  }

  setCapacity(capacity: number): void {
    this.#capacity = capacity;
  }

  setSkew(skewMs: number): void {
    this.#guardMs = guard(this.windowMs, skewMs);
  }

  snapshot(now: number): LimitSnapshot {
    this.#enter(now);
    return { capacity: this.#capacity, used: this.#used > 0 ? [[0, this.#used]] : [] };
  }

  /** Counts what was used in this same period. */
  restore({ used }: LimitSnapshot, ageMs: number, now: number): void {
    this.#enter(now);
    for (const [usedAgeMs, amount] of used) if (now - ageMs - usedAgeMs >= this.#period.startMs) this.#used += amount;
  }

  #enter(now: number): void {
    if (now < this.#period.endMs) return;
    this.#period = this.#boundaries(now);
    this.#used = 0;
  }

  #view(): FixedWindowView {
    return new FixedWindowView({
      capacity: this.#capacity,
      guardMs: this.#guardMs,
      boundaries: this.#boundaries,
      booked: [{ ...this.#period, ...UNBOOKED, used: this.#used }],
    });
  }
}

interface BookedPeriod extends Period {
  used: number;
  /** The most that one of its bookings needs for its start beyond what it keeps. */
  slack: number;
  /** The last start of one that needs more than it keeps. */
  heldUntil: number;
}

interface ViewOptions {
  readonly capacity: number;
  readonly guardMs: number;
  readonly boundaries: Boundaries;
  readonly booked: BookedPeriod[];
}

/** Within a period the order of bookings does not matter, so one sum for each is all that both views need. */
class FixedWindowView implements Timeline, Tail {
  readonly #capacity: number;
  readonly #guardMs: number;
  readonly #boundaries: Boundaries;
  readonly #booked: BookedPeriod[];

  constructor({ capacity, guardMs, boundaries, booked }: ViewOptions) {
    this.#capacity = capacity;
    this.#guardMs = guardMs;
    this.#boundaries = boundaries;
    this.#booked = booked;
  }

  earliest(amount: number, from: number): number {
    if (amount <= 0) return from;
    if (amount > this.#capacity) return Number.POSITIVE_INFINITY;
    const bound = this.#capacity - amount + ROUNDING * Math.max(1, amount);
    let start = from;
    for (let next = this.#afterObstacle(start, bound); next > start; next = this.#afterObstacle(start, bound))
      start = next;
    return start;
  }

  book(amount: number, at: number, needed = amount): void {
    if (needed <= 0) return;
    const period = this.#periodOf(at);
    if (!this.#booked.includes(period)) this.#booked.push(period);
    period.used += amount;
    if (needed <= amount) return;
    period.slack = Math.max(period.slack, needed - amount);
    period.heldUntil = Math.max(period.heldUntil, at);
  }

  append(amount: number, at: number): void {
    this.book(amount, at);
  }

  /** Which period it comes back to is not known: the next rebuild sees it. */
  release(): void {}

  /** `start` itself if nothing is in the way there. */
  #afterObstacle(start: number, bound: number): number {
    const { endMs, used, slack, heldUntil } = this.#periodOf(start);
    if (start >= endMs - this.#guardMs || used > bound) return endMs;
    return used + slack > bound ? Math.max(start, heldUntil) : start;
  }

  #periodOf(at: number): BookedPeriod {
    const booked = this.#booked.find(({ startMs, endMs }) => startMs <= at && at < endMs);
    return booked ?? { ...this.#boundaries(at), ...UNBOOKED };
  }
}

const UNBOOKED = { used: 0, slack: 0, heldUntil: Number.NEGATIVE_INFINITY };

/** A guard that took a large part of a short window would cost more than the stragglers it is there for. */
function guard(windowMs: number, skewMs: number): number {
  return windowMs <= 4 * skewMs ? windowMs / 100 : skewMs;
}
