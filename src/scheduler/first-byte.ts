/** How an attempt ended, as far as its first content goes. `gone`: the client left. `unknown`: nothing to be learned. */
export type FirstByteEnd = 'answered' | 'failed' | 'gone' | 'unknown';

/**
 * How long a route takes from the sending of a request to the first content of its answer, in ms: a mean that moves with
 * each answer. What it knew counts half after a minute without news, so that a route that is seldom used is judged by
 * what it does now; so does an answer that came in less than half the time, else a route that has become fast again would
 * be taken for slow for a hundred looks.
 *
 * A failure counts as ten seconds, or as long as it took. While nothing comes from a route that owes answers, its silence
 * counts: one that hangs is not fast until it times out.
 */
export class FirstByte {
  #meanMs: number | null = null;
  #measuredAt = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #silentSince = 0;

  /** Requests that wait for their first content. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** When something was learned last; -Infinity: never. */
  get measuredAt(): number {
    return this.#measuredAt;
  }

  /** In ms, from what it did and from how long it has been silent; null: nothing is known yet. */
  expectedMs(now: number): number | null {
    if (this.#meanMs === null || this.#unanswered === 0) return this.#meanMs;
    return Math.max(this.#meanMs, now - this.#silentSince);
  }

  sent(now: number): void {
    if (this.#unanswered === 0) this.#silentSince = now;
    this.#unanswered += 1;
  }

  /** @param tookMs since it was sent */
  ended(end: FirstByteEnd, { tookMs, now }: { readonly tookMs: number; readonly now: number }): void {
    this.#unanswered -= 1;
    if (end === 'answered') {
      this.#silentSince = now;
      this.#learn(tookMs, now);
    } else if (end === 'failed') {
      this.failed({ tookMs, now });
    } else if (end === 'gone' && tookMs > (this.#meanMs ?? SHORTEST_PATIENCE_MS)) {
      // At least so long: whoever leaves sooner says nothing of the route.
      this.#learn(tookMs, now);
    }
  }

  /** It failed, perhaps behind its first content. */
  failed({ tookMs, now }: { readonly tookMs: number; readonly now: number }): void {
    this.#learn(Math.max(tookMs, FAILURE_MS), now);
  }

  #learn(tookMs: number, now: number): void {
    const mean = this.#meanMs ?? tookMs;
    const forgotten = 1 - 0.5 ** ((now - this.#measuredAt) / HALF_LIFE_MS);
    const least = tookMs < mean / 2 ? BETTER_NEWS : NEWS;
    this.#meanMs = mean + Math.max(least, forgotten) * (tookMs - mean);
    this.#measuredAt = now;
  }
}

const HALF_LIFE_MS = 60_000;
/** What one answer weighs at least, among all that is known. */
const NEWS = 0.2;
const BETTER_NEWS = 0.5;
const FAILURE_MS = 10_000;
const SHORTEST_PATIENCE_MS = 1_000;
