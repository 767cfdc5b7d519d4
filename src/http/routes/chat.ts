import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { internalError } from '../../errors.ts';
import type { Client, ClientRequest } from '../../proxy/exchange.ts';
import { RawClientReply } from '../client-reply.ts';
import type { Context } from '../context.ts';

const NO_BYTES = Buffer.alloc(0);

/** A request as the use case sees it; the only holder of its body. */
class ReceivedRequest implements ClientRequest {
  readonly id: string;
  readonly client: Client;
  readonly receivedAt: number;
  readonly headers: ClientRequest['headers'];
  #body: Buffer;
  readonly #release: () => void;

  constructor(request: FastifyRequest, arrival: { client: Client; receivedAt: number; release: () => void }) {
    this.id = request.id;
    this.client = arrival.client;
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

/** `POST /v1/chat/completions`: hands the bytes over, and sees to it that every request is answered or cut. */
export function chatRoute(app: FastifyInstance, context: Context): void {
  const { services, settings, connections, lifecycle } = context;

  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { arrival } = request;
    if (!arrival?.client) throw new Error('a chat request got past authentication');
    const { client, receivedAt, reservation } = arrival;
    const received = new ReceivedRequest(request, { client, receivedAt, release: () => reservation?.release() });
    const answer = new RawClientReply(reply, {
      clock: services.clock,
      connection: connections.of(request.raw.socket),
      writeStallMs: settings.timeouts.writeStallMs,
      compression: settings.compression,
      lateHeaders: () => lifecycle.lateHeaders(),
    });
    arrival.isHandedOver = true;
    try {
      await services.chat(received, answer);
    } catch (error) {
      if (answer.isHeadSent) services.events.failed({ requestId: request.id, error });
      else if (!answer.isGone) throw error;
    } finally {
      received.releaseBody();
    }
    conclude(request, reply, answer);
  };

  for (const url of ['/v1/chat/completions', '/chat/completions']) {
    app.post(url, { config: { hasBody: true } }, handler);
  }
}

/** Fastify would take "nothing sent" for an empty success. */
function conclude(request: FastifyRequest, reply: FastifyReply, answer: RawClientReply): void {
  if (answer.isGone) reply.hijack();
  else if (!answer.isHeadSent) throw internalError(request.id, new Error('the request was left without an answer'));
  else if (!answer.isEnded) answer.abandon();
}
