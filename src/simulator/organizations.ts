import type { LimitsOptions } from './limits/limit-spec.ts';
import type { LimitReport, UpstreamLimit } from './limits/upstream-limit.ts';
import { createLimits, UpstreamLimiter } from './limits/upstream-limiter.ts';
import { type OrganizationOptions, SimulatorOptionsError } from './options.ts';

/** Who sends a request, by its bearer token. */
export interface Sender {
  /** The key's name; never the key itself. */
  readonly key: string;
  readonly organization: string;
}

export interface ScopedLimitReport extends LimitReport {
  /** Who shares it: `org-a/gpt-4o`, `org-a/gpt-*`, `org-a` for all models together, `key-1` for one key. */
  readonly scope: string;
}

interface Known {
  readonly sender: Sender;
  readonly options: OrganizationOptions;
  readonly keyLimits: LimitsOptions;
}

interface LimitedFacts {
  readonly models: readonly string[];
  /** Limits as the vendor enforces them. */
  readonly limitsOf: (given: LimitsOptions) => LimitsOptions;
  /** On the vendor's clock. */
  readonly nowMs: number;
}

/** Keys, whom they belong to, and the limits that cover a key and a model. */
export class Organizations {
  readonly #byToken: ReadonlyMap<string, Known>;
  readonly #models: readonly string[];
  readonly #limitsOf: (given: LimitsOptions) => LimitsOptions;
  #limits = new Map<string, readonly UpstreamLimit[]>();
  #limiters = new Map<string, UpstreamLimiter>();

  constructor(organizations: readonly OrganizationOptions[], facts: LimitedFacts) {
    const { models, nowMs } = facts;
    this.#limitsOf = facts.limitsOf;
    this.#byToken = indexed(organizations);
    this.#models = models;
    this.reset(nowMs);
  }

  find(token: string): Sender | null {
    return this.#byToken.get(token)?.sender ?? null;
  }

  get senders(): Sender[] {
    return [...this.#byToken.values()].map(({ sender }) => sender);
  }

  limiterFor(key: string, model: string): UpstreamLimiter {
    const limiter = this.#limiters.get(limiterId(key, model));
    if (!limiter) throw new Error(`no limiter for ${model}`);
    return limiter;
  }

  /** Every limit is as at the start. Requests under way no longer count. */
  reset(nowMs: number): void {
    this.#limits = new Map();
    this.#limiters = new Map();
    for (const { sender, options, keyLimits } of this.#byToken.values()) {
      for (const model of this.#models) {
        const { pattern, limits } = limitsOfModel(options, model);
        const covering = [
          ...this.#limitsAt(`${sender.organization}/${pattern}`, limits, nowMs),
          ...this.#limitsAt(sender.organization, options.sharedLimits ?? {}, nowMs),
          ...this.#limitsAt(sender.key, keyLimits, nowMs),
        ];
        this.#limiters.set(limiterId(sender.key, model), new UpstreamLimiter(covering));
      }
    }
  }

  /** The books begin anew, levels stay. */
  restartBooks(nowMs: number): void {
    for (const limits of this.#limits.values()) for (const limit of limits) limit.restart(nowMs);
  }

  reports(nowMs: number): ScopedLimitReport[] {
    return [...this.#limits].flatMap(([scope, limits]) => limits.map((limit) => ({ scope, ...limit.report(nowMs) })));
  }

  #limitsAt(scope: string, options: LimitsOptions, nowMs: number): readonly UpstreamLimit[] {
    const known = this.#limits.get(scope);
    if (known) return known;
    const created = createLimits(this.#limitsOf(options), nowMs);
    this.#limits.set(scope, created);
    return created;
  }
}

function limiterId(key: string, model: string): string {
  return `${key} ${model}`;
}

function limitsOfModel(options: OrganizationOptions, model: string): { pattern: string; limits: LimitsOptions } {
  const own = options.models?.[model];
  if (own) return { pattern: model, limits: own };
  for (const [pattern, limits] of Object.entries(options.models ?? {})) {
    if (isMatch(pattern, model)) return { pattern, limits };
  }
  return { pattern: model, limits: options.limits ?? {} };
}

function isMatch(pattern: string, model: string): boolean {
  const source = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`).test(model);
}

function indexed(organizations: readonly OrganizationOptions[]): Map<string, Known> {
  const byToken = new Map<string, Known>();
  const names = new Set<string>();
  for (const [index, options] of organizations.entries()) {
    const organization = options.name ?? `org-sim-${index + 1}`;
    claim(names, organization);
    for (const given of options.keys) {
      const { key, name, limits = {} } = typeof given === 'string' ? { key: given } : given;
      const sender = { key: name ?? `key-${byToken.size + 1}`, organization };
      claim(names, sender.key);
      checkToken(key, sender.key, byToken);
      byToken.set(key, { sender, options, keyLimits: limits });
    }
  }
  if (byToken.size === 0) throw new SimulatorOptionsError('There are no keys: give at least one.');
  return byToken;
}

function claim(names: Set<string>, name: string): void {
  if (names.has(name)) {
    throw new SimulatorOptionsError(`The name "${name}" is there twice: each organization and key needs its own.`);
  }
  names.add(name);
}

function checkToken(token: string, name: string, known: ReadonlyMap<string, Known>): void {
  if (token === '') throw new SimulatorOptionsError(`The key "${name}" is empty: give it a token.`);
  if (known.has(token)) {
    throw new SimulatorOptionsError(`The token of "${name}" is given twice: a token belongs to one key.`);
  }
}
