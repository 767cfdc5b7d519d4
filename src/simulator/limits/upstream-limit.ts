import type { LimitSpec } from './limit-spec.ts';
import type { Entry, Measure, Meter, Reading } from './meter.ts';

/** A request as a limiter sees it on arrival, in tokens. */
export interface AskedSize {
  readonly input: number;
  /** The client's cap on the whole output; null when it states none. */
  readonly outputCap: number | null;
  /** Of the input: what the vendor remembers from before. */
  readonly cached?: number | undefined;
}

/** What a request has come to, in tokens. */
export interface UsedSize {
  readonly input: number;
  readonly output: number;
  readonly cached?: number | undefined;
}

export interface WindowReport extends Measure {
  /** On the vendor's clock. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Charged / supply; 0 when nothing could be charged. */
  readonly utilisation: number;
}

export interface LimitReport extends Measure, Reading {
  readonly name: string;
  readonly unit: string;
  readonly algorithm: string;
  readonly limit: number;
  /** The largest single amount that is ever admitted. */
  readonly largest: number;
  readonly utilisation: number;
  /** The most that counted against it at once. */
  readonly peak: number;
  readonly admitted: number;
  /** Requests refused because of this limit. */
  readonly refused: number;
  /** Whole reporting windows since the start, oldest first. */
  readonly windows: readonly WindowReport[];
}

/** Reporting windows that are kept: a day of minutes. */
const MAX_WINDOWS = 1440;
const REPORT_WINDOW_MS = 60_000;

/** One limit with its meter and its books: what was admitted, and what could have been. */
export class UpstreamLimit {
  readonly spec: LimitSpec;
  #meter: Meter;
  #admitted = 0;
  #refused = 0;
  #peak = 0;
  #windows: WindowReport[] = [];
  #sinceStart: (untilMs: number) => Measure;
  #windowFrom: number;
  #sinceWindow: (untilMs: number) => Measure;

  constructor(spec: LimitSpec, nowMs: number) {
    this.spec = spec;
    this.#meter = spec.createMeter();
    this.#windowFrom = nowMs;
    this.#sinceStart = this.#meter.measure(nowMs);
    this.#sinceWindow = this.#sinceStart;
  }

  /** What a request is charged on arrival. */
  amountOf(size: AskedSize): number {
    const { spec } = this;
    const output = size.outputCap ?? spec.assumedOutput;
    const input = size.input - (spec.cachedInput === 'free' ? (size.cached ?? 0) : 0);
    if (spec.unit === 'requests' || spec.unit === 'in-flight') return 1;
    // Something must be left, however little.
    if (this.#isChargedLater) return 1;
    if (spec.unit === 'input') return input;
    if (spec.unit === 'output') return output;
    if (spec.reserve === 'larger') return Math.max(input, output);
    return input + (spec.reserve === 'prompt' ? 0 : output);
  }

  waitMs(nowMs: number, amount: number): number {
    this.#turn(nowMs);
    return this.#meter.waitMs(nowMs, amount);
  }

  get largest(): number {
    return this.#meter.largest;
  }

  /** Charges an arrival; null when this limit charges only what has come. */
  take(nowMs: number, amount: number): Entry | null {
    this.#admitted += 1;
    return this.#isChargedLater ? null : this.#charge(nowMs, amount);
  }

  refuse(): void {
    this.#refused += 1;
  }

  /** A request that was refused still counts as one, where there is room for it: some vendors count failures. */
  chargeRefused(nowMs: number): void {
    if (this.spec.unit === 'requests' && this.waitMs(nowMs, 1) === 0) this.#charge(nowMs, 1);
  }

  /** Charges what has come since the last time, where that is how it is done. Returns what is charged in all. */
  grow(nowMs: number, used: UsedSize, charged: number): number {
    if (this.spec.charge !== 'as-generated' || !this.#isChargedLater) return charged;
    const amount = this.#amountUsed(used);
    if (amount > charged) this.#charge(nowMs, amount - charged);
    return Math.max(amount, charged);
  }

  finish(nowMs: number, entry: Entry | null, used: UsedSize): void {
    this.#turn(nowMs);
    const { spec } = this;
    if (spec.unit === 'requests') return;
    if (spec.unit === 'in-flight') {
      if (entry) this.#meter.adjust(nowMs, entry, 0);
      return;
    }
    if (spec.charge === 'at-end') this.#charge(nowMs, this.#amountUsed(used));
    else if (entry && spec.charge === 'refund') this.#meter.adjust(nowMs, entry, this.#amountUsed(used));
    this.#notePeak(nowMs);
  }

  read(nowMs: number): Reading {
    return this.#meter.read(nowMs);
  }

  /** Forgets the books, not the level: from here on the figures count what comes. */
  restart(nowMs: number): void {
    this.#admitted = 0;
    this.#refused = 0;
    this.#windows = [];
    this.#windowFrom = nowMs;
    this.#sinceStart = this.#meter.measure(nowMs);
    this.#sinceWindow = this.#sinceStart;
    this.#peak = 0;
    this.#notePeak(nowMs);
  }

  report(nowMs: number): LimitReport {
    this.#turn(nowMs);
    const { name, unit, algorithm, limit } = this.spec;
    const total = withUtilisation(this.#sinceStart(nowMs));
    return {
      ...{ name, unit, algorithm, limit, largest: this.largest },
      ...this.#meter.read(nowMs),
      ...total,
      ...{ peak: this.#peak, admitted: this.#admitted, refused: this.#refused },
      windows: [...this.#windows],
    };
  }

  get #isChargedLater(): boolean {
    const { charge, unit } = this.spec;
    return (charge === 'at-end' || charge === 'as-generated') && unit !== 'requests' && unit !== 'in-flight';
  }

  #amountUsed(used: UsedSize): number {
    const input = used.input - (this.spec.cachedInput === 'counts' ? 0 : (used.cached ?? 0));
    if (this.spec.unit === 'input') return input;
    return this.spec.unit === 'output' ? used.output : input + used.output;
  }

  #charge(nowMs: number, amount: number): Entry {
    this.#turn(nowMs);
    const entry = this.#meter.take(nowMs, amount);
    this.#notePeak(nowMs);
    return entry;
  }

  #notePeak(nowMs: number): void {
    this.#peak = Math.max(this.#peak, this.#meter.read(nowMs).used);
  }

  /** Closes reporting windows that have ended. Nothing has changed since, so their end can be measured late. */
  #turn(nowMs: number): void {
    for (let until = this.#windowFrom + REPORT_WINDOW_MS; until <= nowMs; until += REPORT_WINDOW_MS) {
      this.#windows.push({ fromMs: this.#windowFrom, untilMs: until, ...withUtilisation(this.#sinceWindow(until)) });
      if (this.#windows.length > MAX_WINDOWS) this.#windows.shift();
      this.#windowFrom = until;
      this.#sinceWindow = this.#meter.measure(until);
    }
  }
}

function withUtilisation(measure: Measure): Measure & { utilisation: number } {
  return { ...measure, utilisation: measure.supply > 0 ? measure.charged / measure.supply : 0 };
}
