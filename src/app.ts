import { randomUUID } from 'node:crypto';
import type { TextSink } from './cli/io.ts';
import type { RefusedReload, Reload, StartEnvironment } from './cli/start.ts';
import type { Clock } from './clock.ts';
import { adopt } from './config/compare-configs.ts';
import type { Config } from './config/config.ts';
import { exampleModel } from './config/example-model.ts';
import { createServer } from './http/server.ts';
import type { Services } from './http/services.ts';
import { Affinity } from './proxy/affinity/affinity.ts';
import type { RequestSummary } from './proxy/events.ts';
import type { Client } from './proxy/exchange.ts';
import { createRequestHandler } from './proxy/handle-request.ts';
import { HeardTimes } from './proxy/hedging/heard-times.ts';
import { Hedging } from './proxy/hedging/hedging.ts';
import { createRawHandler } from './proxy/raw/handle-raw.ts';
import type { RawRouteLookup } from './proxy/raw/raw-request.ts';
import { RetryBudget } from './proxy/retry-budget.ts';
import type { ModelLookup } from './proxy/served-model.ts';
import { StoredThings } from './proxy/stored/stored-things.ts';
import type { SchedulerEvent } from './scheduler/events.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { adapterOf } from './setup/adapters.ts';
import { Books } from './setup/books.ts';
import { ClientBudgets } from './setup/client-budgets.ts';
import { ClientQuotas } from './setup/client-quotas.ts';
import { KeptBooks } from './setup/kept-books.ts';
import { lifecycle } from './setup/lifecycle.ts';
import { LoadedConfig } from './setup/loaded-config.ts';
import { Prober } from './setup/prober.ts';
import { queueView } from './setup/queue-view.ts';
import { rateHeaders } from './setup/rate-headers.ts';
import { routeChange } from './setup/route-change.ts';
import { KnownSecrets } from './setup/secrets.ts';
import { ServedModels } from './setup/served-models.ts';
import {
  clientsByKey,
  isServedAlike,
  knownUpstreamModels,
  providerPaths,
  requestSettings,
  retryAllowance,
  serverSettings,
} from './setup/settings.ts';
import { Traffic } from './setup/traffic.ts';
import { createTransport } from './setup/transport.ts';
import { FileStore } from './state/file-store.ts';
import { MemoryStore } from './state/memory-store.ts';
import { EventLog } from './telemetry/event-log.ts';
import { createLogger } from './telemetry/logger.ts';
import { Calibration } from './tokens/calibrate.ts';
import { OutputPredictor } from './tokens/predict-output.ts';
import { createTokenCounter, type TokenCounter } from './tokens/token-counter.ts';
import { createImageFetcher } from './upstream/image-fetcher.ts';
import { TokenWorker } from './workers/token-worker.ts';

/** A configured Sluice. */
export interface App {
  listen(): Promise<{ readonly url: string }>;
  /** Another configuration, while requests run: what stays keeps its books, and who waits is served by what there is then. */
  reload(reload: Reload): Promise<void>;
  /** A configuration was not to be had: nothing changes, and log and `/health` say so. */
  refuseReload(refusal: RefusedReload): void;
  /** One line of the log, about something outside. */
  tell(what: string): void;
  /** Stops in good order: nobody new, those who can start within the grace are served, books are written. */
  close(): Promise<void>;
  /** Cuts what is under way; books are written all the same. */
  closeNow(): Promise<void>;
  /** Leases that have not ended: 0 whenever nothing is under way. */
  readonly openLeases: number;
  /** Bytes of request bodies that are held now. */
  readonly heldBodyBytes: number;
  /** What the books know of, in use or not. */
  readonly booksSize: Books['size'];
}

/** What the process lends to an app. */
export type AppEnvironment = StartEnvironment;

/** Puts the parts together: the only place that knows which part stands behind which port. */
export async function createApp(config: Config, environment: AppEnvironment): Promise<App> {
  const parts = await openParts(config, environment);
  const { log, scheduler, loaded } = parts;
  const inForce = (): InForce => current;
  let current = putInForce(config, parts, { inForce, before: null });
  const server = await createServer(serverSettings(config), createServices(parts, inForce));
  return {
    ...lifecycle(parts, server, inForce),
    async reload(wanted) {
      const { config: next, changes, needsRestart } = adopt(current.config, wanted.config);
      await parts.tokens.preload(knownUpstreamModels(next));
      const serve = isServedAlike(current.config, next)
        ? null
        : await server.prepare(serverSettings(next), providerPaths(next));
      // From here on nothing waits: all of it comes into force at once.
      current.prober.close();
      const reopened = reconfigure(parts, next);
      current = putInForce(next, parts, { inForce, before: current });
      parts.books.forget();
      serve?.();
      scheduler.changed();
      loaded.loaded();
      log.reloaded({ file: wanted.file, version: wanted.version, ...changes, reopened });
      for (const warning of wanted.warnings) log.problem(warning);
      if (needsRestart.length > 0) log.problem(`only a restart changes ${needsRestart.join(', ')}`);
    },
    refuseReload(refusal) {
      loaded.refused(refusal.mistakes.length);
      log.reloadRefused(refusal);
    },
    tell: (what) => log.problem(what),
    get openLeases() {
      return scheduler.openLeases;
    },
    get heldBodyBytes() {
      return server.heldBodyBytes;
    },
    get booksSize() {
      return parts.books.size;
    },
  };
}

/** What lives as long as the process, whatever is configured. */
type Parts = Awaited<ReturnType<typeof openParts>>;

async function openParts(config: Config, environment: AppEnvironment) {
  const { clock, version } = environment;
  const secrets = new KnownSecrets(config);
  const log = createLog(config, environment, secrets);
  const kept = await openKeptBooks(config, clock, log);
  const factsOf: ConstructorParameters<typeof Books>[0]['factsOf'] = (provider) => adapterOf(provider).limits;
  const worker = new TokenWorker({ clock });
  const onEvent = (event: SchedulerEvent): void => {
    const change = routeChange(event, clock.now());
    if (change) log.routeChanged(change);
  };
  return {
    ...{ clock, version, secrets, log, kept, worker, onEvent },
    loaded: new LoadedConfig(clock),
    createdAt: Math.floor(clock.wallNow() / 1000),
    books: new Books({ config, clock, random: Math.random, factsOf, keeper: kept }),
    clientQuotas: new ClientQuotas(config.clients, clock, kept),
    budgets: clientBudgets(config, clock, kept),
    scheduler: new Scheduler({ clock, random: Math.random, classRule: config.defaults.classes, onEvent }),
    traffic: new Traffic(),
    tokens: await openTokenCounter(config, clock, worker),
    transport: createTransport(config, environment),
    images: createImageFetcher({ clock, userAgent: `sluice/${version}` }),
    affinity: new Affinity({ clock }),
    stored: new StoredThings(),
    heardTimes: new HeardTimes(),
    retryBudget: new RetryBudget(retryAllowance(config)),
    calibration: new Calibration(),
    outputs: new OutputPredictor(config.defaults.predictedOutputTokens),
  };
}

/** Parts that live on take another configuration. Gives the keys that are tried again. */
function reconfigure(parts: Parts, config: Config): readonly string[] {
  const { log, defaults } = config;
  parts.secrets.learn(config);
  parts.log.reconfigure(log);
  parts.clientQuotas.reconfigure(config.clients);
  parts.budgets.configure(config.clients);
  parts.transport.reconfigure(config);
  parts.retryBudget.allow(retryAllowance(config));
  parts.outputs.startFrom(defaults.predictedOutputTokens);
  return parts.books.reconfigure(config);
}

/** A configuration, and what is made of it. */
interface InForce {
  readonly config: Config;
  readonly models: ServedModels;
  readonly clients: Services['clients'];
  readonly serve: Services['serve'];
  readonly serveRaw: Services['serveRaw'];
  readonly prober: Prober;
}

/**
 * A request keeps the settings of its arrival; models, keys and limits are what they are when it is its turn, so they are
 * asked of whatever is `inForce` then.
 */
function putInForce(
  config: Config,
  parts: Parts,
  { inForce, before }: { readonly inForce: () => InForce; readonly before: InForce | null },
): InForce {
  const { books, createdAt, clock, scheduler, traffic, log, version } = parts;
  const shared = {
    hedging: config.hedge && new Hedging({ ...config.hedge, clock, scheduler, times: parts.heardTimes }),
    ...parts,
    isShared: config.clients.length === 0,
    scrub: parts.secrets.inText,
    settings: requestSettings(config, version),
    termsOf: (client: Client) => parts.clientQuotas.termsOf(client),
    budgetOf: (client: Client) => parts.budgets.budgetOf(client),
    onSummary: (summary: RequestSummary) => {
      traffic.add(summary);
      log.requestEnded(summary);
    },
  };
  const lookup: ModelLookup & RawRouteLookup = {
    find: (name, client, provider) => inForce().models.find(name, client, provider),
    fallback: (name) => inForce().models.fallback(name),
    findRaw: (provider, path, client) => inForce().models.findRaw(provider, path, client),
  };
  return {
    config,
    models: new ServedModels({ config, books, adapterOf, createdAt }, before?.models),
    clients: clientsByKey(config),
    serve: createRequestHandler({
      ...shared,
      models: lookup,
      rateHeaders: ({ routes }) => rateHeaders(routes, clock.now()),
    }),
    serveRaw: createRawHandler({ ...shared, rawRoutes: lookup }),
    prober: createProber(config, parts),
  };
}

function createProber({ providers }: Config, { books, clock, transport, scheduler, onEvent, version }: Parts): Prober {
  const onChange = () => scheduler.changed();
  const userAgent = `sluice/${version}`;
  return new Prober({ providers, books, clock, transport, random: Math.random, userAgent, emit: onEvent, onChange });
}

function createServices({ clock, log, version, ...parts }: Parts, inForce: () => InForce): Services {
  const { scheduler, clientQuotas, budgets, traffic, loaded } = parts;
  return {
    ...{ clock, version, events: log },
    get clients() {
      return inForce().clients;
    },
    providers: providerPaths(inForce().config),
    randomId: () => randomUUID().replaceAll('-', ''),
    serve: (request, reply) => inForce().serve(request, reply),
    serveRaw: (request, reply) => inForce().serveRaw(request, reply),
    exampleModel: () => exampleModel(inForce().config),
    listModels: (client) => inForce().models.list(client),
    findModel: (client, id) => inForce().models.entry(client, id),
    queueView: (client) =>
      queueView({
        models: inForce().models.visibleTo(client),
        tickets: scheduler.door.waitingTickets().filter(({ request }) => request.client === client.name),
        clientQuota: clientQuotas.termsOf(client).quota,
        budget: budgets.budgetOf(client)?.view() ?? null,
        traffic,
        now: clock.now(),
      }),
    health: () => ({ waiting: scheduler.waiting, in_flight: scheduler.openLeases, config: loaded.health() }),
  };
}

function createLog({ log }: Config, { logStream }: AppEnvironment, secrets: KnownSecrets): EventLog {
  const isTerminal = (logStream satisfies TextSink).isTTY === true;
  const format = log.format ?? (isTerminal ? 'pretty' : 'json');
  const settings = { level: log.level, format, hasColors: isTerminal };
  return new EventLog(createLogger(settings, logStream, secrets.inLine), { hasRequests: log.hasRequests });
}

async function openKeptBooks({ state }: Config, clock: Clock, log: EventLog): Promise<KeptBooks> {
  const onProblem = (problem: string) => log.problem(problem);
  const instance = randomUUID().slice(0, 8);
  const store =
    state.file === null ? new MemoryStore() : new FileStore({ path: state.file, clock, instance, onProblem });
  const kept = new KeptBooks({ store, clock, onProblem });
  await kept.open();
  return kept;
}

function clientBudgets({ clients }: Config, clock: Clock, kept: KeptBooks): ClientBudgets {
  const budgets = new ClientBudgets({ clock, saved: kept.savedBudgets, onUnwritten: () => kept.writeSoon() });
  budgets.configure(clients);
  kept.adoptBudgets(budgets);
  return budgets;
}

async function openTokenCounter(config: Config, clock: Clock, worker: TokenWorker): Promise<TokenCounter> {
  const tokens = createTokenCounter({ now: () => clock.now(), worker });
  await tokens.preload(knownUpstreamModels(config));
  return tokens;
}
