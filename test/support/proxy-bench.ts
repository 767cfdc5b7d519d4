import type { Clock } from '../../src/clock.ts';
import { ProxyError } from '../../src/errors.ts';
import { openai } from '../../src/providers/openai.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { Affinity } from '../../src/proxy/affinity/affinity.ts';
import type { RequestSummary } from '../../src/proxy/events.ts';
import type { ClientRequest } from '../../src/proxy/exchange.ts';
import { createRequestHandler } from '../../src/proxy/handle-request.ts';
import type { RequestServices, RequestSettings } from '../../src/proxy/request-services.ts';
import { RetryBudget } from '../../src/proxy/retry-budget.ts';
import { createScrub } from '../../src/proxy/scrub.ts';
import type { Endpoint, ServedModel, ServedTarget } from '../../src/proxy/served-model.ts';
import { StoredThings } from '../../src/proxy/stored/stored-things.ts';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import type { RouteOption } from '../../src/scheduler/model-routes.ts';
import { Quota } from '../../src/scheduler/quota.ts';
import { Route } from '../../src/scheduler/route.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { USUAL_SHARE } from '../../src/scheduler/shares/share.ts';
import { createStrategy } from '../../src/scheduler/strategies/registry.ts';
import type { Strategy } from '../../src/scheduler/strategies/strategy.ts';
import { Calibration } from '../../src/tokens/calibrate.ts';
import { OutputPredictor } from '../../src/tokens/predict-output.ts';
import type { Transport, UpstreamTimeouts } from '../../src/upstream/transport.ts';
import { ReplyDouble } from './reply-double.ts';

export interface BenchTarget {
  readonly provider?: Provider;
  readonly name?: string;
  readonly origin?: string;
  readonly keys?: readonly string[];
  /** Requests a minute of each key; default: plenty. */
  readonly rpm?: number;
  readonly tpm?: number;
  readonly changes?: Partial<ServedTarget>;
}

/** A model, and what becomes of its requests. */
export interface BenchModel {
  readonly targets?: readonly BenchTarget[];
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly maxWaitMs?: number;
  readonly maxQueueSize?: number;
  readonly affinityMs?: number | null;
  readonly fallbacks?: readonly string[];
  readonly contextFallbacks?: readonly string[];
}

export interface BenchOptions extends BenchModel {
  readonly clock: Clock;
  readonly transport: Transport;
  /** Beside `chat`, by their names. */
  readonly others?: Readonly<Record<string, BenchModel>>;
  readonly settings?: Partial<RequestSettings>;
  readonly services?: Partial<RequestServices>;
}

const TIMEOUTS: UpstreamTimeouts = { connectMs: 10_000, firstByteMs: 60_000, idleMs: 60_000, totalMs: 600_000 };

/** Each message is ten LLM tokens, of which five are certain. */
const TOKENS = { inputTokens: 10, atLeastTokens: 5 };

/** A request handler over the real scheduler, failover from key to key, and a model `chat`. */
export class ProxyBench {
  readonly scheduler: Scheduler;
  readonly model: ServedModel;
  readonly routes: readonly Route[];
  readonly summaries: RequestSummary[] = [];
  readonly services: RequestServices;
  readonly calibration = new Calibration();
  readonly outputs = new OutputPredictor(20);
  readonly #clock: Clock;
  readonly #others = new Map<string, ServedModel>();
  #ids = 0;

  constructor(options: BenchOptions) {
    const { clock, transport } = options;
    this.#clock = clock;
    this.scheduler = new Scheduler({ clock, random: () => 0.5 });
    this.model = createModel('chat', options);
    for (const [name, other] of Object.entries(options.others ?? {})) this.#others.set(name, createModel(name, other));
    this.routes = this.model.routes.options.map(({ route }) => route);
    this.services = {
      clock,
      scheduler: this.scheduler,
      transport,
      models: { find: (name) => this.#find(name), fallback: (name) => this.#known(name) },
      images: { fetch: () => Promise.reject(new Error('nothing is fetched here')) },
      affinity: new Affinity({ clock }),
      stored: new StoredThings(),
      hedging: null,
      isShared: true,
      tokens: { estimate: () => TOKENS },
      calibration: this.calibration,
      outputs: this.outputs,
      retryBudget: new RetryBudget({ share: 0.2, floor: 10 }),
      scrub: createScrub(['sk-first', 'sk-second']),
      settings: {
        streamKeepaliveMs: 20_000,
        earlyHead: null,
        attempts: 3,
        hasDebugHeaders: true,
        userAgent: 'sluice/1.2.3',
        ...options.settings,
      },
      termsOf: () => ({ share: USUAL_SHARE, quota: null, rejectsOnLimit: false }),
      budgetOf: () => null,
      rateHeaders: () => ({ 'x-ratelimit-limit-requests': '100' }),
      onSummary: (summary) => this.summaries.push(summary),
      ...options.services,
    };
  }

  /** Sends a chat, or what another operation takes; `done` resolves when the handler is through, with what it threw. */
  chat(body: unknown = {}, options: ChatOptions = {}): Chat {
    const { reply = new ReplyDouble(), headers = {}, client = 'web', operation = 'chat', modelInPath = null } = options;
    const common = operation === 'chat' ? CHAT : { model: 'chat' };
    const raw = typeof body === 'string' ? body : JSON.stringify({ ...common, ...(body as object) });
    const chat: Chat = { reply, releases: 0, error: null, done: Promise.resolve() };
    const request: ClientRequest = {
      id: `req_${++this.#ids}`,
      client: { name: client },
      operation,
      modelInPath,
      receivedAt: this.#clock.now(),
      headers,
      body: Buffer.from(raw),
      holds: () => true,
      releaseBody: () => {
        chat.releases += 1;
      },
    };
    chat.done = createRequestHandler(this.services)(request, reply).catch((error: unknown) => {
      chat.error = error;
    });
    return chat;
  }

  /** What one key's books hold of a unit now: its capacity less its level. */
  booked(key = 0, limit = 0): number {
    const books = this.routes[key]?.quotas[0].limits[limit]?.primary;
    if (!books) throw new Error('no such limit');
    return books.capacity - books.level(this.#clock.now());
  }

  get summary(): RequestSummary {
    const [summary, ...others] = this.summaries;
    if (!summary || others.length > 0) throw new Error(`${this.summaries.length} summaries`);
    return summary;
  }

  #known(name: string | null): ServedModel | null {
    return name === 'chat' ? this.model : (this.#others.get(name ?? '') ?? null);
  }

  #find(name: string | null): ServedModel {
    const model = this.#known(name);
    if (model) return model;
    throw new ProxyError('model_not_found', 'There is no such model.', { param: 'model' });
  }
}

export interface ChatOptions {
  readonly reply?: ReplyDouble;
  readonly headers?: Readonly<Record<string, string>>;
  readonly client?: string;
  readonly operation?: ClientRequest['operation'];
  readonly modelInPath?: string;
}

export interface Chat {
  readonly reply: ReplyDouble;
  releases: number;
  /** What the handler threw, for the HTTP layer to answer. */
  error: unknown;
  done: Promise<void>;
}

const CHAT = { model: 'chat', messages: [{ role: 'user', content: 'Hello' }] };

function createModel(modelName: string, options: BenchModel): ServedModel {
  const { targets = [{}], maxWaitMs = 60_000, maxQueueSize = 100, affinityMs = 3_600_000 } = options;
  const endpoints = new Map<Route, Endpoint>();
  const candidates: RouteOption[] = [];
  for (const [target, each] of targets.entries()) {
    const { name = 'acme', origin = 'http://upstream.internal', keys = ['first'] } = each;
    const upstream = { provider: name, model: 'gpt-upstream', restsUntil: 0, overloaded: null };
    for (const key of keys) {
      const route = new Route({
        id: `${name}/${key}`,
        key: { name: key, disabled: null },
        upstream,
        quotas: [new Quota({ id: key, name: key, limits: limitsOf(each), learns: false, skewMs: 0 })],
        random: () => 0.5,
      });
      endpoints.set(route, {
        origin,
        basePath: '/v1',
        apiVersion: null,
        apiKey: `sk-${key}`,
        keyName: key,
        headers: {},
      });
      candidates.push({ route, target, index: candidates.length, weight: 1 });
    }
  }
  return {
    name: modelName,
    routes: {
      name: modelName,
      strategy: createStrategy('failover', () => 0.5) as Strategy,
      options: candidates,
      after: targets.map(() => 0),
    },
    targets: targets.map((target) => servedTarget(target, options.timeouts ?? {})),
    endpoints,
    affinityMs,
    queue: { maxWaitMs, maxSize: maxQueueSize },
    fallbacks: options.fallbacks ?? [],
    contextFallbacks: options.contextFallbacks ?? [],
  };
}

function servedTarget({ provider = openai, name = 'acme', changes = {} }: BenchTarget, timeouts: object): ServedTarget {
  return {
    provider,
    wires: provider.wires,
    providerName: name,
    model: 'gpt-upstream',
    tokenizerModel: 'gpt-upstream',
    contextLengthTokens: null,
    maxOutputTokens: null,
    supports: new Set(provider.offers),
    timeouts: { ...TIMEOUTS, ...timeouts },
    canStreamUsage: true,
    edits: null,
    fetchesImages: false,
    price: null,
    forwardHeaders: [],
    ...changes,
  };
}

function limitsOf({ rpm = 600, tpm = 600_000 }: BenchTarget): { name: string; plan: LimitPlan }[] {
  const common = { windowMs: 60_000, algorithm: 'sliding-window', isGuess: false, burst: 1, skewMs: 0 } as const;
  return [
    { name: 'rpm', plan: { ...common, unit: 'requests', capacity: rpm } },
    { name: 'tpm', plan: { ...common, unit: 'tokens', capacity: tpm } },
  ];
}
