import type { Clock } from '../clock.ts';
import type { Config, ModelConfig, ProviderConfig } from '../config/config.ts';
import {
  type LimitedRoute,
  type LimitGroup,
  LimitScopes,
  routesOf,
  type VendorFamily,
} from '../config/limit-scopes.ts';
import type { LimitFacts } from '../providers/provider.ts';
import type { ModelRoutes, RouteOption } from '../scheduler/model-routes.ts';
import { Quota } from '../scheduler/quota.ts';
import { type KeyState, Route, type UpstreamModelState } from '../scheduler/route.ts';
import { createStrategy } from '../scheduler/strategies/registry.ts';
import type { QuotaKeeper } from './client-quotas.ts';
import { learningFacts, limitPlans } from './limit-plans.ts';

export interface BooksOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: () => number;
  /** How the vendor of a provider enforces limits. */
  readonly factsOf: (provider: ProviderConfig) => LimitFacts;
  readonly keeper: QuotaKeeper;
}

/** A target as the scheduler needs to know it. */
export interface TargetRoutes {
  readonly provider: ProviderConfig;
  readonly model: string;
  readonly weight: number;
  readonly after: number | 'down';
}

interface KnownModel {
  readonly routes: ModelRoutes;
  readonly strategy: ModelConfig['strategy'];
}

interface KnownRoute {
  readonly route: Route;
  /** Where it leads: what was learned of one upstream says nothing of another. */
  readonly url: string | undefined;
}

/** What is in use under one configuration, by its id. */
interface InUse {
  readonly scopes: LimitScopes;
  readonly models: Map<string, KnownModel>;
  readonly routes: Map<string, KnownRoute>;
  readonly keys: Map<string, KeyState>;
  readonly upstreams: Map<string, UpstreamModelState>;
  readonly quotas: Set<string>;
}

/**
 * Every quota and route that the configuration makes, each built the first time it is asked for and then shared: two
 * models on one upstream model meet in its quota, two keys of one organisation in theirs.
 *
 *     reconfigure ──▶ model, model, … ──▶ forget
 *
 * A new configuration finds all of it by its names: what stays is the same object with the same books, and what goes is
 * kept for as long as something is booked on it.
 */
export class Books {
  readonly #options: BooksOptions;
  readonly #quotas = new Map<string, Quota>();
  readonly #origins = new WeakMap<Route, LimitedRoute>();
  #inUse: InUse;
  /** What was in use before the configuration changed, until all models have been made anew. */
  #before: InUse | null = null;

  constructor(options: BooksOptions & { readonly config: Config }) {
    this.#options = options;
    this.#inUse = this.#using(options.config);
  }

  /**
   * Another configuration: from now on models are made by it. Keys and models that their vendors have closed are tried again.
   * @returns the names of those keys
   */
  reconfigure(config: Config): readonly string[] {
    const closed = new Set<string>();
    for (const { route } of this.#inUse.routes.values()) {
      if (route.isDisabled) closed.add(`${route.upstream.provider}/${route.key.name}`);
      route.key.disabled = null;
      route.isModelClosed = false;
    }
    this.#before = this.#inUse;
    this.#inUse = this.#using(config);
    return [...closed];
  }

  /** All models are made that were in use before: what is left over is forgotten, if nothing is booked on it. */
  forget(): void {
    this.#before = null;
    const now = this.#options.clock.now();
    for (const [id, quota] of this.#quotas) {
      if (this.#inUse.quotas.has(id) || !quota.isUnused(now)) continue;
      this.#quotas.delete(id);
      this.#options.keeper.release(quota);
    }
  }

  /** How much is known: for whoever looks for leaks. */
  get size(): { readonly quotas: number; readonly routes: number } {
    return { quotas: this.#quotas.size, routes: this.#inUse.routes.size };
  }

  /** Those that have been asked for under this configuration. */
  routes(): readonly Route[] {
    return [...this.#inUse.routes.values()].map(({ route }) => route);
  }

  /** Provider, key and upstream model behind a route. */
  originOf(route: Route): LimitedRoute {
    return this.#origins.get(route) as LimitedRoute;
  }

  /** The routes of a model by that name; made once, and the same as before if nothing has changed. */
  model(name: string, targets: readonly TargetRoutes[], strategy: ModelConfig['strategy']): ModelRoutes {
    const known = this.#inUse.models.get(name);
    if (known) return known.routes;
    const before = this.#before?.models.get(name);
    const isOfOldStrategy = before?.strategy === strategy;
    const made: ModelRoutes = {
      name,
      strategy: isOfOldStrategy ? before.routes.strategy : newStrategy(strategy, this.#options.random),
      options: this.#optionsOf(targets),
      after: targets.map(({ after }) => after),
    };
    const routes = before && isSame(before.routes, made) ? before.routes : made;
    this.#inUse.models.set(name, { routes, strategy });
    return routes;
  }

  #using(config: Config): InUse {
    const familyOf: VendorFamily = ({ provider, model }) => this.#options.factsOf(provider).familyOf?.(model) ?? null;
    return {
      scopes: new LimitScopes(config, undefined, familyOf),
      models: new Map(),
      routes: new Map(),
      keys: new Map(),
      upstreams: new Map(),
      quotas: new Set(),
    };
  }

  #optionsOf(targets: readonly TargetRoutes[]): RouteOption[] {
    const options: RouteOption[] = [];
    for (const [target, { provider, model, weight }] of targets.entries()) {
      const routes = routesOf(provider, model).filter(({ key }) => key?.isEnabled ?? true);
      for (const limited of routes) {
        options.push({ route: this.#route(limited), target, index: options.length, weight: weight / routes.length });
      }
    }
    return options;
  }

  #route(limited: LimitedRoute): Route {
    const { provider, key, serverIndex, model } = limited;
    const id = [provider.name, String(serverIndex), key?.name ?? '', model].join(' ');
    const made = this.#inUse.routes.get(id);
    if (made) return made.route;
    const quotas = leaderFirst(this.#inUse.scopes.groupsOf(limited)).map((group, index) => {
      return this.#quota(group, { provider, learns: index === 0 });
    });
    const url = provider.baseUrls[serverIndex];
    const known = this.#before?.routes.get(id);
    const before = known?.url === url ? known?.route : undefined;
    const options = {
      id,
      key: this.#key(`${provider.name} ${key?.name ?? ''}`, key?.name ?? 'none'),
      upstream: this.#upstream(`${provider.name} ${serverIndex} ${model}`, { provider: provider.name, model }),
      quotas: quotas as [Quota, ...Quota[]],
      random: this.#options.random,
      ...(before && { successorTo: before }),
    };
    const route = before && isEach(before.quotas, quotas) ? before : new Route(options);
    this.#inUse.routes.set(id, { route, url });
    this.#origins.set(route, limited);
    return route;
  }

  #quota(group: LimitGroup, { provider, learns }: { provider: ProviderConfig; learns: boolean }): Quota {
    const id = group.scopeId;
    const known = this.#quotas.get(id);
    if (known && this.#inUse.quotas.has(id)) return known;
    this.#inUse.quotas.add(id);
    const { clock, factsOf } = this.#options;
    const facts = factsOf(provider);
    const learning = learns ? learningFacts(facts, clock) : {};
    const terms = { name: group.name, limits: limitPlans(group.limits, facts, clock), learns, ...learning };
    known?.reconfigure(terms, clock.now());
    if (known) return known;
    const quota = new Quota({ id, ...terms, skewMs: SKEW_MS });
    this.#quotas.set(id, quota);
    this.#options.keeper.adopt(quota);
    return quota;
  }

  #key(id: string, name: string): KeyState {
    const { keys } = this.#inUse;
    const known = keys.get(id) ?? this.#before?.keys.get(id) ?? { name, disabled: null };
    keys.set(id, known);
    return known;
  }

  #upstream(id: string, { provider, model }: { provider: string; model: string }): UpstreamModelState {
    const { upstreams } = this.#inUse;
    const unknown = { provider, model, restsUntil: 0, overloaded: null };
    const known = upstreams.get(id) ?? this.#before?.upstreams.get(id) ?? unknown;
    upstreams.set(id, known);
    return known;
  }
}

/** A strategy that is not in force yet was named in a warning at start. */
function newStrategy(name: ModelConfig['strategy'], random: () => number): ModelRoutes['strategy'] {
  return createStrategy(name, random) ?? (createStrategy('headroom', random) as ModelRoutes['strategy']);
}

function isSame(one: ModelRoutes, other: ModelRoutes): boolean {
  if (one.strategy !== other.strategy || !isEach(one.after, other.after)) return false;
  return (
    isEach(
      one.options.map(({ route }) => route),
      other.options.map(({ route }) => route),
    ) &&
    one.options.every(
      ({ target, weight }, index) => target === other.options[index]?.target && weight === other.options[index]?.weight,
    )
  );
}

function isEach(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((each, index) => each === others[index]);
}

/** Heads and refusals speak of one bucket: that of the model's family where there is one, else that of the model. */
function leaderFirst(groups: readonly LimitGroup[]): readonly LimitGroup[] {
  const family = groups.find(({ kind }) => kind === 'pattern');
  return family ? [family, ...groups.filter((group) => group !== family)] : groups;
}

/** Between our grant and the upstream's admission: handshakes and uploads lie in there. */
const SKEW_MS = 250;
