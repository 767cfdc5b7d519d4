import type { Clock } from '../clock.ts';
import { AnswerText } from './answer-text.ts';
import type { VendorApi } from './api/vendor-api.ts';
import { createTokenCounter, type TokenCounter } from './count-tokens.ts';
import { FaultPlan } from './faults.ts';
import { type Ledger, RequestBook } from './ledger.ts';
import type { SimulatorOptions } from './options.ts';
import { Organizations } from './organizations.ts';
import { PromptCache } from './prompt-cache.ts';
import { StoredThings } from './stored-things.ts';
import { vendorApi } from './vendors/registry.ts';

const DEFAULT_MAX_LOGGED = 100_000;

/** What all requests to the simulated vendor share: its clock, limits, faults and books. */
export class Vendor {
  readonly api: VendorApi;
  readonly options: SimulatorOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly models: readonly string[];
  readonly organizations: Organizations;
  readonly faults: FaultPlan;
  readonly book: RequestBook;
  readonly words = new AnswerText();
  readonly promptCache = new PromptCache();
  /** What answers have left behind, by key and id. */
  readonly #stored = new Map<string, StoredThings>();
  readonly #countRaw: TokenCounter = createTokenCounter();
  /** What turns the monotonic clock into the vendor's: its windows begin at its own :00. */
  readonly #wallOffsetMs: number;
  #startedAt: number;
  #generation = 0;
  #lastId = 0;

  constructor(options: SimulatorOptions, clock: Clock, random: () => number) {
    this.api = vendorApi(options.vendor ?? 'openai');
    this.options = options;
    this.clock = clock;
    this.random = random;
    this.#startedAt = clock.now();
    this.#wallOffsetMs = clock.wallNow() - clock.now() + (options.clockOffsetMs ?? 0);
    this.models = options.models ?? this.api.models;
    this.organizations = new Organizations(options.organizations, {
      models: this.models,
      limitsOf: (given) => this.api.limitsOf(given),
      nowMs: this.nowMs(),
    });
    this.faults = new FaultPlan(options.faults ?? [], random);
    this.book = new RequestBook(this.organizations.senders, options.maxLogged ?? DEFAULT_MAX_LOGGED);
  }

  /** The vendor's clock, in ms since the epoch. It never jumps. */
  nowMs(): number {
    return this.clock.now() + this.#wallOffsetMs;
  }

  sinceStartMs(): number {
    return this.clock.now() - this.#startedAt;
  }

  /** Changes with every reset: tells requests of before from those of now. */
  get generation(): number {
    return this.#generation;
  }

  count = (text: string): number => this.#countRaw(text);

  /** Tokens as this vendor's own tokenizer counts them. */
  inVendorTokens(tokens: number): number {
    return Math.round(tokens * (this.options.usageFactor ?? 1));
  }

  storedBy(key: string): StoredThings {
    const stored = this.#stored.get(key) ?? new StoredThings();
    this.#stored.set(key, stored);
    return stored;
  }

  nextId(prefix: string): string {
    this.#lastId += 1;
    return `${prefix}${this.#lastId.toString(16).padStart(24, '0')}`;
  }

  /** Begins the books anew; `keepLevels` leaves what the limits have used as it is. */
  reset(keepLevels: boolean): void {
    this.#generation += 1;
    this.#startedAt = this.clock.now();
    this.book.reset();
    this.promptCache.clear();
    this.#stored.clear();
    this.faults.set(this.faults.rules);
    if (keepLevels) this.organizations.restartBooks(this.nowMs());
    else this.organizations.reset(this.nowMs());
  }

  ledger(): Ledger {
    const uptimeMs = this.sinceStartMs();
    return {
      startedAt: this.clock.wallNow() - uptimeMs,
      uptimeMs,
      ...this.book.counts(),
      limits: this.organizations.reports(this.nowMs()),
    };
  }
}
