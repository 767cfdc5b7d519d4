import type { Unit } from '../charge.ts';
import { FlowLog } from './flow-log.ts';
import { Gate } from './gate.ts';
import { levelBounds } from './level-bounds.ts';
import { AdaptivePace, createLimits, type LimitPlan } from './limits/create-limits.ts';
import type { Limit } from './limits/limit.ts';
import { Meter } from './meter.ts';

/** Where a limit's number came from. */
export type LimitSource = 'config' | 'header' | 'refusal';

/** One limit of a quota: the books that speak for it, and whatever else is enforced along with them (pace, slices). */
export interface QuotaLimit {
  /** As people know it: `rpm`. */
  readonly name: string;
  readonly primary: Limit;
  readonly meters: readonly Meter[];
  readonly flow: FlowLog;
  /** The configured capacity; null when nobody configured it. A seen one counts while it is lower. */
  readonly configured: number | null;
  source: LimitSource;
  /** When the newest snapshot that was believed had been sent. */
  newestSentAt: number;
}

/** A limit as an answer's head or a 429 describes it. */
export interface Reading {
  readonly unit: Exclude<Unit, 'in_flight'>;
  readonly windowMs: number;
  readonly limit: number | null;
  readonly remaining: number | null;
}

export interface QuotaOptions {
  readonly id: string;
  /** For people: `org-a gpt-4o`. */
  readonly name: string;
  readonly limits: readonly { readonly name: string; readonly plan: LimitPlan }[];
  /** Answers may teach limits that nobody configured: the quota of an upstream model, not a key's or a client's. */
  readonly learns: boolean;
  readonly skewMs: number;
}

/**
 * Limits that are enforced together: a quota of the upstream for one model or family, a key's own, a client's own.
 *
 * A quota that learns begins behind a gate, since nobody knows its level; the first head that states it, or the state
 * file, opens the gate.
 */
export class Quota {
  readonly id: string;
  readonly name: string;
  readonly learns: boolean;
  readonly gate: Gate;
  /** Nothing starts before it: a 429 without numbers, or a day that is gone. */
  restsUntil = 0;
  restReason: 'throttled' | 'exhausted' | null = null;
  #refusalsInRow = 0;
  #limits: QuotaLimit[] = [];
  #meters: Meter[] = [];
  #skewMs: number;
  #quietSince = 0;

  constructor(options: QuotaOptions) {
    this.id = options.id;
    this.name = options.name;
    this.learns = options.learns;
    this.#skewMs = options.skewMs;
    this.gate = new Gate(!options.learns);
    for (const { name, plan } of options.limits) this.#add(name, plan, plan.capacity);
  }

  get limits(): readonly QuotaLimit[] {
    return this.#limits;
  }

  get meters(): readonly Meter[] {
    return this.#meters;
  }

  /**
   * The head of an answer to what was sent at `sentAt`. Returns whether anything changed that a plan rests on; the
   * capacity of a limit counts only while it is lower than the configured one.
   */
  observe(readings: readonly Reading[], sentAt: number, now: number): boolean {
    let hasChanged = false;
    for (const reading of readings) {
      const limit = this.#find(reading) ?? this.#learn(reading, 'header', now);
      if (limit === null) continue;
      if (reading.limit !== null) hasChanged = this.#seeCapacity(limit, reading.limit, now) || hasChanged;
      if (reading.remaining !== null) {
        hasChanged =
          this.#seeRemaining(limit, { ...reading, remaining: reading.remaining }, { sentAt, now }) || hasChanged;
        if (!this.gate.isOpen && this.restsUntil <= now) this.gate.open();
      }
    }
    return hasChanged;
  }

  /** An answer that was no refusal. */
  succeeded(now: number): void {
    this.#refusalsInRow = 0;
    if (this.restsUntil <= now) this.restReason = null;
    this.gate.widen();
    if (now - this.#quietSince < QUIET_MS) return;
    this.#quietSince = now;
    for (const pace of this.#paces()) pace.raiseBurst(now);
  }

  /**
   * A 429 that passes with time. With numbers it measures the books; without, the quota rests for the hint (a lower
   * bound, doubled when it proves too short) or, where limits are unknown, for a whole window. Returns until when.
   */
  refused(refusal: Refusal): number {
    const { now } = refusal;
    this.#quietSince = now;
    if (!refusal.isExplained) this.#distrust(now);
    this.#refusalsInRow += 1;
    const hint = refusal.retryAfterMs ?? this.#restWithoutHint();
    const escalated = Math.min(hint * 2 ** Math.max(0, this.#refusalsInRow - 1 - FREE_REPEATS), MAX_REST_MS);
    const isMeasured = this.#measure(refusal, now + escalated);
    if (isMeasured && this.#refusalsInRow <= FREE_REPEATS) return now;
    this.rest(now + Math.max(hint, escalated), 'throttled');
    this.gate.close();
    return this.restsUntil;
  }

  rest(until: number, reason: 'throttled' | 'exhausted'): void {
    if (until <= this.restsUntil) return;
    this.restsUntil = until;
    this.restReason = reason;
  }

  /** One request cost more than the upstream ever admits: learn that capacity. */
  neverFits(unit: Unit | null, capacity: number | null, now: number): boolean {
    if (unit === null || unit === 'in_flight' || capacity === null) return false;
    const reading: Reading = { unit, windowMs: MINUTE_MS, limit: capacity, remaining: null };
    const limit = this.#find(reading) ?? this.#learn(reading, 'refusal', now);
    return limit !== null && this.#seeCapacity(limit, capacity, now);
  }

  /** Takes the place of a gate when the state file knows the levels. */
  trustRestored(): void {
    this.gate.open();
  }

  /** Adds a limit that the state file had learned. */
  restoreLearned(reading: Reading, now: number): QuotaLimit | null {
    return this.#find(reading) ?? this.#learn(reading, 'header', now);
  }

  #measure(refusal: Refusal, until: number): boolean {
    let isMeasured = false;
    for (const spent of refusal.spent) {
      const reading: Reading = { unit: spent.unit, windowMs: spent.windowMs, limit: spent.limit, remaining: null };
      const limit = this.#find(reading) ?? this.#learn(reading, 'refusal', refusal.now);
      if (limit === null) continue;
      if (spent.limit !== null) this.#seeCapacity(limit, spent.limit, refusal.now);
      const left = spent.limit !== null && spent.used !== null ? spent.limit - spent.used : 0;
      const sentSince = Math.max(0, limit.flow.sumBetween(refusal.sentAt + this.#skewMs, refusal.now));
      limit.primary.refused(left - sentSince, refusal.now, until);
      isMeasured = isMeasured || spent.used !== null;
    }
    return isMeasured;
  }

  /** A refusal that the books can't explain: allow for more skew, and let a guessed burst shrink. */
  #distrust(now: number): void {
    this.#skewMs = Math.min(this.#skewMs * 1.5, MAX_SKEW_MS);
    for (const limit of this.#limits) limit.primary.setSkew(this.#skewMs, now);
    for (const pace of this.#paces()) pace.halveBurst(now);
  }

  *#paces(): Generator<AdaptivePace> {
    for (const meter of this.#meters) if (meter.limit instanceof AdaptivePace) yield meter.limit;
  }

  /** Known limits recover soon, so ask again soon; unknown ones are taken for a window that is spent. */
  #restWithoutHint(): number {
    const isKnown = this.#limits.some((limit) => Number.isFinite(limit.primary.capacity) && limit.primary.windowMs > 0);
    return isKnown ? FIRST_REST_MS * 2 ** Math.min(this.#refusalsInRow - 1, 6) : MINUTE_MS;
  }

  #seeCapacity(limit: QuotaLimit, seen: number, now: number): boolean {
    const capacity = limit.configured === null ? seen : Math.min(seen, limit.configured);
    if (capacity === limit.primary.capacity || capacity <= 0) return false;
    limit.primary.setCapacity(capacity, now);
    limit.source = capacity === limit.configured ? 'config' : 'header';
    return true;
  }

  #seeRemaining(
    limit: QuotaLimit,
    reading: Reading & { readonly remaining: number },
    { sentAt, now }: { sentAt: number; now: number },
  ): boolean {
    const isNewest = sentAt >= limit.newestSentAt;
    const bounds = levelBounds({
      remaining: reading.remaining,
      capacity: limit.primary.capacity,
      sentAt,
      now,
      skewMs: this.#skewMs,
      refills: limit.primary.refills,
      windowMs: limit.primary.windowMs,
      flow: limit.flow,
      isNewest,
    });
    if (bounds === null) return false;
    if (isNewest) limit.newestSentAt = sentAt;
    return limit.primary.observe(bounds);
  }

  #find(reading: Reading): QuotaLimit | null {
    return (
      this.#limits.find(({ primary }) => primary.unit === reading.unit && primary.windowMs === reading.windowMs) ?? null
    );
  }

  #learn(reading: Reading, source: LimitSource, now: number): QuotaLimit | null {
    if (!this.learns || reading.limit === null || reading.limit <= 0) return null;
    const name = `${reading.windowMs >= DAY_MS ? 'd' : 'm'}`;
    const plan: LimitPlan = {
      unit: reading.unit,
      windowMs: reading.windowMs,
      capacity: reading.limit,
      algorithm: 'token-bucket',
      isGuess: false,
    };
    const limit = this.#add(`${SHORT_NAMES[reading.unit]}${name}`, plan, null);
    limit.source = source;
    const level = reading.remaining ?? reading.limit;
    limit.primary.observe({ now, lowest: level, highest: level, mayRaise: true });
    return limit;
  }

  #add(name: string, plan: LimitPlan, configured: number | null): QuotaLimit {
    const limits = createLimits({ skewMs: this.#skewMs, ...plan });
    const meters = limits.map((limit) => new Meter(limit, name, this.name));
    const added: QuotaLimit = {
      name,
      primary: limits[0] as Limit,
      meters,
      flow: new FlowLog(),
      configured,
      source: 'config',
      newestSentAt: Number.NEGATIVE_INFINITY,
    };
    this.#limits.push(added);
    this.#meters.push(...meters);
    return added;
  }
}

/** A 429 that passes with time, with whatever it tells. */
export interface Refusal {
  readonly now: number;
  readonly sentAt: number;
  readonly retryAfterMs: number | null;
  /** The books themselves said that hardly anything was left. */
  readonly isExplained: boolean;
  readonly spent: readonly {
    readonly unit: Exclude<Unit, 'in_flight'>;
    readonly windowMs: number;
    readonly limit: number | null;
    readonly used: number | null;
  }[];
}

const SHORT_NAMES = { requests: 'rp', tokens: 'tp', input_tokens: 'itp', output_tokens: 'otp' } as const;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A guessed burst grows again after so long without a refusal. */
const QUIET_MS = 600_000;
const FIRST_REST_MS = 1_000;
const MAX_REST_MS = 600_000;
const MAX_SKEW_MS = 2_000;
/** Refusals with numbers in a row before the quota rests although it was measured. */
const FREE_REPEATS = 2;
