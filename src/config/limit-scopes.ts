import type { Config, KeyConfig, ProviderConfig } from './config.ts';
import { type EffectiveLimits, effectiveLimits, LIMIT_NAMES, type LimitName, type Limits } from './limits.ts';
import { matchesModel } from './model-pattern.ts';
import type { ProviderType } from './provider-types.ts';

/** One bucket of limits that covers a route. Routes with an equal `scopeId` share the bucket. */
export interface LimitGroup {
  /** What it is a bucket of: a quota's one upstream model, a family of them, all of them, or a key's. */
  readonly kind: 'model' | 'pattern' | 'quota' | 'key';
  /** Stable over restarts and independent of the order in the file, as long as names stay. */
  readonly scopeId: string;
  /** For people: the quota and, where it is for some models only, the model or pattern. */
  readonly name: string;
  /** May be empty where limits that nobody configured are learned: in the first group of a route, and in its family. */
  readonly limits: EffectiveLimits;
}

/** What draws on limits: a key, or a server without keys, with one upstream model. */
export interface LimitedRoute {
  readonly provider: ProviderConfig;
  /** Null: a route without credentials. */
  readonly key: KeyConfig | null;
  /** Which of the provider's `baseUrls`; 0 where there is only one. */
  readonly serverIndex: number;
  /** What the upstream calls the model. */
  readonly model: string;
}

/** Limits that a vendor is known to have, by provider type; they hold where the configuration says nothing. */
export type VendorLimits = (type: ProviderType) => Limits;

/** What a vendor limits together with this route's model, by name; null: nothing, or nobody knows. */
export type VendorFamily = (route: LimitedRoute) => string | null;

/** A limit as one place of the file states it. */
export interface Statement {
  readonly limits: Limits;
  /** `models[0].targets[1].limits`. */
  readonly path: readonly (string | number)[];
}

/** Two places that state different limits for the same bucket. */
export interface Contradiction {
  readonly limitName: LimitName;
  readonly first: Statement;
  readonly second: Statement;
  readonly groupName: string;
}

/**
 * Answers which buckets a route draws on, most specific first: its quota with its model, each pattern line of the quota
 * that fits the model, or else the family that the vendor limits together, the quota over all models, the key alone.
 *
 * The first bucket belongs to quota and upstream model, whoever leads there. What any target with that upstream model
 * states for it holds for all of them, over what their providers state, over what vendors are known to do.
 */
export class LimitScopes {
  readonly #config: Config;
  readonly #vendorLimits: VendorLimits;
  readonly #familyOf: VendorFamily;

  constructor(config: Config, vendorLimits: VendorLimits = () => ({}), familyOf: VendorFamily = () => null) {
    this.#config = config;
    this.#vendorLimits = vendorLimits;
    this.#familyOf = familyOf;
  }

  groupsOf(route: LimitedRoute): readonly LimitGroup[] {
    const quota = quotaOf(route);
    const ownGroup: LimitGroup = {
      kind: 'model',
      scopeId: `model ${quota.id} ${route.model}`,
      name: `${quota.name} ${route.model}`,
      limits: this.#modelLimits(route),
    };
    const stated = this.#quotaGroups(route);
    const family = stated.some(({ kind }) => kind === 'pattern') ? [] : this.#familyGroup(route);
    return [ownGroup, ...family, ...stated, ...keyGroup(route)];
  }

  /** Contradictions among all routes that the configuration names. */
  contradictions(): readonly Contradiction[] {
    const found = new Map<string, Contradiction>();
    for (const route of this.#configuredRoutes()) {
      const { targets, providers } = this.#statements(route);
      for (const contradiction of [...conflicts(targets, route), ...conflicts(providers, route)]) {
        const { limitName, first, second } = contradiction;
        found.set(JSON.stringify([limitName, first.path, second.path]), contradiction);
      }
    }
    return [...found.values()];
  }

  #modelLimits(route: LimitedRoute): EffectiveLimits {
    const { targets, providers } = this.#statements(route);
    const merged = [{ limits: this.#vendorLimits(route.provider.type) }, ...providers, ...targets];
    return effectiveLimits(merged.map(({ limits }) => limits));
  }

  /** Every place that says something about the bucket of the route's quota and model. */
  #statements(route: LimitedRoute): { targets: Statement[]; providers: Statement[] } {
    const quotaId = quotaOf(route).id;
    const { providers, models } = this.#config;
    const sharing = providers.filter((provider) => hasQuota(provider, route, quotaId));
    const names = new Set(sharing.map(({ name }) => name));
    return {
      targets: models.flatMap((model, modelIndex) =>
        model.targets.flatMap((target, index) =>
          names.has(target.provider) && target.model === route.model
            ? [{ limits: target.limits, path: ['models', modelIndex, 'targets', index, 'limits'] }]
            : [],
        ),
      ),
      providers: providers.flatMap((provider, index) =>
        names.has(provider.name) && this.#serves(provider, route)
          ? [{ limits: provider.limits, path: ['providers', index, 'limits'] }]
          : [],
      ),
    };
  }

  /** Another provider of the quota has a say on a model only if the model can be asked of it. */
  #serves(provider: ProviderConfig, route: LimitedRoute): boolean {
    if (provider.name === route.provider.name || provider.takesAnyModel || this.#config.models.length === 0)
      return true;
    return this.#config.models.some(({ targets }) =>
      targets.some((target) => target.provider === provider.name && target.model === route.model),
    );
  }

  #quotaGroups(route: LimitedRoute): LimitGroup[] {
    const quota = this.#config.quotas.find(({ name }) => name === route.key?.quota);
    if (!quota) return [];
    const lines = quota.models.filter(({ pattern }) => matchesModel(pattern, route.model));
    return [
      ...lines.map(({ pattern, limits }) => ({
        kind: 'pattern' as const,
        scopeId: `pattern quota:${quota.name} ${pattern}`,
        name: `${quota.name} ${pattern}`,
        limits: effectiveLimits([limits]),
      })),
      {
        kind: 'quota' as const,
        scopeId: `quota quota:${quota.name}`,
        name: quota.name,
        limits: effectiveLimits([quota.limits]),
      },
    ].filter(hasLimits);
  }

  /** Without limits: they are learned there. */
  #familyGroup(route: LimitedRoute): LimitGroup[] {
    const family = this.#familyOf(route);
    if (family === null) return [];
    const { id, name } = quotaOf(route);
    return [{ kind: 'pattern', scopeId: `family ${id} ${family}`, name: `${name} ${family}`, limits: {} }];
  }

  #configuredRoutes(): LimitedRoute[] {
    return this.#config.models.flatMap(({ targets }) =>
      targets.flatMap((target) => {
        const provider = this.#config.providers.find(({ name }) => name === target.provider);
        return provider ? routesOf(provider, target.model) : [];
      }),
    );
  }
}

/** All routes of one provider to one upstream model, one for each key on each server. */
export function routesOf(provider: ProviderConfig, model: string): LimitedRoute[] {
  const keys = provider.keys.length === 0 ? [null] : provider.keys;
  const servers = Math.max(1, provider.baseUrls.length);
  return Array.from({ length: servers }, (_, serverIndex) => serverIndex).flatMap((serverIndex) =>
    keys
      .filter((key) => key?.models?.some((pattern) => matchesModel(pattern, model)) ?? true)
      .map((key) => ({ provider, key, serverIndex, model })),
  );
}

/** Names hold neither space nor comma, so no two quotas get the same id. */
function quotaOf({ provider, key, serverIndex }: Omit<LimitedRoute, 'model'>): { id: string; name: string } {
  if (key?.quota != null) return { id: `quota:${key.quota}`, name: key.quota };
  const owner = key === null ? [provider.name] : [provider.name, key.name];
  const server = provider.baseUrls.length > 1 ? [String(serverIndex + 1)] : [];
  return { id: `own:${[...owner, ...server].join(',')}`, name: [...owner, ...server].join('/') };
}

function hasQuota(provider: ProviderConfig, route: LimitedRoute, quotaId: string): boolean {
  if (provider.name === route.provider.name) return true;
  return provider.keys.some(({ quota }) => quota !== null && `quota:${quota}` === quotaId);
}

function keyGroup({ provider, key }: LimitedRoute): LimitGroup[] {
  if (!key) return [];
  const group = {
    kind: 'key' as const,
    scopeId: `key ${provider.name},${key.name}`,
    name: `${provider.name}/${key.name}`,
    limits: effectiveLimits([key.limits]),
  };
  return hasLimits(group) ? [group] : [];
}

function hasLimits({ limits }: LimitGroup): boolean {
  return Object.keys(limits).length > 0;
}

function conflicts(statements: readonly Statement[], route: LimitedRoute): Contradiction[] {
  const groupName = `${quotaOf(route).name} ${route.model}`;
  return LIMIT_NAMES.flatMap((limitName) => {
    const [first, ...others] = statements.filter(({ limits }) => limits[limitName] !== undefined);
    if (!first) return [];
    const said = JSON.stringify(first.limits[limitName]);
    return others
      .filter(({ limits }) => JSON.stringify(limits[limitName]) !== said)
      .map((second) => ({ limitName, first, second, groupName }));
  });
}
