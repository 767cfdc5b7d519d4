import type { ErrorBody } from '../../../errors.ts';
import { type JsonObject, listOf } from '../../request-body/fields.ts';
import type { RequestFacts } from '../../request-body.ts';
import type { Door } from '../door.ts';
import { messagesErrorBody, messagesErrorEvent } from './error-body.ts';
import { readMessagesEvent } from './events.ts';
import { MESSAGES_NAMES, messagesFacts } from './facts.ts';
import { chatOfMessages } from './weigh.ts';

/** Anthropic's Messages API: blocks in, blocks out, and a stream of events with names. */
export const messagesDoor: Door = {
  operation: 'messages',
  body: { names: MESSAGES_NAMES, facts: messagesFacts },
  generates: true,
  input: 'messages',
  measure: (body) => ({ chat: chatOfMessages(body), knownTokens: 0 }),
  turns: (body) => ({ instructions: body['system'], messages: listOf(body['messages']) }),
  grammar: readMessagesEvent,
  errorEvent: messagesErrorEvent,
  errorBody,
};

/**
 * How many LLM tokens a message would take. Where a vendor counts itself, that is a request like any other, but one that no
 * limit on tokens hears of; where none does, our own estimate is the answer.
 */
export const countTokensDoor: Door = {
  operation: 'count_tokens',
  body: { names: MESSAGES_NAMES, facts: countFacts },
  generates: false,
  isFree: true,
  input: 'messages',
  measure: () => ({ chat: { messages: [] }, knownTokens: 0 }),
  fromEstimate: { chatOf: chatOfMessages, answer: (inputTokens) => ({ input_tokens: inputTokens }) },
  grammar: readMessagesEvent,
  errorEvent: messagesErrorEvent,
  errorBody,
};

/** Its message names the request, since the head may have left before there was one to tell. */
function errorBody(body: ErrorBody, status: number): object {
  return messagesErrorBody(body, status, null);
}

/** The same fields, but for the cap that every message needs and the stream that there is none of. */
function countFacts(body: JsonObject): RequestFacts {
  return { ...messagesFacts({ ...body, max_tokens: 1, stream: false }), outputCapTokens: 0 };
}
