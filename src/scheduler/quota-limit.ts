import type { Unit } from '../charge.ts';
import type { Cost } from './cost.ts';
import { FlowLog } from './flow-log.ts';
import { ForeignUse } from './foreign-use.ts';
import { levelBounds } from './level-bounds.ts';
import { AdaptivePace, createLimits, type LimitPlan } from './limits/create-limits.ts';
import type { Limit } from './limits/limit.ts';
import { Meter } from './meter.ts';

/** Where a limit's number came from. */
export type LimitSource = 'config' | 'header' | 'refusal';

/** A limit as an answer's head or a 429 describes it; absent numbers are null. */
export interface Reading {
  readonly unit: Exclude<Unit, 'in_flight'>;
  readonly windowMs: number;
  readonly limit: number | null;
  readonly remaining: number | null;
}

/** A limit as a 429 describes it. */
export type Spent = Omit<Reading, 'remaining'> & { readonly used: number | null };

export interface QuotaLimitOptions {
  /** As people know it: `rpm`. */
  readonly name: string;
  readonly quotaName: string;
  readonly plan: LimitPlan;
  readonly skewMs: number;
  /** `config`: the plan's capacity is a cap, and a seen one counts only while it is lower. */
  readonly source: LimitSource;
  /** The vendor charges when an answer ends: until then its charge has no date. */
  readonly isChargedAtEnd?: boolean;
}

/** When a request was sent, what is now, and how far its grant and its arrival may lie apart. */
interface SeenTimes {
  readonly sentAt: number;
  readonly now: number;
  readonly skewMs: number;
}

/** One limit of a quota: the books that speak for it, and whatever is enforced along with them (a pace, slices). */
export class QuotaLimit {
  readonly name: string;
  readonly primary: Limit;
  readonly meters: readonly Meter[];
  readonly flow = new FlowLog();
  /** Whether it fills all the time, as a bucket does, rather than when something old falls out of a window. */
  readonly refills: boolean;
  source: LimitSource;
  readonly #configured: number | null;
  readonly #foreign = new ForeignUse();
  #newestSentAt = Number.NEGATIVE_INFINITY;

  constructor(options: QuotaLimitOptions) {
    const limits = createLimits({ skewMs: options.skewMs, ...options.plan });
    this.name = options.name;
    this.primary = limits[0] as Limit;
    const { name, quotaName, isChargedAtEnd = false } = options;
    this.meters = limits.map((limit) => new Meter(limit, { name, quotaName, isChargedAtEnd }));
    this.source = options.source;
    this.refills = options.plan.algorithm === 'token-bucket' && !options.plan.isGuess;
    this.#configured = options.source === 'config' ? options.plan.capacity : null;
  }

  describes(reading: Pick<Reading, 'unit' | 'windowMs'>): boolean {
    return this.primary.unit === reading.unit && this.primary.windowMs === reading.windowMs;
  }

  /** The upstream said how much it admits. Returns whether that changes anything. */
  seeCapacity(seen: number, now: number): boolean {
    const capacity = Math.min(seen, this.#configured ?? seen);
    const before = this.primary.capacity;
    if (capacity === before || capacity <= 0) return false;
    // A pace and slices are shares of the limit, so they change with it.
    for (const { limit } of this.meters) limit.setCapacity(Math.max(1, (limit.capacity * capacity) / before), now);
    this.source = capacity === this.#configured ? 'config' : 'header';
    return true;
  }

  /** A head said what remains. Returns whether the level was off. */
  seeRemaining(remaining: number, times: SeenTimes & { readonly cost: Cost }): boolean {
    const isNewest = times.sentAt >= this.#newestSentAt;
    const { capacity: limit, windowMs } = this.primary;
    const bounds = levelBounds({
      ...times,
      remaining,
      limit,
      ...(this.refills ? { ratePerMs: limit / windowMs, roundingUp: BUCKET_ROUNDING } : { ratePerMs: 0, windowMs }),
      flow: this.flow,
      isNewest,
      ownAmount: (this.meters[0] as Meter).reserved(times.cost),
    });
    if (bounds === null) return false;
    if (isNewest) this.#newestSentAt = times.sentAt;
    const before = this.primary.level(times.now);
    const hasChanged = this.primary.observe(bounds);
    this.#compare(before, times.sentAt, times.now);
    return hasChanged;
  }

  /** A 429 measured it. What is missing stays booked until `until` where the limit is a window. */
  refused(spent: Spent, times: SeenTimes & { readonly until: number }): void {
    if (spent.limit !== null) this.seeCapacity(spent.limit, times.now);
    const left = spent.limit !== null && spent.used !== null ? spent.limit - spent.used : 0;
    const sentSince = Math.max(0, this.flow.sumBetween(times.sentAt + times.skewMs, times.now));
    const before = this.primary.level(times.now);
    this.primary.refused(left - sentSince, times.now, times.until);
    this.#compare(before, times.sentAt, times.now);
  }

  /** Where the upstream had less than our books, somebody else has drawn on it. */
  #compare(levelBefore: number, sentAt: number, now: number): void {
    // Far above empty nobody needs a guard, and what lacks there may be a bucket that is smaller than its limit.
    const isNearEmpty = levelBefore < this.primary.capacity * NEAR_EMPTY;
    const gap = isNearEmpty ? Math.max(0, levelBefore - this.primary.level(now)) : 0;
    this.#foreign.compared(gap, sentAt, now);
    (this.meters[0] as Meter).guard = this.#foreign.guard;
  }

  *paces(): Generator<AdaptivePace> {
    for (const { limit } of this.meters) if (limit instanceof AdaptivePace) yield limit;
  }
}

/** What refills holds fractions, and heads tell whole numbers: up to one more is there than they say. */
const BUCKET_ROUNDING = 1;

const NEAR_EMPTY = 0.5;
