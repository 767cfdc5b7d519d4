import { classifyAnswer } from '../openai-shaped/classify.ts';
import { readErrorBody } from '../openai-shaped/error-body.ts';
import { headerOf } from '../openai-shaped/headers.ts';
import { fromSentence } from '../openai-shaped/retry-hint.ts';
import { MINUTE_MS, SECOND_MS } from '../openai-shaped/spans-of-time.ts';
import type { FailedAnswer, Outcome, Spent } from '../provider.ts';

type Wait = Extract<Outcome, { readonly kind: 'wait' }>;

/** OpenAI's refusals in Azure's words: a deployment that is missing, and hints about tokens that can't be kept. */
export function classifyAzure(answer: FailedAnswer): Outcome {
  const error = readErrorBody(answer.json);
  if (error?.code === 'DeploymentNotFound') return { kind: 'disabled', reason: 'model', scope: 'key_model' };
  const outcome = classifyAnswer(answer);
  if (outcome.kind !== 'wait') return outcome;
  return isAboutTokens(answer, error?.message ?? '') ? tokensSpent(outcome, answer, error?.message ?? '') : outcome;
}

function isAboutTokens({ headers }: FailedAnswer, message: string): boolean {
  return headerOf(headers, 'x-ratelimit-type') === 'Tokens' || /token rate limit/i.test(message);
}

/**
 * The window's tokens are gone until it ends, up to a minute from now, while the headers say one second or none: what is no
 * longer than that is no hint. Which minute it is only the books can tell.
 */
function tokensSpent({ retryAfterMs }: Wait, { headers }: FailedAnswer, message: string): Wait {
  const hint = Math.max(retryAfterMs ?? 0, fromSentence(message) ?? 0);
  const limit = Number(headerOf(headers, 'x-ratelimit-limit-tokens') ?? Number.NaN);
  const spent: Spent = {
    unit: 'tokens',
    windowMs: MINUTE_MS,
    limit: Number.isSafeInteger(limit) && limit > 0 ? limit : null,
    used: null,
    requested: null,
  };
  return { kind: 'wait', retryAfterMs: hint > SECOND_MS ? hint : null, readings: [spent] };
}
