import { isLoopback } from './addresses.ts';
import type { Config } from './config.ts';
import { formatPath, type Path } from './mistakes.ts';
import { matchesModel } from './model-pattern.ts';

/** What is understood and not yet in force: a path with `*` for every entry. */
export const NOT_IN_FORCE: readonly { readonly path: readonly string[] }[] = [
  { path: ['redis'] },
  { path: ['metrics'] },
  { path: ['telemetry'] },
  { path: ['admin'] },
  { path: ['requests_log'] },
];

/** Saying these is saying nothing, so nobody needs to be warned. */
function saysNothing(value: unknown): boolean {
  return value === null || value === false || value === 'off' || (Array.isArray(value) && value.length === 0);
}

/** What works, but perhaps not as its author thinks. `tree` is the file as it was written. */
export function warningsOf(tree: unknown, config: Config): string[] {
  return [...notInForce(tree), ...plainHttp(config), ...uselessEntries(config), ...fittingNothing(config)];
}

function notInForce(tree: unknown): string[] {
  const found = NOT_IN_FORCE.flatMap(({ path }) =>
    pathsTo(tree, path)
      .filter(({ value }) => !saysNothing(value))
      .map((place) => formatPath(place.path)),
  );
  return found.length === 0 ? [] : [`understood, but not yet in force: ${found.join(', ')}`];
}

interface PlacedValue {
  readonly path: Path;
  readonly value: unknown;
}

/** Every value that a path leads to, `*` standing for each entry of a list. */
function pathsTo(tree: unknown, pattern: readonly string[]): PlacedValue[] {
  let places: PlacedValue[] = [{ path: [], value: tree }];
  for (const step of pattern) places = places.flatMap((place) => stepInto(place, step));
  return places;
}

function stepInto({ path, value }: PlacedValue, step: string): PlacedValue[] {
  if (step === '*') {
    return Array.isArray(value) ? value.map((item: unknown, index) => ({ path: [...path, index], value: item })) : [];
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return [];
  return [{ path: [...path, step], value: Reflect.get(value, step) }];
}

function plainHttp({ providers }: Config): string[] {
  return providers.flatMap(({ name, baseUrls }) => {
    const isOpen = baseUrls.some((url) => url.startsWith('http://') && !isLoopback(new URL(url).hostname));
    return isOpen
      ? [`provider ${name} is reached by plain http: keys and prompts can be read on the way; use https`]
      : [];
  });
}

function uselessEntries({ quotas, providers }: Config): string[] {
  const used = new Set(providers.flatMap(({ keys }) => keys.map(({ quota }) => quota)));
  const unused = quotas.filter(({ name }) => !used.has(name)).map(({ name }) => `no key draws on quota ${name}`);
  const idle = providers
    .filter(({ keys }) => keys.length > 0 && keys.every(({ isEnabled }) => !isEnabled))
    .map(({ name }) => `every key of provider ${name} is switched off`);
  const nothing = providers.length === 0 ? ['no providers are configured: every request will be refused'] : [];
  return [...nothing, ...unused, ...idle];
}

/** Names and patterns that fit no model: a slip there locks a client out, or lifts a limit, and nothing else would say so. */
function fittingNothing(config: Config): string[] {
  const { providers, models } = config;
  if (models.length === 0 || providers.some(({ takesAnyModel }) => takesAnyModel)) return [];
  return mentions(config).flatMap(({ what, patterns, names }) => {
    const unmet = patterns.filter((pattern) => !names.some((name) => matchesModel(pattern, name)));
    return unmet.map((pattern) => `${what} ${pattern}, but there is no such model`);
  });
}

interface Mentioned {
  /** Who says it, for people. */
  readonly what: string;
  readonly patterns: readonly string[];
  /** What they may fit. */
  readonly names: readonly string[];
}

function mentions({ clients, providers, quotas, models }: Config): Mentioned[] {
  const raw = providers.some(({ isRaw }) => isRaw) ? ['raw'] : [];
  const upstream = [...raw, ...models.flatMap(({ targets }) => targets.map(({ model }) => model))];
  const asked = [...upstream, ...models.flatMap(({ name, aliases }) => [name, ...aliases])];
  const ofClients = clients.map(({ name, models: own }) => {
    // Behind a provider's name there are also paths that are passed on.
    const patterns = (own ?? []).filter((pattern) => !pattern.includes('/'));
    return { what: `client ${name} may use`, patterns, names: asked };
  });
  const ofKeys = providers.flatMap(({ name: provider, keys }) =>
    keys.map(({ name, models: own }) => ({
      what: `key ${provider}/${name} is for`,
      patterns: own ?? [],
      names: upstream,
    })),
  );
  const ofQuotas = quotas.map(({ name, models: lines }) => {
    return { what: `quota ${name} limits`, patterns: lines.map(({ pattern }) => pattern), names: upstream };
  });
  return [...ofClients, ...ofKeys, ...ofQuotas];
}
