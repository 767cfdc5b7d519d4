import type { Clock } from '../../clock.ts';
import type { Lease } from '../../scheduler/lease.ts';
import type { RouteOption } from '../../scheduler/model-routes.ts';
import type { Scheduler } from '../../scheduler/scheduler.ts';
import { RetryBudget } from '../retry-budget.ts';
import type { HeardTimes } from './heard-times.ts';

export interface HedgingTerms {
  readonly clock: Clock;
  readonly scheduler: Pick<Scheduler, 'hedge'>;
  /** What has been heard so far, under other terms too. */
  readonly times: HeardTimes;
  /** An attempt without a first event for so long may be sent a second time; null: for longer than is usual. */
  readonly afterMs: number | null;
  /** Of the last minute's attempts that could be hedged, 0 to 1. */
  readonly maxShare: number;
}

/** Decides which attempts are sent a second time because nothing has come of them yet: when, and whether at all. */
export class Hedging {
  readonly #terms: HedgingTerms;
  readonly #budget: RetryBudget;

  constructor(terms: HedgingTerms) {
    this.#terms = terms;
    // The one that is asked for counts already.
    this.#budget = new RetryBudget({ share: terms.maxShare, floor: -1 });
  }

  /** An attempt begins that could be hedged. Returns after how many ms it may be; null: nobody knows what slow is yet. */
  begun(lease: Lease): number | null {
    const { clock, afterMs } = this.#terms;
    this.#budget.requested(clock.now());
    return afterMs ?? this.#terms.times.of(lease).slowMs;
  }

  /** Its first event has come, or it was given up without one, having taken at least so long. */
  seen(lease: Lease): void {
    this.#terms.times.of(lease).add(this.#terms.clock.now() - lease.sentAt);
  }

  /** The right to send it a second time, on a route that the client can pay for; null: not now. */
  take(first: Lease, affords: (option: RouteOption) => boolean): Lease | null {
    const now = this.#terms.clock.now();
    if (!this.#budget.hasRoom(now)) return null;
    const second = this.#terms.scheduler.hedge(first, affords);
    if (second) this.#budget.retried(now);
    return second;
  }
}
