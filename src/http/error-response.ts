import type { ErrorBody, ProxyError } from '../errors.ts';
import { sendable } from './sendable.ts';

/** An error as it goes over the wire. */
export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/** Turns facts into HTTP. `x-request-id` is the caller's. */
export function errorResponse(error: ProxyError, hasDebugHeaders: boolean): ErrorResponse {
  const { limit, headers } = error.details;
  return {
    status: error.status,
    headers: {
      'content-type': 'application/json',
      ...retryHeaders(error),
      ...sendable(limit !== undefined && hasDebugHeaders ? { 'x-sluice-limit': limit, ...headers } : headers),
    },
    body: error.toBody(),
  };
}

/** `retry-after` is whole seconds, never 0: clients read that as "now". `retry-after-ms` is exact. */
function retryHeaders(error: ProxyError): Record<string, string> {
  const { retryAfterMs } = error.details;
  const headers: Record<string, string> = {};
  if (retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
    headers['retry-after-ms'] = String(Math.max(0, Math.ceil(retryAfterMs)));
  } else if (error.retry === 'soon') {
    headers['retry-after'] = '1';
  }
  if (error.retry === 'never') headers['x-should-retry'] = 'false';
  return headers;
}
