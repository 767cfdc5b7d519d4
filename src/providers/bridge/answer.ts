import { fieldAt, isObject, listAt, objectAt, parsed, textAt } from '../mapping/json.ts';
import { acceptableId, type IdRule } from '../mapping/tool-ids.ts';
import type { Usage } from '../provider.ts';
import type { JsonObject, TranslationContext } from '../wire.ts';
import { endingOf, estimatedUsage, messageId, usageOf } from './endings.ts';
import { keepsakeBlock, kept, markOf } from './keepsake.ts';

const IDS: IdRule = { allowed: /^[a-zA-Z0-9_-]+$/, prefix: 'toolu_', length: 24 };

export interface AnswerContext extends TranslationContext {
  readonly vendor: string;
}

/** A whole chat as a message; `usage` null: the vendor did not say. */
export function messageOf(chat: JsonObject, usage: Usage | null, context: AnswerContext): JsonObject {
  const choice = listAt(chat, 'choices').find(isObject) ?? {};
  const answer = objectAt(choice, 'message') ?? {};
  const calls = callsOf(answer);
  const id = messageId(textAt(chat, 'id'), context);
  const uses = calls.map((call, index) => useOf(call, useId(textAt(call, 'id'), id, index)));
  return {
    id,
    type: 'message',
    role: 'assistant',
    model: textAt(chat, 'model') ?? context.model,
    content: [
      ...thoughtsOf(answer, context),
      ...textsOf(answer),
      ...uses,
      ...keepsakesOf(answer, calls, { uses, context }),
    ],
    ...endingOf(choice, calls.length > 0),
    usage: usageOf(usage ?? estimatedUsage(context.inputTokens)),
  };
}

/** The id under which a client knows a call; a vendor may give none, or one that Anthropic's clients would not take. */
export function useId(id: string | null, message: string, index: number): string {
  return acceptableId(id || `toolu_${message.slice('msg_'.length)}_${index}`, IDS);
}

function callsOf(answer: JsonObject): readonly JsonObject[] {
  const calls = listAt(answer, 'tool_calls').filter(isObject);
  const legacy = objectAt(answer, 'function_call');
  return legacy === null ? calls : [...calls, { function: legacy }];
}

/** Only for those who have asked: others take the first block for the answer. */
function thoughtsOf(answer: JsonObject, context: AnswerContext): readonly JsonObject[] {
  const { thoughts, signature } = thoughtsIn(answer, context.vendor);
  return thoughts !== '' && context.wantsThinking ? [{ type: 'thinking', thinking: thoughts, signature }] : [];
}

/** Of a message or a delta. Vendors that call them `reasoning` take none back, so those are signed with nothing. */
export function thoughtsIn(source: JsonObject, vendor: string) {
  const returnable = textAt(source, 'reasoning_content');
  if (returnable) return { thoughts: returnable, signature: markOf(vendor) };
  return { thoughts: textAt(source, 'reasoning') ?? '', signature: '' };
}

function textsOf(answer: JsonObject): readonly JsonObject[] {
  const text = textAt(answer, 'content') || textAt(answer, 'refusal');
  return text ? [{ type: 'text', text }] : [];
}

function useOf(call: JsonObject, id: string): JsonObject {
  const called = fieldAt(call, 'function');
  return {
    type: 'tool_use',
    id,
    name: textAt(called, 'name') ?? '',
    input: inputOf(textAt(called, 'arguments') ?? ''),
  };
}

/** Arguments that are no JSON object, which a model may well write, are wrapped into one. */
function inputOf(argumentsJson: string): JsonObject {
  const input = parsed(argumentsJson);
  if (isObject(input)) return input;
  return argumentsJson.trim() === '' ? {} : { arguments: argumentsJson };
}

interface Around {
  readonly uses: readonly JsonObject[];
  readonly context: AnswerContext;
}

function keepsakesOf(
  answer: JsonObject,
  calls: readonly JsonObject[],
  { uses, context }: Around,
): readonly JsonObject[] {
  if (!context.wantsThinking) return [];
  const ofCalls = calls.map((call, index) => [textAt(uses[index], 'id') ?? '', kept(call)] as const);
  const told = ofCalls.filter(([, members]) => Object.keys(members).length > 0);
  const block = keepsakeBlock({ ofMessage: kept(answer), ofCalls: Object.fromEntries(told) }, context.vendor);
  return block === null ? [] : [block];
}
