import type { FinishReason } from '../mapping/chat-answer.ts';
import { listAt, textAt } from '../mapping/json.ts';
import { classifyAnswer } from '../openai-shaped/classify.ts';
import { readErrorBody } from '../openai-shaped/error-body.ts';
import { headerOf } from '../openai-shaped/headers.ts';
import type { FailedAnswer, Outcome, UpstreamError } from '../provider.ts';
import { MISTRAL_HEADERS } from './rate-headers.ts';

/** A model that broke off; nothing more is said about it. */
const BROKEN_OFF: UpstreamError = {
  message: 'The model stopped with an error.',
  type: 'error',
  param: null,
  code: null,
};

/** The error in a body or an event. An answer may also say by its finish reason that it is none. */
export function readError(json: unknown): UpstreamError | null {
  const hasBroken = listAt(json, 'choices').some((choice) => textAt(choice, 'finish_reason') === 'error');
  return hasBroken ? BROKEN_OFF : readErrorBody(json);
}

/** Most is said in words that everybody's rules know; this vendor's own come first. */
export function classify(answer: FailedAnswer): Outcome {
  const { status } = answer;
  // A limit of 0 is a model that the plan leaves out.
  if (status === 429 && MISTRAL_HEADERS.some(({ limit }) => headerOf(answer.headers, limit) === '0')) {
    return { kind: 'disabled', reason: 'model', scope: 'key_model' };
  }
  // The path is not the client's choice.
  const isNoPath = status === 404 && /no route matched/i.test(readErrorBody(answer.json)?.message ?? '');
  return isNoPath ? { kind: 'failed' } : classifyAnswer(answer);
}

/** Why an answer ended, in OpenAI's words. */
export function finishReasonOf(reason: string | null, hasCalls: boolean): FinishReason {
  switch (reason) {
    case 'length':
    case 'model_length':
      return 'length';
    case 'tool_calls':
      return 'tool_calls';
    case 'content_filter':
      return 'content_filter';
    default:
      return hasCalls ? 'tool_calls' : 'stop';
  }
}
