import { Gate } from './gate.ts';
import type { LimitPlan } from './limits/create-limits.ts';
import type { Meter } from './meter.ts';
import { type LimitSource, QuotaLimit, type Reading, type Spent } from './quota-limit.ts';

export interface QuotaOptions {
  readonly id: string;
  /** For people: `org-a gpt-4o`. */
  readonly name: string;
  readonly limits: readonly { readonly name: string; readonly plan: LimitPlan }[];
  /** Answers may teach limits that nobody configured: the quota of an upstream model, not a key's or a client's. */
  readonly learns: boolean;
  readonly skewMs: number;
}

/** A 429 that passes with time, with whatever it tells. */
export interface Refusal {
  readonly now: number;
  readonly sentAt: number;
  /** The upstream's hint, a lower bound. */
  readonly retryAfterMs: number | null;
  /** The books themselves said that hardly anything was left. */
  readonly isExplained: boolean;
  readonly spent: readonly Spent[];
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
  #limits: QuotaLimit[] = [];
  #meters: Meter[] = [];
  #skewMs: number;
  #refusalsInRow = 0;
  #quietSince = 0;

  constructor(options: QuotaOptions) {
    this.id = options.id;
    this.name = options.name;
    this.learns = options.learns;
    this.#skewMs = options.skewMs;
    this.gate = new Gate(!options.learns);
    for (const { name, plan } of options.limits) this.#add(name, plan, 'config');
  }

  get limits(): readonly QuotaLimit[] {
    return this.#limits;
  }

  get meters(): readonly Meter[] {
    return this.#meters;
  }

  /** The head of an answer to what was sent at `sentAt`. Returns whether anything changed that a plan rests on. */
  observe(readings: readonly Reading[], sentAt: number, now: number): boolean {
    let hasChanged = false;
    for (const reading of readings) {
      const limit = this.limitFor(reading, 'header', now);
      if (limit !== null) hasChanged = this.#observeOne(limit, reading, { sentAt, now }) || hasChanged;
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
    for (const limit of this.#limits) for (const pace of limit.paces()) pace.raiseBurst(now);
  }

  /**
   * With numbers a 429 measures the books, and that is enough; without, or again and again, the quota rests for the hint
   * (doubled when it proves too short), then lets one request at a time find out.
   */
  refused(refusal: Refusal): void {
    const { now } = refusal;
    this.#quietSince = now;
    if (!refusal.isExplained) this.#distrust(now);
    this.#refusalsInRow += 1;
    const hint = refusal.retryAfterMs ?? this.#restWithoutHint();
    const restMs = Math.min(hint * 2 ** Math.max(0, this.#refusalsInRow - 1 - FREE_REPEATS), MAX_REST_MS);
    const times = { ...refusal, skewMs: this.#skewMs, until: now + restMs };
    for (const spent of refusal.spent)
      this.limitFor({ ...spent, remaining: null }, 'refusal', now)?.refused(spent, times);
    const isMeasured = refusal.spent.some(({ used }) => used !== null);
    if (isMeasured && this.#refusalsInRow <= FREE_REPEATS) return;
    this.rest(now + Math.max(hint, restMs), 'throttled');
    this.gate.close();
  }

  rest(until: number, reason: 'throttled' | 'exhausted'): void {
    if (until <= this.restsUntil) return;
    this.restsUntil = until;
    this.restReason = reason;
  }

  /** One request cost more than the upstream ever admits: its capacity is known now. */
  neverFits(unit: string | null, capacity: number | null, now: number): void {
    if (capacity === null) return;
    for (const limit of this.#limits) if (limit.primary.unit === unit) limit.seeCapacity(capacity, now);
  }

  /** The limit that a reading speaks of, learned from it if need be; null when there is nothing to learn. */
  limitFor(reading: Reading, source: LimitSource, now: number): QuotaLimit | null {
    const known = this.#limits.find((limit) => limit.describes(reading));
    if (known) return known;
    if (!this.learns || reading.limit === null || reading.limit <= 0) return null;
    const { unit, windowMs, limit: capacity } = reading;
    const name = `${SHORT_NAMES[unit]}${windowMs >= DAY_MS ? 'd' : 'm'}`;
    const learned = this.#add(name, { unit, windowMs, capacity, algorithm: 'token-bucket', isGuess: false }, source);
    const level = reading.remaining ?? capacity;
    learned.primary.observe({ now, lowest: level, highest: level, mayRaise: true });
    return learned;
  }

  #observeOne(limit: QuotaLimit, reading: Reading, times: { readonly sentAt: number; readonly now: number }): boolean {
    const hasNewCapacity = reading.limit !== null && limit.seeCapacity(reading.limit, times.now);
    if (reading.remaining === null) return hasNewCapacity;
    if (this.restsUntil <= times.now) this.gate.open();
    return limit.seeRemaining(reading.remaining, { ...times, skewMs: this.#skewMs }) || hasNewCapacity;
  }

  /** A refusal that the books can't explain: allow for more skew, and let a guessed burst shrink. */
  #distrust(now: number): void {
    this.#skewMs = Math.min(this.#skewMs * 1.5, MAX_SKEW_MS);
    for (const limit of this.#limits) {
      limit.primary.setSkew(this.#skewMs, now);
      for (const pace of limit.paces()) pace.halveBurst(now);
    }
  }

  /** Known limits recover soon, so ask again soon; where none is known, a whole window is taken for spent. */
  #restWithoutHint(): number {
    const isKnown = this.#limits.some(({ primary }) => primary.windowMs > 0);
    return isKnown ? FIRST_REST_MS * 2 ** Math.min(this.#refusalsInRow - 1, 6) : MINUTE_MS;
  }

  #add(name: string, plan: LimitPlan, source: LimitSource): QuotaLimit {
    const added = new QuotaLimit({ name, quotaName: this.name, plan, skewMs: this.#skewMs, source });
    this.#limits.push(added);
    this.#meters.push(...added.meters);
    return added;
  }
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
