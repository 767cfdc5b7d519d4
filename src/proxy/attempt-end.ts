import type { FailedAnswer } from '../providers/provider.ts';
import type { FailureKind, UpstreamFailure } from '../upstream/transport.ts';
import type { FailedAttempt } from './decide-retry.ts';

/** Why an attempt gave the client nothing, or no end, with all that the upstream said. */
export interface AttemptFailure extends FailedAttempt {
  readonly answer: FailedAnswer | null;
  /** The system's word for it, such as `ECONNREFUSED`: for whoever runs this server, in the log alone. */
  readonly code: string | null;
}

/**
 * What came of one send.
 * - `served`: the client has the whole answer;
 * - `failed`: the client has nothing of it, another attempt may take over;
 * - `broken`: it failed after the client had received a part;
 * - `gone`: the client left.
 */
export type AttemptEnd =
  | { readonly kind: 'served' }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }
  | { readonly kind: 'broken'; readonly failure: AttemptFailure }
  | { readonly kind: 'gone' };

/** The client has not had all of it from this attempt. */
export type FailedEnd = Extract<AttemptEnd, { readonly kind: 'failed' | 'broken' }>;

/** A failure after sending; without `answer` nothing but our own words describes it. */
export function failureOf(reason: string, known: Partial<AttemptFailure> = {}): AttemptFailure {
  return { outcome: { kind: 'failed' }, answer: null, transport: null, code: null, isSent: true, reason, ...known };
}

/** The causes that come with these name hosts and addresses, so the client gets our own words. */
const TRANSPORT_REASONS: Readonly<Record<FailureKind, string>> = {
  connect: 'no connection to the upstream could be made',
  connect_timeout: 'no connection to the upstream stood in time',
  first_byte_timeout: 'the upstream sent no first event in time',
  idle_timeout: 'the upstream fell silent in the middle of its answer',
  total_timeout: 'the upstream did not finish its answer in time',
  broken: 'the connection to the upstream broke',
  aborted: 'the call to the upstream was aborted',
  invalid_request: 'the request to the upstream could not be written',
};

/** A failure of the connection. */
export function transportFailure(transport: FailureKind, known: Partial<UpstreamFailure> = {}): AttemptFailure {
  const { isSent = true, cause } = known;
  return failureOf(TRANSPORT_REASONS[transport], { transport, isSent, code: codeOf(cause) });
}

/** Codes are words of a fixed list; messages would name hosts and addresses. */
function codeOf(cause: object | undefined): string | null {
  const code = cause && 'code' in cause ? cause.code : null;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : null;
}
