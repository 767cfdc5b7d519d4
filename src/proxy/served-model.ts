import type { Price } from '../money.ts';
import type { Capability, Provider } from '../providers/provider.ts';
import type { Wires } from '../providers/wire.ts';
import type { ModelRoutes } from '../scheduler/model-routes.ts';
import type { Quota } from '../scheduler/quota.ts';
import type { Route } from '../scheduler/route.ts';
import type { ShareTerms } from '../scheduler/shares/share.ts';
import type { UpstreamTimeouts } from '../upstream/transport.ts';
import type { Client } from './exchange.ts';
import type { TargetEdits } from './target-edits.ts';

/** A model as requests use it: what the scheduler picks from, and what it takes to send. */
export interface ServedModel {
  /** As configured; aliases have been resolved. */
  readonly name: string;
  readonly routes: ModelRoutes;
  /** In file order: `RouteOption.target` is an index into it. */
  readonly targets: readonly ServedTarget[];
  readonly endpoints: ReadonlyMap<Route, Endpoint>;
  /** For how long after its last turn a conversation prefers the route that served it, in ms; null: it does not. */
  readonly affinityMs: number | null;
  /** Per client and model. */
  readonly queue: { readonly maxWaitMs: number; readonly maxSize: number };
  /** Models that take over when this one cannot start in time or has failed, as configured. */
  readonly fallbacks: readonly string[];
  /** Models that take over when the request is too long for this one. */
  readonly contextFallbacks: readonly string[];
}

/** A provider and one of its models. */
export interface ServedTarget {
  readonly provider: Provider;
  /** What can be asked of it: what its vendor speaks, and what Sluice can put into that. */
  readonly wires: Wires;
  /** The configured name, which learned figures are kept by. */
  readonly providerName: string;
  /** What the upstream calls the model. */
  readonly model: string;
  /** The model whose tokenizer counts for it; mostly the same. */
  readonly tokenizerModel: string;
  /** Null: not known, so it rejects nobody. */
  readonly contextLengthTokens: number | null;
  /** Of one choice; null: not known. */
  readonly maxOutputTokens: number | null;
  readonly supports: ReadonlySet<Capability>;
  readonly timeouts: UpstreamTimeouts;
  /** What the configuration changes in every request; null: nothing. */
  readonly edits: TargetEdits | null;
  /** Whether it can be asked for the usage of a stream. */
  readonly canStreamUsage: boolean;
  /** Images may be fetched for it, where its vendor wants them inside the request. */
  readonly fetchesImages: boolean;
  /** Null: not known. */
  readonly price: Price | null;
  /** Headers of the client to pass on besides the usual ones, lower-case. */
  readonly forwardHeaders: readonly string[];
}

/** Where a route leads, and with which credential. */
export interface Endpoint {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The path of the base URL, without a trailing slash: `/v1`. */
  readonly basePath: string;
  /** For vendors that want one in each call. */
  readonly apiVersion: string | null;
  /** The secret itself. It goes into the upstream's request and nowhere else. */
  readonly apiKey: string | null;
  /** For people; null: a server that wants no credentials. */
  readonly keyName: string | null;
  /** The provider's configured `headers`, names in lower case; they may carry credentials too. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ModelLookup {
  /**
   * The model of that name, of that alias, or the default one; with a `provider`, as far as that one serves it.
   * @throws ProxyError `missing_required_parameter`, `model_not_found`, `model_not_allowed`
   */
  find(name: string | null, client: Client, provider?: string): ServedModel;
  /** A model that the operator lets take over, whoever asks; null: there is none of that name any more. */
  fallback(name: string): ServedModel | null;
}

/** What a client is entitled to. */
export interface ClientTerms {
  /** Its class and its weight among others. The same object as long as neither changes. */
  readonly share: ShareTerms;
  /** Its own limits. */
  readonly quota: Quota | null;
  /** Answer at once instead of waiting. */
  readonly rejectsOnLimit: boolean;
}
