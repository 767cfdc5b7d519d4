import { type Chat, readChat } from '../mapping/chat-request.ts';
import { refusesValues } from '../mapping/chat-values.ts';
import { isObject, numberAt, parsed, withoutNulls } from '../mapping/json.ts';
import { spokenFields, wordless } from '../mapping/wordless.ts';
import type { JsonObject, PreparedCall, ProviderCall, Unsupported, Wire } from '../wire.ts';
import { addressOf } from './address.ts';
import { CohereChat } from './answer.ts';
import { messagesOf, unsupportedIn } from './messages.ts';
import { answerSchema } from './schema.ts';
import { thinkingOf } from './thinking.ts';
import { losesStrictness, toolFields } from './tools.ts';

/** Chats of the second version (docs.cohere.com/reference/chat). */
export const chatWire: Wire = {
  prepare,
  refuses,
  translator: (context) => new CohereChat(context),
};

/** Fields of this vendor's own, which a client may send. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  ...['documents', 'citation_options', 'safety_mode', 'k', 'priority', 'raw_prompting'],
]);

/** Fields without a member in `Chat` that have a place here. */
const SPOKEN: ReadonlySet<string> = new Set([...OWN_FIELDS, 'thinking', 'top_k', 'logprobs']);

/** The share of words to draw from, as far as it may go. */
const MOST_P = 0.99;
const LEAST_P = 0.01;

function prepare(call: ProviderCall): PreparedCall {
  const json = parsed(call.body.toString());
  const chat = readChat(isObject(json) ? json : {});
  const thinking = thinkingOf(chat, call.model);
  const body = withoutNulls({
    model: call.model,
    messages: messagesOf(chat.messages),
    max_tokens: chat.outputCapTokens,
    stop_sequences: chat.stop.length > 0 ? chat.stop : null,
    temperature: chat.temperature,
    p: chat.topP === null ? null : Math.min(MOST_P, Math.max(LEAST_P, chat.topP)),
    k: numberAt(chat.rest, 'top_k'),
    seed: chat.seed,
    frequency_penalty: penaltyOf(chat.frequencyPenalty),
    presence_penalty: penaltyOf(chat.presencePenalty),
    logprobs: chat.rest['logprobs'] === true ? true : null,
    response_format: formatOf(chat),
    ...toolFields(chat),
    thinking: thinking.field,
    ...spokenFields(chat.rest, OWN_FIELDS),
    stream: call.isStreaming ? true : null,
  });
  const dropped = [...lost(chat), ...(thinking.isDropped ? ['reasoning_effort'] : [])];
  return { ...addressOf(call, '/chat'), body: Buffer.from(JSON.stringify(body)), dropped };
}

function refuses(body: JsonObject): Unsupported | null {
  const chat = readChat(body);
  const hasSources = chat.tools.length > 0 || chat.rest['documents'] !== undefined;
  if (chat.format.kind !== 'text' && hasSources) {
    const message = 'it gives JSON, or uses tools and documents, not both: leave one of the two out.';
    return { param: 'response_format', message };
  }
  const mistakes = chat.messages.map(unsupportedIn);
  return refusesValues(body) ?? mistakes.find((unsupported) => unsupported !== null) ?? null;
}

/** It knows no penalty for what has not been said, so less than none is none. */
function penaltyOf(penalty: number | null): number | null {
  return penalty === null || penalty <= 0 ? null : Math.min(1, penalty);
}

function formatOf({ format }: Chat): JsonObject | null {
  if (format.kind === 'text') return null;
  return {
    type: 'json_object',
    ...(format.kind === 'json_schema' ? { json_schema: answerSchema(format.schema) } : {}),
  };
}

/** What a client has asked for that has no word here. */
function lost(chat: Chat): string[] {
  return [
    ...((chat.frequencyPenalty ?? 0) < 0 ? ['frequency_penalty'] : []),
    ...((chat.presencePenalty ?? 0) < 0 ? ['presence_penalty'] : []),
    ...(chat.allowsParallelCalls === false && chat.tools.length > 0 ? ['parallel_tool_calls'] : []),
    ...(losesStrictness(chat) ? ['strict'] : []),
    ...(chat.otherTools.length > 0 ? ['tools'] : []),
    ...(chat.user === null ? [] : ['user']),
    ...wordless(chat.rest, SPOKEN),
  ];
}
