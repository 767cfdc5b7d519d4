import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { isLoopbackHost } from '../host-guard.ts';
import { sendJson } from '../send-json.ts';
import type { Services } from '../services.ts';

const PLAIN_HOST = /^[A-Za-z0-9.:[\]-]{1,255}$/;

/** `GET /`: for somebody who opens the base URL, and wants to know what answers there and how to call it. */
export function frontPage(app: FastifyInstance, { services }: Context): void {
  app.get('/', { config: { isPublic: true } }, (request, reply) => {
    const { host = '', accept = '' } = request.headers;
    const base = `http://${PLAIN_HOST.test(host) ? host : 'localhost'}`;
    const curl = curlLine(base, request.headers, services);
    reply.header('vary', 'accept');
    if (accept.includes('application/json')) {
      const links = { models: '/v1/models', queue: '/queue', health: '/health', ready: '/ready' };
      return sendJson(reply, { name: 'sluice', version: services.version, base_url: `${base}/v1`, links, curl });
    }
    const lines = [
      `Sluice ${services.version}: an OpenAI-compatible proxy that waits for its keys' rate limits.`,
      `Base URL for OpenAI clients: ${base}/v1`,
      'See also: /v1/models /queue /health /ready',
      '',
      curl,
      '',
    ];
    return reply.type('text/plain; charset=utf-8').send(lines.join('\n'));
  });
}

/** Works as printed, but for what only clients know: names of models are shown to callers who would get the list as well. */
function curlLine(base: string, { host = '' }: IncomingHttpHeaders, services: Services): string {
  const isOpen = services.clients === null && isLoopbackHost(host);
  const model = isOpen ? services.exampleModel() : 'MODEL';
  const key = services.clients ? ' -H "authorization: Bearer YOUR_CLIENT_KEY"' : '';
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
  return `curl ${base}/v1/chat/completions -H "content-type: application/json"${key} -d '${body}'`;
}
