import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chat, readChat, textOf } from '../../../src/providers/mapping/chat-request.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';

const HELLO = { role: 'user', content: 'Hello' };

function read(fields: JsonObject): Chat {
  return readChat({ messages: [HELLO], ...fields });
}

function partsOf(...content: readonly unknown[]): unknown {
  return readChat({ messages: [{ role: 'user', content }] }).messages[0]?.parts;
}

function toolsOf(fields: JsonObject): string[] {
  return read(fields).tools.map(({ name }) => name);
}

describe('messages', () => {
  it('of a plain chat are text', () => {
    expect(read({}).messages).toEqual([{ role: 'user', parts: [{ kind: 'text', text: 'Hello' }], name: null }]);
  });

  it.each([
    ['system', 'system'],
    ['developer', 'system'],
    ['user', 'user'],
    ['somebody', 'user'],
    ['assistant', 'assistant'],
    ['tool', 'tool'],
    ['function', 'tool'],
  ])('of the role %s are those of a %s', (role, read) => {
    expect(readChat({ messages: [{ role, content: 'x' }] }).messages[0]?.role).toBe(read);
  });

  it('that are no messages are none', () => {
    expect(readChat({ messages: [7, null, []] }).messages).toEqual([]);
    expect(readChat({}).messages).toEqual([]);
  });

  it('without content have no parts', () => {
    for (const content of [null, '', undefined, 7, {}]) {
      expect(readChat({ messages: [{ role: 'user', content, name: 'ann' }] }).messages[0]).toEqual({
        role: 'user',
        parts: [],
        name: 'ann',
      });
    }
  });

  it('of an assistant that refused say so', () => {
    const [message] = readChat({ messages: [{ role: 'assistant', content: null, refusal: 'No.' }] }).messages;
    expect(textOf(message?.parts ?? [])).toBe('No.');
  });

  it('of an assistant carry its reasoning, under either name', () => {
    const reasoningOf = (fields: JsonObject) =>
      readChat({ messages: [{ role: 'assistant', content: 'x', ...fields }] }).messages[0];
    expect(reasoningOf({ reasoning_content: 'Hm.' })).toMatchObject({ reasoning: 'Hm.' });
    expect(reasoningOf({ reasoning: 'Hm.' })).toMatchObject({ reasoning: 'Hm.' });
    expect(reasoningOf({})).toMatchObject({ reasoning: null });
  });

  it('of an assistant carry its calls, the oldest form included', () => {
    const call = { id: 'a', type: 'function', function: { name: 'clock', arguments: '{"a":1}' }, extra_content: 1 };
    const message = {
      role: 'assistant',
      tool_calls: [call, { function: { name: 'clock' } }, { id: 'c', function: {} }, { id: 'd' }, 7],
      function_call: { name: 'old', arguments: '' },
    };
    const [first] = readChat({ messages: [message] }).messages;
    expect(first).toMatchObject({
      toolCalls: [
        { id: 'a', name: 'clock', argumentsJson: '{"a":1}', source: call },
        { id: 'clock', name: 'clock', argumentsJson: '{}' },
        { id: 'c', name: '', argumentsJson: '{}' },
        { id: 'old', name: 'old', argumentsJson: '{}' },
      ],
      source: message,
    });
    const [bare] = readChat({
      messages: [{ role: 'assistant', tool_calls: [{ function: {} }], function_call: {} }],
    }).messages;
    expect(bare).toMatchObject({ toolCalls: [{ id: '' }, { id: '', name: '' }] });
  });

  it('of a tool name the call, those of an old function its name', () => {
    const [tool, old, bare, nameless] = readChat({
      messages: [
        { role: 'tool', tool_call_id: 'a', content: 'x' },
        { role: 'function', name: 'clock', content: 'x' },
        { role: 'tool', content: 'x' },
        { role: 'function', content: 'x' },
      ],
    }).messages;
    expect([tool, old, bare, nameless]).toMatchObject([
      { callId: 'a' },
      { callId: 'clock' },
      { callId: '' },
      { callId: '' },
    ]);
  });
});

describe('parts', () => {
  it.each([
    [
      { type: 'text', text: 'x' },
      { kind: 'text', text: 'x' },
    ],
    [{ text: 'x' }, { kind: 'text', text: 'x' }],
    [
      { type: 'input_text', text: 'x' },
      { kind: 'text', text: 'x' },
    ],
    [
      { type: 'output_text', text: 7 },
      { kind: 'text', text: '' },
    ],
    [
      { type: 'refusal', refusal: 'No.' },
      { kind: 'text', text: 'No.' },
    ],
    [{ type: 'refusal' }, { kind: 'text', text: '' }],
    [
      { type: 'image_url', image_url: { url: 'u', detail: 'low' } },
      { kind: 'image', url: 'u', detail: 'low' },
    ],
    [
      { type: 'image_url', image_url: 'u' },
      { kind: 'image', url: 'u', detail: null },
    ],
    [{ type: 'image_url' }, { kind: 'image', url: '', detail: null }],
    [
      { type: 'input_audio', input_audio: { data: 'd', format: 'mp3' } },
      { kind: 'audio', data: 'd', format: 'mp3' },
    ],
    [{ type: 'input_audio' }, { kind: 'audio', data: '', format: 'wav' }],
    [
      { type: 'file', file: { file_id: 'f' } },
      { kind: 'file', fileId: 'f', data: null, filename: null },
    ],
    [
      { type: 'file', file: { file_data: 'd', filename: 'n' } },
      { kind: 'file', fileId: null, data: 'd', filename: 'n' },
    ],
    [{ type: 'file' }, { kind: 'file', fileId: null, data: null, filename: null }],
    [{ type: 'video_url' }, { kind: 'other', type: 'video_url' }],
  ])('%j is read, and its form kept', (part, read) => {
    expect(partsOf(part)).toEqual([expect.objectContaining({ ...read, source: part })]);
  });

  it('are named by where they stand', () => {
    const part = { type: 'image_url', image_url: { url: 'u' } };
    const [, message] = readChat({ messages: [HELLO, { role: 'user', content: ['x', part] }] }).messages;
    expect(message?.parts).toEqual([expect.objectContaining({ path: 'messages[1].content[1]' })]);
  });

  it('have a text together, pictures left out', () => {
    const [message] = readChat({
      messages: [{ role: 'user', content: [{ text: 'a' }, { type: 'image_url', image_url: 'u' }, { text: 'b' }] }],
    }).messages;
    expect(textOf(message?.parts ?? [])).toBe('ab');
  });
});

describe('tools', () => {
  const clock = { type: 'function', function: { name: 'clock', description: 'Time.', strict: true, parameters: {} } };

  it('are read in both of their forms', () => {
    const old = { name: 'old' };
    expect(read({ tools: [clock, { type: 'custom', custom: {} }, 7], functions: [old, 7] }).tools).toEqual([
      { name: 'clock', description: 'Time.', parameters: {}, isStrict: true, source: clock },
      { name: 'old', description: null, parameters: null, isStrict: false, source: old },
    ]);
    expect(toolsOf({ tools: [{ function: {} }] })).toEqual(['']);
    const search = { type: 'web_search' };
    expect(read({ tools: [clock, search, 7] }).otherTools).toEqual([search]);
  });

  it.each([
    [undefined, null],
    ['auto', { kind: 'auto' }],
    ['none', { kind: 'none' }],
    ['required', { kind: 'required' }],
    ['whatever', null],
    [
      { type: 'function', function: { name: 'clock' } },
      { kind: 'named', name: 'clock' },
    ],
    [
      { type: 'function', name: 'clock' },
      { kind: 'named', name: 'clock' },
    ],
    [{}, null],
  ])('are chosen by %j as %j', (choice, read) => {
    expect(readChat({ messages: [], tool_choice: choice }).toolChoice).toEqual(read);
    if (typeof choice !== 'object') expect(readChat({ messages: [], function_call: choice }).toolChoice).toEqual(read);
  });

  it('that are not among the allowed are not there', () => {
    const tools = [clock, { type: 'function', function: { name: 'calendar' } }];
    const list = [{ type: 'function', function: { name: 'clock' } }];
    const nested = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: list } };
    expect(toolsOf({ tools, tool_choice: nested })).toEqual(['clock']);
    expect(read({ tools, tool_choice: nested }).toolChoice).toEqual({ kind: 'required' });
    const flat = { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'calendar' }] };
    expect(toolsOf({ tools, tool_choice: flat })).toEqual(['calendar']);
    expect(read({ tools, tool_choice: flat }).toolChoice).toEqual({ kind: 'auto' });
    expect(read({ tools, tool_choice: { type: 'allowed_tools' } }).toolChoice).toBeNull();
  });
});

describe('fields', () => {
  it.each([
    [{}, null],
    [{ max_tokens: 5 }, 5],
    [{ max_completion_tokens: 7, max_tokens: 5 }, 7],
    [{ max_tokens: 0 }, null],
  ])('%j cap the output at %j', (fields, cap) => {
    expect(read(fields).outputCapTokens).toBe(cap);
  });

  it.each([
    [undefined, []],
    [null, []],
    ['END', ['END']],
    [
      ['END', 7, 'STOP'],
      ['END', 'STOP'],
    ],
    [7, []],
  ])('stop at %j', (stop, read) => {
    expect(readChat({ messages: [], stop }).stop).toEqual(read);
  });

  it.each([
    [undefined, { kind: 'text' }],
    [{ type: 'text' }, { kind: 'text' }],
    [{ type: 'json_object' }, { kind: 'json_object' }],
    [
      { type: 'json_schema', json_schema: { name: 'n', strict: true, schema: { type: 'object' } } },
      { kind: 'json_schema', name: 'n', schema: { type: 'object' }, isStrict: true },
    ],
    [
      { type: 'json_schema', json_schema: {} },
      { kind: 'json_schema', name: 'answer', schema: {}, isStrict: false },
    ],
    [{ type: 'json_schema' }, { kind: 'text' }],
    ['json', { kind: 'text' }],
  ])('%j ask for the format %j', (format, read) => {
    expect(readChat({ messages: [], response_format: format }).format).toEqual(read);
  });

  it('that have no place of their own are the rest, but those that are null', () => {
    const body = {
      model: 'm',
      stream: true,
      stream_options: {},
      n: 2,
      seed: 7,
      temperature: 0.5,
      top_p: 0.9,
      presence_penalty: 1,
      frequency_penalty: -1,
      reasoning_effort: 'low',
      parallel_tool_calls: false,
      user: 'u',
      top_k: 4,
      logit_bias: null,
    };
    expect(read(body)).toMatchObject({
      n: 2,
      seed: 7,
      temperature: 0.5,
      topP: 0.9,
      presencePenalty: 1,
      frequencyPenalty: -1,
      reasoningEffort: 'low',
      allowsParallelCalls: false,
      user: 'u',
      rest: { top_k: 4 },
    });
    expect(Object.keys(read(body).rest)).toEqual(['top_k']);
    expect(read({ user: 'u', safety_identifier: 's' })).toMatchObject({ user: 's', rest: {} });
  });

  it('may be anything', () => {
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('role', 'user', 'assistant', 'tool', 'content', 'type', 'text', 'function', 'name'),
        fc.constantFrom(null, true, 7, ''),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('role', 'content', 'type', 'function', 'name', '__proto__'), tie('json')),
      ),
    }));
    const names = ['messages', 'tools', 'functions', 'tool_choice', 'function_call', 'response_format', 'stop', 'n'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), json), (body) => {
        expect(readChat(body).messages).toBeInstanceOf(Array);
      }),
    );
  });
});
