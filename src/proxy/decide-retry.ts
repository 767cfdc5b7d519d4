import { type ErrorBody, type ErrorCode, ProxyError, shuttingDown } from '../errors.ts';
import type { Outcome } from '../providers/provider.ts';
import type { FailureKind } from '../upstream/transport.ts';
import { noUsableKey } from './rejection-error.ts';

/** An attempt that gave the client no answer, or no end of one. */
export interface FailedAttempt {
  readonly outcome: Outcome;
  /** What the upstream answered; null when it was no answer. */
  readonly answer: { readonly status: number } | null;
  /** How the connection failed; null when it did not. */
  readonly transport: FailureKind | null;
  /** False: nothing was sent, so a repeat costs the upstream nothing. */
  readonly isSent: boolean;
  /** What happened, in our own words; it is shown to the client. */
  readonly reason: string;
}

export interface RetrySituation {
  /** Sends so far, the failed one included. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** An event or a part of a body has gone out to the client; a head and comments are nothing. */
  readonly hasBegun: boolean;
  /** Another route that this request has not been excluded from may serve it. */
  readonly hasOtherRoute: boolean;
  /** Another one of those leads to another provider or upstream model. */
  readonly hasOtherTarget: boolean;
  /** The retry budget has room. */
  readonly hasBudget: boolean;
  /** The client has sent it before, and it came to nothing: another attempt would be the repeat of a repeat. */
  readonly isRepeat: boolean;
  /** The upstream's own words, scrubbed; asked for only when the client is to see them. */
  readonly explain: () => ErrorBody;
}

export interface Again {
  readonly kind: 'again';
  /** What this request must not be given again: nothing, the route, or every key of its provider and model. */
  readonly exclude: 'nothing' | 'route' | 'target';
  /** From now; the wait itself is in the queue. */
  readonly notBeforeMs: number;
  /** Whether the repeat counts against the retry budget. */
  readonly isCounted: boolean;
}

export type RetryDecision = Again | { readonly kind: 'stop'; readonly error: ProxyError };

/** The pause before the only route there is gets its second attempt; it doubles. */
const FIRST_PAUSE_MS = 500;

/** Statuses of an upstream that speak of the request and not of our keys; OpenAI's SDKs know no others. */
const VERDICT_STATUSES = [400, 404, 422];

/** With these, a model is there, but closed to our key or left out of our plan. */
const OUR_STATUSES = [402, 403, 429];

/**
 * Whether a failed attempt is followed by another, and what the client is told if not. A request is repeated only while its
 * client has received nothing. A verdict on the request itself becomes the client's only when no other target is left to ask.
 */
export function decideRetry(failed: FailedAttempt, situation: RetrySituation): RetryDecision {
  const { hasBegun, attempts, maxAttempts } = situation;
  const isLast = hasBegun || attempts >= maxAttempts || isShutdown(failed);
  const again = isLast ? null : nextAttempt(failed, situation);
  if (again !== null && isAffordable(again, situation)) return again;
  return { kind: 'stop', error: finalError(failed, situation) };
}

/** What counts must not multiply the load of whatever has failed; another target has not. */
function isAffordable({ isCounted, exclude }: Again, { hasBudget, isRepeat }: RetrySituation): boolean {
  return !isCounted || (hasBudget && (exclude === 'target' || !isRepeat));
}

/** How a repeat would be made; null when none makes sense. */
function nextAttempt(failed: FailedAttempt, situation: RetrySituation): Again | null {
  const { outcome } = failed;
  const { hasOtherRoute, hasOtherTarget } = situation;
  switch (outcome.kind) {
    // The route rests for everybody now, so the queue paces the repeat; it may be the same route's turn again.
    case 'wait':
    case 'exhausted':
      return again('nothing');
    case 'disabled':
    case 'never_fits':
      return hasOtherRoute ? again('route') : null;
    case 'client':
    case 'context':
      return hasOtherTarget ? { ...again('target'), isCounted: true } : null;
    case 'capacity':
    case 'ramp':
      if (hasOtherTarget) return { ...again('target'), isCounted: true };
      return elsewhere(situation, outcome.kind === 'capacity' ? (outcome.retryAfterMs ?? 0) : 0);
    case 'failed':
      // The time that was set for a whole answer is spent.
      return failed.transport === 'total_timeout' ? null : afterFailure(failed, situation);
  }
}

/**
 * Another key is worth a try where the failure may be the key's. Where no connection could be made, or nothing was said for
 * as long as may be, or the client has failed with it before, it is the server's, and the last attempt is not for a target
 * that has just failed while another one is left.
 */
function afterFailure({ isSent, transport }: FailedAttempt, situation: RetrySituation): Again {
  const { hasOtherTarget, isRepeat, attempts, maxAttempts } = situation;
  const isOfServer = !isSent || transport === 'first_byte_timeout' || isRepeat;
  const leavesTarget = hasOtherTarget && (isOfServer || attempts === maxAttempts - 1);
  return { ...(leavesTarget ? again('target') : elsewhere(situation, 0)), isCounted: isSent };
}

function again(exclude: Again['exclude']): Again {
  return { kind: 'again', exclude, notBeforeMs: 0, isCounted: false };
}

/** Another route at once, or the same one after a pause. */
function elsewhere({ hasOtherRoute, attempts }: RetrySituation, hintMs: number): Again {
  if (hasOtherRoute) return { ...again('route'), isCounted: true };
  return { ...again('nothing'), notBeforeMs: Math.max(hintMs, FIRST_PAUSE_MS * 2 ** (attempts - 1)), isCounted: true };
}

/** What the client is told when no attempt follows. */
export function finalError(failed: FailedAttempt, situation: RetrySituation): ProxyError {
  const { outcome } = failed;
  if (isShutdown(failed)) return shuttingDown();
  switch (outcome.kind) {
    case 'client':
      return verdict(failed, situation.explain());
    case 'context':
      return new ProxyError('context_length_exceeded', situation.explain().error.message, { param: 'messages' });
    case 'never_fits':
      return tooLarge(outcome);
    case 'disabled':
      return disabledError(failed, situation);
    case 'wait':
    case 'exhausted':
    case 'capacity':
    case 'ramp':
      return failure('upstream_overloaded', failed, situation);
    case 'failed':
      return failure(isTimeout(failed) ? 'upstream_timeout' : 'upstream_error', failed, situation);
  }
}

/** The upstream's own judgement of the request: its status, and its words. */
function verdict({ answer }: FailedAttempt, body: ErrorBody): ProxyError {
  const status = VERDICT_STATUSES.find((known) => known === answer?.status) ?? 400;
  return new ProxyError('bad_request', body.error.message, { verdict: { status, body } });
}

function tooLarge({ unit, limit }: Extract<Outcome, { kind: 'never_fits' }>): ProxyError {
  const most = unit === null || limit === null ? '' : ` It admits ${limit} ${unit.replaceAll('_', ' ')} at most.`;
  return new ProxyError(
    'request_exceeds_limit',
    `The request is larger than the upstream's limit ever admits.${most} Shorten the messages or lower max_completion_tokens.`,
  );
}

/** A 401 or 403 speaks of our key, never of the client's, so it is not passed on. */
function disabledError(failed: FailedAttempt, situation: RetrySituation): ProxyError {
  if (situation.hasOtherRoute) return failure('upstream_error', failed, situation);
  const { outcome, answer } = failed;
  const isOurs = answer !== null && OUR_STATUSES.includes(answer.status);
  const isUnknownModel = outcome.kind === 'disabled' && outcome.reason === 'model' && !isOurs;
  if (isUnknownModel) return new ProxyError('model_not_found', situation.explain().error.message, { param: 'model' });
  return noUsableKey();
}

function failure(code: ErrorCode, { reason }: FailedAttempt, { attempts }: RetrySituation): ProxyError {
  return new ProxyError(code, `No answer after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${reason}.`);
}

/** A call whose client is still there is aborted by our own shutdown only. */
function isShutdown({ transport }: FailedAttempt): boolean {
  return transport === 'aborted';
}

function isTimeout({ transport, answer }: FailedAttempt): boolean {
  return transport?.endsWith('_timeout') === true || answer?.status === 408 || answer?.status === 504;
}
