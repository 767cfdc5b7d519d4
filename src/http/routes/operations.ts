import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { internalError } from '../../errors.ts';
import type { Client, ClientRequest } from '../../proxy/exchange.ts';
import { RawClientReply } from '../client-reply.ts';
import type { Context } from '../context.ts';
import type { ErrorForm } from '../error-form.ts';
import { OPERATION_PATHS } from './operation-paths.ts';

const NO_BYTES = Buffer.alloc(0);

type Operation = ClientRequest['operation'];

interface ReceivedArrival extends Pick<ClientRequest, 'client' | 'receivedAt' | 'operation' | 'modelInPath'> {
  release(): void;
}

/** A request as the use case sees it; the only holder of its body. */
class ReceivedRequest implements ClientRequest {
  readonly id: string;
  readonly client: Client;
  readonly operation: Operation;
  readonly modelInPath: string | null;
  readonly receivedAt: number;
  readonly headers: ClientRequest['headers'];
  #body: Buffer;
  readonly #release: () => void;

  constructor(request: FastifyRequest, arrival: ReceivedArrival) {
    this.id = request.id;
    this.client = arrival.client;
    this.operation = arrival.operation;
    this.modelInPath = arrival.modelInPath;
    this.receivedAt = arrival.receivedAt;
    this.headers = request.headers;
    this.#release = arrival.release;
    this.#body = Buffer.isBuffer(request.body) ? request.body : NO_BYTES;
    request.body = undefined;
  }

  /** Empty once released. */
  get body(): Buffer {
    return this.#body;
  }

  releaseBody(): void {
    this.#body = NO_BYTES;
    this.#release();
  }
}

/** What a path asks for. */
interface Asked {
  readonly operation: Operation;
  /** The model that it names; null where the body does. */
  readonly modelInPath: string | null;
}

/** Hands a request's bytes over, and sees to it that it is answered or cut. */
export function operationServer({ services, settings, connections, lifecycle }: Context) {
  return async ({ operation, modelInPath }: Asked, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { arrival } = request;
    if (!arrival?.client) throw new Error('a request to a model got past authentication');
    const { client, receivedAt, reservation } = arrival;
    const release = (): void => reservation?.release();
    const received = new ReceivedRequest(request, { client, receivedAt, operation, modelInPath, release });
    const answer = new RawClientReply(reply, {
      clock: services.clock,
      connection: connections.of(request.raw.socket),
      writeStallMs: settings.timeouts.writeStallMs,
      compression: settings.compression,
      lateHeaders: () => lifecycle.lateHeaders(),
    });
    arrival.isHandedOver = true;
    try {
      await services.serve(received, answer);
    } catch (error) {
      if (answer.isHeadSent) services.events.failed({ requestId: request.id, error });
      else if (!answer.isGone) throw error;
    } finally {
      received.releaseBody();
    }
    conclude(request, reply, answer);
  };
}

/** The endpoints that models answer. */
export function operationRoutes(app: FastifyInstance, context: Context): void {
  const serve = operationServer(context);
  for (const [operation, path] of OPERATION_PATHS) {
    const options = { config: { hasBody: true, errorForm: errorFormFor(operation) } };
    for (const url of [`/v1${path}`, path]) {
      app.post(url, options, (request, reply) => serve({ operation, modelInPath: null }, request, reply));
    }
  }
}

function errorFormFor(operation: Operation): ErrorForm {
  return operation === 'messages' || operation === 'count_tokens' ? 'anthropic' : 'openai';
}

/** Fastify would take "nothing sent" for an empty success. */
function conclude(request: FastifyRequest, reply: FastifyReply, answer: RawClientReply): void {
  if (answer.isGone) reply.hijack();
  else if (!answer.isHeadSent) throw internalError(request.id, new Error('the request was left without an answer'));
  else if (!answer.isEnded) answer.abandon();
}
