import type { FinishReason } from '../mapping/chat-answer.ts';
import { objectAt, textAt } from '../mapping/json.ts';
import { classifyAnswer } from '../openai-shaped/classify.ts';
import { readErrorBody } from '../openai-shaped/error-body.ts';
import type { FailedAnswer, Outcome, UpstreamError } from '../provider.ts';

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

/**
 * A refusal is an id and a sentence (docs.cohere.com/reference/errors). What everybody's rules don't know of them comes first;
 * the end of a trial's month is told nowhere, so a probe now and then finds out.
 */
export function classify(answer: FailedAnswer): Outcome {
  const words = (readErrorBody(answer.json)?.message ?? '').slice(0, MAX_CHARACTERS);
  const rule = RULES.find(({ statuses, says }) => statuses.includes(answer.status) && says.test(words));
  return rule?.outcome ?? classifyAnswer(answer);
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
  readonly outcome: Outcome;
}

const RULES: readonly Rule[] = [
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
