import type { IncomingMessage } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { admit, greet } from './admit.ts';
import { ByteBudget } from './byte-budget.ts';
import { handleClientError } from './client-error.ts';
import { compressAnswers } from './compression.ts';
import { Connections } from './connections.ts';
import type { Context } from './context.ts';
import { allowOrigins, answerOptions } from './cors.ts';
import { Lifecycle } from './lifecycle.ts';
import { Listener } from './listener.ts';
import { readBody } from './read-body.ts';
import { requestId } from './request-id.ts';
import { azureRoutes } from './routes/azure-paths.ts';
import { frontPage } from './routes/front-page.ts';
import { modelRoutes } from './routes/models.ts';
import { operationRoutes } from './routes/operations.ts';
import { providerRoutes } from './routes/provider-paths.ts';
import { rawRoutes, responseRoutes } from './routes/raw.ts';
import { statusRoutes } from './routes/status.ts';
import { sendError } from './send-error.ts';
import type { ServerSettings, Services } from './services.ts';

const TCP_KEEP_ALIVE_MS = 30_000;
const LONGEST_CHECK_INTERVAL_MS = 5000;
const LONGEST_PARAMETER = 512;

/** The server as the composition root sees it. */
export interface HttpServer {
  /** Bytes of request bodies that are held now. */
  readonly heldBodyBytes: number;
  /**
   * Begins to serve; port 0 takes any free one.
   * @returns where it listens
   * @throws the system's error, such as `EADDRINUSE`, by its `code`
   */
  listen(at: {
    readonly host: string;
    readonly port: number;
  }): Promise<{ readonly host: string; readonly port: number }>;
  /** `/ready` says no from here on; everything else is served as before. */
  leave(): void;
  /** Closes the listener, refuses what is new, and asks every connection to close; what runs goes on. */
  startDraining(): void;
  /**
   * Makes ready to serve by other settings and with other providers' paths. What it returns puts them in force, for requests
   * that come from then on. Of `settings`, sizes of memory, connections and timeouts stay as they were.
   */
  prepare(settings: ServerSettings, providers: Services['providers']): Promise<() => void>;
  /** Drains, waits up to `graceMs` for answers that are under way, then cuts the rest. */
  close(within: { readonly graceMs: number }): Promise<void>;
}

/** Makes the server; nothing listens yet. */
export async function createServer(settings: ServerSettings, services: Services): Promise<HttpServer> {
  const context: Context = {
    settings,
    services,
    lifecycle: new Lifecycle(),
    connections: new Connections(),
    budget: new ByteBudget(settings.bodyMemoryBytes),
    startedAt: services.clock.now(),
  };
  const app = await createApp(context);
  let current = app;
  app.server.removeAllListeners('request').on('request', (request, response) => current.routing(request, response));
  watchConnections(app, context);

  const listener = new Listener(app.server, {
    clock: services.clock,
    lifecycle: context.lifecycle,
    onError: (error) => services.events.failed({ requestId: null, error }),
  });
  return {
    get heldBodyBytes() {
      return context.budget.heldBytes;
    },
    listen: (at) => listener.listen(at),
    leave: () => context.lifecycle.leave(),
    startDraining: () => listener.startDraining(),
    async prepare(settings, providers) {
      const next = await createApp({ ...context, settings, services: withProviders(services, providers) });
      return () => {
        current = next;
      };
    },
    close: ({ graceMs }) => listener.close(graceMs),
  };
}

/** All routes and hooks. Only the first one listens; others have a server of their own that never does. */
async function createApp(context: Context): Promise<FastifyInstance> {
  const app = createFastify(context);
  await addHooks(app, context);
  readBodies(app, context);
  frontPage(app, context);
  operationRoutes(app, context);
  azureRoutes(app, context);
  modelRoutes(app, context);
  statusRoutes(app, context);
  providerRoutes(app, context);
  responseRoutes(app, context);
  rawRoutes(app, context);
  await app.ready();
  return app;
}

/** What is looked up anew each time stays so: a spread would take the value of this moment. */
function withProviders(services: Services, providers: Services['providers']): Services {
  return Object.defineProperties({} as Services, {
    ...Object.getOwnPropertyDescriptors(services),
    providers: { value: providers },
  });
}

function createFastify(context: Context): FastifyInstance {
  const { services, settings, connections } = context;
  const { headersMs, requestMs, keepAliveMs } = settings.timeouts;
  const shortestMs = Math.min(headersMs, requestMs);
  const newRequestId = (): string => requestId(undefined, () => services.randomId());
  const app = Fastify({
    logger: false,
    genReqId: ({ headers }) => requestId(headers['x-request-id'], () => services.randomId()),
    routerOptions: {
      maxParamLength: LONGEST_PARAMETER,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      // No route reads a query.
      querystringParser: () => ({}),
    },
    keepAliveTimeout: keepAliveMs,
    requestTimeout: requestMs,
    return503OnClosing: false,
    http: {
      headersTimeout: shortestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(LONGEST_CHECK_INTERVAL_MS, shortestMs / 2),
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      noDelay: true,
      // Node's own refusal would have no body; the first hook looks instead.
      requireHostHeader: false,
    },
    frameworkErrors: (error, request, reply) => sendError(context, error, [request, reply]),
    clientErrorHandler: (error, socket) =>
      handleClientError(error, socket, { clock: services.clock, connections, newRequestId }),
  });
  app.server.maxConnections = settings.maxConnections;
  return app;
}

/** Keeps count of what runs on each socket, also for requests that Fastify refuses before any hook. */
function watchConnections(app: FastifyInstance, { connections }: Context): void {
  app.server.prependListener('request', (request, response) => {
    connections.of(request.socket).began(request, response);
  });
  // `100 Continue` goes out when the request has been let in, and an unknown expectation is no reason to refuse one.
  for (const event of ['checkContinue', 'checkExpectation']) {
    app.server.on(event, (request, response) => app.server.emit('request', request, response));
  }
}

async function addHooks(app: FastifyInstance, context: Context): Promise<void> {
  const { corsOrigins, compression } = context.settings;
  app.decorateRequest('arrival', null);
  app.setErrorHandler((error, request, reply) => sendError(context, error, [request, reply]));
  app.setNotFoundHandler(() => {
    throw new Error('an unknown route got past the first hook');
  });
  app.addHook('onRequest', (request, reply, done) => {
    greet(context, request, reply);
    if (!answerOptions(request, reply, corsOrigins.length > 0)) done();
  });
  await allowOrigins(app, corsOrigins);
  app.addHook('onRequest', (request, reply, done) => {
    admit(context, request, reply);
    done();
  });
  await compressAnswers(app, compression);
}

/** One reader of bytes, which are never parsed here. A web page may post `text/plain` anywhere without asking: hooks look. */
function readBodies(app: FastifyInstance, { connections, settings }: Context): void {
  app.removeAllContentTypeParsers();
  // Only where a route takes any body does another type get past the first hooks.
  app.addContentTypeParser(['application/json', '*'], async (request: FastifyRequest, payload: IncomingMessage) => {
    const reservation = request.arrival?.reservation;
    if (!reservation) throw new Error('a body arrived that nobody let in');
    const connection = connections.of(request.raw.socket);
    return readBody(payload, { limitBytes: settings.bodyLimitBytes, reservation, connection });
  });
}
