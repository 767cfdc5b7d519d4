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
import { learningFacts, limitPlans } from './limit-plans.ts';

export interface BooksOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: () => number;
  /** How the vendor of a provider enforces limits. */
  readonly factsOf: (provider: ProviderConfig) => LimitFacts;
  /** Sees every quota when it is made. */
  readonly onQuota: (quota: Quota) => void;
}

/** A target as the scheduler needs to know it. */
export interface TargetRoutes {
  readonly provider: ProviderConfig;
  readonly model: string;
  readonly weight: number;
  readonly after: number | 'down';
}

/**
 * Every quota and route that the configuration makes, each built the first time it is asked for and then shared: two
 * models on one upstream model meet in its quota, two keys of one organisation in theirs.
 */
export class Books {
  readonly #options: BooksOptions;
  readonly #scopes: LimitScopes;
  readonly #quotas = new Map<string, Quota>();
  readonly #routes = new Map<string, Route>();
  readonly #origins = new Map<Route, LimitedRoute>();
  readonly #keys = new Map<string, KeyState>();
  readonly #upstreams = new Map<string, UpstreamModelState>();
  readonly #models = new Map<string, ModelRoutes>();

  constructor(options: BooksOptions) {
    this.#options = options;
    const familyOf: VendorFamily = ({ provider, model }) => options.factsOf(provider).familyOf?.(model) ?? null;
    this.#scopes = new LimitScopes(options.config, undefined, familyOf);
  }

  /** Provider, key and upstream model behind a route. */
  originOf(route: Route): LimitedRoute {
    return this.#origins.get(route) as LimitedRoute;
  }

  /** The routes of a model by that name; made once. */
  model(name: string, targets: readonly TargetRoutes[], strategy: ModelConfig['strategy']): ModelRoutes {
    const known = this.#models.get(name);
    if (known) return known;
    const { random } = this.#options;
    const options: RouteOption[] = [];
    for (const [target, { provider, model, weight }] of targets.entries()) {
      const routes = routesOf(provider, model).filter(({ key }) => key?.isEnabled ?? true);
      for (const limited of routes) {
        options.push({ route: this.#route(limited), target, index: options.length, weight: weight / routes.length });
      }
    }
    const made: ModelRoutes = {
      name,
      strategy: createStrategy(strategy, random) ?? (createStrategy('headroom', random) as ModelRoutes['strategy']),
      options,
      after: targets.map(({ after }) => after),
    };
    this.#models.set(name, made);
    return made;
  }

  #route(limited: LimitedRoute): Route {
    const { provider, key, serverIndex, model } = limited;
    const id = [provider.name, String(serverIndex), key?.name ?? '', model].join(' ');
    const known = this.#routes.get(id);
    if (known) return known;
    const quotas = leaderFirst(this.#scopes.groupsOf(limited)).map((group, index) => {
      return this.#quota(group, { provider, learns: index === 0 });
    });
    const route = new Route({
      id,
      key: this.#key(`${provider.name} ${key?.name ?? ''}`, key?.name ?? 'none'),
      upstream: this.#upstream(`${provider.name} ${serverIndex} ${model}`, { provider: provider.name, model }),
      quotas: quotas as [Quota, ...Quota[]],
      random: this.#options.random,
    });
    this.#routes.set(id, route);
    this.#origins.set(route, limited);
    return route;
  }

  #quota(group: LimitGroup, { provider, learns }: { provider: ProviderConfig; learns: boolean }): Quota {
    const known = this.#quotas.get(group.scopeId);
    if (known) return known;
    const { clock, factsOf } = this.#options;
    const facts = factsOf(provider);
    const limits = limitPlans(group.limits, facts, clock);
    const learning = learns ? learningFacts(facts, clock) : {};
    const quota = new Quota({ id: group.scopeId, name: group.name, limits, learns, ...learning, skewMs: SKEW_MS });
    this.#quotas.set(group.scopeId, quota);
    this.#options.onQuota(quota);
    return quota;
  }

  #key(id: string, name: string): KeyState {
    const known = this.#keys.get(id) ?? { name, disabled: null };
    this.#keys.set(id, known);
    return known;
  }

  #upstream(id: string, { provider, model }: { provider: string; model: string }): UpstreamModelState {
    const known = this.#upstreams.get(id) ?? { provider, model, restsUntil: 0, overloaded: null };
    this.#upstreams.set(id, known);
    return known;
  }
}

/** Heads and refusals speak of one bucket: that of the model's family where there is one, else that of the model. */
function leaderFirst(groups: readonly LimitGroup[]): readonly LimitGroup[] {
  const family = groups.find(({ kind }) => kind === 'pattern');
  return family ? [family, ...groups.filter((group) => group !== family)] : groups;
}

/** Between our grant and the upstream's admission: handshakes and uploads lie in there. */
const SKEW_MS = 250;
