import type { Unit } from '../../charge.ts';
import type { Booking, LevelBounds, Limit, LimitSnapshot, Tail, Timeline } from './limit.ts';
import { WindowLog } from './window-log.ts';
import { roomBeside, WindowTail, WindowTimeline } from './window-timeline.ts';

export interface SlidingWindowOptions {
  readonly unit: Unit;
  readonly windowMs: number;
  /** Infinity: no limit, but what is used is kept in case one is learned. */
  readonly capacity: number;
  readonly skewMs: number;
  /** So many entries are kept one by one; more are merged. */
  readonly exactEntries?: number;
}

/**
 * No more than `capacity` within any window: a log of what was used, kept a skew longer than the window, since the
 * upstream's own window begins when a request arrives. This is safe for windows that start at fixed instants which
 * nobody knows, too: whatever falls into one of them lies within a window and a skew of our log.
 */
export class SlidingWindow implements Limit {
  readonly unit: Unit;
  readonly windowMs: number;
  #capacity: number;
  readonly #log: WindowLog;

  constructor({ unit, windowMs, capacity, skewMs, exactEntries = EXACT_ENTRIES }: SlidingWindowOptions) {
    this.unit = unit;
    this.windowMs = windowMs;
    this.#capacity = capacity;
    const grainMs = Math.max(MIN_GRAIN_MS, windowMs / GRAINS);
    this.#log = new WindowLog({ spanMs: windowMs + skewMs, exactEntries, grainMs });
  }

  get capacity(): number {
    return this.#capacity;
  }

  level(now: number): number {
    return this.#capacity - this.#log.used(now);
  }

  fullInMs(now: number): number {
    return this.#log.emptyAt(now) - now;
  }

  readyAt(amount: number, from: number): number {
    if (amount <= 0) return from;
    if (amount > this.#capacity) return Number.POSITIVE_INFINITY;
    return this.#log.readyAt(roomBeside(amount, this.#capacity), from);
  }

  take(amount: number, now: number): Booking {
    this.#log.used(now);
    this.#log.add(now, amount);
    return { at: now, amount };
  }

  /** A booking keeps its instant; what changes after its window has passed is lost. */
  settle(booking: Booking, charged: number, now: number): boolean {
    const more = charged - booking.amount;
    const isInWindow = more !== 0 && this.#log.change(booking.at, more, now);
    booking.amount = charged;
    return isInWindow && more < 0;
  }

  fork(now: number): Timeline {
    return new WindowTimeline(this.#view(now));
  }

  tail(now: number): Tail {
    return new WindowTail(this.#view(now));
  }

  /**
   * What is missing was used by somebody else, nobody knows when: an entry dated now. What is too much is taken from the
   * oldest entries, others' and ours alike, so that the rest never expires here before it does upstream.
   */
  observe({ now, lowest, highest, mayRaise }: LevelBounds): boolean {
    const level = this.level(now);
    if (level === Number.POSITIVE_INFINITY) return false;
    if (level > highest) {
      this.#log.add(now, level - highest);
      return true;
    }
    if (!mayRaise || level >= Math.min(lowest, this.#capacity)) return false;
    this.#log.cut(lowest - level);
    return true;
  }

  /** What is missing stays booked until `until`, or for one window: a longer rest is not the limit's. */
  refused(level: number, now: number, until: number): void {
    if (this.#capacity === Number.POSITIVE_INFINITY) return;
    this.#log.add(Math.min(now, until - this.#log.spanMs), this.level(now) - level);
  }

  setCapacity(capacity: number): void {
    this.#capacity = capacity;
  }

  setSkew(skewMs: number): void {
    this.#log.spanMs = this.windowMs + skewMs;
  }

  /** Entries close together are written as one, as old as the newest of them. */
  snapshot(now: number): LimitSnapshot {
    const { at, sums } = this.#log.copy(now);
    const used: [ageMs: number, amount: number][] = [];
    const grainMs = at.length > WRITTEN_ENTRIES ? this.windowMs / WRITTEN_ENTRIES : 0;
    let begunAt = Number.NEGATIVE_INFINITY;
    for (const [index, instant] of at.entries()) {
      const amount = (sums[index + 1] as number) - (sums[index] as number);
      const before = instant - begunAt < grainMs ? used.pop() : undefined;
      if (before === undefined) begunAt = instant;
      used.push([now - instant, amount + (before?.[1] ?? 0)]);
    }
    return { capacity: this.#capacity, used };
  }

  restore({ used }: LimitSnapshot, ageMs: number, now: number): void {
    for (const [usedAgeMs, amount] of used) this.#log.add(now - ageMs - usedAgeMs, amount);
    this.#log.used(now);
  }

  #view(now: number) {
    return { ...this.#log.copy(now), spanMs: this.#log.spanMs, capacity: this.#capacity };
  }
}

/** Above it, merging to a tenth of a second, or a minute of a day, costs less than 0.2 % of the window. */
const EXACT_ENTRIES = 5_000;
const MIN_GRAIN_MS = 100;
const GRAINS = 1_440;
const WRITTEN_ENTRIES = 600;
