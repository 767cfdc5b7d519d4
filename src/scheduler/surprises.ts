import { FlowLog } from './flow-log.ts';

/**
 * How much dearer answers turn out than they were booked, as far as it comes due at the same time. Nobody knows how long an
 * answer without a cap will be: the upstream charges it at its end, we hear of that a moment later, and whoever was let go in
 * between finds less than the books said.
 *
 * The guard is the most that came due at once; it fades with each answer, so that a single one is not remembered for ever.
 * A bucket that keeps so much in hand has the same throughput as one that runs dry.
 */
export class Surprises {
  readonly #debts = new FlowLog({ keepMs: AT_ONCE_MS });
  #guard = 0;

  /** To be left untouched when something is granted. */
  get guard(): number {
    return this.#guard;
  }

  /** @param change What an answer cost beyond its booking; less than 0: it cost less. */
  settled(change: number, now: number): void {
    if (change > 0) this.#debts.record(now, change);
    this.#guard = Math.max(this.#guard * (1 - FADING), this.#debts.sentBetween(now - AT_ONCE_MS, now));
  }
}

/** An answer's end is on the way to us, and a grant on the way to the upstream, for no longer. */
const AT_ONCE_MS = 250;
const FADING = 1 / 1_000;
