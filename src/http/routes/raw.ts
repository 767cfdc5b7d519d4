import type { FastifyInstance, FastifyRequest } from 'fastify';
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
  readonly provider: string;
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
      handler: (request, reply) => {
        const asked = { provider: name, path: readRawPath(withoutOrigin(request.url), skipped) };
        return handOver(context, [request, reply], async (received, answer) => {
          const arrived = new ReceivedRawRequest(request, asked, received);
          try {
            await context.services.serveRaw(arrived, answer);
          } finally {
            arrived.releaseBody();
          }
        });
      },
    });
  }
}
