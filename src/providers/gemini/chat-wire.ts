import { type Chat, readChat } from '../mapping/chat-request.ts';
import { refusesValues } from '../mapping/chat-values.ts';
import { isObject, parsed, textAt } from '../mapping/json.ts';
import { wordless } from '../mapping/wordless.ts';
import type { JsonObject, PreparedCall, ProviderCall, Unsupported, Wire } from '../wire.ts';
import { addressOf } from './address.ts';
import { GeminiChat } from './chat-translator.ts';
import { conversationOf } from './contents.ts';
import { generationConfig } from './generation-config.ts';
import { modelFacts } from './models.ts';
import { unsupportedPart, wantsInline } from './parts.ts';
import { googleExtra, thinkingOf } from './thinking.ts';
import { toolFields } from './tools.ts';

/** Chats over generateContent (ai.google.dev/api/generate-content). */
export const chatWire: Wire = {
  prepare,
  refuses,
  wantsInline,
  translator: (context) => new GeminiChat(context),
};

/** Fields without a member in `Chat` that have a place in this vendor's format. */
const MAPPED: ReadonlySet<string> = new Set([
  'logprobs',
  'top_logprobs',
  'top_k',
  'service_tier',
  'extra_body',
  'google',
]);

const TIERS: readonly (string | null)[] = ['flex', 'priority', 'standard'];

function prepare(call: ProviderCall): PreparedCall {
  const body = parsed(call.body.toString());
  const chat = readChat(isObject(body) ? body : {});
  const facts = modelFacts(call.model);
  const thinking = thinkingOf(chat, facts);
  const config = generationConfig(chat, facts, thinking.config);
  const native = {
    ...conversationOf(chat.messages, facts),
    ...toolFields(chat, facts),
    ...(config === null ? {} : { generationConfig: config }),
    ...vendorFields(chat),
  };
  const method = call.isStreaming ? 'streamGenerateContent?alt=sse' : 'generateContent';
  return {
    ...addressOf(call, method),
    body: Buffer.from(JSON.stringify(native)),
    dropped: droppedOf(chat, thinking.isDropped),
  };
}

/** What only this vendor has words for. */
function vendorFields(chat: Chat): JsonObject {
  const tier = textAt(chat.rest, 'service_tier');
  const extra = googleExtra(chat);
  const cached = textAt(extra, 'cached_content');
  const safety = extra?.['safety_settings'];
  return {
    ...(TIERS.includes(tier) ? { serviceTier: tier } : {}),
    ...(cached === null ? {} : { cachedContent: cached }),
    ...(Array.isArray(safety) ? { safetySettings: safety } : {}),
  };
}

function droppedOf(chat: Chat, dropsEffort: boolean): readonly string[] {
  return [
    ...wordless(chat.rest, MAPPED),
    ...(chat.otherTools.length > 0 ? ['tools'] : []),
    ...(dropsEffort ? ['reasoning_effort'] : []),
    ...(chat.allowsParallelCalls === false && chat.tools.length > 0 ? ['parallel_tool_calls'] : []),
    ...(chat.user === null ? [] : ['user']),
  ];
}

function refuses(body: JsonObject, model: string): Unsupported | null {
  const chat = readChat(body);
  const { combinesToolsAndJson } = modelFacts(model);
  if (chat.tools.length > 0 && chat.format.kind !== 'text' && !combinesToolsAndJson) {
    const message = 'models before Gemini 3 give JSON or call tools, not both: leave one of the two out.';
    return { param: 'response_format', message };
  }
  return refusesValues(body) ?? unsupportedPart(chat.messages.flatMap(({ parts }) => parts));
}
