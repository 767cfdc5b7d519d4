import type { ChatMessage, Part, ToolCall } from '../mapping/chat-request.ts';
import { acceptableId, type IdRule } from '../mapping/tool-ids.ts';
import type { JsonObject } from '../wire.ts';
import type { ModelFacts } from './models.ts';
import { contentOf } from './parts.ts';

/** Nine letters and digits, no more and no less. */
const IDS: IdRule = { allowed: /^[a-zA-Z0-9]{9}$/, prefix: '', length: 9 };

/** Stands between the results of tools and the user's next words, for models that want an answer there. */
const ACKNOWLEDGED: JsonObject = { role: 'assistant', content: 'OK.' };

/** An id of a call as this vendor takes it; the same for a call and its result. */
export function callId(id: string): string {
  return acceptableId(id, IDS);
}

/**
 * A conversation in this vendor's order: all instructions come first, since none may follow an answer, and an answer that the
 * model is to go on with is marked as one.
 */
export function messagesOf(messages: readonly ChatMessage[], facts: ModelFacts): readonly JsonObject[] {
  const names = toolNames(messages);
  const instructions = messages.filter(({ role }) => role === 'system');
  const turns = messages.filter(({ role }) => role !== 'system');
  const written = [...instructions, ...turns].flatMap((message, index, all) => {
    const previous = all[index - 1];
    const isGap = facts.isStrictAboutTurns && message.role === 'user' && previous?.role === 'tool';
    const said = writtenMessage(message, { names, facts });
    return isGap ? [ACKNOWLEDGED, ...said] : said;
  });
  const last = written.at(-1);
  if (last?.['role'] !== 'assistant' || last['tool_calls'] !== undefined) return written;
  return [...written.slice(0, -1), { ...last, prefix: true }];
}

interface Surroundings {
  /** Of tools, by the id of the call as the client sent it. */
  readonly names: ReadonlyMap<string, string>;
  readonly facts: ModelFacts;
}

function writtenMessage(message: ChatMessage, { names, facts }: Surroundings): JsonObject[] {
  switch (message.role) {
    case 'system':
    case 'user':
      return [{ role: message.role, content: contentOf(message.parts) }];
    case 'tool': {
      const name = names.get(message.callId);
      const told = name === undefined ? {} : { name };
      return [{ role: 'tool', tool_call_id: callId(message.callId), ...told, content: contentOf(message.parts) }];
    }
    case 'assistant':
      return saidBefore(message.parts, message.toolCalls, facts);
  }
}

/** Thoughts of earlier turns stay out: only some models take them back. */
function saidBefore(parts: readonly Part[], calls: readonly ToolCall[], facts: ModelFacts): JsonObject[] {
  const content = contentOf(parts);
  if (calls.length === 0) return [{ role: 'assistant', content }];
  const toolCalls = calls.map(({ id, name, argumentsJson }) => ({
    id: callId(id),
    type: 'function',
    function: { name, arguments: argumentsJson },
  }));
  if (!facts.isStrictAboutTurns || content.length === 0) return [{ role: 'assistant', content, tool_calls: toolCalls }];
  return [
    { role: 'assistant', content },
    { role: 'assistant', content: '', tool_calls: toolCalls },
  ];
}

function toolNames(messages: readonly ChatMessage[]): ReadonlyMap<string, string> {
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []));
  return new Map(calls.map(({ id, name }) => [id, name]));
}
