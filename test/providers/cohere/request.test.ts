import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { dropped, fields, HELLO, messages, prepared, refusedParam, sent } from './asked.ts';

const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };

function tool(name: string, extra: JsonObject = {}): JsonObject {
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  return { type: 'function', function: { name, parameters, ...extra } };
}

describe('the address', () => {
  test.each([
    ['', '/v2/chat'],
    ['/v2', '/v2/chat'],
    ['/cohere', '/cohere/v2/chat'],
  ])('"%s" leads to %s', (basePath, path) => {
    expect(prepared({ messages: [HELLO] }, 'chat', basePath).path).toBe(path);
  });
});

describe('an answer in the conversation', () => {
  it('that called tools has a plan in the place of its content', () => {
    const said = messages(HELLO, { role: 'assistant', content: 'Let me look.', tool_calls: [CALL] });
    expect(said).toEqual([HELLO, { role: 'assistant', tool_plan: 'Let me look.', tool_calls: [CALL] }]);
    const silent = messages(HELLO, { role: 'assistant', content: null, tool_calls: [CALL] });
    expect(silent).toEqual([HELLO, { role: 'assistant', tool_calls: [CALL] }]);
  });

  it('keeps its thoughts to itself', () => {
    const answer = { role: 'assistant', content: '42', reasoning_content: 'Six times seven.' };
    expect(messages(HELLO, answer)).toEqual([HELLO, { role: 'assistant', content: '42' }]);
  });
});

describe('a message without content', () => {
  it('is left out, since there it is a mistake', () => {
    const empty = ['system', 'user', 'assistant'].map((role) => ({ role, content: '' }));
    expect(messages(...empty, HELLO)).toEqual([HELLO]);
  });

  it('of a tool says that there is nothing', () => {
    const result = { role: 'tool', tool_call_id: 'call_1', content: '' };
    expect(messages(HELLO, result)).toEqual([HELLO, { ...result, content: '(nothing)' }]);
  });
});

describe('the result of a tool', () => {
  it('may be documents, which an answer then cites', () => {
    const document = { type: 'document', document: { id: 'd1', data: '{"rain":true}' } };
    const result = { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'Rain' }, document] };
    expect(messages(HELLO, result)).toEqual([
      HELLO,
      { ...result, content: [{ type: 'document', document: { data: 'Rain' } }, document] },
    ]);
  });
});

describe('a user’s parts', () => {
  it('are one text where there is nothing else, and empty ones are left out', () => {
    const [one, other, none] = ['One ', 'two', ''].map((text) => ({ type: 'text', text }));
    expect(messages({ role: 'user', content: [one, other, none] })).toEqual([{ role: 'user', content: 'One two' }]);
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
    expect(messages({ role: 'user', content: [none, image] })).toEqual([{ role: 'user', content: [image] }]);
  });
});

describe('what can’t be said', () => {
  const part = (type: string, role = 'user') => ({
    messages: [{ role, content: [{ type, image_url: 'https://e.com/a' }] }],
  });

  test.each([
    ['audio', part('input_audio'), 'messages[0].content[0]'],
    ['a file', part('file'), 'messages[0].content[0]'],
    ['a video', part('video_url'), 'messages[0].content[0]'],
    ['an image from a tool', part('image_url', 'tool'), 'messages[0].content[0]'],
    ['an image from a system', part('image_url', 'system'), 'messages[0].content[0]'],
    ['a document from a user', part('document'), 'messages[0].content[0]'],
    ['JSON beside tools', { response_format: { type: 'json_object' }, tools: [tool('a')] }, 'response_format'],
    ['JSON beside documents', { response_format: { type: 'json_object' }, documents: ['a'] }, 'response_format'],
  ])('is refused: %s', (_name, request, param) => {
    expect(refusedParam(request)).toBe(param);
  });

  test('is not a document from a tool', () => {
    expect(refusedParam(part('document', 'tool'))).toBeNull();
  });
});

describe('tools', () => {
  const named = (name: string) => ({ type: 'function', function: { name } });

  test('of which one is named are that one alone', () => {
    const request = { tools: [tool('a'), tool('b')], tool_choice: named('b') };
    expect(fields(request)).toEqual({ tools: [tool('b')], tool_choice: 'REQUIRED' });
  });

  test('are strict together or not at all', () => {
    const strict = tool('a', { strict: true });
    expect(fields({ tools: [strict, strict] })).toMatchObject({ strict_tools: true });
    expect(dropped({ tools: [strict, strict] })).toEqual([]);
    expect(fields({ tools: [strict, tool('b')] })).not.toHaveProperty('strict_tools');
    expect(dropped({ tools: [strict, tool('b')] })).toEqual(['strict']);
    const alone = { tools: [strict, tool('b')], tool_choice: named('a') };
    expect(fields(alone)).toMatchObject({ strict_tools: true });
    expect(dropped(alone)).toEqual([]);
  });

  test('without a parameter that is required can’t be strict', () => {
    const free = tool('clock', { strict: true, parameters: { type: 'object', properties: {} } });
    expect(fields({ tools: [free] })).not.toHaveProperty('strict_tools');
    expect(dropped({ tools: [free] })).toEqual(['strict']);
  });

  test('that are no functions are left out', () => {
    expect(dropped({ tools: [{ type: 'custom', custom: { name: 'a' } }] })).toEqual(['tools']);
  });
});

describe('a field', () => {
  test.each([
    ['top_p', { top_p: 0.5 }, { p: 0.5 }],
    ['top_p beyond what it takes', { top_p: 1 }, { p: 0.99 }],
    ['top_p below what it takes', { top_p: 0 }, { p: 0.01 }],
    ['top_k', { top_k: 5 }, { k: 5 }],
    ['seed', { seed: 7 }, { seed: 7 }],
    ['a penalty', { frequency_penalty: 0.5, presence_penalty: 2 }, { frequency_penalty: 0.5, presence_penalty: 1 }],
    ['no penalty', { frequency_penalty: 0, presence_penalty: -1 }, {}],
    ['log probabilities', { logprobs: true }, { logprobs: true }],
    [
      'fields of its own',
      { documents: ['a'], safety_mode: 'NONE', k: 3 },
      { documents: ['a'], safety_mode: 'NONE', k: 3 },
    ],
  ])('is said in its words: %s', (_name, given, expected) => {
    expect(fields(given)).toEqual(expected);
  });

  test.each([
    [{ frequency_penalty: -1, presence_penalty: -1 }, ['frequency_penalty', 'presence_penalty']],
    [{ logit_bias: {}, store: true, user: 'u' }, ['user', 'logit_bias', 'store']],
    [{ service_tier: 'auto', store: false }, []],
  ])('that it lacks is left out: %j', (given, expected) => {
    expect(dropped(given)).toEqual(expected);
  });
});

describe('thinking', () => {
  const model = 'command-a-reasoning-08-2025';

  test.each([
    ['as much as the model likes', { reasoning_effort: 'max' }, { type: 'enabled' }],
    ['by effort', { reasoning_effort: 'low' }, { type: 'enabled', token_budget: 2_048 }],
    ['within the cap', { reasoning_effort: 'high', max_tokens: 3_000 }, { type: 'enabled', token_budget: 2_000 }],
    ['where the cap leaves no room', { reasoning_effort: 'high', max_tokens: 500 }, { type: 'enabled' }],
    ['not at all', { reasoning_effort: 'none' }, { type: 'disabled' }],
    ['in its own words', { thinking: { type: 'disabled' }, reasoning_effort: 'high' }, { type: 'disabled' }],
  ])('is asked for %s', (_name, request, thinking) => {
    expect(fields({ model, ...request })).toMatchObject({ thinking });
    expect(dropped({ model, ...request })).toEqual([]);
  });

  test('is not asked of a model that can’t', () => {
    expect(fields({ reasoning_effort: 'high' })).toEqual({});
    expect(dropped({ reasoning_effort: 'high' })).toEqual(['reasoning_effort']);
    expect(dropped({ reasoning_effort: 'none' })).toEqual([]);
  });
});

describe('vectors', () => {
  const PLAIN = { model: 'embed-v4.0', texts: ['a'], input_type: 'search_document', embedding_types: ['float'] };

  test('are made to be stored and searched unless a request says otherwise', () => {
    expect(sent({ model: 'embed-v4.0', input: 'a' }, 'embeddings')).toEqual(PLAIN);
    const query = { model: 'embed-v4.0', input: 'a', input_type: 'search_query' };
    expect(sent(query, 'embeddings')).toEqual({ ...PLAIN, input_type: 'search_query' });
  });

  test('have another word for their length, and always come as numbers', () => {
    const request = { model: 'embed-v4.0', input: ['a', 'b'], dimensions: 256, encoding_format: 'base64' };
    expect(sent(request, 'embeddings')).toEqual({ ...PLAIN, texts: ['a', 'b'], output_dimension: 256 });
    expect(prepared(request, 'embeddings')).toMatchObject({ path: '/v2/embed', dropped: [] });
    expect(prepared({ ...request, user: 'u' }, 'embeddings').dropped).toEqual(['user']);
  });

  test('of token ids, or of more texts than it takes at once, are refused', () => {
    expect(refusedParam({ input: [1, 2] }, 'embeddings')).toBe('input');
    expect(refusedParam({ input: Array.from({ length: 97 }, () => 'a') }, 'embeddings')).toBe('input');
    expect(refusedParam({ input: Array.from({ length: 96 }, () => 'a') }, 'embeddings')).toBeNull();
    expect(refusedParam({}, 'embeddings')).toBe('input');
  });
});
