import type { Charge } from '../charge.ts';
import { nanoUsdFor } from '../money.ts';
import type { Outcome, Provider, Usage } from '../providers/provider.ts';
import type { Ending, Report } from '../scheduler/lease.ts';
import type { AnswerFigures } from './answer-reader.ts';
import type { AttemptEnd } from './attempt-end.ts';
import type { TargetSize } from './size-request.ts';

/** What the books need to know of an attempt, besides how it ended. */
export interface Account {
  readonly provider: Provider;
  readonly size: TargetSize;
  readonly isSent: boolean;
  readonly figures: AnswerFigures;
}

/** A refusal costs its place among the requests, as vendors count failures too; its tokens come back. */
const REFUSED: Charge = [1, 0, 0, 0, 0];

/** How the lease of an attempt ends: what the upstream has charged by then, and what it says about the route. */
export function endingOf(end: AttemptEnd, account: Account): Ending {
  return { charged: chargedFor(end, account), report: reportOf(end) };
}

function chargedFor(end: AttemptEnd, { provider, size, isSent, figures }: Account): Ending['charged'] {
  if (!isSent) return 'unsent';
  const { reserved } = size.cost;
  if (end.kind === 'served') return provider.settledCharge(figures.usage, reserved);
  if (end.kind === 'failed' && end.failure.answer !== null) {
    return end.failure.outcome.kind === 'failed' ? provider.settledCharge(null, reserved) : REFUSED;
  }
  const usage = figures.usage ?? relayedUsage(size, figures.producedTokens);
  return usage === null ? 'reserved' : provider.settledCharge(usage, reserved);
}

/**
 * What the vendor asks for it, in nano-dollars; null: there is no price. A refusal costs nothing. Where an answer was under
 * way and nobody knows how much of it, it is taken to have come to what was expected.
 */
export function nanoUsdOf(end: AttemptEnd, { size, isSent, figures }: Account): number | null {
  const { price, predictedNanoUsd } = size;
  if (price === null) return null;
  if (!isSent) return 0;
  const usage = figures.usage ?? relayedUsage(size, figures.producedTokens);
  if (usage) return nanoUsdFor(usage, price);
  return end.kind === 'failed' && end.failure.answer !== null ? 0 : predictedNanoUsd;
}

/** A stream that broke off was charged for about what it had brought. Of a whole answer nothing can be seen. */
function relayedUsage({ inputTokens }: TargetSize, producedTokens: number | null): Usage | null {
  if (producedTokens === null) return null;
  return { inputTokens, cachedInputTokens: 0, outputTokens: producedTokens, reasoningTokens: 0 };
}

function reportOf(end: AttemptEnd): Report {
  switch (end.kind) {
    case 'served':
      return { kind: 'ok' };
    case 'gone':
      return { kind: 'nothing' };
    case 'failed':
    case 'broken':
      // Only our own shutdown aborts a call whose client is still there.
      return end.failure.transport === 'aborted' ? { kind: 'nothing' } : reportOfOutcome(end.failure.outcome);
  }
}

function reportOfOutcome(outcome: Outcome): Report {
  switch (outcome.kind) {
    case 'wait':
      return { kind: 'wait', retryAfterMs: outcome.retryAfterMs, spent: outcome.readings };
    case 'exhausted':
      return { kind: 'exhausted', retryAfterMs: outcome.retryAfterMs, spent: outcome.readings ?? [] };
    case 'client':
    case 'context':
      return { kind: 'nothing' };
    case 'capacity':
      return outcome.isTierOnly ? { kind: 'nothing' } : { kind: 'capacity', retryAfterMs: outcome.retryAfterMs };
    case 'never_fits':
    case 'disabled':
    case 'ramp':
    case 'failed':
      return outcome;
  }
}
