import { firstAbove } from './sorted.ts';

/**
 * What a refund may give back at most.
 *
 * An upstream refunds somewhat earlier than we hear of it. Had it been full at that moment, it lost the refund; if more
 * has been spent since, our level would be too high by as much. So the level after a refund must be right for each moment
 * at which the upstream may have made it: as if the bucket had been full then and everything since was spent from it.
 *
 * Time and work (spending, in ms of refill) are kept as `peak = instant - work so far`, just before each spending. The
 * peaks fall from front to back, because one that is lower than a later one never counts again: the first that is young
 * enough is the highest.
 */
export class RecentSpending {
  /** `latestRefundMs` of the skew that is allowed for. */
  keepMs: number;
  #at: number[] = [];
  #peaks: number[] = [];
  #workMs = 0;
  #head = 0;

  constructor(keepMs: number) {
    this.keepMs = keepMs;
  }

  record(at: number, workMs: number): void {
    const peak = at - this.#workMs;
    while (this.#at.length > this.#head && (this.#peaks.at(-1) as number) <= peak) {
      this.#at.pop();
      this.#peaks.pop();
    }
    this.#forget(at - this.keepMs);
    this.#at.push(at);
    this.#peaks.push(peak);
    this.#workMs += workMs;
  }

  /**
   * The latest moment at which the upstream may have been full when it refunded what was booked at `bookedAt`, moved on by
   * all spending since. What was under way at that moment needs no more care: the bucket counted as full, a skew later,
   * when it was taken.
   */
  fullSince(bookedAt: number, now: number): number {
    const index = firstAbove(this.#at, Math.max(bookedAt, now - this.keepMs), this.#head);
    return Math.max(this.#peaks[index] ?? Number.NEGATIVE_INFINITY, now - this.#workMs) + this.#workMs;
  }

  #forget(before: number): void {
    while (this.#head < this.#at.length && (this.#at[this.#head] as number) < before) this.#head += 1;
    if (this.#head <= this.#at.length >> 1) return;
    this.#at = this.#at.slice(this.#head);
    this.#peaks = this.#peaks.slice(this.#head);
    this.#head = 0;
  }
}

/** How long before a refund is settled here the upstream may have made it. */
export function latestRefundMs(skewMs: number): number {
  return Math.max(LATEST_REFUND_MS, 2 * skewMs);
}

/** An upstream refunds at its end of an answer; we hear of it one way later, and wait out a lag on top. */
const LATEST_REFUND_MS = 500;
