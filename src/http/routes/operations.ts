import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Client, ClientRequest } from '../../proxy/exchange.ts';
import type { Context } from '../context.ts';
import type { ErrorForm } from '../error-form.ts';
import { handOver, type Received } from '../hand-over.ts';
import { OPERATION_PATHS } from './operation-paths.ts';

const NO_BYTES = Buffer.alloc(0);

type Operation = ClientRequest['operation'];

/** What a path asks for. */
export interface Asked {
  readonly operation: Operation;
  /** The model that it names; null where the body does. */
  readonly modelInPath: string | null;
  /** The provider that it names. */
  readonly providerInPath?: string;
}

/** A request as the use case sees it; the only holder of its body. */
class ReceivedRequest implements ClientRequest {
  readonly id: string;
  readonly client: Client;
  readonly operation: Operation;
  readonly modelInPath: string | null;
  readonly providerInPath: string | undefined;
  readonly receivedAt: number;
  readonly headers: ClientRequest['headers'];
  #body: Buffer;
  readonly #received: Received;

  constructor(request: FastifyRequest, asked: Asked, received: Received) {
    this.id = request.id;
    this.client = received.client;
    this.operation = asked.operation;
    this.modelInPath = asked.modelInPath;
    this.providerInPath = asked.providerInPath;
    this.receivedAt = received.receivedAt;
    this.headers = request.headers;
    this.#received = received;
    this.#body = Buffer.isBuffer(request.body) ? request.body : NO_BYTES;
    request.body = undefined;
  }

  /** Empty once released. */
  get body(): Buffer {
    return this.#body;
  }

  holds(bytes: number): boolean {
    return this.#received.holds(bytes);
  }

  releaseBody(): void {
    this.#body = NO_BYTES;
    this.#received.release();
  }
}

/** Hands over what has come to a path. */
export function operationServer(context: Context) {
  return (asked: Asked, request: FastifyRequest, reply: FastifyReply): Promise<void> =>
    handOver(context, [request, reply], async (received, answer) => {
      const arrived = new ReceivedRequest(request, asked, received);
      try {
        await context.services.serve(arrived, answer);
      } finally {
        arrived.releaseBody();
      }
    });
}

/** The endpoints that models answer. */
export function operationRoutes(app: FastifyInstance, context: Context): void {
  const serve = operationServer(context);
  for (const [operation, path] of OPERATION_PATHS) {
    const options = routeOptions(operation);
    for (const url of [`/v1${path}`, path]) {
      app.post(url, options, (request, reply) => serve({ operation, modelInPath: null }, request, reply));
    }
  }
}

/** How Fastify is to treat the requests of an operation. */
export function routeOptions(operation: Operation): { config: { hasBody: 'json'; errorForm: ErrorForm } } {
  const isAnthropic = operation === 'messages' || operation === 'count_tokens';
  return { config: { hasBody: 'json', errorForm: isAnthropic ? 'anthropic' : 'openai' } };
}
