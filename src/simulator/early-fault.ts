import type { ServerResponse } from 'node:http';
import type { Failure } from './api/failure.ts';
import type { Headers } from './api/vendor-api.ts';
import type { FaultKind, FaultRule } from './faults.ts';

const BAD_GATEWAY =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n';

const DEFAULT_LIE_MS = 20;

export interface EarlyCase {
  readonly response: ServerResponse;
  readonly model: string;
  readonly headers: Headers;
  /** Puts the failure in the vendor's words. */
  readonly fail: (failure: Failure, headers: Headers) => void;
}

/** Faults of what stands before the limiter: a request that meets one is never charged. */
const EARLY: { readonly [kind in FaultKind]?: (request: EarlyCase, rule: FaultRule) => void } = {
  refuse: ({ response }) => void response.socket?.resetAndDestroy(),
  garbage: ({ response }) => void response.socket?.end('\u0000\u0001 this is not HTTP \r\n\r\n'),
  html_502: ({ response }) => {
    response.writeHead(502, { 'content-type': 'text/html', 'content-length': BAD_GATEWAY.length });
    response.end(BAD_GATEWAY);
  },
  '401': ({ fail, headers }) => fail({ kind: 'invalid_key', key: 'sk-simulated-fault' }, headers),
  '503': ({ fail, headers }) => fail({ kind: 'overloaded' }, headers),
  quota_429: ({ fail, headers }) => fail({ kind: 'quota_exceeded' }, headers),
  bare_429: ({ fail }) => fail({ kind: 'bare_rate_limit' }, {}),
  lying_retry_after: ({ fail, model, headers }, { retryAfterMs = DEFAULT_LIE_MS }) =>
    fail({ kind: 'lying_hint', model, retryAfterMs }, headers),
};

/** Whether the fault has happened; false: it is one of those after the limiter. */
export function failEarly(request: EarlyCase, rule: FaultRule): boolean {
  const fail = EARLY[rule.kind];
  fail?.(request, rule);
  return fail !== undefined;
}
