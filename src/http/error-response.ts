import { type ErrorBody, ProxyError } from '../errors.ts';
import { sendable } from './sendable.ts';

/** An error as it goes over the wire. */
export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/** Waits longer than this are not worth a client's sleep: some SDKs would block for all of it. */
const LONGEST_SLEEP_MS = 60_000;

const TOO_MANY_REQUESTS = 429;

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
    body: withRetryHint(error),
  };
}

/** The answer to an exception that nobody expected: it tells the request's id and nothing else. */
export function internalError(requestId: string, cause: unknown): ProxyError {
  return new ProxyError('internal_error', `The server failed on this request. Its id is ${requestId}.`, { cause });
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
  if (error.retry === 'never' || (retryAfterMs ?? 0) > LONGEST_SLEEP_MS) headers['x-should-retry'] = 'false';
  return headers;
}

/** Frameworks that ignore the headers read the wait from the end of the message. */
function withRetryHint(error: ProxyError): ErrorBody {
  const body = error.toBody();
  const { retryAfterMs } = error.details;
  if (error.status !== TOO_MANY_REQUESTS || error.retry === 'never' || retryAfterMs === undefined) return body;
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 100)) / 10;
  return { error: { ...body.error, message: `${body.error.message} Please try again in ${seconds}s.` } };
}
