import type { ChatMessage, Part } from '../mapping/chat-request.ts';
import { textOf } from '../mapping/chat-request.ts';
import { withoutNulls } from '../mapping/json.ts';
import type { JsonObject, Unsupported } from '../wire.ts';

/** A result has to say something. */
const NOTHING = '(nothing)';

/**
 * A conversation as this vendor takes it. Instructions have to come first, and in one message; messages without content are
 * refused, so they are left out.
 */
export function messagesOf(messages: readonly ChatMessage[]): readonly JsonObject[] {
  const prompts = messages.filter(({ role }) => role === 'system').map(({ parts }) => textOf(parts));
  const instructions = prompts.filter((text) => text !== '').join('\n');
  const turns = messages.filter(({ role }) => role !== 'system').flatMap(writtenMessage);
  return instructions === '' ? turns : [{ role: 'system', content: instructions }, ...turns];
}

/** What can't be said in a message of this role at all. */
export function unsupportedIn(message: ChatMessage): Unsupported | null {
  const parts = message.parts.map((part) => unsupportedPart(part, message.role));
  return parts.find((unsupported) => unsupported !== null) ?? null;
}

function unsupportedPart(part: Part, role: ChatMessage['role']): Unsupported | null {
  switch (part.kind) {
    case 'text':
      return null;
    case 'image':
      return role === 'user' ? null : { param: part.path, message: 'it takes images from users only.' };
    case 'audio':
      return { param: part.path, message: 'it takes no audio. Send a transcript instead.' };
    case 'file':
      return { param: part.path, message: 'it takes no files. Send their text as `documents`.' };
    case 'other':
      if (role === 'tool' && part.type === 'document') return null;
      return { param: part.path, message: 'it takes text and images only.' };
  }
}

function writtenMessage(message: ChatMessage): JsonObject[] {
  switch (message.role) {
    case 'system':
      return [];
    case 'user': {
      const content = contentOf(message.parts);
      return content.length === 0 ? [] : [{ role: 'user', content }];
    }
    case 'tool':
      return [{ role: 'tool', tool_call_id: message.callId, content: resultOf(message.parts) }];
    case 'assistant': {
      const text = textOf(message.parts);
      if (message.toolCalls.length === 0) return text === '' ? [] : [{ role: 'assistant', content: text }];
      const calls = message.toolCalls.map(({ id, name, argumentsJson }) => ({
        id,
        type: 'function',
        function: { name, arguments: argumentsJson },
      }));
      // Beside calls there is no content; what a model said with them was its plan.
      return [withoutNulls({ role: 'assistant', tool_plan: text || null, tool_calls: calls })];
    }
  }
}

function contentOf(parts: readonly Part[]): string | readonly JsonObject[] {
  if (parts.every(({ kind }) => kind === 'text')) return textOf(parts);
  return parts.flatMap((part): JsonObject[] => {
    if (part.kind === 'image') {
      return [{ type: 'image_url', image_url: withoutNulls({ url: part.url, detail: part.detail }) }];
    }
    return part.kind === 'text' && part.text !== '' ? [{ type: 'text', text: part.text }] : [];
  });
}

/** A text, or documents: those that the client sends as such, which an answer may then cite. */
function resultOf(parts: readonly Part[]): string | readonly JsonObject[] {
  if (parts.every(({ kind }) => kind === 'text')) return textOf(parts) || NOTHING;
  return parts.flatMap((part): JsonObject[] => {
    if (part.kind === 'other') return part.source === undefined ? [] : [part.source];
    return part.kind === 'text' ? [{ type: 'document', document: { data: part.text } }] : [];
  });
}
