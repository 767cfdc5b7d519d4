import type { FastifyReply, FastifyRequest } from 'fastify';
import { internalError } from '../errors.ts';
import type { Client, ClientReply } from '../proxy/exchange.ts';
import { RawClientReply } from './client-reply.ts';
import type { Context } from './context.ts';

/** What is known of a request when its bytes are handed over. */
export interface Received {
  readonly client: Client;
  readonly receivedAt: number;
  /** Tells the byte budget that the body is no longer held. */
  release(): void;
  /** Asks the byte budget for so many bytes in all; false: it has no room. */
  holds(bytes: number): boolean;
}

/** Answers through the reply, which ends it. Throws before the head of the answer is decided. */
type Serve = (received: Received, answer: ClientReply) => Promise<void>;

/** Hands a request to the use case, and sees to it that it is answered or cut. */
export async function handOver(
  { services, settings, connections, lifecycle }: Context,
  [request, reply]: readonly [FastifyRequest, FastifyReply],
  serve: Serve,
): Promise<void> {
  const { arrival } = request;
  if (!arrival?.client) throw new Error('a request to a model got past authentication');
  const { client, receivedAt, reservation } = arrival;
  const received: Received = {
    client,
    receivedAt,
    release: () => reservation?.release(),
    holds: (bytes) => reservation?.growTo(bytes) ?? true,
  };
  const answer = new RawClientReply(reply, {
    clock: services.clock,
    connection: connections.of(request.raw.socket),
    writeStallMs: settings.timeouts.writeStallMs,
    compression: settings.compression,
    lateHeaders: () => lifecycle.lateHeaders(),
  });
  arrival.isHandedOver = true;
  try {
    await serve(received, answer);
  } catch (error) {
    if (answer.isHeadSent) services.events.failed({ requestId: request.id, error });
    else if (!answer.isGone) throw error;
  } finally {
    received.release();
  }
  conclude(request, reply, answer);
}

/** Fastify would take "nothing sent" for an empty success. */
function conclude(request: FastifyRequest, reply: FastifyReply, answer: RawClientReply): void {
  if (answer.isGone) reply.hijack();
  else if (!answer.isHeadSent) throw internalError(request.id, new Error('the request was left without an answer'));
  else if (!answer.isEnded) answer.abandon();
}
