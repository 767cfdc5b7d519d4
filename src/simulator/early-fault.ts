import type { ServerResponse } from 'node:http';
import { bareRateLimit, invalidKey, overloaded, quotaExceeded } from './api-error.ts';
import type { FaultKind, FaultRule } from './faults.ts';
import { goDuration } from './go-duration.ts';
import { type Headers, sendError } from './respond.ts';

const BAD_GATEWAY =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n';

const DEFAULT_LIE_MS = 20;

export interface EarlyCase {
  readonly response: ServerResponse;
  readonly model: string;
  readonly headers: Headers;
}

/** Faults of what stands before the limiter: a request that meets one is never charged. */
const EARLY: { readonly [kind in FaultKind]?: (request: EarlyCase, rule: FaultRule) => void } = {
  refuse: ({ response }) => void response.socket?.resetAndDestroy(),
  garbage: ({ response }) => void response.socket?.end('\u0000\u0001 this is not HTTP \r\n\r\n'),
  html_502: ({ response }) => {
    response.writeHead(502, { 'content-type': 'text/html', 'content-length': BAD_GATEWAY.length });
    response.end(BAD_GATEWAY);
  },
  '401': ({ response, headers }) => sendError(response, invalidKey('sk-simulated-fault'), headers),
  '503': ({ response, headers }) => sendError(response, overloaded(), headers),
  quota_429: ({ response, headers }) => sendError(response, quotaExceeded(), headers),
  bare_429: ({ response }) => sendError(response, bareRateLimit()),
  lying_retry_after: ({ response, model, headers }, { retryAfterMs = DEFAULT_LIE_MS }) => {
    const message = `Rate limit reached for ${model}. Please try again in ${goDuration(retryAfterMs)}.`;
    sendError(
      response,
      { status: 429, message, type: 'requests', param: null, code: 'rate_limit_exceeded' },
      { ...headers, 'retry-after': String(Math.ceil(retryAfterMs / 1000)), 'retry-after-ms': String(retryAfterMs) },
    );
  },
};

/** Whether the fault has happened; false: it is one of those after the limiter. */
export function failEarly(request: EarlyCase, rule: FaultRule): boolean {
  const fail = EARLY[rule.kind];
  fail?.(request, rule);
  return fail !== undefined;
}
