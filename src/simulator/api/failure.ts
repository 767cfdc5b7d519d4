import type { Refusal } from '../limits/upstream-limiter.ts';
import type { HeaderStyle } from '../options.ts';

/** A limit had no room. */
export interface RateLimited {
  readonly kind: 'rate_limited';
  readonly refusal: Refusal;
  readonly model: string;
  readonly organization: string;
  /** On the vendor's clock. */
  readonly nowMs: number;
  /** Whether the vendor advises a wait; undefined: as it usually does. */
  readonly sendsHint: boolean | undefined;
  /** Set where the options want other headers than the vendor's own. */
  readonly style: HeaderStyle | undefined;
}

export interface InvalidRequest {
  readonly kind: 'invalid_request';
  readonly message: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** Why there is no answer. Each vendor has words, a shape and a status of its own for each of these. */
export type Failure =
  | { readonly kind: 'missing_key' }
  | { readonly kind: 'invalid_key'; readonly key: string }
  | { readonly kind: 'unknown_url'; readonly method: string; readonly path: string }
  | { readonly kind: 'model_not_found'; readonly model: string }
  /** Nothing is stored under that id. */
  | { readonly kind: 'not_stored'; readonly id: string }
  | { readonly kind: 'body_too_large' }
  | InvalidRequest
  | { readonly kind: 'context_exceeded'; readonly contextLength: number; readonly input: number; readonly cap: number }
  | RateLimited
  /** Billing, not a limit. */
  | { readonly kind: 'quota_exceeded' }
  /** The month's money is spent. */
  | { readonly kind: 'spend_cap' }
  /** Not over any limit, but rising too fast. */
  | { readonly kind: 'too_fast' }
  | { readonly kind: 'server_error' }
  /** The vendor has no capacity left. */
  | { readonly kind: 'overloaded' }
  /** A 429 that says nothing to go by. */
  | { readonly kind: 'bare_rate_limit' }
  /** A 429 that advises a wait, whatever is true. */
  | { readonly kind: 'lying_hint'; readonly model: string; readonly retryAfterMs: number };

export type FailureOf<Kind extends Failure['kind']> = Extract<Failure, { readonly kind: Kind }>;

/** One function for each failure: how a vendor puts it. */
export type FailureTable<Written> = {
  readonly [Kind in Failure['kind']]: (failure: FailureOf<Kind>) => Written;
};

/** Looks a failure up. */
export function written<Written>(table: FailureTable<Written>, failure: Failure): Written {
  const write = table[failure.kind] as (failure: Failure) => Written;
  return write(failure);
}

export function invalidRequest(
  message: string,
  param: string | null = null,
  code: string | null = null,
): InvalidRequest {
  return { kind: 'invalid_request', message, param, code };
}

/** Whether what was read or answered is a failure instead. */
export function isFailure(value: object): value is Failure {
  return 'kind' in value;
}
