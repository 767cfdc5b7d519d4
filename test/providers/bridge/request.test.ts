import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messagesRequest } from '../../../src/providers/anthropic/request.ts';
import { keepsakeBlock } from '../../../src/providers/bridge/keepsake.ts';
import { chatRequest, refusesMessages } from '../../../src/providers/bridge/request.ts';

const HELLO = { role: 'user', content: 'Hello' };

function chatOf(body: object, model = 'gpt-5') {
  const { body: chat, dropped } = chatRequest(
    { messages: [HELLO], ...body },
    { model, isStreaming: false, vendor: 'acme' },
  );
  return { ...chat, dropped } as Record<string, unknown>;
}

function turns(...messages: object[]): unknown {
  return chatOf({ messages })['messages'];
}

const text = (value: string) => ({ type: 'text', text: value });

describe('a request for a message', () => {
  test('is a chat with the same settings', () => {
    const body = {
      max_tokens: 64,
      temperature: 0,
      top_p: 0.9,
      stop_sequences: ['!'],
      metadata: { user_id: 'u'.repeat(100) },
      cache_control: { type: 'ephemeral' },
      service_tier: 'auto',
    };
    expect(chatOf(body)).toEqual({
      model: 'gpt-5',
      messages: [HELLO],
      max_completion_tokens: 64,
      temperature: 0,
      top_p: 0.9,
      stop: ['!'],
      user: 'u'.repeat(64),
      dropped: [],
    });
  });

  test('says that it streams', () => {
    const { body } = chatRequest(
      { messages: [HELLO], stream: true },
      { model: 'm', isStreaming: true, vendor: 'acme' },
    );
    expect(body['stream']).toBe(true);
  });

  test('tells what chats have no words for', () => {
    const body = { top_k: 3, container: 'c', context_management: {}, service_tier: 'standard_only', mcp_servers: [] };
    expect(chatOf(body)['dropped']).toEqual(['top_k', 'container', 'context_management', 'service_tier']);
  });

  test('may hold fields of chats', () => {
    const fields = { reasoning_effort: 'low', seed: 7, verbosity: 'low' };
    expect(chatOf(fields)).toMatchObject({ ...fields, dropped: [] });
  });

  test.each([
    ['Be brief.', 'Be brief.'],
    [[{ ...text('Be brief.'), cache_control: { type: 'ephemeral' } }], 'Be brief.'],
    [
      [text('Be brief.'), text('Be kind.')],
      [text('Be brief.'), text('Be kind.')],
    ],
  ])('begins with its system prompt %j', (system, content) => {
    expect(chatOf({ system })['messages']).toEqual([{ role: 'system', content }, HELLO]);
  });

  test.each([[undefined], [''], [[]]])('has no system prompt where it is %j', (system) => {
    expect(chatOf({ system })['messages']).toEqual([HELLO]);
  });
});

describe('thinking', () => {
  test.each([
    [{ thinking: { type: 'enabled', budget_tokens: 1_024 } }, 'low'],
    [{ thinking: { type: 'enabled', budget_tokens: 10_000 } }, 'medium'],
    [{ thinking: { type: 'enabled', budget_tokens: 31_999 } }, 'high'],
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }, 'max'],
    [{ thinking: { type: 'adaptive' } }, undefined],
    [{ thinking: { type: 'disabled' }, output_config: { effort: 'max' } }, undefined],
  ])('%j is an effort', (body, effort) => {
    expect(chatOf(body)).toMatchObject({ dropped: [] });
    expect(chatOf(body)['reasoning_effort']).toBe(effort);
  });

  test('is not asked of models whose vendors refuse to be asked', () => {
    const chat = chatOf({ thinking: { type: 'enabled', budget_tokens: 1_024 } }, 'gpt-4o');
    expect(chat['reasoning_effort']).toBeUndefined();
    expect(chat['dropped']).toEqual(['thinking']);
  });
});

describe('an answer in JSON', () => {
  const closed = {
    type: 'object',
    properties: { a: { type: 'string' } },
    required: ['a'],
    additionalProperties: false,
  };
  const open = { type: 'object', properties: { list: { anyOf: [closed, { properties: { b: {} } }] } } };

  test.each([
    ['output_config', { output_config: { format: { type: 'json_schema', schema: closed } } }, [closed, true, 'answer']],
    ['output_format', { output_format: { type: 'json_schema', schema: open, name: 'list' } }, [open, false, 'list']],
  ])('is asked for by %s, and enforced where it can be', (_name, body, expected) => {
    const [schema, strict, name] = expected;
    expect(chatOf(body)['response_format']).toEqual({ type: 'json_schema', json_schema: { name, schema, strict } });
  });
});

describe('turns', () => {
  test('are messages with the same parts', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
    const link = { type: 'image', source: { type: 'url', url: 'https://a.test/b.png' } };
    expect(
      turns({ role: 'user', content: [text('Look'), image, link, text('')] }, { role: 'assistant', content: 'A' }),
    ).toEqual([
      {
        role: 'user',
        content: [
          text('Look'),
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'image_url', image_url: { url: 'https://a.test/b.png' } },
        ],
      },
      { role: 'assistant', content: 'A' },
    ]);
  });

  test.each([
    [{ source: { type: 'text', data: 'Hi' }, title: 'One', context: 'Two' }, [text('One\nTwo'), text('Hi')]],
    [{ source: { type: 'content', content: 'Hi' } }, 'Hi'],
    [{ source: { type: 'content', content: [text('Hi'), text('you')] } }, [text('Hi'), text('you')]],
    [
      { source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' }, title: 'a.pdf' },
      [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } }],
    ],
    [
      { source: { type: 'url', url: 'https://a.test/b.pdf' } },
      [{ type: 'file', file: { filename: 'document.pdf', file_data: 'https://a.test/b.pdf' } }],
    ],
  ])('hold the document %j', (document, content) => {
    expect(turns({ role: 'user', content: [{ type: 'document', ...document }] })).toEqual([{ role: 'user', content }]);
  });

  test('hold results of a search as text', () => {
    const result = { type: 'search_result', title: 'T', source: 'https://a.test', content: [text('One'), text('')] };
    expect(turns({ role: 'user', content: [result] })).toEqual([{ role: 'user', content: 'T\nhttps://a.test\nOne' }]);
  });

  test('call tools, and hear from them before any other word', () => {
    const calls = [
      text('Wait.'),
      { type: 'thinking', thinking: 'Not mine.', signature: 'x' },
      { type: 'thinking', thinking: 'Hm.', signature: 'sluice1.acme.' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Ghent' } },
      { type: 'tool_use', id: 'b', name: 'time' },
    ];
    const image = { type: 'image', source: { type: 'url', url: 'https://a.test/b.png' } };
    const results = [
      text('So?'),
      { type: 'tool_result', tool_use_id: 'a', content: [text('Rain.'), image] },
      { type: 'tool_result', tool_use_id: 'b', content: 'No clock.', is_error: true },
    ];
    expect(turns({ role: 'assistant', content: calls }, { role: 'user', content: results })).toEqual([
      {
        role: 'assistant',
        content: 'Wait.',
        reasoning_content: 'Hm.',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Ghent"}' } },
          { id: 'b', type: 'function', function: { name: 'time', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'Rain.' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: No clock.' },
      {
        role: 'user',
        content: [
          text('What the tool call a has given:'),
          { type: 'image_url', image_url: { url: 'https://a.test/b.png' } },
          text('So?'),
        ],
      },
    ]);
  });

  test.each([
    [{ content: 'Error: no.', is_error: true }, 'Error: no.'],
    [{ is_error: true }, 'Error: The tool failed.'],
    [{ content: [text('No.'), text('Never.')], is_error: true }, [text('Error: No.'), text('Never.')]],
    [{}, ''],
    [{ content: [{ type: 'image', source: {} }] }, 'See below.'],
  ])('tell of the result %j', (result, content) => {
    const [message] = turns({
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'a', ...result }],
    }) as unknown[];
    expect(message).toEqual({ role: 'tool', tool_call_id: 'a', content });
  });

  test('take back what the vendor wants to have back', () => {
    const extra = { extra_content: { google: { thought_signature: 'sig' } } };
    const keepsake = keepsakeBlock({ ofMessage: { reasoning_details: [1] }, ofCalls: { a: extra } }, 'acme');
    const content = [keepsake, { type: 'tool_use', id: 'a', name: 'f', input: {} }];
    expect(turns({ role: 'assistant', content })).toMatchObject([{ tool_calls: [extra], reasoning_details: [1] }]);
  });

  test('take back nothing that another vendor has written', () => {
    const keepsake = keepsakeBlock({ ofMessage: { reasoning_details: [1] }, ofCalls: {} }, 'other');
    const thoughts = { type: 'thinking', thinking: 'Hm.', signature: 'sluice1.other.' };
    const content = [thoughts, text('A'), keepsake];
    expect(turns({ role: 'assistant', content })).toEqual([{ role: 'assistant', content: 'A' }]);
  });

  test.each(['', '!', Buffer.from('[1]').toString('base64url')])('pass over a keepsake that is broken: %j', (rest) => {
    const content = [text('A'), { type: 'redacted_thinking', data: `sluice1.acme.${rest}` }];
    expect(turns({ role: 'assistant', content })).toEqual([{ role: 'assistant', content: 'A' }]);
  });

  test('without a word are left out', () => {
    expect(
      turns({ role: 'assistant', content: [] }, { role: 'user', content: [] }, { role: 'system', content: 'Now.' }),
    ).toEqual([{ role: 'system', content: 'Now.' }]);
  });

  test('are told to have lost what no chat can say', () => {
    const content = [text('A'), { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }];
    expect(chatOf({ messages: [{ role: 'assistant', content }] })['dropped']).toEqual(['messages']);
  });
});

describe('tools', () => {
  const tools = [
    { name: 'f', description: 'F.', input_schema: { type: 'object' }, strict: true, cache_control: {} },
    { type: 'custom', name: 'g' },
  ];

  test('are functions', () => {
    expect(chatOf({ tools })['tools']).toEqual([
      { type: 'function', function: { name: 'f', description: 'F.', parameters: { type: 'object' }, strict: true } },
      { type: 'function', function: { name: 'g', parameters: { type: 'object', properties: {} } } },
    ]);
  });

  test.each([
    [{ type: 'auto' }, 'auto'],
    [{ type: 'any' }, 'required'],
    [{ type: 'none' }, 'none'],
    [
      { type: 'tool', name: 'f' },
      { type: 'function', function: { name: 'f' } },
    ],
    [undefined, undefined],
  ])('are chosen from by %j', (choice, expected) => {
    const chat = chatOf({ tools, tool_choice: choice });
    expect(chat['tool_choice']).toEqual(expected);
    expect(chat['parallel_tool_calls']).toBeUndefined();
  });

  test('are called one at a time', () => {
    const chat = chatOf({ tools, tool_choice: { type: 'auto', disable_parallel_tool_use: true } });
    expect(chat['parallel_tool_calls']).toBe(false);
  });

  test('are needed for a choice', () => {
    expect(chatOf({ tool_choice: { type: 'auto' } })).not.toHaveProperty('tool_choice');
  });
});

describe('what only Anthropic has', () => {
  const held = (block: object) => ({ messages: [HELLO, { role: 'user', content: [text('A'), block] }] });

  test.each([
    [{ tools: [{ name: 'f' }, { type: 'web_search_20250305', name: 'web_search' }] }, 'tools[1]'],
    [{ mcp_servers: [{ url: 'https://a.test' }] }, 'mcp_servers'],
    [held({ type: 'image', source: { type: 'file', file_id: 'f' } }), 'messages[1].content[1]'],
    [held({ type: 'container_upload', file_id: 'f' }), 'messages[1].content[1]'],
    [
      held({ type: 'tool_result', content: [{ type: 'document', source: { type: 'file' } }] }),
      'messages[1].content[1].content[0]',
    ],
  ])('%j is refused by its name', (body, param) => {
    expect(refusesMessages(body)).toMatchObject({ param });
  });

  test('is not everything', () => {
    expect(refusesMessages({ messages: [HELLO], tools: [{ name: 'f' }], mcp_servers: [] })).toBeNull();
  });
});

describe('a message as a chat and as a message again', () => {
  const words = fc.string({ minLength: 1, maxLength: 12 }).map((word) => `w${word}.`);
  const textBlock = words.map(text);
  const image = fc.constantFrom(
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
    { type: 'image', source: { type: 'url', url: 'https://a.test/b.png' } },
  );
  const input = fc.dictionary(
    fc.string({ maxLength: 5 }).filter((name) => name !== '__proto__'),
    fc.jsonValue({ maxDepth: 1 }),
    { maxKeys: 3 },
  );
  const exchange = fc
    .tuple(
      fc.array(fc.oneof(textBlock, image), { minLength: 1, maxLength: 3 }),
      fc.array(textBlock, { maxLength: 2 }),
      fc.array(fc.tuple(words, input), { maxLength: 3 }),
    )
    .map(([asked, said, calls]) => ({ asked, said, calls }));

  function conversation(exchanges: readonly { asked: object[]; said: object[]; calls: [string, object][] }[]) {
    const messages: { role: string; content: unknown }[] = [];
    let results: object[] = [];
    for (const [at, { asked, said, calls }] of exchanges.entries()) {
      const uses = calls.map(([name, given], index) => ({
        type: 'tool_use',
        id: `call_${at}_${index}`,
        name,
        input: given,
      }));
      messages.push({ role: 'user', content: [...results, ...asked] });
      messages.push({ role: 'assistant', content: said.length + uses.length > 0 ? [...said, ...uses] : [text('ok')] });
      results = uses.map(({ id, name }) => ({ type: 'tool_result', tool_use_id: id, content: name }));
    }
    return [...messages, { role: 'user', content: [...results, text('end')] }];
  }

  test('has lost nothing that a chat can say', () => {
    const settings = fc.record({
      system: words,
      max_tokens: fc.integer({ min: 1, max: 4_000 }),
      temperature: fc.constantFrom(0, 0.5, 1),
      stop_sequences: fc.uniqueArray(words, { minLength: 1, maxLength: 4 }),
      metadata: fc.record({ user_id: words }),
    });
    fc.assert(
      fc.property(fc.array(exchange, { minLength: 1, maxLength: 3 }), settings, (exchanges, fields) => {
        const names = [...new Set(exchanges.flatMap(({ calls }) => calls.map(([name]) => name)))];
        const tools = ['f', ...names].map((name) => ({ name, input_schema: { type: 'object' } }));
        const body = { messages: conversation(exchanges), tools, tool_choice: { type: 'any' }, ...fields };
        const call = { model: 'claude-haiku-4-5', isStreaming: false, vendor: 'acme' };
        const { body: chat, dropped } = chatRequest(body, call);
        const again = messagesRequest({ ...call, body: Buffer.from(JSON.stringify(chat)) });
        expect(dropped).toEqual([]);
        expect(again).toEqual({ body: { ...body, model: call.model }, dropped: [] });
      }),
      { numRuns: 100 },
    );
  });
});
