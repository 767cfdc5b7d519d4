import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { clientOf } from '../authenticate.ts';
import type { Context } from '../context.ts';
import { sendJson } from '../send-json.ts';

/** `/health`, `/ready` and `/queue`: how the server is, whether to send it work, and what it is busy with. */
export function statusRoutes(app: FastifyInstance, { services, lifecycle, startedAt }: Context): void {
  const isPublic = { config: { isPublic: true } };

  const health = (_request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendJson(reply, {
      status: 'ok',
      version: services.version,
      uptime_seconds: Math.floor((services.clock.now() - startedAt) / 1000),
      ...services.health(),
    });

  const ready = (_request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendJson(reply.code(lifecycle.isReady ? 200 : 503), { ready: lifecycle.isReady, phase: lifecycle.phase });

  for (const url of ['/health', '/healthz']) app.get(url, isPublic, health);
  for (const url of ['/ready', '/readyz']) app.get(url, isPublic, ready);
  app.get('/queue', (request, reply) => sendJson(reply, services.queueView(clientOf(request))));
}
