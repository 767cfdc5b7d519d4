import type { FinishReason } from '../mapping/chat-answer.ts';
import { objectAt, textAt } from '../mapping/json.ts';
import { classifyAnswer } from '../openai-shaped/classify.ts';
import { readErrorBody } from '../openai-shaped/error-body.ts';
import { readRetryHint } from '../openai-shaped/retry-hint.ts';
import { MINUTE_MS } from '../openai-shaped/spans-of-time.ts';
import type { FailedAnswer, Outcome, Spent, UpstreamError } from '../provider.ts';

/** Ends that are none: the model broke off. */
const BROKEN: ReadonlySet<string> = new Set(['ERROR', 'TIMEOUT']);

/** The error in a body, an event, or an answer that has broken off; null when it is none. */
export function readError(json: unknown): UpstreamError | null {
  const delta = objectAt(json, 'delta');
  const reason = textAt(delta ?? json, 'finish_reason');
  if (reason !== null) {
    if (!BROKEN.has(reason)) return null;
    const message = textAt(delta, 'error') || `The model stopped with ${reason}.`;
    return { message, type: reason.toLowerCase(), param: null, code: null };
  }
  // The `message` of an answer is an object.
  return objectAt(json, 'message') === null ? readErrorBody(json) : null;
}

/** An id and a sentence is all that a refusal consists of (docs.cohere.com/reference/errors). */
export function classify(answer: FailedAnswer): Outcome {
  const words = (readErrorBody(answer.json)?.message ?? '').slice(0, MAX_CHARACTERS);
  const rule = RULES.find(({ statuses, says }) => statuses.includes(answer.status) && says.test(words));
  if (rule === undefined) return classifyAnswer(answer);
  return typeof rule.outcome === 'function' ? rule.outcome(words, answer) : rule.outcome;
}

/** Why an answer ended, in OpenAI's words. */
export function finishReasonOf(reason: string | null, hasCalls: boolean): FinishReason {
  switch (reason) {
    case 'MAX_TOKENS':
      return 'length';
    case 'TOOL_CALL':
      return 'tool_calls';
    default:
      return hasCalls ? 'tool_calls' : 'stop';
  }
}

const MAX_CHARACTERS = 4_096;

interface Rule {
  readonly statuses: readonly number[];
  readonly says: RegExp;
  readonly outcome: Outcome | ((words: string, answer: FailedAnswer) => Outcome);
}

const RULES: readonly Rule[] = [
  // The trial's month, whose end nobody tells; a probe now and then finds out.
  { statuses: [429], says: /\/ ?month|per month/i, outcome: { kind: 'exhausted', retryAfterMs: null } },
  { statuses: [429], says: /\/ ?minute|per minute/i, outcome: waits },
  // The output that was asked for is too long, not the prompt.
  { statuses: [400], says: /max tokens must be/i, outcome: { kind: 'client' } },
  { statuses: [404], says: /\bmodel\b/i, outcome: { kind: 'disabled', reason: 'model', scope: 'key_model' } },
  { statuses: [404], says: /page not found/i, outcome: { kind: 'failed' } },
  // One says that the key is no good, one that what it was sent or wrote is not allowed.
  { statuses: [498], says: /block/i, outcome: { kind: 'client' } },
  { statuses: [498], says: /^/, outcome: { kind: 'disabled', reason: 'credentials', scope: 'key' } },
  // Somebody hung up.
  { statuses: [499], says: /^/, outcome: { kind: 'failed' } },
];

/** What the sentence measures: calls of a key's trial, or tokens. */
function waits(words: string, { headers }: FailedAnswer): Outcome {
  const limit = /limit(?:ed to| is) (\d[\d,]*)/i.exec(words)?.[1];
  const unit: Spent['unit'] = /tokens? (?:rate|per)/i.test(words) ? 'tokens' : 'requests';
  const amount = limit === undefined ? null : Number(limit.replaceAll(',', ''));
  const reading: Spent = { unit, windowMs: MINUTE_MS, limit: amount, used: null, requested: null };
  return {
    kind: 'wait',
    retryAfterMs: readRetryHint(headers, words),
    readings: amount === null ? [] : [reading],
  };
}
