import { isDeepStrictEqual } from 'node:util';
import type { CallTimeouts, Config, ProviderConfig, TargetConfig } from '../config/config.ts';
import { fingerprint } from '../config/fingerprint.ts';
import { matchesModel } from '../config/model-pattern.ts';
import { ProxyError } from '../errors.ts';
import { overChat } from '../providers/bridge/over-chat.ts';
import type { Provider } from '../providers/provider.ts';
import type { Wires } from '../providers/wire.ts';
import type { Client } from '../proxy/exchange.ts';
import { type IsAllowed, ModelCatalog, type ModelEntry, type ResolvedModel } from '../proxy/model-catalog.ts';
import { rawProvider } from '../proxy/raw/raw-provider.ts';
import type { RawRouteLookup } from '../proxy/raw/raw-request.ts';
import { cutClientText } from '../proxy/scrub.ts';
import type { Endpoint, ModelLookup, ServedModel, ServedTarget } from '../proxy/served-model.ts';
import { targetEdits } from '../proxy/target-edits.ts';
import type { Route } from '../scheduler/route.ts';
import { serversOf } from './adapters.ts';
import type { Books } from './books.ts';

export interface ServedModelsOptions {
  readonly config: Config;
  readonly books: Books;
  readonly adapterOf: (provider: ProviderConfig) => Provider;
  /** Seconds since the epoch. */
  readonly createdAt: number;
}

interface CatalogTarget {
  readonly provider: string;
  readonly model: string;
  readonly config: TargetConfig | null;
}

/** Models by the names that clients use, each made ready to serve when it is first asked for. */
export class ServedModels implements ModelLookup, RawRouteLookup {
  readonly #options: ServedModelsOptions;
  readonly #catalog: ModelCatalog<CatalogTarget>;
  readonly #providers: ReadonlyMap<string, ProviderConfig>;
  readonly #served = new Map<string, ServedModel>();
  readonly #raw = new Map<string, RawModel>();
  /** By what the configuration says of them. */
  readonly #targets = new Map<string, ServedTarget>();
  readonly #patternsOf: ReadonlyMap<string, readonly string[] | null>;
  /** While this one is made. */
  #before: ServedModels | null;

  /**
   * @param before under another configuration, on the same books: what has not changed stays the same object, and names that
   *   clients have made up stay as far as they still mean something
   */
  constructor(options: ServedModelsOptions, before: ServedModels | null = null) {
    this.#options = options;
    this.#before = before;
    const { config } = options;
    this.#providers = new Map(config.providers.map((provider) => [provider.name, provider]));
    this.#patternsOf = new Map(config.clients.map(({ name, models }) => [name, models]));
    this.#catalog = new ModelCatalog<CatalogTarget>({
      models: config.models.map((model) => ({
        name: model.name,
        aliases: model.aliases,
        targets: model.targets.map((target) => ({ provider: target.provider, model: target.model, config: target })),
      })),
      providers: config.providers.map((provider) => ({
        name: provider.name,
        takesAnyModel: provider.takesAnyModel || config.models.length === 0,
        keyModels: keyModels(provider),
        ownModels: options.adapterOf(provider).ownModels,
      })),
      defaultModel: config.defaultModel,
      createdAt: options.createdAt,
      matches: matchesModel,
      passOn: (provider, model) => ({ provider, model, config: null }),
    });
    for (const { name } of config.models) this.#serve(this.#catalog.resolve(name, () => true));
    if (before !== null) this.#takeOver(before);
    this.#before = null;
  }

  #takeOver(before: ServedModels): void {
    for (const name of before.#served.keys()) {
      const resolved = this.#served.has(name) ? null : this.#catalog.look(name);
      if (resolved?.name === name) this.#serve(resolved);
    }
    for (const provider of before.#raw.keys()) if (this.#providers.has(provider)) this.#rawModel(provider);
  }

  find(name: string | null, client: Client, provider?: string): ServedModel {
    const isAllowed = this.#isAllowedFor(client);
    const resolved =
      provider === undefined
        ? this.#catalog.resolve(name, isAllowed)
        : this.#catalog.resolveAt(provider, name, isAllowed);
    return this.#served.get(resolved.name) ?? this.#serve(resolved);
  }

  fallback(name: string): ServedModel | null {
    return this.#served.get(this.#catalog.resolve(name, () => true).name) ?? null;
  }

  /** Raw paths draw on limits of their own, as one more model of the provider's, and on those that hold for all its models. */
  findRaw(provider: string, path: string | null, client: Client): ServedModel {
    const name = `${provider}/${path}`;
    if (path !== null && !this.#isAllowedFor(client)(name)) {
      throw new ProxyError('model_not_allowed', `Your key may not use the path "${cutClientText(name)}".`);
    }
    if (!this.#providers.has(provider)) {
      throw new ProxyError('model_not_found', `There is no provider "${cutClientText(provider)}" any more.`);
    }
    return (this.#raw.get(provider) ?? this.#rawModel(provider)).served;
  }

  #rawModel(provider: string): RawModel {
    const targets = [{ provider, model: RAW_MODEL, config: null }];
    const made = this.#create({ name: `${provider}//${RAW_MODEL}`, isConfigured: true, targets });
    const before = this.#before ? this.#before.#raw.get(provider) : undefined;
    const raw = before && isSame(before.made, made) ? before : { made, served: asRaw(made) };
    this.#raw.set(provider, raw);
    return raw;
  }

  list(client: Client): readonly ModelEntry[] {
    return this.#catalog.list(this.#isAllowedFor(client));
  }

  /** @throws ProxyError `model_not_found` */
  entry(client: Client, id: string): ModelEntry {
    return this.#catalog.entry(id, this.#isAllowedFor(client));
  }

  /** Those that have been asked for or are configured, as far as this client may use them. */
  visibleTo(client: Client): ServedModel[] {
    const isAllowed = this.#isAllowedFor(client);
    return [...this.#served.values()].filter(({ name }) => isAllowed(name));
  }

  #isAllowedFor(client: Client): IsAllowed {
    const patterns = this.#patternsOf.get(client.name) ?? null;
    return (name) => patterns === null || patterns.some((pattern) => matchesModel(pattern, name));
  }

  #serve(resolved: ResolvedModel<CatalogTarget>): ServedModel {
    // Names that clients choose are kept in bounds: books cost memory for as long as they are kept.
    if (!resolved.isConfigured && this.#served.size >= MAX_MODELS) throw tooManyModels();
    const made = this.#create(resolved);
    const before = this.#before ? this.#before.#served.get(resolved.name) : undefined;
    const served = before && isSame(before, made) ? before : made;
    this.#served.set(resolved.name, served);
    return served;
  }

  #create(resolved: ResolvedModel<CatalogTarget>): ServedModel {
    const { config, books } = this.#options;
    const own = config.models.find(({ name }) => name === resolved.name);
    const targets = resolved.targets.map(({ provider, model, config: target }) => {
      return { provider: this.#provider(provider), model, config: target };
    });
    const routes = books.model(
      resolved.name,
      targets.map(({ provider, model, config: target }) => {
        return { provider, model, weight: target?.weight ?? 1, after: target?.after ?? 0 };
      }),
      own?.strategy ?? 'headroom',
    );
    const queue = own?.queue ?? config.defaults.queue;
    return {
      name: resolved.name,
      routes,
      targets: targets.map(({ provider, model, config: target }) => this.#target(provider, model, target)),
      endpoints: new Map(routes.options.map(({ route }) => [route, this.#endpoint(route)])),
      affinityMs: own ? own.affinityMs : config.defaults.affinityMs,
      queue: { maxWaitMs: queue.maxWaitMs, maxSize: queue.maxSize },
      fallbacks: own?.fallbacks ?? [],
      contextFallbacks: own?.contextFallbacks ?? [],
    };
  }

  #provider(name: string): ProviderConfig {
    return this.#providers.get(name) as ProviderConfig;
  }

  /** The same object for as long as nothing changes that a request is sized or sent by. */
  #target(config: ProviderConfig, model: string, target: TargetConfig | null): ServedTarget {
    const facts = { ...config, keys: [], limits: {}, headers: [] };
    const id = fingerprint([facts, model, target && { ...target, limits: {}, weight: 1, after: 0 }]);
    const before = this.#before ? this.#before.#targets.get(id) : undefined;
    const known = this.#targets.get(id) ?? before ?? this.#newTarget(config, model, target);
    this.#targets.set(id, known);
    return known;
  }

  #newTarget(config: ProviderConfig, model: string, target: TargetConfig | null): ServedTarget {
    const provider = this.#options.adapterOf(config);
    const canStreamUsage = provider.streamUsage === 'ask' && config.canStreamUsage;
    return {
      provider,
      providerName: config.name,
      model,
      tokenizerModel: target?.baseModel ?? model,
      contextLengthTokens: target?.contextLengthTokens ?? null,
      maxOutputTokens: target?.maxOutputTokens ?? null,
      wires: wiresOf(provider, canStreamUsage),
      supports: new Set(target?.supports ?? provider.offers),
      timeouts: timeouts(config.timeouts),
      edits: target && targetEdits(target),
      canStreamUsage,
      fetchesImages: config.fetchesImages,
      price: target?.price ?? null,
      forwardHeaders: config.forwardHeaders,
    };
  }

  #endpoint(route: Route): Endpoint {
    const { provider, key, serverIndex } = this.#options.books.originOf(route);
    const base = new URL(serversOf(provider)[serverIndex] as string);
    return {
      origin: base.origin,
      basePath: base.pathname.replace(/\/+$/, ''),
      apiVersion: provider.apiVersion,
      apiKey: key?.key.reveal() ?? null,
      keyName: key?.name ?? null,
      headers: Object.fromEntries([...provider.headers].map(([name, value]) => [name.toLowerCase(), value.reveal()])),
    };
  }
}

/** A provider's raw paths: as a model, and with what raw paths need instead of the vendor's own ways. */
interface RawModel {
  readonly made: ServedModel;
  readonly served: ServedModel;
}

function asRaw(made: ServedModel): ServedModel {
  return { ...made, targets: made.targets.map((target) => ({ ...target, provider: rawProvider(target.provider) })) };
}

function isSame(before: ServedModel, made: ServedModel): boolean {
  const { routes, targets, ...rest } = made;
  const { routes: routesBefore, targets: targetsBefore, ...restBefore } = before;
  const areTargetsSame =
    targets.length === targetsBefore.length && targets.every((each, i) => each === targetsBefore[i]);
  return routes === routesBefore && areTargetsSame && isDeepStrictEqual(rest, restBefore);
}

/** What the vendor speaks, and messages over its chats where it has none of its own. */
function wiresOf(provider: Provider, asksForUsage: boolean): Wires {
  const { chat, messages } = provider.wires;
  if (!chat || messages) return provider.wires;
  const readUsage: Provider['readUsage'] = (json, known) => provider.readUsage(json, known);
  return { ...provider.wires, messages: overChat(chat, { vendor: provider.type, readUsage, asksForUsage }) };
}

function timeouts({ connectMs, firstByteMs, idleMs, totalMs }: CallTimeouts): ServedTarget['timeouts'] {
  return { connectMs, firstByteMs, idleMs, totalMs };
}

/** What the keys of a provider are for, taken together; null when one of them is for everything. */
function keyModels({ keys }: ProviderConfig): readonly string[] | null {
  const patterns = keys.map(({ models }) => models);
  return patterns.length === 0 || patterns.includes(null) ? null : patterns.flatMap((each) => each ?? []);
}

function tooManyModels(): ProxyError {
  return new ProxyError(
    'model_not_found',
    `${MAX_MODELS} models have been asked for that are not configured, and no more are taken. List models in the configuration.`,
    { param: 'model' },
  );
}

const MAX_MODELS = 1_000;

/** What limits and keys call whatever is asked for by raw paths. */
const RAW_MODEL = 'raw';
