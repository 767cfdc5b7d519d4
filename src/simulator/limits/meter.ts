/** What one request holds of a meter. Only the meter that made it knows what `at` marks: an instant or a window. */
export interface Entry {
  readonly at: number;
  /** Charged so far, in the limit's unit. */
  amount: number;
}

export interface Reading {
  /** What may still be admitted now, in the limit's unit; negative while the meter is in debt. */
  readonly level: number;
  /** What counts against the meter now. */
  readonly used: number;
  /** Until nothing is used any more, if nothing else comes. This is what `x-ratelimit-reset-*` says. */
  readonly fullInMs: number;
}

export interface Measure {
  /** Net of refunds. Slots are measured in slot-milliseconds, everything else in the limit's unit. */
  readonly charged: number;
  /** The most that could have been charged in that time: the level at its start and what came free since. */
  readonly supply: number;
}

/**
 * How a vendor counts one limit: the algorithm alone, which knows amounts and instants but no requests. Instants are
 * milliseconds on the vendor's clock and never go back.
 */
export interface Meter {
  /** The largest single amount that is ever admitted. */
  readonly largest: number;
  /** Until `amount` fits, if nothing else comes; 0: it fits now; Infinity: never. */
  waitMs(nowMs: number, amount: number): number;
  /** Charges `amount` without asking whether it fits. */
  take(nowMs: number, amount: number): Entry;
  /** Sets the charge of an entry to `amount`. Has no effect when the entry no longer counts. */
  adjust(nowMs: number, entry: Entry, amount: number): void;
  read(nowMs: number): Reading;
  /** Starts measuring at `fromMs`; the result tells what happened until a later instant, before the next change. */
  measure(fromMs: number): (untilMs: number) => Measure;
}

/**
 * Shortest time that a vendor's clock tells apart. Amounts that fit within it fit: a level is a product of fractions,
 * and without a grain a request would be refused over the last bit of a double.
 */
export const GRAIN_MS = 1e-3;

/** Largest rounding error of sums of amounts. */
export const ROUNDING = 1e-9;
