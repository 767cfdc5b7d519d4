/**
 * What others draw from a limit that we share with them, as far as heads show it: each time one says that less is left
 * than our books do. The guard is what they may have taken since the last head, two standard deviations included.
 */
export class ForeignUse {
  #gaps: { readonly at: number; readonly amount: number }[] = [];
  #sum = 0;
  #lastHeadAt = Number.NaN;
  #betweenHeadsMs = 0;

  /** A head of a request sent at `sentAt` has been compared with the books; `gap` is 0 where they agree. */
  compared(gap: number, sentAt: number, now: number): void {
    if (gap > 0) {
      this.#gaps.push({ at: now, amount: gap });
      this.#sum += gap;
    }
    while (this.#gaps[0] && this.#gaps[0].at < now - MEMORY_MS)
      this.#sum -= (this.#gaps.shift() as { amount: number }).amount;
    const since = Number.isNaN(this.#lastHeadAt) ? 0 : now - this.#lastHeadAt;
    this.#lastHeadAt = now;
    this.#betweenHeadsMs += (since + (now - sentAt) - this.#betweenHeadsMs) * 0.1;
  }

  /** To be left untouched when something is granted. */
  get guard(): number {
    if (this.#gaps.length === 0) return 0;
    const meanAmount = this.#sum / this.#gaps.length;
    const ageMs = Math.min(this.#betweenHeadsMs + ON_THE_WAY_MS, LONGEST_AGE_MS);
    const expected = (this.#sum / MEMORY_MS) * ageMs;
    return 2 * (expected + Math.sqrt(expected * meanAmount));
  }
}

const MEMORY_MS = 60_000;
/** Our own request needs that long to arrive. */
const ON_THE_WAY_MS = 100;
const LONGEST_AGE_MS = 5_000;
