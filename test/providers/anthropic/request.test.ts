import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../src/providers/anthropic/anthropic.ts';
import type { JsonObject, ProviderCall } from '../../../src/providers/wire.ts';
import { chatWire } from '../contract-drive.ts';
import { asked, fields, prepared } from './asked.ts';

const TOOL = { type: 'function', function: { name: 'clock' } };
const CLOCK = { name: 'clock', input_schema: { type: 'object' } };

describe('the cap on the output', () => {
  const capOf = (model: string, chat: JsonObject = {}) => asked({ model, stream: true, ...chat }).body['max_tokens'];

  it.each([
    ['claude-2.1', 4_096],
    ['claude-3-haiku-20240307', 4_096],
    ['claude-3-5-sonnet-20241022', 8_192],
    ['claude-3-7-sonnet-latest', 64_000],
    ['claude-opus-4-20250514', 32_000],
    ['claude-sonnet-4-20250514', 64_000],
    ['claude-opus-4-1-20250805', 32_000],
    ['claude-haiku-4-5', 64_000],
    ['claude-sonnet-4-6', 64_000],
    ['claude-opus-4-6', 128_000],
    ['claude-opus-4-8', 128_000],
    ['claude-sonnet-5', 128_000],
    ['claude-haiku-5', 64_000],
    ['anthropic.claude-opus-5-v1:0', 128_000],
    ['claude-latest', 64_000],
    ['kimi-k3', 4_096],
  ])('is all that %s can say, %i tokens, where the client sets none', (model, cap) => {
    expect(capOf(model)).toBe(cap);
  });

  it('of an answer that comes whole is what fits into ten minutes', () => {
    expect(capOf('claude-sonnet-5', { stream: false })).toBe(21_333);
    expect(capOf('claude-3-haiku-20240307', { stream: false })).toBe(4_096);
  });

  it("is the client's, but no more than the model can say", () => {
    expect(capOf('claude-3-haiku-20240307', { max_tokens: 100 })).toBe(100);
    expect(capOf('claude-3-haiku-20240307', { max_tokens: 100_000 })).toBe(4_096);
    expect(capOf('claude-sonnet-5', { max_tokens: 50_000, stream: false })).toBe(50_000);
    expect(capOf('kimi-k3', { max_tokens: 100_000 })).toBe(100_000);
  });
});

describe('sampling', () => {
  it.each([
    ['claude-sonnet-4-5', { temperature: 1.7 }, { temperature: 1 }, []],
    ['claude-sonnet-4-5', { temperature: 0.2, top_p: 0.5 }, { temperature: 0.2 }, ['top_p']],
    ['claude-sonnet-4-5', { top_p: 0.5, top_k: 40 }, { top_p: 0.5, top_k: 40 }, []],
    ['claude-3-5-sonnet', { temperature: 0.2, top_p: 0.5 }, { temperature: 0.2, top_p: 0.5 }, []],
    ['claude-opus-4-7', { temperature: 0.2, top_p: 0.5, top_k: 40 }, {}, ['temperature', 'top_p', 'top_k']],
    ['claude-opus-4-7', { temperature: 1, top_p: 1 }, {}, []],
    ['claude-latest', { temperature: 0.2 }, {}, ['temperature']],
    ['kimi-k3', { temperature: 0.2, top_p: 0.5 }, { temperature: 0.2, top_p: 0.5 }, []],
  ])('at %s of %j is %j', (...[model, chat, sent, dropped]) => {
    expect(fields({ model, ...chat })).toEqual(sent);
    expect(asked({ model, ...chat }).dropped).toEqual(dropped);
  });

  it('is fixed while the model thinks', () => {
    const chat = { reasoning_effort: 'low', max_tokens: 4_000, temperature: 0.2, top_k: 4 };
    expect(fields({ ...chat, top_p: 0.5 })).toEqual({ thinking: { type: 'enabled', budget_tokens: 2_048 } });
    expect(fields({ ...chat, top_p: 0.97 })).toMatchObject({ top_p: 0.97 });
    expect(asked({ ...chat, top_p: 0.5 }).dropped).toEqual(['temperature', 'top_p', 'top_k']);
  });
});

describe('reasoning', () => {
  it.each([
    ['claude-sonnet-4-5', 'minimal', { thinking: { type: 'enabled', budget_tokens: 1_024 } }],
    ['claude-sonnet-4-5', 'medium', { thinking: { type: 'enabled', budget_tokens: 8_192 } }],
    ['claude-sonnet-4-5', 'max', { thinking: { type: 'enabled', budget_tokens: 15_999 } }],
    ['claude-sonnet-4-5', 'none', { thinking: { type: 'disabled' } }],
    [
      'claude-opus-4-6',
      'high',
      { output_config: { effort: 'high' }, thinking: { type: 'adaptive', display: 'summarized' } },
    ],
    [
      'claude-opus-4-6',
      'xhigh',
      { output_config: { effort: 'max' }, thinking: { type: 'adaptive', display: 'summarized' } },
    ],
    [
      'claude-sonnet-5',
      'xhigh',
      { output_config: { effort: 'xhigh' }, thinking: { type: 'adaptive', display: 'summarized' } },
    ],
    [
      'claude-sonnet-5',
      'minimal',
      { output_config: { effort: 'low' }, thinking: { type: 'adaptive', display: 'summarized' } },
    ],
    ['claude-sonnet-5', 'none', { thinking: { type: 'disabled' } }],
    ['claude-3-5-sonnet', 'none', {}],
  ])('of %s at %s', (model, effort, sent) => {
    expect(fields({ model, reasoning_effort: effort })).toEqual(sent);
    expect(asked({ model, reasoning_effort: effort }).dropped).toEqual([]);
  });

  it.each([
    ['a model that does not think', { model: 'claude-3-5-sonnet', reasoning_effort: 'high' }],
    ['an answer too short for thoughts', { reasoning_effort: 'high', max_tokens: 1_200 }],
    ['a call that is forced', { reasoning_effort: 'high', tools: [TOOL], tool_choice: 'required' }],
    ['an effort that nobody knows', { model: 'claude-sonnet-5', reasoning_effort: 'heroic' }],
    ['an effort that nobody knows, of a budget', { reasoning_effort: 'heroic' }],
  ])('is left out for %s', (_what, chat) => {
    const { body, dropped } = asked(chat);
    expect(body).not.toHaveProperty('thinking');
    expect(dropped).toEqual(['reasoning_effort']);
  });

  it('keeps its effort where a forced call leaves no room for thoughts', () => {
    const chat = { model: 'claude-sonnet-5', reasoning_effort: 'high', tools: [TOOL], tool_choice: 'required' };
    expect(fields(chat)).toEqual({
      output_config: { effort: 'high' },
      tools: [CLOCK],
      tool_choice: { type: 'any' },
    });
  });

  it("may be asked for in this API's own words", () => {
    const thinking = { type: 'enabled', budget_tokens: 3_000 };
    expect(fields({ thinking, reasoning_effort: 'low' })).toEqual({ thinking });
  });
});

describe('tools', () => {
  it('that were called before are there even if none is offered now', () => {
    const tool_calls = [{ id: 'a', type: 'function', function: { name: 'clock', arguments: '{}' } }];
    const messages = [
      { role: 'user', content: 'Go' },
      { role: 'assistant', tool_calls },
      { role: 'tool', tool_call_id: 'a', content: 'noon' },
    ];
    expect(fields({ messages })).toEqual({ tools: [CLOCK], tool_choice: { type: 'none' } });
  });

  it.each([
    ['auto', { type: 'auto' }],
    ['required', { type: 'any' }],
    [
      { type: 'function', function: { name: 'clock' } },
      { type: 'tool', name: 'clock' },
    ],
  ])('chosen by %j are called one at a time where a client wants that', (choice, sent) => {
    const chat = { tools: [TOOL], tool_choice: choice, parallel_tool_calls: false };
    expect(fields(chat)['tool_choice']).toEqual({ ...sent, disable_parallel_tool_use: true });
  });

  it('of which some are allowed are those alone', () => {
    const other = { type: 'function', function: { name: 'calendar' } };
    const allowed = { mode: 'required', tools: [TOOL] };
    const chat = { tools: [TOOL, other], tool_choice: { type: 'allowed_tools', allowed_tools: allowed } };
    expect(fields(chat)).toEqual({ tools: [CLOCK], tool_choice: { type: 'any' } });
  });

  it("that are the vendor's own go to it, and another's nowhere", () => {
    const search = { type: 'web_search_20250305', name: 'web_search', max_uses: 2 };
    expect(fields({ tools: [TOOL, search] })).toEqual({ tools: [CLOCK, search] });
    expect(fields({ tools: [search], tool_choice: 'required' })).toEqual({
      tools: [search],
      tool_choice: { type: 'any' },
    });
    expect(asked({ tools: [TOOL, search] }).dropped).toEqual([]);
    const custom = { type: 'custom', custom: { name: 'x' } };
    expect(fields({ tools: [custom] })).toEqual({});
    expect(asked({ tools: [custom] }).dropped).toEqual(['tools']);
  });

  it('that are strict get a grammar where the model has them', () => {
    const parameters = { type: 'object', properties: { city: { type: 'string', minLength: 1 } } };
    const strict = { type: 'function', function: { name: 'weather', strict: true, parameters } };
    const properties = { city: { type: 'string', description: '{minLength: 1}' } };
    expect(fields({ tools: [strict] })['tools']).toEqual([
      { name: 'weather', strict: true, input_schema: { type: 'object', properties, additionalProperties: false } },
    ]);
    expect(fields({ model: 'claude-3-haiku', tools: [strict] })['tools']).toEqual([
      { name: 'weather', input_schema: parameters },
    ]);
  });

  it('have an object for their input, without alternatives at its top', () => {
    const parameters = {
      required: ['d'],
      allOf: [{ properties: { d: { type: 'number' } } }],
      anyOf: [
        { properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a', 'b'] },
        { properties: { a: { type: 'string' }, c: { type: 'string' } }, required: ['a', 'c'] },
        7,
      ],
    };
    const tool = { type: 'function', function: { name: 'f', parameters } };
    const [sent] = fields({ tools: [tool] })['tools'] as JsonObject[];
    const string = { type: 'string' };
    expect(sent?.['input_schema']).toEqual({
      type: 'object',
      properties: { a: string, b: string, c: string, d: { type: 'number' } },
      required: ['d', 'a'],
    });
  });

  it('with alternatives that share nothing require nothing', () => {
    const tool = { type: 'function', function: { name: 'f', parameters: { oneOf: [{}, { required: ['a'] }] } } };
    const [sent] = fields({ tools: [tool] })['tools'] as JsonObject[];
    expect(sent?.['input_schema']).toEqual({ type: 'object', properties: {} });
  });
});

describe('an answer by schema from a model that has none', () => {
  const schema = { type: 'object', properties: { answer: { type: 'integer' } } };
  const chat = {
    model: 'claude-3-5-sonnet',
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
  };
  const answerTool = { name: 'sluice_json_answer', description: expect.any(String), input_schema: schema };

  it('is the input of a tool that it has to call', () => {
    expect(fields(chat)).toEqual({
      tools: [answerTool],
      tool_choice: { type: 'tool', name: 'sluice_json_answer', disable_parallel_tool_use: true },
    });
  });

  it.each([
    ['auto', { type: 'any' }],
    ['none', { type: 'tool', name: 'sluice_json_answer' }],
    [
      { type: 'function', function: { name: 'clock' } },
      { type: 'tool', name: 'clock' },
    ],
  ])("stands beside the client's tools, chosen by %j", (choice, sent) => {
    expect(fields({ ...chat, tools: [TOOL], tool_choice: choice })).toEqual({
      tools: [CLOCK, answerTool],
      tool_choice: { ...sent, disable_parallel_tool_use: true },
    });
  });
});

describe('fields', () => {
  it.each([
    [{ service_tier: 'default' }, { service_tier: 'standard_only' }, []],
    [{ service_tier: 'priority' }, { service_tier: 'auto' }, []],
    [{ service_tier: 'auto' }, {}, []],
    [{ service_tier: 'flex' }, {}, ['service_tier']],
    [{ safety_identifier: 's-1', user: 'u-1' }, { metadata: { user_id: 's-1' } }, []],
    [{ stop: [' ', 'END', ''] }, { stop_sequences: ['END'] }, ['stop']],
    [{ stop: '\n' }, {}, ['stop']],
    [{ presence_penalty: 0, frequency_penalty: 0, seed: null, store: false, logprobs: false }, {}, []],
    [{ modalities: ['text'] }, {}, []],
    [{ modalities: ['text', 'x'] }, {}, ['modalities']],
  ])('%j are %j', (chat, sent, dropped) => {
    expect(fields(chat)).toEqual(sent);
    expect(asked(chat).dropped).toEqual(dropped);
  });

  it('that no answer could do without are refused by name', () => {
    const refuses = (body: JsonObject) => chatWire(anthropic).refuses?.(body, 'claude-sonnet-5')?.param ?? null;
    const withPart = (part: JsonObject) => ({ messages: [{ role: 'user', content: ['x', part] }] });
    expect(refuses(withPart({ type: 'file', file: { file_id: 'file-1' } }))).toBe('messages[0].content[1]');
    expect(refuses(withPart({ type: 'video_url', video_url: {} }))).toBe('messages[0].content[1]');
    expect(refuses({ messages: [], logprobs: 2 })).toBe('logprobs');
    expect(refuses({ messages: [], logprobs: false })).toBeNull();
  });

  it('of a body that is none are empty', () => {
    const call = { ...CALL, body: Buffer.from('x') };
    const { body } = chatWire(anthropic).prepare(call);
    expect(JSON.parse(body.toString())).toMatchObject({ model: 'claude-x', messages: [{ role: 'user' }] });
  });
});

const CALL: ProviderCall = {
  body: Buffer.from('{"model":"claude-x","max_tokens":1,"messages":[]}'),
  model: 'claude-x',
  isStreaming: false,
  apiKey: 'sk-test',
  basePath: '/v1',
  apiVersion: null,
};

describe('a call', () => {
  it.each([
    ['/v1', '/v1/messages'],
    ['', '/v1/messages'],
    ['/gateway/anthropic', '/gateway/anthropic/v1/messages'],
    ['/gateway/v1', '/gateway/v1/messages'],
  ])('to the base %j goes to %s', (basePath, path) => {
    expect(chatWire(anthropic).prepare({ ...CALL, basePath }).path).toBe(path);
  });

  it('names the configured version of the API, or the one it was made for', () => {
    const headersOf = (apiVersion: string | null) => chatWire(anthropic).prepare({ ...CALL, apiVersion }).headers;
    expect(headersOf(null)['anthropic-version']).toBe('2023-06-01');
    expect(headersOf('2030-01-01')['anthropic-version']).toBe('2030-01-01');
  });

  it('brings the token of a signed-in user as such', () => {
    const { headers } = chatWire(anthropic).prepare({ ...CALL, apiKey: 'sk-ant-oat01-x' });
    expect(headers).toMatchObject({ authorization: 'Bearer sk-ant-oat01-x' });
    expect(headers).not.toHaveProperty('x-api-key');
  });

  it.each([
    ['messages', '/v1/messages'],
    ['count_tokens', '/v1/messages/count_tokens'],
  ] as const)('of %s passes its body as it is', (operation, path) => {
    const wire = anthropic.wires[operation];
    const call = wire?.prepare(CALL);
    expect(call).toMatchObject({ path, headers: { 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' } });
    expect(call?.body).toBe(CALL.body);
    expect(wire?.translator).toBeUndefined();
  });

  it('of a chat says where it goes', () => {
    expect(prepared({})).toMatchObject({ path: '/v1/messages', headers: { 'x-api-key': 'sk-test' } });
  });
});
