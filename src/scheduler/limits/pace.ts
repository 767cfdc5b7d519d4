import type { Unit } from '../../charge.ts';
import { TokenBucket } from './token-bucket.ts';

export interface PaceOptions {
  readonly unit: Unit;
  readonly windowMs: number;
  readonly capacity: number;
  /** Share of the capacity that goes without pacing. */
  readonly burst: number;
}

/**
 * Spreads what a window admits over its length: what goes above the burst goes at the rate of the limit. It is a bucket
 * beside the window's own books, which alone promise that nothing is refused; so it allows for no skew, and what an
 * upstream says about the limit says nothing about it.
 */
export class Pace extends TokenBucket {
  constructor(options: PaceOptions) {
    super({ ...options, skewMs: 0 });
  }

  /** A lower limit slows down what comes; for what has gone the window's own books make up. */
  override setCapacity(capacity: number, now: number): void {
    const debt = Math.min(0, this.level(now));
    super.setCapacity(capacity, now);
    super.observe({ now, lowest: debt, highest: Number.POSITIVE_INFINITY, mayRaise: true });
  }

  override observe(): boolean {
    return false;
  }

  override refused(): void {}

  override setSkew(): void {}
}
