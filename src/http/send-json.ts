import type { FastifyReply } from 'fastify';

/** Sends a body as JSON, in bytes that Fastify leaves as they are. */
export function sendJson(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)));
}
