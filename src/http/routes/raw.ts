import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Client, ClientRequest } from '../../proxy/exchange.ts';
import { type RawPath, readRawPath } from '../../proxy/raw/raw-path.ts';
import type { RawRequest } from '../../proxy/raw/raw-request.ts';
import type { Context } from '../context.ts';
import { handOver, type Received } from '../hand-over.ts';
import { providerPath } from './provider-paths.ts';
import { withoutOrigin } from './route-table.ts';

const METHODS = ['GET', 'POST', 'DELETE'] as const;

/** A raw request as the use case sees it; the only holder of its body. */
class ReceivedRawRequest implements RawRequest {
  readonly id: string;
  readonly client: Client;
  readonly method: RawRequest['method'];
  readonly provider: RawRequest['provider'];
  readonly path: RawPath;
  readonly receivedAt: number;
  readonly headers: ClientRequest['headers'];
  #body: Buffer | null;
  readonly #received: Received;

  constructor(request: FastifyRequest, asked: Pick<RawRequest, 'provider' | 'path'>, received: Received) {
    this.id = request.id;
    this.client = received.client;
    this.method = METHODS.find((method) => method === request.method) ?? 'GET';
    this.provider = asked.provider;
    this.path = asked.path;
    this.receivedAt = received.receivedAt;
    this.headers = request.headers;
    this.#received = received;
    this.#body = Buffer.isBuffer(request.body) ? request.body : null;
    request.body = undefined;
  }

  get body(): Buffer | null {
    return this.#body;
  }

  releaseBody(): void {
    this.#body = null;
    this.#received.release();
  }
}

/** `/{provider}/...`: what else a provider offers, where its configuration says `raw: true`. */
export function rawRoutes(app: FastifyInstance, context: Context): void {
  for (const { name } of context.services.providers.filter(({ isRaw }) => isRaw)) {
    const skipped = name.split('/').length;
    app.route({
      method: [...METHODS],
      url: `${providerPath(name)}/*`,
      exposeHeadRoute: false,
      config: { hasBody: 'any' },
      handler: (request, reply) => serveRaw(context, { provider: name, skipped }, [request, reply]),
    });
  }
}

/** `/v1/responses/{id}`: what was made there, read, cancelled or deleted where it is kept. */
export function responseRoutes(app: FastifyInstance, context: Context): void {
  for (const base of ['/v1/responses/:id', '/responses/:id']) {
    for (const { method, url } of [
      { method: ['GET', 'DELETE'], url: base },
      { method: 'GET', url: `${base}/input_items` },
      { method: 'POST', url: `${base}/cancel` },
    ]) {
      app.route({
        method,
        url,
        exposeHeadRoute: false,
        config: { hasBody: 'any' },
        handler: (request, reply) => serveRaw(context, { provider: null, skipped: 0 }, [request, reply]),
      });
    }
  }
}

function serveRaw(
  context: Context,
  { provider, skipped }: { readonly provider: string | null; readonly skipped: number },
  [request, reply]: [FastifyRequest, FastifyReply],
): Promise<void> {
  const asked = { provider, path: readRawPath(withoutOrigin(request.url), skipped) };
  return handOver(context, [request, reply], async (received, answer) => {
    const arrived = new ReceivedRawRequest(request, asked, received);
    try {
      await context.services.serveRaw(arrived, answer);
    } finally {
      arrived.releaseBody();
    }
  });
}
