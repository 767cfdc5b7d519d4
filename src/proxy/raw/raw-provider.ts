import type { FailedAnswer, Outcome, Provider } from '../../providers/provider.ts';

/** Statuses that speak of keys, limits or time, and not of the request. */
const NOT_OF_THE_REQUEST: ReadonlySet<number> = new Set([401, 402, 403, 407, 408, 409, 425, 429]);

/**
 * A vendor as raw requests see it. What they ask for is unknown, so no answer to one may close a key to everybody: a key
 * that is refused may simply have no right to that endpoint. And what is wrong with the request is told at once.
 */
export function rawProvider(provider: Provider): Provider {
  return { ...provider, classify: (answer) => rawOutcome(provider.classify(answer), answer) };
}

function rawOutcome(outcome: Outcome, { status }: FailedAnswer): Outcome {
  if (outcome.kind === 'disabled') return status === 404 ? { kind: 'client' } : { kind: 'failed' };
  if (outcome.kind === 'context' || outcome.kind === 'never_fits') return { kind: 'client' };
  const isRequest = status >= 400 && status < 500 && !NOT_OF_THE_REQUEST.has(status);
  return outcome.kind === 'failed' && isRequest ? { kind: 'client' } : outcome;
}
