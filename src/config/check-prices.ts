import type { ClientConfig, Config, ModelConfig, ProviderConfig } from './config.ts';
import { type Finding, formatPath, type Path } from './mistakes.ts';
import { matchesModel } from './model-pattern.ts';

const HOW = 'write `price: { input: ..., output: ... }`, US dollars per million tokens, 0 where nothing is paid';

/** What compares or adds up prices needs one wherever a request may go. */
export function checkPrices(config: Config): Finding[] {
  return [...config.models.flatMap(checkLowestPrice), ...checkBudgets(config)];
}

function checkLowestPrice({ strategy, targets }: ModelConfig, index: number): Finding[] {
  if (strategy !== 'lowest-price') return [];
  return targets.flatMap(({ price }, at) => {
    if (price !== null) return [];
    const path = ['models', index, 'targets', at];
    return [{ path, message: `needs a \`price\`, which the strategy lowest-price goes by: ${HOW}` }];
  });
}

/**
 * What a client with a budget spends must be known wherever it can go. One mistake for each place, however many clients;
 * they are told by their place, since a name may come from the environment.
 */
function checkBudgets(config: Config): Finding[] {
  const places = new Map<string, { readonly place: Unpriced; readonly clients: string[] }>();
  for (const [index, client] of config.clients.entries()) {
    for (const place of client.budget === null ? [] : unpriced(config, client)) {
      const id = formatPath(place.path);
      const { clients } = places.get(id) ?? { clients: [] };
      places.set(id, { place, clients: [...clients, formatPath(['clients', index])] });
    }
  }
  return [...places.values()].map(({ place: { path, advice }, clients }) => {
    const have = clients.length === 1 ? 'has' : 'have';
    return { path, message: `${advice}: ${clients.join(', ')} ${have} a \`budget\` and may use it` };
  });
}

interface Unpriced {
  readonly path: Path;
  readonly advice: string;
}

/** Where a client can go without anybody knowing what that costs. */
function unpriced(config: Config, client: ClientConfig): Unpriced[] {
  const models = reachable(config, client);
  const targets = config.models.flatMap((model, index) =>
    model.targets.flatMap(({ price, provider, model: upstream }, at): Unpriced[] => {
      const names = [...namesOf(model), upstream];
      const isReached = models.has(model) || names.some((name) => isAllowed(client, name, provider));
      if (price !== null || !isReached) return [];
      return [{ path: ['models', index, 'targets', at], advice: `needs a \`price\` (${HOW})` }];
    }),
  );
  const open = config.providers.flatMap((provider, index): Unpriced[] => {
    if (!isOpenTo(config, provider, client)) return [];
    const advice =
      'passes on names that nobody has given a price; list what is to be used under `models`, each target with its ' +
      '`price`, and give the client `models` that hold nothing else, or take `any_model` away';
    return [{ path: ['providers', index], advice }];
  });
  return [...targets, ...open];
}

/** Those that it may ask for, and those that take over from them, or from those. */
function reachable({ models }: Config, client: ClientConfig): Set<ModelConfig> {
  const reached = new Set(models.filter((model) => namesOf(model).some((name) => isAllowed(client, name))));
  // What is added while it is walked is walked too.
  for (const { fallbacks, contextFallbacks } of reached) {
    const named = [...fallbacks, ...contextFallbacks];
    for (const model of models) if (namesOf(model).some((name) => named.includes(name))) reached.add(model);
  }
  return reached;
}

function namesOf({ name, aliases }: ModelConfig): readonly string[] {
  return [name, ...aliases];
}

/** Under its name, or with a provider before it: either allows it. */
function isAllowed({ models }: ClientConfig, name: string, provider?: string): boolean {
  const names = provider === undefined ? [name] : [name, `${provider}/${name}`];
  return models?.some((pattern) => names.some((each) => matchesModel(pattern, each))) ?? true;
}

/** Whether the client may send a provider names that are configured nowhere. */
function isOpenTo(config: Config, provider: ProviderConfig, client: ClientConfig): boolean {
  if (!(provider.takesAnyModel || config.models.length === 0)) return false;
  const { models: patterns } = client;
  return patterns?.some((pattern) => mayPassOn(config, provider, pattern)) ?? true;
}

/** A pattern may fit any name; a name is passed on unless it is one that this provider has a target for. */
function mayPassOn({ models }: Config, provider: ProviderConfig, pattern: string): boolean {
  if (pattern.includes('*')) return true;
  const prefix = `${provider.name}/`;
  const name = pattern.startsWith(prefix) ? pattern.slice(prefix.length) : pattern;
  const isTaken = provider.keys.length === 0 || provider.keys.some((key) => takes(key.models, name));
  const isKnown = models.some(
    (model) =>
      model.targets.some((target) => target.provider === provider.name && target.model === name) ||
      (namesOf(model).includes(name) && model.targets.some((target) => target.provider === provider.name)),
  );
  return isTaken && !isKnown;
}

function takes(patterns: readonly string[] | null, name: string): boolean {
  return patterns?.some((pattern) => matchesModel(pattern, name)) ?? true;
}
