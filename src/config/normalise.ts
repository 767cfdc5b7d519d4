import { createHash } from 'node:crypto';
import type { Price } from '../money.ts';
import type {
  CallTimeouts,
  ClientConfig,
  Config,
  EarlyHeadConfig,
  ModelConfig,
  QueueConfig,
  QuotaConfig,
} from './config.ts';
import { withoutAbsent } from './limits.ts';
import { normaliseProvider } from './normalise-providers.ts';
import type { ParsedConfig } from './schema.ts';

/** What flags and the process's environment say over or under the file. */
export interface Overrides {
  /** Over the file. */
  readonly host?: string;
  readonly port?: number;
  readonly logLevel?: Config['log']['level'];
  /** Under the file: taken where it names no host. Absent: 127.0.0.1. */
  readonly defaultHost?: string;
}

const QUEUE: QueueConfig = { maxSize: 1000, maxWaitMs: 60_000 };
const TIMEOUTS: CallTimeouts = { connectMs: 5_000, firstByteMs: 120_000, idleMs: 60_000, totalMs: 600_000 };

/** The file in the program's own words, with names and defaults filled in. `readCa` gives the text of a PEM file. */
export function normalise(parsed: ParsedConfig, overrides: Overrides, readCa: (file: string) => string): Config {
  const queue = queueOver(QUEUE, parsed.defaults.queue);
  const timeouts = timeoutsOver(TIMEOUTS, parsed.defaults.timeouts);
  const { affinity: affinityMs } = parsed.defaults;
  const { attempts, budget } = parsed.defaults.retry;
  return {
    server: normaliseServer(parsed.server, overrides),
    log: {
      level: overrides.logLevel ?? parsed.log.level,
      format: parsed.log.format ?? null,
      hasRequests: parsed.log.requests,
    },
    state: { file: parsed.state.file === 'none' ? null : parsed.state.file },
    defaults: {
      queue,
      retry: { attempts, budgetShare: budget },
      timeouts,
      classes: parsed.defaults.classes,
      affinityMs,
      predictedOutputTokens: parsed.defaults.predicted_output,
    },
    clients: parsed.clients.map(normaliseClient),
    quotas: parsed.quotas.map(normaliseQuota),
    providers: parsed.providers.map((provider) =>
      normaliseProvider(provider, timeoutsOver(timeouts, provider.timeouts), readCa),
    ),
    models: parsed.models.map((model) => normaliseModel(model, { queue, affinityMs })),
    defaultModel: parsed.default_model ?? null,
    hedge: parsed.hedge ? { afterMs: parsed.hedge.after ?? null, maxShare: parsed.hedge.max_share } : null,
  };
}

function normaliseServer(server: ParsedConfig['server'], overrides: Overrides): Config['server'] {
  const { headers, request, keep_alive, write_stall } = server.timeouts;
  return {
    host: overrides.host ?? server.host ?? overrides.defaultHost ?? '127.0.0.1',
    port: overrides.port ?? server.port,
    auth: server.auth,
    bodyLimitBytes: server.body_limit,
    bodyMemoryBytes: server.body_memory,
    maxConnections: server.max_connections,
    timeouts: { headersMs: headers, requestMs: request, keepAliveMs: keep_alive, writeStallMs: write_stall },
    drainDelayMs: server.drain_delay,
    shutdownGraceMs: server.shutdown_grace,
    streamKeepaliveMs: server.stream_keepalive,
    earlyHead: earlyHeadOf(server.early_head),
    compression: server.compression,
    corsOrigins: server.cors?.origins ?? [],
    hasDebugHeaders: server.debug_headers,
  };
}

function earlyHeadOf(written: ParsedConfig['server']['early_head']): EarlyHeadConfig | null {
  if (written === null) return null;
  if (typeof written === 'number') return { mode: 'whitespace', afterMs: written };
  return { mode: written.mode, afterMs: written.after };
}

function queueOver(general: QueueConfig, own: ParsedConfig['defaults']['queue']): QueueConfig {
  return { maxSize: own.max_size ?? general.maxSize, maxWaitMs: own.max_wait ?? general.maxWaitMs };
}

function timeoutsOver(general: CallTimeouts, own: ParsedConfig['defaults']['timeouts']): CallTimeouts {
  return {
    connectMs: own.connect ?? general.connectMs,
    firstByteMs: own.first_byte ?? general.firstByteMs,
    idleMs: own.idle ?? general.idleMs,
    totalMs: own.total ?? general.totalMs,
  };
}

/** The SHA-256 of a client's key as the file gives it: the key, or already `sha256:<hex>`. */
export function clientKeyHash(key: string): string {
  return /^sha256:/i.test(key) ? key.slice('sha256:'.length).toLowerCase() : sha256Hex(key);
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function normaliseClient(client: ParsedConfig['clients'][number]): ClientConfig {
  return {
    name: client.name,
    keySha256: clientKeyHash(client.key),
    priority: client.priority,
    weight: client.weight,
    limits: withoutAbsent(client.limits),
    onLimit: client.on_limit,
    models: client.models ?? null,
    budget: client.budget ?? null,
  };
}

function normaliseQuota(quota: ParsedConfig['quotas'][number]): QuotaConfig {
  return {
    name: quota.name,
    limits: withoutAbsent(quota.limits),
    models: Object.entries(quota.models).map(([pattern, limits]) => ({ pattern, limits: withoutAbsent(limits) })),
  };
}

function normaliseModel(
  model: ParsedConfig['models'][number],
  general: { readonly queue: QueueConfig; readonly affinityMs: number | null },
): ModelConfig {
  return {
    name: model.name,
    aliases: model.aliases,
    strategy: model.strategy,
    affinityMs: affinityOf(model, general.affinityMs),
    queue: queueOver(general.queue, model.queue),
    fallbacks: model.fallbacks,
    contextFallbacks: model.context_fallbacks,
    targets: model.targets.map((target) => ({
      provider: target.provider,
      model: target.model ?? model.name,
      baseModel: target.base_model ?? null,
      contextLengthTokens: target.context_length ?? null,
      maxOutputTokens: target.max_output_tokens ?? null,
      weight: target.weight,
      after: target.after,
      limits: withoutAbsent(target.limits),
      supports: target.supports ?? null,
      params: target.params,
      force: target.force,
      drop: target.drop,
      price: target.price ? normalisePrice(target.price) : null,
    })),
  };
}

/** Whoever orders keys by hand means it: there affinity has to be asked for. */
function affinityOf({ affinity, strategy }: ParsedConfig['models'][number], generalMs: number | null): number | null {
  if (affinity !== undefined) return affinity;
  return strategy === 'failover' ? null : generalMs;
}

function normalisePrice(price: { input: number; cached_input?: number | undefined; output: number }): Price {
  return { input: price.input, cachedInput: price.cached_input ?? price.input, output: price.output };
}
