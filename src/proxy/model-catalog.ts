import { ProxyError } from '../errors.ts';
import { cutClientText } from './scrub.ts';

/** A provider and one of its models, by the names that the configuration gives. */
export interface CatalogTarget {
  readonly provider: string;
  readonly model: string;
}

export interface CatalogModel<Target> {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly targets: readonly Target[];
}

export interface CatalogProvider {
  readonly name: string;
  /** It is sent names that stand under no model: `any_model`, or no models are configured at all. */
  readonly takesAnyModel: boolean;
  /** Patterns of what its keys may be used for; null: no key of it says. */
  readonly keyModels: readonly string[] | null;
  /** Patterns of names that are its vendor's own; empty for one that serves the models of many. */
  readonly ownModels: readonly string[];
}

export interface CatalogInput<Target> {
  readonly models: readonly CatalogModel<Target>[];
  readonly providers: readonly CatalogProvider[];
  /** For requests that name no model, or an unknown one. */
  readonly defaultModel: string | null;
  /** Unix seconds, shown as every model's `created`. */
  readonly createdAt: number;
  /** Whether a name fits a pattern of the configuration. */
  matches(pattern: string, name: string): boolean;
  /** The target for a name that no model has configured. */
  passOn(provider: string, model: string): Target;
}

/** Whether a client may use a name; its patterns are the caller's business. */
export type IsAllowed = (name: string) => boolean;

export interface ResolvedModel<Target> {
  /** The configured name; for a name that is passed on, that name. Equal names have equal targets. */
  readonly name: string;
  /** False: the name is the client's, so what is kept for it needs a bound. */
  readonly isConfigured: boolean;
  readonly targets: readonly Target[];
}

/** One entry of `GET /v1/models`, in OpenAI's shape. */
export interface ModelEntry {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
}

interface Found<Target> {
  readonly model: ResolvedModel<Target>;
  /** Allowing one of these allows it. */
  readonly names: readonly string[];
}

/** Which targets a name stands for, and which names there are. */
export class ModelCatalog<Target extends CatalogTarget> {
  readonly #input: CatalogInput<Target>;
  readonly #models = new Map<string, CatalogModel<Target>>();

  constructor(input: CatalogInput<Target>) {
    this.#input = input;
    for (const model of input.models) {
      for (const name of [model.name, ...model.aliases]) this.#models.set(name, model);
    }
  }

  /**
   * What a request's `model` stands for. In this order: a configured name or alias; `provider/name`; a name that providers take
   * unlisted; the default model.
   * @throws ProxyError `missing_required_parameter`, `model_not_found`, `model_not_allowed`
   */
  resolve(requested: string | null, isAllowed: IsAllowed): ResolvedModel<Target> {
    const found = requested === null ? null : this.#find(requested);
    const used = found ?? this.#default();
    if (used === null) throw requested === null ? missingModel() : notFound(requested);
    return allowed(used, requested, isAllowed);
  }

  /**
   * The same where the provider is settled: its own names, with or without it before them, and of the default model what it
   * serves.
   * @throws ProxyError `missing_required_parameter`, `model_not_found`, `model_not_allowed`
   */
  resolveAt(providerName: string, requested: string | null, isAllowed: IsAllowed): ResolvedModel<Target> {
    const { providers, defaultModel } = this.#input;
    const provider = providers.find(({ name }) => name === providerName);
    const names = [requested, defaultModel].filter((name) => name !== null);
    for (const name of provider ? names : []) {
      const found =
        this.#findAt(provider as CatalogProvider, name) ?? this.#findPrefixedAt(provider as CatalogProvider, name);
      if (found) return allowed(found, requested, isAllowed);
    }
    throw requested === null ? missingModel() : notFound(requested);
  }

  /** What a name stands for by itself, whoever asks; null: nothing. */
  look(name: string): ResolvedModel<Target> | null {
    return this.#find(name)?.model ?? null;
  }

  /** All names that a client may use and that are known beforehand, in the order of the configuration. */
  list(isAllowed: IsAllowed): readonly ModelEntry[] {
    return [...this.#knownNames()]
      .map((name) => ({ name, found: this.#find(name) }))
      .filter(({ found }) => found?.names.some(isAllowed))
      .map(({ name, found }) => this.#entry(name, found));
  }

  /** @throws ProxyError `model_not_found`, also for what this client may not use */
  entry(name: string, isAllowed: IsAllowed): ModelEntry {
    const found = this.#find(name);
    if (!found?.names.some(isAllowed)) throw notFound(name);
    return this.#entry(name, found);
  }

  #entry(id: string, found: Found<Target> | null): ModelEntry {
    const owner = found?.model.targets[0]?.provider ?? 'sluice';
    return { id, object: 'model', created: this.#input.createdAt, owned_by: owner };
  }

  /** Patterns cannot be listed: of what is passed on only names that are spelled out are known. */
  #knownNames(): Set<string> {
    const { providers, defaultModel } = this.#input;
    const spelledOut = providers
      .filter(({ takesAnyModel }) => takesAnyModel)
      .flatMap(({ keyModels }) => keyModels ?? [])
      .filter((pattern) => !pattern.includes('*'));
    return new Set([...this.#models.keys(), ...spelledOut, ...(defaultModel === null ? [] : [defaultModel])]);
  }

  #find(name: string): Found<Target> | null {
    const model = this.#models.get(name);
    if (model) return { model: resolved(model.name, model.targets), names: [name, model.name] };
    return this.#findPrefixed(name) ?? this.#findUnlisted(name);
  }

  #default(): Found<Target> | null {
    const { defaultModel } = this.#input;
    return defaultModel === null ? null : this.#find(defaultModel);
  }

  /** `provider/name`: a configured model at that provider only, one of its upstream names, or a name that it takes. */
  #findPrefixed(requested: string): Found<Target> | null {
    const provider = this.#input.providers
      .filter(({ name }) => requested.startsWith(`${name}/`))
      .sort((one, other) => other.name.length - one.name.length)[0];
    return provider ? this.#findPrefixedAt(provider, requested) : null;
  }

  #findPrefixedAt(provider: CatalogProvider, requested: string): Found<Target> | null {
    const prefix = `${provider.name}/`;
    return requested.startsWith(prefix) ? this.#findAt(provider, requested.slice(prefix.length)) : null;
  }

  #findAt(provider: CatalogProvider, rest: string): Found<Target> | null {
    const requested = `${provider.name}/${rest}`;
    const names = [requested, rest];
    const model = this.#models.get(rest);
    const ofModel = model?.targets.filter((target) => target.provider === provider.name) ?? [];
    if (model && ofModel.length > 0) return { model: resolved(requested, ofModel), names: [...names, model.name] };
    const target = this.#input.models
      .flatMap(({ targets }) => targets)
      .find((each) => each.provider === provider.name && each.model === rest);
    if (target) return { model: resolved(requested, [target]), names };
    return this.#takes(provider, rest) ? { model: this.#passedOn(requested, rest, [provider]), names } : null;
  }

  /** A name that is somebody's own goes there; the others go to those who serve the models of many. */
  #findUnlisted(name: string): Found<Target> | null {
    const takers = this.#input.providers.filter((provider) => this.#takes(provider, name));
    const owners = takers.filter(({ ownModels }) => this.#matchesAny(ownModels, name));
    const others = takers.filter(({ ownModels }) => ownModels.length === 0);
    const chosen = [owners, others, takers].find((group) => group.length > 0);
    return chosen ? { model: this.#passedOn(name, name, chosen), names: [name] } : null;
  }

  #takes({ takesAnyModel, keyModels }: CatalogProvider, name: string): boolean {
    if (name === '' || name.length > LONGEST_NAME) return false;
    return takesAnyModel && (keyModels === null || this.#matchesAny(keyModels, name));
  }

  #matchesAny(patterns: readonly string[], name: string): boolean {
    return patterns.some((pattern) => this.#input.matches(pattern, name));
  }

  #passedOn(name: string, model: string, providers: readonly CatalogProvider[]): ResolvedModel<Target> {
    const targets = providers.map((provider) => this.#input.passOn(provider.name, model));
    return { name, isConfigured: false, targets };
  }
}

/** Names that clients choose stand in headers, on pages and in the state file; no vendor's is nearly as long. */
const LONGEST_NAME = 256;

function resolved<Target>(name: string, targets: readonly Target[]): ResolvedModel<Target> {
  return { name, isConfigured: true, targets };
}

function allowed<Target>(
  { model, names }: Found<Target>,
  requested: string | null,
  isAllowed: IsAllowed,
): ResolvedModel<Target> {
  if (names.some(isAllowed)) return model;
  const name = cutClientText(requested ?? model.name);
  throw new ProxyError('model_not_allowed', `Your key may not use the model "${name}".`, { param: 'model' });
}

function missingModel(): ProxyError {
  return new ProxyError('missing_required_parameter', "Missing required parameter: 'model'.", { param: 'model' });
}

function notFound(name: string): ProxyError {
  const message = `The model "${cutClientText(name)}" does not exist. GET /v1/models lists the names that do.`;
  return new ProxyError('model_not_found', message, { param: 'model' });
}
