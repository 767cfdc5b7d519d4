import type { ServerResponse } from 'node:http';
import type { Failure } from './api/failure.ts';
import type { FaultKind, FaultRule } from './faults.ts';

const BAD_GATEWAY =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n';

const DEFAULT_LIE_MS = 20;

export interface EarlyCase {
  readonly response: ServerResponse;
  readonly model: string;
  /** Answers with the failure in the vendor's words. */
  readonly fail: (failure: Failure) => void;
}

/** Faults of what stands before the limiter: a request that meets one is never charged. */
const EARLY: { readonly [kind in FaultKind]?: (request: EarlyCase, rule: FaultRule) => void } = {
  refuse: ({ response }) => void response.socket?.resetAndDestroy(),
  garbage: ({ response }) => void response.socket?.end('\u0000\u0001 this is not HTTP \r\n\r\n'),
  html_502: ({ response }) => {
    response.writeHead(502, { 'content-type': 'text/html', 'content-length': BAD_GATEWAY.length });
    response.end(BAD_GATEWAY);
  },
  '401': ({ fail }) => fail({ kind: 'invalid_key', key: 'sk-simulated-fault' }),
  '503': ({ fail }) => fail({ kind: 'overloaded' }),
  quota_429: ({ fail }) => fail({ kind: 'quota_exceeded' }),
  spend_429: ({ fail }) => fail({ kind: 'spend_cap' }),
  slow_down: ({ fail }) => fail({ kind: 'too_fast' }),
  bare_429: ({ fail }) => fail({ kind: 'bare_rate_limit' }),
  lying_retry_after: ({ fail, model }, { retryAfterMs = DEFAULT_LIE_MS }) =>
    fail({ kind: 'lying_hint', model, retryAfterMs }),
};

/** Whether the fault has happened; false: it is one of those after the limiter. */
export function failEarly(request: EarlyCase, rule: FaultRule): boolean {
  const fail = EARLY[rule.kind];
  fail?.(request, rule);
  return fail !== undefined;
}
