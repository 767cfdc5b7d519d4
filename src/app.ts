import { randomUUID } from 'node:crypto';
import type { TextSink } from './cli/io.ts';
import type { StartEnvironment } from './cli/start.ts';
import type { Clock } from './clock.ts';
import { isLoopback } from './config/addresses.ts';
import type { Config, ProviderConfig } from './config/config.ts';
import { createServer, type HttpServer } from './http/server.ts';
import type { ServerSettings } from './http/services.ts';
import type { LimitFacts } from './providers/provider.ts';
import { Affinity } from './proxy/affinity/affinity.ts';
import type { RequestSummary } from './proxy/events.ts';
import type { Client } from './proxy/exchange.ts';
import { createRequestHandler } from './proxy/handle-request.ts';
import { createRawHandler } from './proxy/raw/handle-raw.ts';
import type { RequestSettings } from './proxy/request-services.ts';
import { RetryBudget } from './proxy/retry-budget.ts';
import { createScrub } from './proxy/scrub.ts';
import { StoredThings } from './proxy/stored/stored-things.ts';
import type { SchedulerEvent, SchedulerListener } from './scheduler/events.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { adapterOf } from './setup/adapters.ts';
import { Books } from './setup/books.ts';
import { ClientBudgets } from './setup/client-budgets.ts';
import { ClientQuotas } from './setup/client-quotas.ts';
import { KeptBooks } from './setup/kept-books.ts';
import { Prober, type ProberParts } from './setup/prober.ts';
import { type QueueViewParts, queueView } from './setup/queue-view.ts';
import { rateHeaders } from './setup/rate-headers.ts';
import { secretsOf } from './setup/secrets.ts';
import { ServedModels } from './setup/served-models.ts';
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
import type { Transport } from './upstream/transport.ts';
import { TokenWorker } from './workers/token-worker.ts';

/** A configured Sluice. */
export interface App {
  listen(): Promise<{ readonly url: string }>;
  /** Stops in good order: nobody new, those who can start within the grace are served, books are written. */
  close(): Promise<void>;
  /** Cuts what is under way; books are written all the same. */
  closeNow(): Promise<void>;
  /** Leases that have not ended: 0 whenever nothing is under way. */
  readonly openLeases: number;
  /** Bytes of request bodies that are held now. */
  readonly heldBodyBytes: number;
}

/** Puts the parts together: the only place that knows which part stands behind which port. */
export async function createApp(config: Config, environment: AppEnvironment): Promise<App> {
  const { clock } = environment;
  const secrets = secretsOf(config);
  const log = createLog(config, environment, secrets);
  const kept = await openKeptBooks(config, clock, log);
  const books = new Books({ config, clock, random: Math.random, factsOf, keeper: kept });
  const models = new ServedModels({ config, books, adapterOf, createdAt: Math.floor(clock.wallNow() / 1000) });
  const clientQuotas = new ClientQuotas(config.clients, clock, kept);
  const onEvent = (event: SchedulerEvent) => tell(log, event, clock);
  const scheduler = new Scheduler({ clock, random: Math.random, onEvent });
  const budgets = clientBudgets(config, clock, kept);
  const traffic = new Traffic();
  const worker = new TokenWorker({ clock });
  const tokens = await openTokenCounter(config, clock, worker);
  const transport = createTransport(config, environment);
  const images = createImageFetcher({ clock, userAgent: `sluice/${environment.version}` });
  const shared = {
    clock,
    scheduler,
    transport,
    affinity: new Affinity({ clock }),
    stored: new StoredThings(),
    isShared: config.clients.length === 0,
    retryBudget: new RetryBudget({ share: config.defaults.retry.budgetShare, floor: RETRY_FLOOR }),
    scrub: createScrub(secrets),
    settings: requestSettings(config, environment.version),
    termsOf: (client: Client) => clientQuotas.termsOf(client),
    budgetOf: (client: Client) => budgets.budgetOf(client),
    onSummary: summaries(traffic, log),
  };
  const serve = createRequestHandler({
    ...shared,
    models,
    images,
    tokens,
    calibration: new Calibration(),
    outputs: new OutputPredictor(config.defaults.predictedOutputTokens),
    rateHeaders: ({ routes }) => rateHeaders(routes, clock.now()),
  });
  const server = await createServer(serverSettings(config), {
    clock,
    events: log,
    version: environment.version,
    clients: clientsByKey(config),
    providers: config.providers.map(({ name, isRaw }) => ({ name, isRaw })),
    randomId: () => randomUUID().replaceAll('-', ''),
    serve,
    serveRaw: createRawHandler({ ...shared, rawRoutes: models }),
    listModels: (client) => models.list(client),
    findModel: (client, id) => models.entry(client, id),
    queueView: (client) => queueView(queueParts(client, { clock, scheduler, models, clientQuotas, budgets, traffic })),
    health: () => ({ waiting: scheduler.waiting, in_flight: scheduler.openLeases }),
  });
  const prober = createProber(config, { ...shared, books, onEvent });
  const end = async () => {
    prober.close();
    await transport.close();
    scheduler.stop();
    await Promise.all([images.close(), worker.close(), kept.close()]);
  };
  return lifecycle({ config, clock, scheduler, transport, server, end });
}

/** What the process lends to an app. */
export type AppEnvironment = StartEnvironment;

interface LifecycleParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly server: HttpServer;
  readonly transport: Transport;
  readonly end: () => Promise<void>;
}

function lifecycle({ config, clock, scheduler, transport, server, end }: LifecycleParts): App {
  const { host, port, drainDelayMs, shutdownGraceMs } = config.server;
  /** Ends what waits and what is under way: each gets its last words in its own answer. */
  const cut = () => {
    scheduler.drain(0);
    void transport.close();
  };
  return {
    async listen() {
      const at = await server.listen({ host, port });
      const name = at.host.includes(':') ? `[${at.host}]` : at.host;
      return { url: `http://${name === '0.0.0.0' || name === '[::]' ? 'localhost' : name}:${at.port}` };
    },
    async close() {
      server.leave();
      await new Promise<void>((resolve) => clock.schedule(drainDelayMs, resolve));
      server.startDraining();
      scheduler.drain(shutdownGraceMs);
      const cancel = clock.schedule(shutdownGraceMs, cut);
      await server.close({ graceMs: shutdownGraceMs + LAST_WORDS_MS });
      cancel();
      await end();
    },
    async closeNow() {
      server.startDraining();
      cut();
      await server.close({ graceMs: LAST_WORDS_MS });
      await end();
    },
    get openLeases() {
      return scheduler.openLeases;
    },
    get heldBodyBytes() {
      return server.heldBodyBytes;
    },
  };
}

function factsOf(provider: ProviderConfig): LimitFacts {
  return adapterOf(provider).limits;
}

type ProberServices = Pick<ProberParts, 'books' | 'clock' | 'transport'> & {
  readonly scheduler: Scheduler;
  readonly onEvent: SchedulerListener;
  readonly settings: RequestSettings;
};

function createProber({ providers }: Config, services: ProberServices): Prober {
  const { scheduler, onEvent, settings, books, clock, transport } = services;
  const onChange = () => scheduler.changed();
  const { userAgent } = settings;
  return new Prober({ providers, books, clock, transport, random: Math.random, userAgent, emit: onEvent, onChange });
}

function createLog({ log }: Config, { logStream }: AppEnvironment, secrets: readonly string[]): EventLog {
  const isTerminal = (logStream satisfies TextSink).isTTY === true;
  const format = log.format ?? (isTerminal ? 'pretty' : 'json');
  const settings = { level: log.level, format, hasColors: isTerminal };
  return new EventLog(createLogger(settings, logStream, secrets), { hasRequests: log.hasRequests });
}

function tell(log: EventLog, event: SchedulerEvent, clock: Clock): void {
  if (event.kind !== 'route') return;
  const { route, status, from } = event;
  const { provider, model } = route.upstream;
  const forMs = 'until' in status ? status.until - clock.now() : null;
  const reason = 'reason' in status ? status.reason : event.reason;
  log.routeChanged({ provider, model, key: route.key.name, from, to: status.kind, reason, forMs });
}

function summaries(traffic: Traffic, log: EventLog): (summary: RequestSummary) => void {
  return (summary) => {
    traffic.add(summary);
    log.requestEnded(summary);
  };
}

async function openKeptBooks({ state }: Config, clock: Clock, log: EventLog): Promise<KeptBooks> {
  const onProblem = (problem: string) => log.problem(problem);
  const instance = randomUUID().slice(0, 8);
  const store =
    state.file === null ? new MemoryStore() : new FileStore({ path: state.file, clock, instance, onProblem });
  const kept = new KeptBooks({ store, clock });
  await kept.open();
  return kept;
}

interface QueueSources {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly models: ServedModels;
  readonly clientQuotas: ClientQuotas;
  readonly budgets: ClientBudgets;
  readonly traffic: Traffic;
}

function queueParts(client: Client, { clock, scheduler, models, ...sources }: QueueSources): QueueViewParts {
  return {
    models: models.visibleTo(client),
    tickets: scheduler.door.waitingTickets().filter(({ request }) => request.client === client.name),
    clientQuota: sources.clientQuotas.termsOf(client).quota,
    budget: sources.budgets.budgetOf(client)?.view() ?? null,
    traffic: sources.traffic,
    now: clock.now(),
  };
}

function clientBudgets({ clients }: Config, clock: Clock, kept: KeptBooks): ClientBudgets {
  const budgets = new ClientBudgets({ clock, saved: kept.savedBudgets, onUnwritten: () => kept.writeSoon() });
  budgets.configure(clients);
  kept.adoptBudgets(budgets);
  return budgets;
}

async function openTokenCounter({ models }: Config, clock: Clock, worker: TokenWorker): Promise<TokenCounter> {
  const tokens = createTokenCounter({ now: () => clock.now(), worker });
  await tokens.preload(models.flatMap(({ targets }) => targets.map(({ baseModel, model }) => baseModel ?? model)));
  return tokens;
}

function requestSettings({ server, defaults }: Config, version: string): RequestSettings {
  const { streamKeepaliveMs, earlyHead, hasDebugHeaders } = server;
  const { attempts } = defaults.retry;
  return { streamKeepaliveMs, earlyHead, hasDebugHeaders, attempts, userAgent: `sluice/${version}` };
}

function clientsByKey({ clients }: Config): ReadonlyMap<string, Client> | null {
  if (clients.length === 0) return null;
  return new Map(clients.map(({ name, keySha256 }) => [keySha256, { name }]));
}

function serverSettings({ server, clients }: Config): ServerSettings {
  const { bodyLimitBytes, bodyMemoryBytes, maxConnections, timeouts, compression, corsOrigins, hasDebugHeaders } =
    server;
  const openTo = clients.length === 0 && isLoopback(server.host) ? 'loopback' : 'any';
  return {
    bodyLimitBytes,
    bodyMemoryBytes,
    maxConnections,
    timeouts,
    compression,
    corsOrigins,
    hasDebugHeaders,
    openTo,
  };
}

/** For an in-band error to reach a client before its connection is cut. */
const LAST_WORDS_MS = 2_000;
/** Retries that are allowed however few requests there were, in a minute. */
const RETRY_FLOOR = 10;
