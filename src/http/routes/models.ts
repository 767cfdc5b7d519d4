import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { clientOf } from '../authenticate.ts';
import type { Context } from '../context.ts';
import { sendJson } from '../send-json.ts';

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
