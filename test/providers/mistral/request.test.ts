import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { mistral } from '../../../src/providers/mistral/mistral.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { asked, fields, HELLO, messages } from './asked.ts';

const NEW = 'mistral-small-latest';
const OLD = 'mistral-large-2407';

function called(id: string, content: string | null = null): JsonObject {
  return { role: 'assistant', content, tool_calls: [{ id, function: { name: 'weather', arguments: '{}' } }] };
}

function idsOf(sent: unknown): string[] {
  const list = sent as { tool_calls?: { id: string }[]; tool_call_id?: string }[];
  return list.flatMap(({ tool_calls: calls = [], tool_call_id: id }) =>
    [...calls.map((call) => call.id), id ?? []].flat(),
  );
}

describe('the ids of calls', () => {
  test('that are another vendor’s become nine letters and digits, the same in call and result', () => {
    const foreign = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(foreign, (id) => {
        const sent = messages(NEW, HELLO, called(id), { role: 'tool', tool_call_id: id, content: 'Rain' });
        const [call, result] = idsOf(sent);
        expect(call).toMatch(/^[a-zA-Z0-9]{9}$/);
        expect(result).toBe(call);
      }),
    );
  });

  test('that are this vendor’s own stay as they are', () => {
    const sent = messages(NEW, HELLO, called('a1B2c3D4e'), { role: 'tool', tool_call_id: 'a1B2c3D4e', content: '' });
    expect(idsOf(sent)).toEqual(['a1B2c3D4e', 'a1B2c3D4e']);
  });

  test('that differ go on to differ', () => {
    const ids = Array.from({ length: 500 }, (_, index) => `call_${index}`);
    const sent = messages(NEW, HELLO, ...ids.map((id) => called(id)));
    expect(new Set(idsOf(sent)).size).toBe(500);
  });
});

describe('the result of a tool', () => {
  it('names the tool, which only its call does', () => {
    const sent = messages(NEW, HELLO, called('call_1'), { role: 'tool', tool_call_id: 'call_1', content: 'Rain' });
    expect(sent).toMatchObject([{}, {}, { role: 'tool', name: 'weather', content: 'Rain' }]);
  });

  it('whose call is not there has no name', () => {
    const [, result] = messages(NEW, HELLO, { role: 'tool', tool_call_id: 'x', content: 'Rain' }) as JsonObject[];
    expect(result).not.toHaveProperty('name');
  });

  it('may be followed by the user, but not at the first models: an answer is put in between', () => {
    const conversation = [HELLO, called('call_1'), { role: 'tool', tool_call_id: 'call_1', content: 'Rain' }, HELLO];
    const rolesOf = (sent: unknown) => (sent as { role: string }[]).map(({ role }) => role);
    expect(rolesOf(messages(NEW, ...conversation))).toEqual(['user', 'assistant', 'tool', 'user']);
    expect(rolesOf(messages(OLD, ...conversation))).toEqual(['user', 'assistant', 'tool', 'assistant', 'user']);
  });
});

describe('an answer in the conversation', () => {
  it('that comes last is marked as one to go on with', () => {
    const sent = messages(NEW, HELLO, { role: 'assistant', content: 'Once' });
    expect(sent).toEqual([HELLO, { role: 'assistant', content: 'Once', prefix: true }]);
  });

  it('that comes last and calls a tool is not', () => {
    expect(messages(NEW, HELLO, called('call_1'))).not.toMatchObject([{}, { prefix: true }]);
  });

  it('with text beside its calls is cut in two for the first models', () => {
    expect(messages(OLD, HELLO, called('call_1', 'Let me look.'))).toMatchObject([
      HELLO,
      { role: 'assistant', content: 'Let me look.' },
      { role: 'assistant', content: '', tool_calls: [{ function: { name: 'weather' } }] },
    ]);
    expect(messages(OLD, HELLO, called('call_1'))).toHaveLength(2);
  });

  it('keeps its thoughts to itself', () => {
    const answer = { role: 'assistant', content: '42', reasoning_content: 'Six times seven.' };
    expect(messages(NEW, HELLO, answer, HELLO)).toEqual([HELLO, { role: 'assistant', content: '42' }, HELLO]);
  });
});

describe('instructions', () => {
  it('come first, wherever they stood', () => {
    const sent = messages(
      NEW,
      HELLO,
      { role: 'assistant', content: 'Hi' },
      { role: 'developer', content: 'Brief.' },
      HELLO,
    );
    expect(sent).toMatchObject([{ role: 'system', content: 'Brief.' }, HELLO, { role: 'assistant' }, HELLO]);
  });
});

describe('a part of a message', () => {
  const part = (given: JsonObject) => messages(NEW, { role: 'user', content: [{ type: 'text', text: 'See:' }, given] });

  test.each([
    [{ type: 'document_url', document_url: 'https://example.com/a.pdf' }],
    [{ type: 'reference', reference_ids: [1] }],
    [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }],
  ])('that is this vendor’s own passes: %j', (own) => {
    expect(part(own)).toMatchObject([{ content: [{ type: 'text' }, own] }]);
  });

  test('that is a bare address of an image is wrapped', () => {
    expect(part({ type: 'image_url', image_url: 'https://example.com/a.png' })).toMatchObject([
      { content: [{}, { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] },
    ]);
  });

  test('that is a file may be stored, linked to, or bare base64', () => {
    const file = (given: JsonObject) => part({ type: 'file', file: given });
    expect(file({ file_id: 'f1' })).toMatchObject([{ content: [{}, { type: 'file', file_id: 'f1' }] }]);
    expect(file({ file_data: 'https://example.com/a.pdf' })).toMatchObject([
      { content: [{}, { type: 'document_url', document_url: 'https://example.com/a.pdf' }] },
    ]);
    expect(file({ file_data: 'JVBERi0=' })).toMatchObject([
      { content: [{}, { document_url: 'data:application/pdf;base64,JVBERi0=' }] },
    ]);
  });

  test.each([
    ['video', { type: 'video_url' }],
    ['a file without content', { type: 'file', file: {} }],
  ])('that can’t be said is refused: %s', (_name, given) => {
    const body = { messages: [{ role: 'user', content: [given] }] };
    expect(mistral.wires.chat?.refuses?.(body, NEW)).toMatchObject({ param: 'messages[0].content[0]' });
  });
});

describe('a field', () => {
  test.each([
    ['seed', { seed: 7 }, { random_seed: 7 }],
    ['a cap in the new words', { max_completion_tokens: 5 }, { max_tokens: 5 }],
    ['several choices', { n: 3 }, { n: 3 }],
    ['one choice, which is what it gives', { n: 1 }, {}],
    ['top_p', { top_p: 0.5 }, { top_p: 0.5 }],
    [
      'a prediction',
      { prediction: { type: 'content', content: 'x' } },
      { prediction: { type: 'content', content: 'x' } },
    ],
    [
      'a mode of its own',
      { prompt_mode: 'reasoning', safe_prompt: true },
      { prompt_mode: 'reasoning', safe_prompt: true },
    ],
    ['tools without tools', { tool_choice: 'required', parallel_tool_calls: true }, {}],
  ])('is said in its words: %s', (_name, given, sent) => {
    expect(fields(given)).toEqual(sent);
  });

  test.each([
    [{ logit_bias: { 1: 1 }, service_tier: 'flex', store: true }, ['logit_bias', 'service_tier', 'store']],
    [{ service_tier: 'auto', store: false, modalities: ['text'], logprobs: false }, []],
    [{ modalities: ['text', 'audio'] }, ['modalities']],
    [{ user: 'u', tools: [{ type: 'custom', custom: {} }] }, ['user', 'tools']],
  ])('that it lacks is left out, which is told if it asked for something: %j', (given, dropped) => {
    const { body, dropped: told } = asked({ messages: [HELLO], ...given });
    expect([...told].sort()).toEqual([...dropped].sort());
    expect(Object.keys(body)).toEqual(['model', 'messages']);
  });

  test('that says how strict a tool is goes with the tool', () => {
    const tool = { type: 'function', function: { name: 'clock', strict: true } };
    expect(fields({ tools: [tool] })).toMatchObject({ tools: [{ function: { strict: true } }] });
  });
});

describe('thinking', () => {
  test.each([
    ['mistral-small-latest', 'low', { sent: { reasoning_effort: 'high' }, dropped: [] }],
    ['mistral-medium-3-5', 'none', { sent: { reasoning_effort: 'none' }, dropped: [] }],
    ['mistral-medium-3.5', 'high', { sent: { reasoning_effort: 'high' }, dropped: [] }],
    ['mistral-large-latest', 'high', { sent: {}, dropped: ['reasoning_effort'] }],
    ['mistral-large-latest', 'none', { sent: {}, dropped: [] }],
    ['magistral-medium-latest', 'high', { sent: {}, dropped: [] }],
    ['magistral-medium-latest', 'none', { sent: {}, dropped: ['reasoning_effort'] }],
  ])('of %s, asked for as "%s"', (model, effort, { sent, dropped }) => {
    const request = { model, messages: [HELLO], reasoning_effort: effort };
    expect(fields(request)).toEqual(sent);
    expect(asked(request).dropped).toEqual(dropped);
  });
});

describe('vectors', () => {
  test('have another word for their length, and always come as numbers', () => {
    const request = {
      model: 'codestral-embed',
      input: ['a', 'b'],
      dimensions: 8,
      encoding_format: 'base64',
      user: 'u',
    };
    expect(asked(request, 'embeddings')).toEqual({
      body: { model: 'codestral-embed', input: ['a', 'b'], output_dimension: 8 },
      dropped: ['user'],
    });
  });

  test('of token ids are refused', () => {
    expect(mistral.wires.embeddings?.refuses?.({ input: [[1, 2]] }, NEW)).toMatchObject({ param: 'input' });
    expect(mistral.wires.embeddings?.refuses?.({ input: 'a' }, NEW)).toBeNull();
  });

  test('come in the order of their texts, as the client wants them', () => {
    const answer = {
      data: [
        { object: 'embedding', index: 1, embedding: [0.5] },
        { object: 'embedding', embedding: [1] },
      ],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    };
    const context = { model: 'mistral-embed', createdS: 0 };
    expect(mistral.wires.embeddings?.translator?.(context).whole(answer)).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [1] },
        { object: 'embedding', index: 1, embedding: [0.5] },
      ],
      model: 'mistral-embed',
      usage: { prompt_tokens: 3, total_tokens: 3 },
    });
    const translator = mistral.wires.embeddings?.translator?.({ ...context, wantsBase64: true });
    expect(translator?.whole(answer)).toMatchObject({ data: [{ embedding: 'AACAPw==' }, {}] });
    expect([translator?.event({ name: null, json: {} }), translator?.end('')]).toEqual(['', '']);
  });
});
