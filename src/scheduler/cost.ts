import type { Charge } from '../charge.ts';

/** What one request costs on one target, three ways. */
export interface Cost {
  /** The vendor's admission charge: does it fit now? */
  readonly reserved: Charge;
  /** What will stay booked after settlement: predictions and everything that looks ahead. */
  readonly expected: Charge;
  /** A sure lower bound of `reserved`, from the client's own cap and the surest count of the prompt. Only it rejects. */
  readonly certain: Charge;
}

/**
 * What a limit of `capacity` books for a request. A guess above the capacity is cut to it, so that a guess alone never
 * makes a request unaffordable; a certain cost above it never fits, and is Infinity.
 */
export function amountOn(capacity: number, guessed: number, certain: number): number {
  if (guessed <= capacity) return guessed;
  return certain <= capacity ? capacity : Number.POSITIVE_INFINITY;
}
