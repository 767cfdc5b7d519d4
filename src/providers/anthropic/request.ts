import { type Chat, type Part, readChat } from '../mapping/chat-request.ts';
import { refusesValues } from '../mapping/chat-values.ts';
import { isObject, objectAt, parsed, withoutNulls } from '../mapping/json.ts';
import { wordless } from '../mapping/wordless.ts';
import type { JsonObject, ProviderCall, Unsupported } from '../wire.ts';
import { type ModelFacts, modelFacts } from './models.ts';
import { type Reasoning, reasoningOf } from './reasoning.ts';
import { samplingOf } from './sampling.ts';
import { grammarOf } from './schema.ts';
import { isServed, isToolForced, toolFields } from './tools.ts';
import { systemOf, turnsOf } from './turns.ts';

export interface MessagesRequest {
  readonly body: JsonObject;
  readonly dropped: readonly string[];
}

/** A whole answer that takes longer than ten minutes is lost, by the vendor's own count of 128,000 tokens an hour. */
const MOST_WHOLE_TOKENS = 21_333;

const JSON_ONLY = 'Answer with one JSON object and nothing else, without a code fence.';

/** A chat as `POST /v1/messages` takes it. */
export function messagesRequest({ body, model, isStreaming }: Pick<ProviderCall, 'body' | 'model' | 'isStreaming'>) {
  const json = parsed(body.toString());
  return mapped(readChat(isObject(json) ? json : {}), { model, isStreaming });
}

/** What no model of this vendor can be asked. */
export function refusesChat(body: JsonObject): Unsupported | null {
  if (body['logprobs'] === true || typeof body['logprobs'] === 'number') {
    return { param: 'logprobs', message: 'it gives no log probabilities. Leave `logprobs` out.' };
  }
  const parts = readChat(body).messages.flatMap((message) => message.parts);
  return refusesValues(body) ?? parts.map(refusesPart).find((unsupported) => unsupported !== null) ?? null;
}

function refusesPart(part: Part): Unsupported | null {
  if (part.kind === 'audio') return { param: part.path, message: 'it takes no audio. Send a transcript instead.' };
  if (part.kind === 'other') return { param: part.path, message: 'it takes text, images and documents only.' };
  const isElsewhere = part.kind === 'file' && part.data === null;
  if (!isElsewhere) return null;
  return { param: part.path, message: 'it knows no files by id. Send the content as `file_data`.' };
}

function mapped(chat: Chat, { model, isStreaming }: Pick<ProviderCall, 'model' | 'isStreaming'>): MessagesRequest {
  const facts = modelFacts(model);
  const maxTokens = maxTokensOf(chat, facts, isStreaming);
  const tools = toolFields(chat, facts);
  const reasoning = reasoningOf(chat, { facts, maxTokens, isToolForced: isToolForced(tools) });
  const isThinking = reasoning.thinking !== null && reasoning.thinking['type'] !== 'disabled';
  const sampling = samplingOf(chat, facts, isThinking);
  const stop = chat.stop.filter((each) => each.trim() !== '');
  const body = {
    model,
    max_tokens: maxTokens,
    system: systemOf(chat.messages, chat.format.kind === 'json_object' ? JSON_ONLY : null),
    messages: turnsOf(chat.messages, isThinking || facts.thinking === 'adaptive'),
    ...tools,
    ...sampling.fields,
    stop_sequences: stop.length > 0 ? stop : null,
    thinking: reasoning.thinking,
    output_config: outputConfig(chat, facts, reasoning),
    metadata: chat.user === null ? null : { user_id: chat.user },
    service_tier: TIERS.get(chat.rest['service_tier']) ?? null,
    cache_control: cacheControl(chat, facts),
    stream: isStreaming ? true : null,
  };
  const dropped = [
    ...sampling.dropped,
    ...(reasoning.isDropped ? ['reasoning_effort'] : []),
    ...(stop.length < chat.stop.length ? ['stop'] : []),
    ...unsaid(chat, facts),
  ];
  return { body: withoutNulls(body), dropped };
}

/** The API wants a cap. Where the client gives none it is the model's own, or as much as a whole answer may take. */
function maxTokensOf({ outputCapTokens }: Chat, facts: ModelFacts, isStreaming: boolean): number {
  const { maxOutputTokens, isKnown } = facts;
  if (outputCapTokens !== null) return isKnown ? Math.min(outputCapTokens, maxOutputTokens) : outputCapTokens;
  return isStreaming ? maxOutputTokens : Math.min(maxOutputTokens, MOST_WHOLE_TOKENS);
}

function outputConfig({ format }: Chat, { hasSchemas }: ModelFacts, { effort }: Reasoning): JsonObject | null {
  const isGrammar = format.kind === 'json_schema' && hasSchemas;
  if (effort === null && !isGrammar) return null;
  return {
    ...(effort === null ? {} : { effort }),
    ...(isGrammar ? { format: { type: 'json_schema', schema: grammarOf(format.schema) } } : {}),
  };
}

/** A client that names its prompt's cache wants one kept, which has to be asked for here. */
function cacheControl({ rest }: Chat, { isKnown }: ModelFacts): JsonObject | null {
  const asked = objectAt(rest, 'cache_control');
  if (asked !== null || !isKnown) return asked;
  if (rest['prompt_cache_retention'] === '24h') return { type: 'ephemeral', ttl: '1h' };
  return CACHE_FIELDS.some((name) => Object.hasOwn(rest, name)) ? { type: 'ephemeral' } : null;
}

const CACHE_FIELDS = ['prompt_cache_key', 'prompt_cache_retention'];

/** OpenAI's words for it; `auto` is the default of both. */
const TIERS: ReadonlyMap<unknown, string> = new Map([
  ['default', 'standard_only'],
  ['standard_only', 'standard_only'],
  ['priority', 'auto'],
]);

/** Fields that are mapped above, or that ask for nothing. */
const SPOKEN = ['thinking', 'top_k', 'cache_control', 'logprobs', 'top_logprobs'];

/** What a client has asked for that has no word here. */
function unsaid(chat: Chat, { isKnown }: ModelFacts): string[] {
  const { seed, presencePenalty, frequencyPenalty, otherTools, rest } = chat;
  const tier = TIERS.has(rest['service_tier']) ? ['service_tier'] : [];
  return [
    ...(otherTools.every(isServed) ? [] : ['tools']),
    ...(seed === null ? [] : ['seed']),
    ...(presencePenalty ? ['presence_penalty'] : []),
    ...(frequencyPenalty ? ['frequency_penalty'] : []),
    ...wordless(rest, new Set([...SPOKEN, ...tier, ...(isKnown ? CACHE_FIELDS : [])])),
  ];
}
