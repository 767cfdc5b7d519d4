import cors from '@fastify/cors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allowedMethods, pathOf, unknownUrl } from './routes/route-table.ts';

const PREFLIGHT_SECONDS = 600;

/** What a page may read beside the few headers that are always open to it. */
const EXPOSED_HEADERS = [
  'x-request-id',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  ...['limit', 'remaining', 'reset'].flatMap((what) =>
    ['requests', 'tokens'].map((unit) => `x-ratelimit-${what}-${unit}`),
  ),
  'openai-processing-ms',
  'openai-version',
  ...['provider', 'key', 'model', 'attempts', 'queue-ms', 'limit', 'dropped'].map((name) => `x-sluice-${name}`),
];

/** Lets web pages of these origins in. Its hook answers preflights, which carry no key, before anything asks for one. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    // `answerOptions` has looked already, and the plugin's own refusal is plain text.
    strictPreflight: false,
  });
}

/**
 * Answers OPTIONS where it is no preflight, or one that no configured origin can pass.
 * @returns whether it has answered
 */
export function answerOptions(request: FastifyRequest, reply: FastifyReply, hasOrigins: boolean): boolean {
  if (request.method !== 'OPTIONS') return false;
  const { origin, 'access-control-request-method': asked } = request.headers;
  if (hasOrigins && origin !== undefined && asked !== undefined) return false;
  const path = pathOf(request.url);
  const allow = path === '*' ? 'GET, HEAD, POST, OPTIONS' : allowedMethods(path);
  if (allow === null) throw unknownUrl('OPTIONS', path);
  reply.code(204).headers({ allow, 'content-length': '0' }).send();
  return true;
}
