import { InFlightTail, type InFlightTailOptions } from './in-flight-tail.ts';
import type { Booking, Limit, LimitSnapshot, Tail, Timeline } from './limit.ts';
import { firstAbove } from './sorted.ts';

/**
 * So many requests at once. When a slot comes free is told by an event and not by the clock; the instants given here are
 * guesses from how long requests have held theirs. Slots are not held ahead: a booked start only says who is next.
 */
export class InFlight implements Limit {
  readonly unit = 'in_flight';
  readonly windowMs = 0;
  #capacity: number;
  #used = 0;
  #meanHoldMs = 0;
  #ended = 0;
  /** When the first slot in use was taken. */
  #busySince = 0;

  constructor({ capacity }: { readonly capacity: number }) {
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  level(): number {
    return this.#capacity - this.#used;
  }

  fullInMs(now: number): number {
    return this.#used > 0 ? this.#holdMs(now) : 0;
  }

  /** Never `from` itself while it is full, so whoever asks again does not spin. */
  readyAt(amount: number, from: number): number {
    if (amount <= 0 || this.#used + amount <= this.#capacity) return from;
    if (amount > this.#capacity) return Number.POSITIVE_INFINITY;
    return from + (this.#used + amount - this.#capacity) * this.#gapMs(from);
  }

  take(amount: number, now: number): Booking {
    if (this.#used === 0) this.#busySince = now;
    this.#used += amount;
    return { at: now, amount };
  }

  settle(booking: Booking, charged: number, now: number): boolean {
    const freed = booking.amount - charged;
    if (freed > 0) this.#learn(now - booking.at);
    this.#used -= freed;
    booking.amount = charged;
    return freed > 0;
  }

  fork(now: number): Timeline {
    return new InFlightTimeline(this.#expectations(now));
  }

  tail(now: number): Tail {
    return new InFlightTail(this.#expectations(now));
  }

  /** No head says how many slots are free. */
  observe(): boolean {
    return false;
  }

  /** Somebody else holds slots, for nobody knows how long: the rest of the route is what waits for them. */
  refused(): void {}

  setCapacity(capacity: number): void {
    this.#capacity = capacity;
  }

  /** What skew there is lies in the lag before a slot is freed. */
  setSkew(): void {}

  /** What was in flight ended with the process. */
  snapshot(): LimitSnapshot {
    return { capacity: this.#capacity, used: [] };
  }

  restore(): void {}

  /**
   * How long a slot is held. Until one has come free nobody knows: little is hoped, so that a crowd is not turned away for
   * a guess, but no less than those in use have been held already.
   */
  #holdMs(now: number): number {
    return this.#ended > 0 ? this.#meanHoldMs : Math.max(FIRST_HOLD_MS, this.#used > 0 ? now - this.#busySince : 0);
  }

  /** Expected time from one freed slot to the next. */
  #gapMs(now: number): number {
    return Math.max(MIN_GAP_MS, this.#holdMs(now) / (this.#used + 1));
  }

  #learn(heldMs: number): void {
    this.#ended += 1;
    this.#meanHoldMs += (Math.max(MIN_GAP_MS, heldMs) - this.#meanHoldMs) / Math.min(this.#ended, REMEMBERED);
  }

  #expectations(now: number): InFlightTailOptions {
    return { capacity: this.#capacity, used: this.#used, now, gapMs: this.#gapMs(now), holdMs: this.#holdMs(now) };
  }
}

/** Slots now in use come free one gap after the other; each booked start holds one for the usual time. */
class InFlightTimeline implements Timeline {
  readonly #given: InFlightTailOptions;
  /** When each booked one starts and is likely to end, once for each slot; rising. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  constructor(given: InFlightTailOptions) {
    this.#given = given;
  }

  earliest(amount: number, from: number): number {
    if (amount <= 0) return from;
    if (amount > this.#given.capacity) return Number.POSITIVE_INFINITY;
    const bound = this.#given.capacity - amount;
    let start = from;
    while (this.#usedAt(start) > bound) start = this.#nextFree(start);
    return start;
  }

  book(amount: number, at: number): void {
    const index = firstAbove(this.#starts, at);
    for (let slot = 0; slot < amount; slot += 1) {
      this.#starts.splice(index, 0, at);
      this.#ends.splice(index, 0, at + this.#given.holdMs);
    }
  }

  #usedAt(at: number): number {
    const held = firstAbove(this.#starts, at) - firstAbove(this.#ends, at);
    return held + Math.max(0, this.#given.used - this.#freedBy(at));
  }

  /** How many of the slots now in use will be free at `at`. */
  #freedBy(at: number): number {
    return Math.floor((at - this.#given.now) / this.#given.gapMs + ROUNDING);
  }

  #nextFree(after: number): number {
    const { now, gapMs, used } = this.#given;
    const freed = this.#freedBy(after) + 1;
    const slot = freed > used ? Number.POSITIVE_INFINITY : now + freed * gapMs;
    return Math.min(slot, this.#ends[firstAbove(this.#ends, after)] ?? Number.POSITIVE_INFINITY);
  }
}

const FIRST_HOLD_MS = 1_000;
const MIN_GAP_MS = 1;
/** The mean follows about so many of the last. */
const REMEMBERED = 20;
const ROUNDING = 1e-9;
