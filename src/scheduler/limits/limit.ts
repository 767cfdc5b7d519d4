import type { Unit } from '../../charge.ts';

/** Instants closer than this are the same instant; floating-point sums of refills must not miss a turn by a hair. */
export const SAME_INSTANT_MS = 1e-3;

/** What one lease holds of one limit. The limit that made it may change `amount`; nobody else does. */
export interface Booking {
  readonly at: number;
  amount: number;
}

/**
 * A limit as the plan sees it: the books as they stood when it was made, and bookings of the future on top. What is
 * taken from the limit afterwards is booked here as well by whoever takes it, so both tell the same story.
 */
export interface Timeline {
  /** First instant >= `from` at which `amount` may start without moving any booking later; Infinity: never. */
  earliest(amount: number, from: number): number;
  /** `needed` must be there at that instant, of which `amount` stays booked; default: all of it. */
  book(amount: number, at: number, needed?: number): void;
}

/**
 * The end of the queue as this limit sees it: books and everything that waits, in order. It only grows at its end, so it
 * answers for a newcomer in constant time.
 */
export interface Tail {
  /** First instant >= `from` at which `amount` may start after all that was appended; Infinity: never. */
  earliest(amount: number, from: number): number;
  append(amount: number, at: number): void;
  /** Something ahead has left or was refunded. Exact for buckets; others wait for the next rebuild. */
  release(amount: number): void;
}

/** A head's word on this limit, already turned into bounds by the interval rule. All at the instant `now`. */
export interface LevelBounds {
  readonly now: number;
  /** The level is at least this, if every undecided request is missing from the snapshot. */
  readonly lowest: number;
  /** The level is at most this, if every undecided request is in it. */
  readonly highest: number;
  /** Only a snapshot that can hold nothing the books are yet to get may raise the level. */
  readonly mayRaise: boolean;
}

/** What a limit was when it was written to the state file; times are relative to that moment. */
export interface LimitSnapshot {
  readonly capacity: number;
  /** Amount already used, by age: newest last. A bucket has one entry: its missing level, and how long ago that was. */
  readonly used: readonly (readonly [ageMs: number, amount: number])[];
}

/**
 * One upstream limit. The contract that every algorithm honours, whatever arrives up to the skew late: what it grants,
 * its upstream twin admits. Times are monotonic milliseconds, amounts are of `unit`.
 */
export interface Limit {
  readonly unit: Unit;
  /** 0 for what is in flight. */
  readonly windowMs: number;
  /** The largest amount that one request may cost; Infinity while nobody knows. */
  readonly capacity: number;
  /** What may be spent at once; negative in debt. */
  level(now: number): number;
  /** From `now` until the level is full again, in ms. */
  fullInMs(now: number): number;
  /** First instant >= `from` at which `amount` fits the books; Infinity: never. */
  readyAt(amount: number, from: number): number;
  take(amount: number, now: number): Booking;
  /** Sets a booking to what was charged. Returns whether the level rose. */
  settle(booking: Booking, charged: number, now: number): boolean;
  fork(now: number): Timeline;
  tail(now: number): Tail;
  /** Corrects the level to within the bounds. Returns whether anything changed. */
  observe(bounds: LevelBounds): boolean;
  /**
   * A 429 measured it: no more than `level` is left at `now`. A window keeps the missing amount booked until `until`.
   */
  refused(level: number, now: number, until: number): void;
  /** A lower or higher limit was seen or learned. What is booked stays booked. */
  setCapacity(capacity: number, now: number): void;
  /** Widens or narrows the skew that it allows for. */
  setSkew(skewMs: number, now: number): void;
  snapshot(now: number): LimitSnapshot;
  /** Takes over what was used, `ageMs` after it was written. */
  restore(snapshot: LimitSnapshot, ageMs: number, now: number): void;
}
