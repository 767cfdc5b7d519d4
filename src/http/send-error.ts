import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, internalError, ProxyError } from '../errors.ts';
import { cutClientText } from '../proxy/scrub.ts';
import type { Context } from './context.ts';
import { formedError, idHeaders } from './error-form.ts';
import { errorResponse } from './error-response.ts';
import { pathOf } from './routes/route-table.ts';

/** Every error of every route, and those that Fastify raises itself, leave through here. */
export function sendError(context: Context, error: unknown, [request, reply]: [FastifyRequest, FastifyReply]): void {
  const proxyError = asProxyError(error, request.id);
  if (proxyError.code === 'internal_error') {
    context.services.events.failed({ requestId: request.id, error: proxyError.cause ?? proxyError });
  }
  request.arrival?.reservation?.release();
  report(context, request, proxyError);

  const { status, headers, body } = errorResponse(proxyError, context.settings.hasDebugHeaders);
  // Fastify closes after a failed upload; the client would lose the answer to bytes that it is still sending.
  if (reply.hasHeader('connection')) reply.removeHeader('connection');
  reply
    .code(status)
    .headers({ ...idHeaders(request), 'x-content-type-options': 'nosniff' })
    .headers({ ...headers, ...context.lifecycle.lateHeaders() })
    .send(Buffer.from(JSON.stringify(formedError(request, body, status))));
}

/** Fastify's own refusals, by the status it would have sent. */
const REFUSALS = new Map<number | undefined, [ErrorCode, string]>([
  [400, ['bad_request', 'The request is not valid: check its URL and headers.']],
  [414, ['uri_too_long', 'A part of the URL is too long.']],
  [415, ['unsupported_media_type', 'Send the body as JSON, with `content-type: application/json`.']],
]);

function asProxyError(error: unknown, requestId: string): ProxyError {
  if (error instanceof ProxyError) return error;
  const { code = '', statusCode } = (error ?? {}) as { readonly code?: unknown; readonly statusCode?: number };
  const refusal = String(code).startsWith('FST_') ? REFUSALS.get(statusCode) : undefined;
  return refusal ? new ProxyError(...refusal) : internalError(requestId, error);
}

function report({ services }: Context, request: FastifyRequest, error: ProxyError): void {
  const { arrival } = request;
  if (arrival?.isHandedOver) return;
  services.events.requestRefused({
    id: request.id,
    client: arrival?.client?.name ?? null,
    method: request.method,
    path: cutClientText(pathOf(request.url)),
    status: error.status,
    code: error.code,
    totalMs: arrival ? services.clock.now() - arrival.receivedAt : 0,
  });
}
