import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProxyError, shuttingDown } from '../errors.ts';
import type { Client } from '../proxy/exchange.ts';
import { cutClientText } from '../proxy/scrub.ts';
import { authenticate } from './authenticate.ts';
import type { Context } from './context.ts';
import { idHeaders } from './error-form.ts';
import { guardOpenServer } from './host-guard.ts';
import { declaredBody, serverBusy } from './read-body.ts';
import { allowedMethods, MAX_URL_LENGTH, pathOf, unknownUrl } from './routes/route-table.ts';

/**
 * No client needs so many, and a connection is what `max_connections` counts: without an end to it, one could have every
 * upstream socket that the system gives. Refused ones answer in their turn, and so the connection stops being read.
 */
const MOST_ON_ONE_CONNECTION = 100;

/** Runs first: what every answer carries, preflights and errors included. */
export function greet(context: Context, request: FastifyRequest, reply: FastifyReply): void {
  request.arrival = {
    receivedAt: context.services.clock.now(),
    client: null,
    reservation: null,
    isHandedOver: false,
  };
  reply.headers({
    ...idHeaders(request),
    'x-content-type-options': 'nosniff',
    ...context.lifecycle.lateHeaders(),
  });
}

/**
 * Decides, by its head alone, whether a request comes in. Nothing of a body has been read by then, and of a refused one
 * nothing is kept.
 * @throws ProxyError
 */
export function admit(context: Context, request: FastifyRequest, reply: FastifyReply): void {
  const { isPublic = false, hasBody } = request.routeOptions.config;
  checkForm(request);
  if (request.is404) throw unknownRoute(context, request);
  if (isPublic) return;
  if (context.lifecycle.isDraining) throw shuttingDown();
  if (context.connections.of(request.raw.socket).openExchanges > MOST_ON_ONE_CONNECTION) throw tooManyAtOnce();
  const client = identify(context, request);
  if (request.arrival) request.arrival.client = client;
  if (hasBody) admitBody(context, [request, reply], hasBody);
}

function tooManyAtOnce(): ProxyError {
  return new ProxyError(
    'server_busy',
    `More than ${MOST_ON_ONE_CONNECTION} requests wait for their answers on this connection. Use several connections.`,
  );
}

function checkForm(request: FastifyRequest): void {
  const { headers, raw } = request;
  if (headers.host === undefined && raw.httpVersion !== '1.0') {
    throw new ProxyError('bad_request', 'The request has no Host header.');
  }
  if (request.url.length > MAX_URL_LENGTH) {
    throw new ProxyError('uri_too_long', `The URL is longer than ${MAX_URL_LENGTH} characters.`);
  }
  if (/\bwebsocket\b/i.test(headers.upgrade ?? '')) {
    throw new ProxyError(
      'not_supported',
      'WebSockets are not supported. Use HTTP requests, with `stream` for streaming.',
    );
  }
}

function unknownRoute({ services }: Context, request: FastifyRequest): ProxyError {
  const path = pathOf(request.url);
  const allow = allowedMethods(
    path,
    services.providers.map(({ name }) => name),
  );
  if (allow === null) return unknownUrl(request.method, path);
  const message = `Not allowed to ${request.method} ${cutClientText(path)}. Use one of: ${allow}.`;
  return new ProxyError('method_not_supported', message, { headers: { allow } });
}

function identify({ services, settings }: Context, { headers }: FastifyRequest): Client {
  if (!services.clients) guardOpenServer(headers, settings);
  return authenticate(headers, services.clients);
}

function admitBody(
  { settings, budget }: Context,
  [request, reply]: readonly [FastifyRequest, FastifyReply],
  kind: 'json' | 'any',
): void {
  const { bytes } = declaredBody(request.headers, kind, settings.bodyLimitBytes);
  const reservation = budget.open();
  if (!reservation.growTo(bytes)) throw serverBusy();
  if (request.arrival) request.arrival.reservation = reservation;
  if (/^100-continue$/i.test(request.headers.expect ?? '')) reply.raw.writeContinue();
}
