import { Heap } from './heap.ts';
import type { Ending, Lease } from './lease.ts';

/**
 * Refunds and freed slots count only `lagMs` after the last byte: an upstream needs that long to notice the end itself,
 * and whoever is quicker is refused. Refusals that nothing explains double the lag.
 */
export class Settlements {
  #lagMs: number;
  readonly #due = new Heap<{ lease: Lease; ending: Ending; at: number }>(({ at }) => at);

  constructor(lagMs = DEFAULT_LAG_MS) {
    this.#lagMs = lagMs;
  }

  /** When the next one is due; Infinity: none. */
  get nextAt(): number {
    return this.#due.peek()?.at ?? Number.POSITIVE_INFINITY;
  }

  distrust(): void {
    this.#lagMs = Math.min(this.#lagMs * 2, MAX_LAG_MS);
  }

  /**
   * Books debts at once and the rest later; all of it at once where the upstream never took anything, so that what a
   * refusal says about the level comes on top of the refund and not before it. Returns whether a level rose already.
   */
  add(lease: Lease, ending: Ending, now: number): boolean {
    if (ending.charged === 'unsent' || isRefusal(ending)) return lease.settle(ending.charged, now, 'all');
    lease.settle(ending.charged, now, 'debts');
    this.#due.push({ lease, ending, at: now + this.#lagMs });
    return false;
  }

  /** Books what is due and says of which leases; returns whether any level rose. */
  settleDue(now: number, hear: (lease: Lease) => void): boolean {
    let hasRisen = false;
    for (let next = this.#due.peek(); next && next.at <= now; next = this.#due.peek()) {
      this.#due.pop();
      hasRisen = next.lease.settle(next.ending.charged, now, 'all') || hasRisen;
      hear(next.lease);
    }
    return hasRisen;
  }

  /** Books everything now: the process ends. */
  settleAll(now: number): void {
    for (let next = this.#due.pop(); next; next = this.#due.pop()) next.lease.settle(next.ending.charged, now, 'all');
  }
}

function isRefusal({ report }: Ending): boolean {
  return report.kind !== 'ok' && report.kind !== 'nothing' && report.kind !== 'failed';
}

const DEFAULT_LAG_MS = 100;
const MAX_LAG_MS = 2_000;
