import type { Price } from '../money.ts';
import type { Limits } from './limits.ts';
import type { ProviderType } from './provider-types.ts';
import type { Capability, Strategy } from './schema-models.ts';
import type { Secret } from './secret.ts';

/**
 * What the program works with: names and defaults filled in, durations in milliseconds, sizes in bytes, shares from
 * 0 to 1, credentials in `Secret`. Null means "not said" where that has a meaning of its own.
 */
export interface Config {
  readonly server: ServerConfig;
  readonly log: LogConfig;
  readonly state: StateConfig;
  readonly defaults: DefaultsConfig;
  /** Empty: everybody who can reach the server may call. */
  readonly clients: readonly ClientConfig[];
  readonly quotas: readonly QuotaConfig[];
  readonly providers: readonly ProviderConfig[];
  /** Empty: every model name that a provider takes. */
  readonly models: readonly ModelConfig[];
  /** The name to take for a missing or unknown one. */
  readonly defaultModel: string | null;
  /** Null: nothing is sent a second time for being slow. */
  readonly hedge: HedgeConfig | null;
}

interface ServerConfig {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly auth: 'clients' | 'none';
  readonly bodyLimitBytes: number;
  /** All request bodies held at once. */
  readonly bodyMemoryBytes: number;
  readonly maxConnections: number;
  readonly timeouts: ServerTimeouts;
  readonly drainDelayMs: number;
  readonly shutdownGraceMs: number;
  /** Null: off. */
  readonly streamKeepaliveMs: number | null;
  /** Signs of life to whoever waits for a whole answer; null: off. */
  readonly earlyHead: EarlyHeadConfig | null;
  readonly compression: 'off' | 'json' | 'all';
  /** Empty: no CORS headers at all. May hold `*`. */
  readonly corsOrigins: readonly string[];
  readonly hasDebugHeaders: boolean;
}

export interface EarlyHeadConfig {
  readonly mode: 'whitespace' | 'interim';
  readonly afterMs: number;
}

interface ServerTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly keepAliveMs: number;
  readonly writeStallMs: number;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

interface LogConfig {
  readonly level: LogLevel;
  /** Null: pretty on a terminal, JSON elsewhere. */
  readonly format: 'json' | 'pretty' | null;
  /** One line a request. */
  readonly hasRequests: boolean;
}

interface StateConfig {
  /** As written, so relative to the working directory; null: memory only. */
  readonly file: string | null;
}

interface DefaultsConfig {
  readonly queue: QueueConfig;
  readonly retry: RetryConfig;
  readonly timeouts: CallTimeouts;
  /** What the priorities of clients mean to each other. */
  readonly classes: 'weighted' | 'strict';
  /** For models that do not say, and are not ordered by hand. */
  readonly affinityMs: number | null;
  readonly predictedOutputTokens: number;
}

export interface QueueConfig {
  /** Per client and model. */
  readonly maxSize: number;
  readonly maxWaitMs: number;
}

interface RetryConfig {
  /** Sends in all. */
  readonly attempts: number;
  /** Retries as a share of requests, from 0 to 1. */
  readonly budgetShare: number;
}

export interface CallTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

export interface ClientConfig {
  readonly name: string;
  /** SHA-256 of the client's key, 64 lower-case hexadecimal digits: the key itself is not kept. */
  readonly keySha256: string;
  readonly priority: 'high' | 'normal' | 'low';
  readonly weight: number;
  readonly limits: Limits;
  readonly onLimit: 'wait' | 'reject';
  /** Names or patterns with `*`; null: all. */
  readonly models: readonly string[] | null;
  readonly budget: { readonly usd: number; readonly per: 'day' | 'week' | 'month' | 'total' } | null;
}

export interface QuotaConfig {
  readonly name: string;
  /** One bucket over all its models. */
  readonly limits: Limits;
  /** One bucket each, in the order of the file. */
  readonly models: readonly QuotaModelConfig[];
}

interface QuotaModelConfig {
  /** An upstream model, or a pattern with `*`. */
  readonly pattern: string;
  readonly limits: Limits;
}

export interface ProviderConfig {
  readonly name: string;
  readonly type: ProviderType;
  /** Without trailing slashes. Empty: the default of the type. Several: like servers, each its own route and quota. */
  readonly baseUrls: readonly string[];
  /** To add to every call; they may carry credentials. Names as written. */
  readonly headers: ReadonlyMap<string, Secret>;
  /** Headers of the client to pass on, lower-case. */
  readonly forwardHeaders: readonly string[];
  /** Empty: one route without credentials. */
  readonly keys: readonly KeyConfig[];
  /** Of each quota and model. */
  readonly limits: Limits;
  readonly timeouts: CallTimeouts;
  /** An address, perhaps with credentials; null: as the environment says. */
  readonly proxy: Secret | null;
  /** PEM text. */
  readonly ca: string | null;
  readonly canStreamUsage: boolean;
  /** For vendors that want a version of their API in each call; null: theirs. */
  readonly apiVersion: string | null;
  /** Images are fetched for a vendor that wants them inside the request. */
  readonly fetchesImages: boolean;
  readonly takesAnyModel: boolean;
  readonly isRaw: boolean;
  readonly probeIntervalMs: number | null;
}

export interface KeyConfig {
  readonly name: string;
  readonly key: Secret;
  /** The name of an entry of `quotas`; null: a quota of its own. */
  readonly quota: string | null;
  /** Of this key alone, over all models. */
  readonly limits: Limits;
  /** Upstream models or patterns; null: all. */
  readonly models: readonly string[] | null;
  readonly isEnabled: boolean;
}

export interface ModelConfig {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly strategy: Strategy;
  /** For how long after its last turn a conversation prefers the route that served it; null: it does not. */
  readonly affinityMs: number | null;
  readonly queue: QueueConfig;
  readonly fallbacks: readonly string[];
  readonly contextFallbacks: readonly string[];
  /** At least one, in the order of the file. */
  readonly targets: readonly TargetConfig[];
}

export interface TargetConfig {
  /** The name of an entry of `providers`. */
  readonly provider: string;
  /** What the upstream calls the model. */
  readonly model: string;
  readonly baseModel: string | null;
  readonly contextLengthTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly weight: number;
  /** Held back until the targets before it cannot start within so many ms; `down`: until all of them fail. */
  readonly after: number | 'down';
  readonly limits: Limits;
  /** Null: as the provider's type. */
  readonly supports: readonly Capability[] | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly force: Readonly<Record<string, unknown>>;
  readonly drop: readonly string[];
  /** Null: not known. */
  readonly price: Price | null;
}

interface HedgeConfig {
  /** Null: longer than is usual for its model. */
  readonly afterMs: number | null;
  /** Of the requests, 0 to 1. */
  readonly maxShare: number;
}
