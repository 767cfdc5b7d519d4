import { expect } from 'vitest';
import type { Usage } from '../../src/providers/provider.ts';
import type { JsonObject } from '../../src/providers/wire.ts';

/** What an answer means, whatever its format. */
export interface Meaning {
  readonly content: string | null;
  readonly reasoning: string | null;
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly finishReason: string;
}

const SAID: Meaning = { content: '', reasoning: null, calls: [], finishReason: 'stop' };
const PARIS = { name: 'weather', arguments: { city: 'Paris' } };
const ROME = { name: 'weather', arguments: { city: 'Rome' } };

/** What the answers of every adapter must come to; each writes them in its vendor's format. */
export const ANSWERS = {
  text: { ...SAID, content: 'Hello, wörld 👋' },
  tool: { ...SAID, content: null, calls: [PARIS], finishReason: 'tool_calls' },
  toolWithoutArguments: {
    ...SAID,
    content: null,
    calls: [{ name: 'clock', arguments: {} }],
    finishReason: 'tool_calls',
  },
  parallelTools: { ...SAID, content: 'Let me look.', calls: [PARIS, ROME], finishReason: 'tool_calls' },
  json: { ...SAID, content: '{"answer":42}' },
  reasoning: { ...SAID, content: '42', reasoning: 'Six times seven.' },
  length: { ...SAID, content: 'Once upon', finishReason: 'length' },
} as const satisfies Readonly<Record<string, Meaning>>;

export type AnswerName = keyof typeof ANSWERS;

/** The usage that the answer `text` carries, unless a vendor can't say some of it. */
export const USAGE: Usage = { inputTokens: 30, cachedInputTokens: 10, outputTokens: 20, reasoningTokens: 5 };

/** The meaning of a `chat.completion`, checked to have every member that typed clients rely on. */
export function meaningOfWhole(chat: JsonObject): Meaning {
  expect(chat).toMatchObject({
    id: expect.stringMatching(/./),
    object: 'chat.completion',
    created: expect.any(Number),
    model: expect.stringMatching(/./),
    choices: [{ index: 0, logprobs: null, message: { role: 'assistant' } }],
  });
  const [choice] = chat['choices'] as readonly WholeChoice[];
  const { message, finish_reason: finishReason } = choice as WholeChoice;
  expect(message).toHaveProperty('content');
  expect(message).toHaveProperty('refusal');
  const calls = message.tool_calls ?? [];
  return {
    content: message.content,
    reasoning: message.reasoning_content ?? null,
    calls: checked(calls),
    finishReason,
  };
}

/** The meaning of the events that a stream came to, which have to be as OpenAI sends them. */
export function meaningOfStream(text: string): Meaning {
  const events = text.split('\n\n').filter((event) => event !== '');
  expect(events.at(-1)).toBe('data: [DONE]');
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event.replace(/^data: /, '')) as Chunk);
  expect(new Set(chunks.map(({ id, created, model, object }) => `${id} ${created} ${model} ${object}`)).size).toBe(1);
  expect(chunks[0]).toMatchObject({ object: 'chat.completion.chunk', id: expect.stringMatching(/./) });
  expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '', refusal: null });
  return assembled(chunks.flatMap(({ choices }) => choices));
}

interface WholeChoice {
  readonly message: {
    readonly content: string | null;
    readonly reasoning_content?: string;
    readonly tool_calls?: readonly Call[];
  };
  readonly finish_reason: string;
}

interface Call {
  readonly id: string;
  readonly type: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

interface Chunk {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly object: string;
  readonly choices: readonly StreamedChoice[];
}

interface StreamedChoice {
  readonly delta: {
    readonly content?: string;
    readonly reasoning_content?: string;
    readonly tool_calls?: readonly (Partial<Call> & { readonly index: number })[];
  };
  readonly finish_reason: string | null;
}

function assembled(choices: readonly StreamedChoice[]): Meaning {
  const calls: { id: string; type: string; function: { name: string; arguments: string } }[] = [];
  for (const call of choices.flatMap(({ delta }) => delta.tool_calls ?? [])) {
    expect(call.index).toBeTypeOf('number');
    if (call.index === calls.length) calls.push({ id: '', type: '', function: { name: '', arguments: '' } });
    const whole = calls[call.index] as (typeof calls)[number];
    whole.id += call.id ?? '';
    whole.type += call.type ?? '';
    whole.function.name += call.function?.name ?? '';
    whole.function.arguments += call.function?.arguments ?? '';
  }
  const reasons = choices.flatMap(({ finish_reason: reason }) => reason ?? []);
  expect(reasons).toHaveLength(1);
  const content = choices.map(({ delta }) => delta.content ?? '').join('');
  const reasoning = choices.map(({ delta }) => delta.reasoning_content ?? '').join('');
  return {
    content: content === '' && calls.length > 0 ? null : content,
    reasoning: reasoning === '' ? null : reasoning,
    calls: checked(calls),
    finishReason: reasons[0] as string,
  };
}

function checked(calls: readonly Call[]): Meaning['calls'] {
  expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
  return calls.map((call) => {
    expect(call).toMatchObject({ id: expect.stringMatching(/./), type: 'function' });
    return { name: call.function.name, arguments: JSON.parse(call.function.arguments) as unknown };
  });
}
