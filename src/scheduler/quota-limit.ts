import type { Unit } from '../charge.ts';
import type { Cost } from './cost.ts';
import { FlowLog } from './flow-log.ts';
import { ForeignUse } from './foreign-use.ts';
import { levelBounds, refundsKnownAfterMs } from './level-bounds.ts';
import { AdaptivePace, createLimits, type LimitPlan } from './limits/create-limits.ts';
import type { LevelBounds, Limit } from './limits/limit.ts';
import { latestRefundMs } from './limits/recent-spending.ts';
import { Meter } from './meter.ts';
import { Surprises } from './surprises.ts';

/** Where a limit's number came from. */
export type LimitSource = 'config' | 'header' | 'refusal';

/** A limit as an answer's head or a 429 describes it; absent numbers are null. */
export interface Reading {
  readonly unit: Exclude<Unit, 'in_flight'>;
  readonly windowMs: number;
  readonly limit: number | null;
  readonly remaining: number | null;
  /** Less may be left than it says, so it never shows that the books are too strict. */
  readonly isAtMost?: boolean;
}

/** A limit as a 429 describes it. */
export type Spent = Omit<Reading, 'remaining' | 'isAtMost'> & { readonly used: number | null };

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

/** What a head said remains. */
interface Heard {
  readonly remaining: number;
  readonly sentAt: number;
  readonly cost: Cost;
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
  readonly #plan: LimitPlan;
  readonly #isChargedAtEnd: boolean;
  #configured: number | null;
  /** What the upstream last said; null: nothing yet. */
  #seen: number | null;
  #seenIn: Exclude<LimitSource, 'config'>;
  readonly #foreign = new ForeignUse();
  readonly #surprises = new Surprises();
  /** A head that is judged again when all it may speak of has been booked here. */
  #kept: Heard | null = null;
  /** By how much the head that was judged last exceeded the books. */
  #surplus = 0;

  constructor(options: QuotaLimitOptions) {
    const limits = createLimits({ skewMs: options.skewMs, ...options.plan });
    this.name = options.name;
    this.primary = limits[0] as Limit;
    const { name, quotaName, isChargedAtEnd = false } = options;
    this.meters = limits.map((limit) => new Meter(limit, { name, quotaName, isChargedAtEnd }));
    this.source = options.source;
    this.refills = options.plan.algorithm === 'token-bucket' && !options.plan.isGuess;
    this.#plan = options.plan;
    this.#isChargedAtEnd = isChargedAtEnd;
    this.#configured = options.source === 'config' ? options.plan.capacity : null;
    this.#seen = options.source === 'config' ? null : options.plan.capacity;
    this.#seenIn = options.source === 'refusal' ? 'refusal' : 'header';
  }

  /** Whether it limits what the plan does, over the same time. */
  isOf({ unit, windowMs }: Pick<LimitPlan, 'unit' | 'windowMs'>): boolean {
    return this.primary.unit === unit && this.primary.windowMs === windowMs;
  }

  /** Whether only the number may differ. */
  isEnforcedLike({
    plan,
    isChargedAtEnd = false,
  }: {
    readonly plan: LimitPlan;
    readonly isChargedAtEnd?: boolean;
  }): boolean {
    return isChargedAtEnd === this.#isChargedAtEnd && ENFORCED_BY.every((fact) => plan[fact] === this.#plan[fact]);
  }

  /**
   * The configuration gives another number, or none (null). What is booked stays booked, a bucket has no more and no less
   * than it had, and the lower of configured and seen holds; but what only a refusal told may be old, so a new number
   * stands over it until the next one. Returns whether any number is known then.
   */
  configure(capacity: number | null, now: number): boolean {
    if (capacity !== null && capacity !== this.#configured && this.#seenIn === 'refusal') this.#seen = null;
    this.#configured = capacity;
    const known = Math.min(capacity ?? Number.POSITIVE_INFINITY, this.#seen ?? Number.POSITIVE_INFINITY);
    if (capacity === null && this.#seen === null) return false;
    this.source = known === capacity ? 'config' : this.#seenIn;
    if (known === this.primary.capacity) return true;
    const level = this.primary.level(now);
    this.#resize(known, now);
    // What a bucket has it has: a smaller one was not overdrawn for that, and a larger one fills at its own pace.
    if (this.refills) this.primary.observe({ now, lowest: level, highest: level, mayRaise: true });
    return true;
  }

  /** What was used of a limit of the same unit and window, which was enforced in another way, and what was seen of it. */
  takeOver(other: QuotaLimit, now: number): void {
    const snapshot = other.primary.snapshot(now);
    const used = snapshot.used.reduce((sum, [, amount]) => sum + amount, 0);
    const asOne = { ...snapshot, used: [[0, Math.min(used, this.primary.capacity)]] as const };
    this.primary.restore(this.refills ? asOne : snapshot, 0, now);
    const isOld = other.#seenIn === 'refusal' && other.#configured !== this.#configured;
    if (other.#seen !== null && !isOld) this.seeCapacity(other.#seen, now, other.#seenIn);
  }

  describes(reading: Pick<Reading, 'unit' | 'windowMs'>): boolean {
    return this.primary.unit === reading.unit && this.primary.windowMs === reading.windowMs;
  }

  /** The upstream said how much it admits. Returns whether that changes anything. */
  seeCapacity(seen: number, now: number, seenIn: Exclude<LimitSource, 'config'> = 'header'): boolean {
    if (seen <= 0) return false;
    this.#seen = seen;
    this.#seenIn = seenIn;
    const capacity = Math.min(seen, this.#configured ?? seen);
    if (capacity === this.primary.capacity) return false;
    this.#resize(capacity, now);
    this.source = capacity === this.#configured ? 'config' : seenIn;
    return true;
  }

  /** A pace and slices are shares of the limit, so they change with it. */
  #resize(capacity: number, now: number): void {
    const shares = createLimits({ ...this.#plan, capacity });
    for (const [index, { limit }] of this.meters.entries()) limit.setCapacity((shares[index] as Limit).capacity, now);
    this.#kept = null;
    this.#surplus = 0;
  }

  /** What was sent turned out to cost more, or less. */
  corrected(change: number, now: number): void {
    this.flow.record(now, change);
    this.#surprises.settled(change, now);
    this.#guard();
  }

  /** All of it has been charged that was `unsure` until its end. */
  ended(unsure: number, now: number): void {
    if (unsure > 0) this.flow.record(now, 0, -unsure);
  }

  /** A head said what remains. Returns whether the level was off. */
  seeRemaining(remaining: number, times: SeenTimes & { readonly cost: Cost; readonly isAtMost?: boolean }): boolean {
    const { sentAt, cost, now, isAtMost = false } = times;
    const heard = { remaining, sentAt, cost };
    const bounds = this.#bounds(heard, times, false);
    if (bounds === null) return false;
    const before = this.primary.level(now);
    const isLower = this.primary.observe(bounds);
    this.#compare(before, sentAt, now);
    return (!isAtMost && !this.#isCapped && this.#keep(heard, times)) || isLower;
  }

  /**
   * Too low is corrected at once. Too high is not believed before it is sure to last: a refund may be in the head before
   * it is in the books, and a vendor that reserves less than we do has more left only for as long as answers are under way.
   */
  #keep(heard: Heard, times: SeenTimes): boolean {
    const kept = this.#kept;
    if (kept !== null && times.now - kept.sentAt < refundsKnownAfterMs(times.skewMs)) return false;
    this.#kept = heard;
    const bounds = kept && this.#bounds(kept, times, true);
    if (bounds === null) return false;
    const level = this.primary.level(times.now);
    const surplus = Math.min(bounds.lowest, bounds.highest) - level;
    const lasting = Math.max(0, Math.min(surplus, this.#surplus));
    this.#surplus = surplus - lasting;
    return lasting > 0 && this.primary.observe({ ...bounds, lowest: level + lasting });
  }

  /** The upstream's own limit is larger than the configured one, and of that it knows nothing: its may be full. */
  get #isCapped(): boolean {
    return this.#seen !== null && this.#seen > this.primary.capacity;
  }

  #bounds({ remaining, sentAt, cost }: Heard, { now, skewMs }: SeenTimes, mayRaise: boolean): LevelBounds | null {
    const { capacity, windowMs } = this.primary;
    const limit = Math.max(capacity, this.#seen ?? 0);
    const meter = this.#meter;
    const ownAmount = meter.reserved(cost);
    return levelBounds({
      ...{ remaining, sentAt, now, skewMs, limit, mayRaise, flow: this.flow },
      ...(this.refills ? { ratePerMs: limit / windowMs, roundingUp: BUCKET_ROUNDING } : { ratePerMs: 0, windowMs }),
      ownAmount,
      ownUnsure: Math.max(0, ownAmount - cost.certain[meter.unit]),
    });
  }

  /** A 429 measured it. What is missing stays booked until `until` where the limit is a window. */
  refused(spent: Spent, times: SeenTimes & { readonly until: number }): void {
    if (spent.limit !== null) this.seeCapacity(spent.limit, times.now, 'refusal');
    const left = spent.limit !== null && spent.used !== null ? spent.limit - spent.used : 0;
    const sentSince = Math.max(0, this.flow.sumBetween(times.sentAt + times.skewMs, times.now));
    const before = this.primary.level(times.now);
    this.primary.refused(left - sentSince, times.now, times.until);
    this.#compare(before, times.sentAt, times.now);
  }

  /**
   * Whether a refusal is explained by requests that counted, or a refill that began, up to `skewMs` later than the books
   * say. Of a limit over hours that is too little to matter, and slots come free by no clock. Where answers are charged at
   * their end nobody remembers when, so whatever was sent lately may count.
   */
  couldBeLate(cost: Cost, { sentAt, now, skewMs }: SeenTimes): boolean {
    const { capacity, windowMs } = this.primary;
    if (windowMs === 0) return false;
    // Of a large window not all is remembered, but how fast it comes back is known.
    const left = this.primary.level(now) - (capacity * (now - sentAt + skewMs)) / windowMs;
    const since = sentAt - skewMs - (this.refills ? latestRefundMs(skewMs) : windowMs);
    const leftByLog = this.refills
      ? left - this.flow.refundedBetween(since, now)
      : capacity - this.flow.sumBetween(this.#isChargedAtEnd ? Number.NEGATIVE_INFINITY : since, now);
    return Math.min(left, leftByLog) < this.#meter.reserved(cost);
  }

  /** Where the upstream had less than our books, somebody else has drawn on it. */
  #compare(levelBefore: number, sentAt: number, now: number): void {
    // Far above empty nobody needs a guard, and what lacks there may be a bucket that is smaller than its limit.
    const isNearEmpty = levelBefore < this.primary.capacity * NEAR_EMPTY;
    const gap = isNearEmpty ? Math.max(0, levelBefore - this.primary.level(now)) : 0;
    this.#foreign.compared(gap, sentAt, now);
    this.#guard();
  }

  /** What refills is never lost by leaving it; in a window it would be. */
  #guard(): void {
    const surprises = this.refills ? Math.min(this.#surprises.guard, this.primary.capacity * MOST_GUARDED) : 0;
    this.#meter.guard = this.#foreign.guard + surprises;
  }

  get #meter(): Meter {
    return this.meters[0] as Meter;
  }

  *paces(): Generator<AdaptivePace> {
    for (const { limit } of this.meters) if (limit instanceof AdaptivePace) yield limit;
  }
}

/** What makes a limit another one, its number aside. */
const ENFORCED_BY = ['algorithm', 'isGuess', 'burst', 'sliceMs', 'anchor'] as const;

/** What refills holds fractions, and heads tell whole numbers: up to one more is there than they say. */
const BUCKET_ROUNDING = 1;

const NEAR_EMPTY = 0.5;
/** Share of a limit that surprises may take from what goes at once. */
const MOST_GUARDED = 0.25;
