import { isObject, listAt, objectAt, textAt } from '../mapping/json.ts';
import type { JsonObject, Unsupported } from '../wire.ts';
import { markOf, readKeepsake } from './keepsake.ts';
import { chatParts, refusesBlock, textPart } from './parts.ts';

interface ChatTurns {
  readonly messages: readonly JsonObject[];
  /** Something of them has no words in a chat. */
  readonly hasLost: boolean;
}

/** What a model is told that its tool has failed with. */
const FAILED = 'Error: ';

/** The system prompt as a chat's first message; none where there is no prompt. */
export function systemOf(system: unknown): readonly JsonObject[] {
  const content = contentOf(chatParts(blocksOf(system)).parts);
  return content === null ? [] : [{ role: 'system', content }];
}

/** The turns of a conversation as messages of a chat. */
export function chatTurns(body: JsonObject, vendor: string): ChatTurns {
  const turns = listAt(body, 'messages').map((message) => turnOf(message, vendor));
  return { messages: turns.flatMap(({ messages }) => messages), hasLost: turns.some(({ hasLost }) => hasLost) };
}

/** The first block that can't be sent to another vendor, by its place. */
export function refusesBlocks(body: JsonObject): Unsupported | null {
  for (const [index, message] of listAt(body, 'messages').entries()) {
    for (const [at, block] of listAt(message, 'content').entries()) {
      const refusal = refusesBlock(block, `messages[${index}].content[${at}]`);
      if (refusal !== null) return refusal;
    }
  }
  return null;
}

function turnOf(message: unknown, vendor: string): ChatTurns {
  const blocks = blocksOf(isObject(message) ? message['content'] : null);
  switch (textAt(message, 'role')) {
    case 'assistant':
      return assistantTurn(blocks, vendor);
    case 'system':
      return { messages: systemOf(blocks), hasLost: false };
    default:
      return userTurn(blocks);
  }
}

/** Results first: a chat wants them right behind the calls, and knows no pictures in them, so those follow. */
function userTurn(blocks: readonly JsonObject[]): ChatTurns {
  const results = blocks.filter(isResult).map(resultOf);
  const rest = chatParts(blocks.filter((block) => !isResult(block)));
  const content = contentOf([...results.flatMap(({ attached }) => attached), ...rest.parts]);
  return {
    messages: [...results.map(({ message }) => message), ...(content === null ? [] : [{ role: 'user', content }])],
    hasLost: rest.hasLost || results.some(({ hasLost }) => hasLost),
  };
}

function resultOf(result: JsonObject) {
  const { parts, hasLost } = chatParts(blocksOf(result['content']));
  const texts = parts.filter(({ type }) => type === 'text');
  const others = parts.filter(({ type }) => type !== 'text');
  const id = textAt(result, 'tool_use_id') ?? '';
  const content =
    contentOf(result['is_error'] === true ? marked(texts) : texts) ?? (others.length > 0 ? 'See below.' : '');
  const attached = others.length > 0 ? [textPart(`What the tool call ${id} has given:`), ...others] : [];
  return { message: { role: 'tool', tool_call_id: id, content }, attached, hasLost };
}

/** Chats have no sign for it but the words. */
function marked(texts: readonly JsonObject[]): readonly JsonObject[] {
  const [first, ...rest] = texts;
  const text = textAt(first, 'text') ?? 'The tool failed.';
  return /^\W*error\b/i.test(text) ? texts : [textPart(FAILED + text), ...rest];
}

function assistantTurn(blocks: readonly JsonObject[], vendor: string): ChatTurns {
  const { parts, hasLost } = chatParts(blocks.filter((block) => !isOwn(block)));
  const kept = readKeepsake(blocks, vendor);
  const calls = blocks
    .filter(({ type }) => type === 'tool_use')
    .map((call) => ({ ...callOf(call), ...kept.ofCall(call) }));
  const thoughts = blocks.map((block) => thoughtsIn(block, vendor)).join('');
  const content = contentOf(parts);
  if (content === null && calls.length === 0) return { messages: [], hasLost };
  const message = {
    role: 'assistant',
    content,
    ...(thoughts === '' ? {} : { reasoning_content: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...kept.ofMessage,
  };
  return { messages: [message], hasLost };
}

/** Only what the vendor has written itself: some want it back, others refuse to hear of it. */
function thoughtsIn(block: JsonObject, vendor: string): string {
  const isIts = block['type'] === 'thinking' && block['signature'] === markOf(vendor);
  return isIts ? (textAt(block, 'thinking') ?? '') : '';
}

function callOf(call: JsonObject): JsonObject {
  const called = { name: textAt(call, 'name') ?? '', arguments: JSON.stringify(objectAt(call, 'input') ?? {}) };
  return { id: textAt(call, 'id') ?? '', type: 'function', function: called };
}

/** Blocks of an assistant's turn that become something else than parts. */
function isOwn({ type }: JsonObject): boolean {
  return type === 'tool_use' || type === 'thinking' || type === 'redacted_thinking';
}

function isResult({ type }: JsonObject): boolean {
  return type === 'tool_result';
}

/** One text is a string, which every server takes; null: there is nothing. */
function contentOf(parts: readonly JsonObject[]): string | readonly JsonObject[] | null {
  const [first, ...rest] = parts;
  if (first === undefined) return null;
  return rest.length === 0 && first['type'] === 'text' ? (textAt(first, 'text') ?? '') : parts;
}

function blocksOf(content: unknown): readonly JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [textPart(content)];
  return Array.isArray(content) ? content.filter(isObject) : [];
}
