import { describe, expect, it } from 'vitest';
import { asked, turns } from './asked.ts';

const text = (words: string) => ({ type: 'text', text: words });
const call = (id: string, args = '{}') => ({ id, type: 'function', function: { name: 'clock', arguments: args } });

describe('turns', () => {
  it('of one side in a row are one', () => {
    const three = turns({ role: 'user', content: 'a' }, { role: 'user', content: 'b' }, { role: 'user', content: 'c' });
    expect(three).toEqual([{ role: 'user', content: [text('a'), text('b'), text('c')] }]);
  });

  it('begin with the user, whose words are made up if need be', () => {
    const opening = { role: 'user', content: [text('...')] };
    expect(turns({ role: 'assistant', content: 'Hi' }, { role: 'user', content: 'Hello' })).toEqual([
      opening,
      { role: 'assistant', content: [text('Hi')] },
      { role: 'user', content: [text('Hello')] },
    ]);
    expect(turns({ role: 'system', content: 'Be brief.' })).toEqual([opening]);
  });

  it('have no empty text and no empty message', () => {
    expect(
      turns(
        { role: 'user', content: [text(''), text(' \n'), text('Hello')] },
        { role: 'assistant', content: '' },
        { role: 'assistant', content: null },
        { role: 'user', content: 'there' },
      ),
    ).toEqual([{ role: 'user', content: [text('Hello'), text('there')] }]);
  });

  it('have the results of calls before any other word of the user', () => {
    const [, , last] = turns(
      { role: 'user', content: 'Go' },
      { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'user', content: 'Hurry' },
      { role: 'tool', tool_call_id: 'b', content: '2' },
    ) as unknown[];
    expect(last).toEqual({
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'a', content: '1' },
        { type: 'tool_result', tool_use_id: 'b', content: '2' },
        text('Hurry'),
      ],
    });
  });

  it("carry another vendor's ids in a form that is taken, the same in call and result", () => {
    const [, second, third] = turns(
      { role: 'user', content: 'Go' },
      { role: 'assistant', tool_calls: [call('functions.clock:0'), call('functions.clock:1')] },
      { role: 'tool', tool_call_id: 'functions.clock:0', content: '1' },
      { role: 'tool', tool_call_id: 'functions.clock:1', content: '2' },
    ) as { content: { id?: string; tool_use_id?: string }[] }[];
    const called = second?.content.map(({ id }) => id);
    expect(called?.every((id) => /^toolu_[a-z0-9]{24}$/.test(id ?? ''))).toBe(true);
    expect(new Set(called).size).toBe(2);
    expect(third?.content.map(({ tool_use_id: id }) => id)).toEqual(called);
  });

  it.each([
    ['', {}],
    ['{"a":1}', { a: 1 }],
    ['{"a":', { arguments: '{"a":' }],
    ['[1]', { arguments: '[1]' }],
    ['"x"', { arguments: '"x"' }],
  ])('carry arguments that a model wrote as %j as the object %j', (args, input) => {
    const [, second] = turns({ role: 'user', content: 'Go' }, { role: 'assistant', tool_calls: [call('a', args)] }) as {
      content: unknown[];
    }[];
    expect(second?.content).toEqual([{ type: 'tool_use', id: 'a', name: 'clock', input }]);
  });

  it('that the model is to go on with do not end in white space', () => {
    const [, last] = turns({ role: 'user', content: 'Count' }, { role: 'assistant', content: 'One, two, \n' }) as {
      content: unknown[];
    }[];
    expect(last?.content).toEqual([text('One, two,')]);
  });

  it('of a model that does not go on by itself end with the user', () => {
    const messages = [
      { role: 'user', content: 'Count' },
      { role: 'assistant', content: 'One, two,' },
    ];
    const lastOf = (chat: Record<string, unknown>) =>
      (asked({ ...chat, messages }).body['messages'] as unknown[]).at(-1);
    const urging = { role: 'user', content: [text('Go on.')] };
    expect(lastOf({ model: 'claude-opus-4-6' })).toEqual(urging);
    expect(lastOf({ reasoning_effort: 'low', max_tokens: 4_000 })).toEqual(urging);
    expect(lastOf({})).toMatchObject({ role: 'assistant' });
  });

  it('of the old functions are calls as well', () => {
    const [, second, third] = turns(
      { role: 'user', content: 'Go' },
      { role: 'assistant', content: null, function_call: { name: 'clock', arguments: '{}' } },
      { role: 'function', name: 'clock', content: 'noon' },
    ) as { content: unknown[] }[];
    expect(second?.content).toEqual([{ type: 'tool_use', id: 'clock', name: 'clock', input: {} }]);
    expect(third?.content).toEqual([{ type: 'tool_result', tool_use_id: 'clock', content: 'noon' }]);
  });

  it('may have pictures in the results of calls', () => {
    const url = 'data:image/jpg;base64,/9j/';
    const content = [text('See'), { type: 'image_url', image_url: { url } }];
    const [first] = turns({ role: 'tool', tool_call_id: 'a', content }) as { content: unknown[] }[];
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: '/9j/' } };
    expect(first?.content).toEqual([{ type: 'tool_result', tool_use_id: 'a', content: [text('See'), picture] }]);
  });
});

describe('documents', () => {
  const documentOf = (file: Record<string, string>) => {
    const [first] = turns({ role: 'user', content: [{ type: 'file', file }] }) as { content: unknown[] }[];
    return first?.content[0];
  };

  it('may come as bare base64', () => {
    const source = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' };
    expect(documentOf({ file_data: 'JVBERi0=' })).toEqual({ type: 'document', source });
    expect(documentOf({ file_data: 'data:;base64,JVBERi0=' })).toEqual({ type: 'document', source });
  });

  it('of plain text go as text', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'Hällo' };
    const data = Buffer.from('Hällo').toString('base64');
    const sent = documentOf({ file_data: `data:text/markdown;base64,${data}`, filename: 'a.md' });
    expect(sent).toEqual({ type: 'document', source, title: 'a.md' });
  });

  it('may be somewhere on the net', () => {
    const source = { type: 'url', url: 'https://example.com/a.pdf' };
    expect(documentOf({ file_data: 'https://example.com/a.pdf' })).toEqual({ type: 'document', source });
  });
});

describe('marks for prompt caching', () => {
  const mark = { cache_control: { type: 'ephemeral' } };

  it('stay on the parts and tools that bear them', () => {
    const tool = { type: 'function', function: { name: 'clock' }, ...mark };
    const { body } = asked({
      messages: [
        { role: 'system', content: [{ ...text('Long.'), ...mark }] },
        { role: 'system', content: 'Short.' },
        { role: 'user', content: [{ ...text('Go'), ...mark }] },
        { role: 'tool', tool_call_id: 'a', content: [{ ...text('noon'), ...mark }] },
      ],
      tools: [tool],
    });
    expect(body['system']).toEqual([{ ...text('Long.'), ...mark }, text('Short.')]);
    expect(body['tools']).toEqual([{ name: 'clock', input_schema: { type: 'object' }, ...mark }]);
    const result = { type: 'tool_result', tool_use_id: 'a', content: [{ ...text('noon'), ...mark }] };
    expect(body['messages']).toEqual([{ role: 'user', content: [result, { ...text('Go'), ...mark }] }]);
  });

  it('are asked for where a client names its cache', () => {
    const cacheOf = (chat: Record<string, unknown>) => asked(chat).body['cache_control'];
    expect(cacheOf({ prompt_cache_key: 'k' })).toEqual({ type: 'ephemeral' });
    expect(cacheOf({ prompt_cache_retention: '24h' })).toEqual({ type: 'ephemeral', ttl: '1h' });
    expect(cacheOf({ cache_control: { type: 'ephemeral', ttl: '5m' }, prompt_cache_key: 'k' })).toEqual({
      type: 'ephemeral',
      ttl: '5m',
    });
    expect(asked({ prompt_cache_key: 'k' }).dropped).toEqual([]);
    expect(asked({ model: 'other', prompt_cache_key: 'k' })).toMatchObject({ dropped: ['prompt_cache_key'] });
  });
});

describe('thoughts', () => {
  const signed = { type: 'thinking', thinking: 'Hm.', signature: 'sig' };
  const hidden = { type: 'redacted_thinking', data: 'xyz' };
  const conversation = (blocks: unknown, reasoning?: string) => [
    { role: 'user', content: 'Go' },
    {
      role: 'assistant',
      content: 'Wait.',
      tool_calls: [call('a')],
      thinking_blocks: blocks,
      ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    },
    { role: 'tool', tool_call_id: 'a', content: 'noon' },
  ];
  const secondTurn = (chat: Record<string, unknown>) => {
    const { body } = asked({ max_tokens: 4_000, ...chat });
    return { content: (body['messages'] as { content: { type: string }[] }[])[1]?.content, body };
  };

  it('go back where they were signed, before everything else of their turn', () => {
    const { content } = secondTurn({ messages: conversation([signed, hidden]), reasoning_effort: 'low' });
    expect(content?.slice(0, 3)).toEqual([signed, hidden, text('Wait.')]);
  });

  it("stay behind without a signature: they are another vendor's", () => {
    const blocks = [{ type: 'thinking', thinking: 'Hm.' }, { type: 'redacted_thinking' }, { type: 'x' }, 7];
    const { content } = secondTurn({ model: 'claude-opus-4-6', messages: conversation(blocks, 'Hm.') });
    expect(content?.map(({ type }) => type)).toEqual(['text', 'tool_use']);
  });

  it('stay behind where the model does not think', () => {
    const { content } = secondTurn({ messages: conversation([signed]) });
    expect(content?.map(({ type }) => type)).toEqual(['text', 'tool_use']);
  });

  it('that led to a call have to be there for a model with a budget to go on thinking', () => {
    const { body } = secondTurn({ messages: conversation(null), reasoning_effort: 'low' });
    expect(body).not.toHaveProperty('thinking');
    expect(asked({ messages: conversation(null), reasoning_effort: 'low', max_tokens: 4_000 }).dropped).toEqual([
      'reasoning_effort',
    ]);
  });

  it('need nothing before a question of the user', () => {
    const messages = [...conversation(null), { role: 'user', content: 'And now?' }];
    expect(asked({ messages, reasoning_effort: 'low', max_tokens: 4_000 }).body).toHaveProperty('thinking');
    expect(asked({ messages: [{ role: 'tool', tool_call_id: 'a' }], reasoning_effort: 'low' }).body).toHaveProperty(
      'thinking',
    );
  });
});
