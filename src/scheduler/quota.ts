import type { Cost } from './cost.ts';
import { Gate } from './gate.ts';
import type { Lease } from './lease.ts';
import { LimitList } from './limit-list.ts';
import type { LimitPlan } from './limits/create-limits.ts';
import type { Boundaries } from './limits/fixed-window.ts';
import type { Meter } from './meter.ts';
import type { LimitSource, QuotaLimit, Reading, Spent } from './quota-limit.ts';
import { Skew } from './skew.ts';

export interface NamedPlan {
  /** As people know it: `rpm`. */
  readonly name: string;
  readonly plan: LimitPlan;
  /** The vendor charges when an answer ends. */
  readonly isChargedAtEnd?: boolean;
}

export interface QuotaOptions {
  readonly id: string;
  /** For people: `org-a gpt-4o`. */
  readonly name: string;
  readonly limits: readonly NamedPlan[];
  /** Answers may teach limits that nobody configured: the quota of an upstream model, not a key's or a client's. */
  readonly learns: boolean;
  /** How the vendor enforces a limit that an answer teaches. Absent: it refills evenly. */
  readonly learned?: (limit: TaughtLimit) => Omit<NamedPlan, 'name'>;
  /** The vendor's day that holds an instant. Absent: nobody knows when one begins. */
  readonly dayOf?: Boundaries;
  readonly skewMs: number;
}

/** What a configuration says of a quota. */
export type QuotaTerms = Omit<QuotaOptions, 'id' | 'skewMs'>;

export type TaughtLimit = Pick<LimitPlan, 'unit' | 'windowMs' | 'capacity'>;

/** A request whose head has come: when it was sent, and what was booked for it. */
export interface Answered {
  readonly sentAt: number;
  readonly now: number;
  readonly cost: Cost;
}

/** A 429 that passes with time, with whatever it tells. */
export interface Refusal extends Answered {
  /** The upstream's hint, a lower bound. */
  readonly retryAfterMs: number | null;
  /** The books themselves said that hardly anything was left. */
  readonly isExplained: boolean;
  readonly spent: readonly Spent[];
}

/**
 * Limits that are enforced together: a quota of the upstream for one model or family, a key's own, a client's own.
 *
 * A quota that learns begins behind a gate, since nobody knows its level; the first answer whose head states it, or the
 * state file, opens the gate.
 */
export class Quota {
  readonly id: string;
  readonly gate: Gate;
  /** Those that draw on it and are not settled yet. */
  readonly underWay = new Set<Lease>();
  #terms: QuotaTerms;
  /** Nothing starts before it: a 429 without numbers, or a day that is gone. */
  restsUntil = 0;
  restReason: 'throttled' | 'exhausted' | null = null;
  readonly #limits = new LimitList();
  readonly #skew: Skew;
  /** When a refusal last showed that the books were wrong: those that were under way then say nothing new. */
  distrustedAt = Number.NEGATIVE_INFINITY;
  /** A head has stated the level while nothing rested: the next answer opens the gate. */
  #isMeasured = false;
  #refusalsInRow = 0;
  /** The last rest: when it ended, how long it was, and how often one followed another too soon. */
  #lastRest = { until: Number.NEGATIVE_INFINITY, ms: 0, repeats: 0 };
  #quietSince = 0;

  constructor(options: QuotaOptions) {
    this.id = options.id;
    this.#terms = options;
    this.#skew = new Skew(options.skewMs);
    this.gate = new Gate(!options.learns);
    for (const limit of options.limits) this.#add(limit, 'config');
  }

  get name(): string {
    return this.#terms.name;
  }

  get learns(): boolean {
    return this.#terms.learns;
  }

  get limits(): readonly QuotaLimit[] {
    return this.#limits.all;
  }

  get meters(): readonly Meter[] {
    return this.#limits.meters;
  }

  /** Changes whenever `meters` does. */
  get version(): number {
    return this.#limits.version;
  }

  /** Nothing of it is known that a quota made anew would not know. */
  isUnused(now: number): boolean {
    if (this.underWay.size > 0 || this.restsUntil > now) return false;
    return this.limits.every(({ primary }) => primary.fullInMs(now) <= 0);
  }

  /**
   * Another configuration: limits that stay keep their books, and one that is new counts what is under way. How much was
   * used of it before nobody knows, so a quota that learns lets one request at a time find out.
   */
  reconfigure(terms: QuotaTerms, now: number): void {
    this.#terms = terms;
    const { name: quotaName, learns, limits } = terms;
    const { added } = this.#limits.reconfigure(limits, {
      ...{ quotaName, skewMs: this.#skew.ms },
      ...{ keepsLearned: learns, now },
    });
    for (const limit of added) for (const lease of this.underWay) lease.bookAlso(limit, learns);
    if (!learns) this.gate.open();
    else if (added.length > 0) this.gate.close();
  }

  /** The head of an answer to a request. Returns whether anything changed that a plan rests on. */
  observe(readings: readonly Reading[], answered: Answered): boolean {
    let hasChanged = false;
    for (const reading of readings) {
      const limit = this.limitFor(reading, 'header', answered.now);
      if (limit !== null) hasChanged = this.#observeOne(limit, reading, answered) || hasChanged;
    }
    return hasChanged;
  }

  /** An answer that was no refusal. */
  succeeded(now: number): void {
    this.#refusalsInRow = 0;
    if (this.#skew.calm(now)) this.#setSkews(now);
    if (this.restsUntil <= now) this.restReason = null;
    if (this.#isMeasured && this.restsUntil <= now) this.gate.open();
    if (now >= this.#lastRest.until + this.#lastRest.ms * CAUTION) this.gate.widen();
    if (now - this.#quietSince < QUIET_MS) return;
    this.#quietSince = now;
    for (const limit of this.limits) for (const pace of limit.paces()) pace.raiseBurst(now);
  }

  /**
   * With numbers a 429 measures the books, and that is enough. Without, or again and again, the quota rests for the hint,
   * then lets one request at a time find out. Hints are lower bounds: one that proves too short is doubled.
   */
  refused(refusal: Refusal): void {
    const { now, spent } = refusal;
    this.#quietSince = now;
    if (!refusal.isExplained) this.#distrust(refusal);
    this.#refusalsInRow += 1;
    const restMs = this.#restMs(refusal);
    const times = { ...refusal, skewMs: this.#skew.ms, until: now + restMs };
    for (const each of spent) this.limitFor({ ...each, remaining: null }, 'refusal', now)?.refused(each, times);
    const isMeasured = spent.some(({ used }) => used !== null);
    if (isMeasured && this.#refusalsInRow <= FREE_REPEATS) return;
    // Those that were under way together are refused together: they say it once.
    if (this.restsUntil > now && this.restsUntil >= now + (refusal.retryAfterMs ?? 0)) return;
    this.#lastRest = { until: now + restMs, ms: restMs, repeats: this.#repeats(now) };
    this.rest(now + restMs, 'throttled');
    this.gate.close();
  }

  /**
   * A day or a month is gone. Without a hint the quota rests until its vendor's day ends, else for an hour; both are guesses
   * at what the vendor's clock shows, so one request at a time finds out. A day that has only just begun here has not begun
   * there, or the refusal is older than it: nothing of it is spent.
   */
  exhausted({ now, sentAt, retryAfterMs, spent }: Omit<Refusal, 'isExplained' | 'cost'>): void {
    const day = this.#terms.dayOf?.(now) ?? null;
    const isYoung = day !== null && now - day.startMs < YOUNG_DAY_MS;
    const restMs = isYoung ? MINUTE_MS : (day?.endMs ?? now + HOUR_MS) - now;
    const until = now + (retryAfterMs ?? restMs);
    const times = { now, sentAt, skewMs: this.#skew.ms, until };
    for (const each of isYoung ? [] : spent) {
      this.limitFor({ ...each, remaining: null }, 'refusal', now)?.refused(each, times);
    }
    this.rest(until, 'exhausted');
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
    for (const limit of this.limits) if (limit.primary.unit === unit) limit.seeCapacity(capacity, now, 'refusal');
  }

  /** The limit that a reading speaks of, learned from it if need be; null when there is nothing to learn. */
  limitFor(reading: Reading, source: LimitSource, now: number): QuotaLimit | null {
    const known = this.#limits.describedBy(reading);
    if (known) return known;
    if (!this.learns || reading.limit === null || reading.limit <= 0) return null;
    const { unit, windowMs, limit: capacity } = reading;
    const name = `${SHORT_NAMES[unit]}${windowLetter(windowMs)}`;
    const plan = (this.#terms.learned ?? refillsEvenly)({ unit, windowMs, capacity });
    const learned = this.#add({ name, ...plan }, source);
    const level = reading.remaining ?? capacity;
    learned.primary.observe({ now, lowest: level, highest: level, mayRaise: true });
    return learned;
  }

  #observeOne(limit: QuotaLimit, reading: Reading, answered: Answered): boolean {
    const hasNewCapacity = reading.limit !== null && limit.seeCapacity(reading.limit, answered.now);
    const { remaining, isAtMost = false } = reading;
    if (remaining === null) return hasNewCapacity;
    this.#isMeasured = this.restsUntil <= answered.now;
    return limit.seeRemaining(remaining, { ...answered, skewMs: this.#skew.ms, isAtMost }) || hasNewCapacity;
  }

  /** A refusal that the books can't explain: allow for more skew where that would, and let a guessed burst shrink. */
  #distrust({ now, sentAt, cost }: Refusal): void {
    this.distrustedAt = now;
    for (const limit of this.limits) for (const pace of limit.paces()) pace.halveBurst(now);
    const widest = { now, sentAt, skewMs: Skew.MOST_MS };
    const isLate = this.limits.some((limit) => limit.couldBeLate(cost, widest));
    if (isLate && this.#skew.widen(now)) this.#setSkews(now);
  }

  #setSkews(now: number): void {
    for (const { primary } of this.limits) primary.setSkew(this.#skew.ms, now);
  }

  /** A hint that proved too short once is not taken at its word again. */
  #restMs({ now, retryAfterMs }: Refusal): number {
    const repeats = this.#repeats(now);
    const leastMs = repeats === 0 ? 0 : FIRST_REST_MS * 2 ** (repeats - 1);
    return Math.min(Math.max((retryAfterMs ?? this.#restWithoutHint()) * 2 ** repeats, leastMs), MAX_REST_MS);
  }

  /** How many rests in a row have proved too short. */
  #repeats(now: number): number {
    const { until, ms, repeats } = this.#lastRest;
    // Where nothing was admitted since, a hint of milliseconds is still under suspicion when traffic is thin.
    const cautionMs = Math.max(ms * CAUTION, this.#refusalsInRow > 1 ? FIRST_REST_MS : 0);
    return now < until + cautionMs ? repeats + (now >= until ? 1 : 0) : 0;
  }

  /** Known limits recover soon, so ask again soon; where none is known, a whole window is taken for spent. */
  #restWithoutHint(): number {
    const isKnown = this.limits.some(({ primary }) => primary.windowMs > 0);
    return isKnown ? FIRST_REST_MS : MINUTE_MS;
  }

  #add(limit: NamedPlan, source: LimitSource): QuotaLimit {
    return this.#limits.add(limit, source, { quotaName: this.name, skewMs: this.#skew.ms });
  }
}

function refillsEvenly(limit: TaughtLimit): Omit<NamedPlan, 'name'> {
  return { plan: { ...limit, algorithm: 'token-bucket', isGuess: false } };
}

function windowLetter(windowMs: number): string {
  if (windowMs < MINUTE_MS) return 's';
  if (windowMs < HOUR_MS) return 'm';
  return windowMs < DAY_MS ? 'h' : 'd';
}

const SHORT_NAMES = { requests: 'rp', tokens: 'tp', input_tokens: 'itp', output_tokens: 'otp' } as const;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A guessed burst grows again after so long without a refusal. */
const QUIET_MS = 600_000;
const FIRST_REST_MS = 1_000;
const MAX_REST_MS = 600_000;
/** So far two clocks may be apart, and a refusal behind its request. */
const YOUNG_DAY_MS = 300_000;
/** For so many times its length after a rest, one request at a time goes, and another refusal makes the next one longer. */
const CAUTION = 2;
/** Refusals with numbers in a row before the quota rests although it was measured. */
const FREE_REPEATS = 2;
