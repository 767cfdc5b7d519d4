import { type Chat, readChat } from '../mapping/chat-request.ts';
import { refusesValues } from '../mapping/chat-values.ts';
import { isObject, parsed, withoutNulls } from '../mapping/json.ts';
import { spokenFields, wordless } from '../mapping/wordless.ts';
import type { JsonObject, PreparedCall, ProviderCall, Unsupported, Wire } from '../wire.ts';
import { addressOf } from './address.ts';
import { MistralChat } from './answer.ts';
import { messagesOf } from './messages.ts';
import { type ModelFacts, modelFacts } from './models.ts';
import { unsupportedPart } from './parts.ts';

/** Chats of this vendor are nearly OpenAI's; a field that it does not know is answered 422. */
export const chatWire: Wire = {
  prepare,
  refuses,
  translator: (context) => new MistralChat(context),
};

/** Fields without a member in `Chat` that have a place here. */
const SPOKEN: ReadonlySet<string> = new Set([
  ...['metadata', 'prediction', 'prompt_mode', 'safe_prompt', 'guardrails', 'prompt_cache_key'],
  ...['document_image_limit', 'document_page_limit'],
]);

function prepare(call: ProviderCall): PreparedCall {
  const json = parsed(call.body.toString());
  const source = isObject(json) ? json : {};
  const chat = readChat(source);
  const facts = modelFacts(call.model);
  const body = withoutNulls({
    model: call.model,
    messages: messagesOf(chat.messages, facts),
    max_tokens: chat.outputCapTokens,
    temperature: chat.temperature,
    top_p: chat.topP,
    stop: chat.stop.length > 0 ? chat.stop : null,
    n: chat.n > 1 ? chat.n : null,
    random_seed: chat.seed,
    presence_penalty: chat.presencePenalty,
    frequency_penalty: chat.frequencyPenalty,
    response_format: chat.format.kind === 'text' ? null : source['response_format'],
    ...toolFields(chat),
    reasoning_effort: effortOf(chat, facts),
    ...spokenFields(chat.rest, SPOKEN),
    stream: call.isStreaming ? true : null,
  });
  return {
    ...addressOf(call, '/chat/completions'),
    body: Buffer.from(JSON.stringify(body)),
    dropped: lost(chat, facts),
  };
}

function refuses(body: JsonObject): Unsupported | null {
  const parts = readChat(body).messages.flatMap((message) => message.parts);
  return refusesValues(body) ?? parts.map(unsupportedPart).find((unsupported) => unsupported !== null) ?? null;
}

function toolFields({ tools, toolChoice, allowsParallelCalls }: Chat): JsonObject {
  if (tools.length === 0) return {};
  const functions = tools.map(({ name, description, parameters, isStrict }) => {
    // A tool without arguments has to say so.
    const schema = parameters ?? { type: 'object', properties: {} };
    return withoutNulls({ name, description, parameters: schema, strict: isStrict ? true : null });
  });
  return {
    tools: functions.map((each) => ({ type: 'function', function: each })),
    tool_choice: choiceOf(toolChoice),
    parallel_tool_calls: allowsParallelCalls,
  };
}

function choiceOf(choice: Chat['toolChoice']): unknown {
  if (choice === null) return null;
  if (choice.kind === 'named') return { type: 'function', function: { name: choice.name } };
  return choice.kind === 'required' ? 'any' : choice.kind;
}

/** Thinking is either on or off. */
function effortOf({ reasoningEffort }: Chat, { thinking }: ModelFacts): string | null {
  if (reasoningEffort === null || thinking !== 'effort') return null;
  return reasoningEffort === 'none' ? 'none' : 'high';
}

function lost(chat: Chat, { thinking }: ModelFacts): string[] {
  const wantsThoughts = chat.reasoningEffort !== null && chat.reasoningEffort !== 'none';
  const hasThoughts = thinking === 'always' || (thinking === 'effort' && wantsThoughts);
  return [
    ...(chat.reasoningEffort !== null && wantsThoughts !== hasThoughts ? ['reasoning_effort'] : []),
    ...(chat.user === null ? [] : ['user']),
    ...(chat.otherTools.length > 0 ? ['tools'] : []),
    ...wordless(chat.rest, SPOKEN),
  ];
}
