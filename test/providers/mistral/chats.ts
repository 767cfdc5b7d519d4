import type { JsonObject } from '../../../src/providers/wire.ts';
import type { NativeAnswer } from '../contract.ts';
import type { NativeEvent } from '../contract-drive.ts';

const HEAD = { id: 'cmpl-1', created: 1_767_225_600, model: 'mistral-small-latest' };
const USED = {
  prompt_tokens: 30,
  completion_tokens: 20,
  total_tokens: 50,
  prompt_tokens_details: { cached_tokens: 10 },
  completion_tokens_details: { reasoning_tokens: 5 },
};

interface Said {
  readonly content?: string;
  readonly thinking?: string;
  readonly calls?: readonly (readonly [name: string, json: string])[];
}

/** One answer as this vendor writes it: thoughts are parts of the content, calls come whole in the last chunk. */
export function answer({ content = '', thinking, calls = [] }: Said, finishReason = 'stop'): NativeAnswer {
  const toolCalls = calls.map(([name, json], index) => ({
    id: `abcdefgh${index}`,
    function: { name, arguments: json },
  }));
  const called = toolCalls.length === 0 ? {} : { tool_calls: toolCalls };
  const whole = thinking === undefined ? content : [thought(thinking), { type: 'text', text: content }];
  const message = { role: 'assistant', content: whole, tool_calls: null, prefix: false, ...called };
  return {
    whole: {
      ...HEAD,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: finishReason }],
      usage: USED,
    },
    stream: [
      chunk({ role: 'assistant', content: '' }),
      ...(thinking === undefined ? [] : pieces(thinking).map((piece) => chunk({ content: [thought(piece)] }))),
      ...pieces(content).map((piece) => chunk({ content: piece })),
      chunk({ content: '', ...called }, finishReason, USED),
      { json: '[DONE]' },
    ],
  };
}

export function chunk(delta: JsonObject, finishReason: string | null = null, usage?: JsonObject): NativeEvent {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  return { json: { ...HEAD, object: 'chat.completion.chunk', choices, ...(usage ? { usage } : {}) } };
}

/** A chunk by which a model says that it broke off. */
export function broken(): JsonObject {
  return chunk({ content: '' }, 'error').json as JsonObject;
}

export function thought(text: string): JsonObject {
  return { type: 'thinking', thinking: [{ type: 'text', text }] };
}

function pieces(text: string): string[] {
  return text === '' ? [] : [text.slice(0, 3), text.slice(3)];
}
