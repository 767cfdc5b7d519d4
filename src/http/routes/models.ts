import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Client } from '../../proxy/exchange.ts';
import type { Context } from '../context.ts';

/** `GET /v1/models` and `/v1/models/*`: names may contain slashes, plain or as `%2F`. */
export function modelRoutes(app: FastifyInstance, { services }: Context): void {
  const list = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendJson(reply, { object: 'list', data: services.listModels(clientOf(request)) });

  const one = (request: FastifyRequest<{ Params: { '*': string } }>, reply: FastifyReply): FastifyReply =>
    sendJson(reply, services.findModel(clientOf(request), request.params['*']));

  for (const prefix of ['/v1', '']) {
    app.get(`${prefix}/models`, list);
    app.get(`${prefix}/models/*`, one);
  }
}

/** Who was let in; routes that are not public have a client. */
export function clientOf(request: FastifyRequest): Client {
  const client = request.arrival?.client;
  if (!client) throw new Error('a request got past authentication');
  return client;
}

export function sendJson(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)));
}
