/** Changes what an admitted request is charged: a refund, a debt, or, for slots, its end. */
export type Recharge = (charged: number, at: number) => void;

/** An upstream limiter at its plainest: exact, slow, and with nothing of ours in it. Asked in the order of time. */
export interface Twin {
  /** Null: refused. */
  admit(amount: number, at: number): Recharge | null;
}

/** Sums of many fractions are off by a hair. */
export function isWithin(amount: number, bound: number): boolean {
  return amount <= bound + 1e-6 * Math.max(1, bound);
}
