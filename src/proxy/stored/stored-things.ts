import { ProxyError } from '../../errors.ts';
import type { Client } from '../exchange.ts';
import type { Endpoint, ServedModel, ServedTarget } from '../served-model.ts';
import { looksKept } from './stored-ids.ts';

/** Where something is kept, and whose it is. */
interface Owner {
  readonly provider: string;
  readonly place: string;
  readonly client: string;
}

const MOST = 100_000;

/**
 * What upstreams keep for clients: responses, files, batches. Another key does not know of it, and another client must not;
 * so each later call goes to the key that made it. In memory, the longest unused is forgotten first.
 */
export class StoredThings {
  /** By provider and id: clients may choose ids at one vendor that mean something else at another. */
  readonly #owners = new Map<string, Owner>();
  readonly #providers = new Set<string>();
  readonly #pinned = new WeakMap<ServedModel, Map<string, ServedModel>>();
  readonly #capacity: number;

  constructor(capacity = MOST) {
    this.#capacity = capacity;
  }

  /** An id stays with whoever made it first: an upstream that repeats one gives it to nobody else. */
  keep(
    ids: readonly string[],
    route: { readonly target: ServedTarget; readonly endpoint: Endpoint },
    client: Client,
  ): void {
    const { providerName: provider } = route.target;
    const owner: Owner = { provider, place: placeOf(route.target, route.endpoint), client: client.name };
    this.#providers.add(provider);
    for (const id of ids) {
      const name = nameAt(provider, id);
      if (!this.#owners.has(name)) this.#owners.set(name, owner);
      const [oldest] = this.#owners.keys();
      if (this.#owners.size > this.#capacity && oldest !== undefined) this.#owners.delete(oldest);
    }
  }

  /**
   * The model with only those routes that know what the request refers to; all of them where it refers to nothing. Ids that no
   * vendor gives are left to the upstream.
   * @param isShared everybody may see everything: then a model of one route knows whatever there is
   * @throws ProxyError `not_found`, `bad_request`: several things that no one key has
   */
  routesTo(
    model: ServedModel,
    ids: readonly string[],
    { name, isShared }: Client & { readonly isShared: boolean },
  ): ServedModel {
    const places = new Set<string>();
    const providers = new Set(model.targets.map(({ providerName }) => providerName));
    for (const id of ids) {
      const owners = this.#find(id, providers);
      const owner = owners.find(({ client }) => client === name);
      if (owner) places.add(owner.place);
      else if (owners.length > 0) throw unknownId();
      else if (looksKept(id) && !(isShared && model.endpoints.size === 1)) throw unknownId();
    }
    const [place] = places;
    if (place === undefined) return model;
    if (places.size > 1) throw apart();
    const pinned = this.#pin(model, place);
    if (pinned.routes.options.length === 0) throw unknownId();
    return pinned;
  }

  /**
   * The provider that keeps the first of these ids that any keeps for this client.
   * @throws ProxyError `not_found`: nobody does, or for another client
   */
  providerOf(ids: readonly string[], { name }: Client): string {
    const owner = ids.flatMap((id) => this.#find(id, this.#providers)).find(({ client }) => client === name);
    if (!owner) throw unknownId();
    return owner.provider;
  }

  /** Whose it is at each of these providers that keeps it. */
  #find(id: string, providers: Iterable<string>): readonly Owner[] {
    const found: Owner[] = [];
    for (const provider of providers) {
      const name = nameAt(provider, id);
      const owner = this.#owners.get(name);
      if (!owner) continue;
      // The longest unused stands first.
      this.#owners.delete(name);
      this.#owners.set(name, owner);
      found.push(owner);
    }
    return found;
  }

  #pin(model: ServedModel, place: string): ServedModel {
    const known = this.#pinned.get(model) ?? new Map<string, ServedModel>();
    this.#pinned.set(model, known);
    const pinned = known.get(place) ?? onlyAt(model, place);
    known.set(place, pinned);
    return pinned;
  }
}

function onlyAt(model: ServedModel, place: string): ServedModel {
  const options = model.routes.options.filter(({ route, target }) => {
    const endpoint = model.endpoints.get(route);
    const served = model.targets[target];
    return endpoint !== undefined && served !== undefined && placeOf(served, endpoint) === place;
  });
  return { ...model, routes: { ...model.routes, options } };
}

/** No provider's name has a space. */
function nameAt(provider: string, id: string): string {
  return `${provider} ${id}`;
}

function placeOf({ providerName }: ServedTarget, { origin, keyName }: Endpoint): string {
  return [providerName, origin, keyName ?? ''].join(' ');
}

/** The same for what is another client's: that it exists is that client's business. */
function unknownId(): ProxyError {
  return new ProxyError(
    'not_found',
    'The request names a response, file or other thing that was not made through this server with your key, or that is forgotten. Make it again.',
  );
}

function apart(): ProxyError {
  return new ProxyError(
    'bad_request',
    'The request names things that were made with different upstream keys, and none of those has all of them. Make them again in one place.',
  );
}
