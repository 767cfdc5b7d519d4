import type { ChatMessage, Part } from '../mapping/chat-request.ts';
import { textOf } from '../mapping/chat-request.ts';
import { isObject, listAt, parsed, textAt } from '../mapping/json.ts';
import { acceptableId, type IdRule } from '../mapping/tool-ids.ts';
import { type Block, blocksOf, textBlock } from './blocks.ts';

/** A turn of the conversation; the API wants them to alternate, beginning with the user's. */
export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: readonly Block[];
}

const IDS: IdRule = { allowed: /^[a-zA-Z0-9_-]+$/, prefix: 'toolu_', length: 24 };

/** Stands for the user's first words where the conversation has none. */
const OPENING = textBlock('...');

/** Stands behind words of the model's own, for models that don't go on from them by themselves. */
const URGING = textBlock('Go on.');

/** Instructions wherever they stand in a chat, as the one system prompt of this API; null: there are none. */
export function systemOf(
  messages: readonly ChatMessage[],
  furtherText: string | null,
): string | readonly Block[] | null {
  const prompts = messages.filter(({ role }) => role === 'system').map(({ parts }) => parts);
  if (furtherText !== null) prompts.push([{ kind: 'text', text: furtherText }]);
  const blocks = blocksOf(prompts.flat());
  if (blocks.some((block) => block['cache_control'] !== undefined)) return blocks;
  const text = prompts.map(textOf).join('\n');
  return text.trim() === '' ? null : text;
}

/**
 * Everything else as turns. The results of all calls of one turn go into one turn of the user's, before any other word of
 * the user's.
 *
 * `mayThink`: the model takes back the thoughts that it has signed, but doesn't go on with an answer that was begun for it.
 */
export function turnsOf(messages: readonly ChatMessage[], mayThink: boolean): readonly Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    const turn = turnOf(message, mayThink);
    if (turn !== null) add(turns, turn);
  }
  if (turns[0]?.role !== 'user') turns.unshift({ role: 'user', content: [OPENING] });
  if (turns.at(-1)?.role !== 'user' && mayThink) turns.push({ role: 'user', content: [URGING] });
  return withoutTrailingSpace(turns.map(resultsFirst));
}

/** Thoughts with the signature that proves them this vendor's own; thoughts without one can't be sent back. */
export function signedThoughts(message: ChatMessage): readonly Block[] {
  if (message.role !== 'assistant') return [];
  return listAt(message.source, 'thinking_blocks').flatMap((block): Block[] => {
    if (!isObject(block)) return [];
    const [signature, thinking] = [textAt(block, 'signature'), textAt(block, 'thinking')];
    const data = textAt(block, 'data');
    if (block['type'] === 'thinking' && signature) return [{ type: 'thinking', thinking: thinking ?? '', signature }];
    return block['type'] === 'redacted_thinking' && data ? [{ type: 'redacted_thinking', data }] : [];
  });
}

function turnOf(message: ChatMessage, mayThink: boolean): Turn | null {
  switch (message.role) {
    case 'system':
      return null;
    case 'user':
      return { role: 'user', content: blocksOf(message.parts) };
    case 'tool': {
      const result = { type: 'tool_result', tool_use_id: acceptableId(message.callId, IDS) };
      return { role: 'user', content: [{ ...result, content: resultOf(message.parts) }] };
    }
    case 'assistant': {
      const thoughts = mayThink ? signedThoughts(message) : [];
      // No model answers in pictures.
      const spoken = message.parts.filter(({ kind }) => kind === 'text');
      const calls = message.toolCalls.map(({ id, name, argumentsJson }) => {
        return { type: 'tool_use', id: acceptableId(id, IDS), name, input: inputOf(argumentsJson) };
      });
      return { role: 'assistant', content: [...thoughts, ...blocksOf(spoken), ...calls] };
    }
  }
}

/** Plain text stays plain, so that what a client caches is not changed by how it is written. */
function resultOf(parts: readonly Part[]): string | readonly Block[] {
  const blocks = blocksOf(parts);
  const isPlain = blocks.every((block) => block['type'] === 'text' && block['cache_control'] === undefined);
  return isPlain ? textOf(parts) : blocks;
}

/** Arguments that are no JSON object, which a model may well write, are wrapped into one. */
function inputOf(argumentsJson: string): Block {
  const input = parsed(argumentsJson);
  if (isObject(input)) return input;
  return argumentsJson.trim() === '' ? {} : { arguments: argumentsJson };
}

function add(turns: Turn[], turn: Turn): void {
  if (turn.content.length === 0) return;
  const last = turns.at(-1);
  if (last?.role !== turn.role) turns.push(turn);
  else turns[turns.length - 1] = { role: turn.role, content: [...last.content, ...turn.content] };
}

function resultsFirst(turn: Turn): Turn {
  const isResult = (block: Block): boolean => block['type'] === 'tool_result';
  const rest = turn.content.filter((block) => !isResult(block));
  return { ...turn, content: [...turn.content.filter(isResult), ...rest] };
}

/** The beginning of an answer that the model is to go on with may not end in white space. */
function withoutTrailingSpace(turns: readonly Turn[]): readonly Turn[] {
  const last = turns.at(-1);
  const block = last?.content.at(-1);
  if (last?.role !== 'assistant' || block?.['type'] !== 'text') return turns;
  const text = (textAt(block, 'text') ?? '').trimEnd();
  return [...turns.slice(0, -1), { ...last, content: [...last.content.slice(0, -1), { ...block, text }] }];
}
