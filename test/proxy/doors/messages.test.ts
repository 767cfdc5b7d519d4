import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ProxyError } from '../../../src/errors.ts';
import { anthropic } from '../../../src/providers/anthropic/anthropic.ts';
import { openai } from '../../../src/providers/openai.ts';
import { messagesErrorBody } from '../../../src/proxy/doors/messages/error-body.ts';
import { countTokensDoor, messagesDoor } from '../../../src/proxy/doors/messages/messages.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type BenchTarget, ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

const USED = { input_tokens: 8, cache_read_input_tokens: 4, cache_creation_input_tokens: 0, output_tokens: 3 };
const ANSWER = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'Hi there' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: USED,
};

function named(type: string, fields: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const START = named('message_start', { message: { ...ANSWER, content: [], usage: { ...USED, output_tokens: 1 } } });
const PING = named('ping');
const BLOCK = named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
const HI = named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hi ' } });
const THERE = named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'there' } });
const BLOCK_STOP = named('content_block_stop', { index: 0 });
const DELTA = named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } });
const STOP = named('message_stop');
const OVERLOADED = named('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });

interface Options extends Omit<BenchTarget, 'keys'> {
  readonly attempts?: number;
}

function setUp({ attempts = 1, provider = anthropic, ...target }: Options = {}) {
  const transport = new ScriptedTransport();
  const clock = new FakeClock();
  const targets = [{ provider, keys: ['first', 'second'], ...target }];
  const bench = new ProxyBench({ clock, transport, settings: { attempts }, targets });
  const common = { max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] };
  const ask = (body: object = {}, headers: Record<string, string> = {}) =>
    bench.chat({ ...common, ...body }, { operation: 'messages', headers });
  const count = (body: object = {}) =>
    bench.chat({ messages: common.messages, ...body }, { operation: 'count_tokens' });
  return { bench, transport, clock, ask, count };
}

/** Lets the pause before another attempt pass. */
async function nextCall({ transport, clock }: ReturnType<typeof setUp>, number: number) {
  await setImmediate();
  clock.advance(10_000);
  return transport.call(number);
}

describe('a message', () => {
  test('is asked for with every byte but the name of the model, and comes back as it is', async () => {
    const { bench, transport, ask } = setUp();
    const body = { system: [{ type: 'text', text: 'Be brief.' }], stop_sequences: ['!'], top_k: 3 };
    const request = ask(body);
    const call = await transport.call();
    expect(call.request.path).toBe('/v1/messages');
    expect(call.json).toMatchObject({ model: 'gpt-upstream', max_tokens: 64, ...body });
    call.answer(ANSWER);
    await request.done;
    expect(request.reply.json).toEqual(ANSWER);
    expect(bench.summary.tokens).toMatchObject({ input: 12, cachedInput: 4, output: 3 });
  });

  test('takes the headers along that say of which form its body is, and no key', async () => {
    const { transport, ask } = setUp();
    ask({}, { 'anthropic-version': '2024-01-01', 'anthropic-beta': 'one,two', 'x-api-key': 'sk-client' });
    const { headers } = (await transport.call()).request;
    expect(headers).toMatchObject({ 'anthropic-version': '2024-01-01', 'anthropic-beta': 'one,two' });
    expect(headers['x-api-key']).toBe('sk-first');
  });

  test('says which version it means where the client does not', async () => {
    const { transport, ask } = setUp();
    ask();
    expect((await transport.call()).request.headers['anthropic-version']).toBe('2023-06-01');
  });

  test('streams byte for byte from its first output on', async () => {
    const { bench, transport, ask } = setUp();
    const request = ask({ stream: true });
    const call = (await transport.call()).stream().data(START).data(PING).data(BLOCK);
    expect(request.reply.isHeadSent).toBe(false);
    call.data(HI);
    expect(request.reply.text).toBe(START + BLOCK + HI);
    call.data(PING).data(THERE).data(BLOCK_STOP).data(DELTA).data(STOP);
    expect(request.reply.isEnded).toBe(true);
    call.end();
    await request.done;
    expect(request.reply.text).toBe(START + BLOCK + HI + PING + THERE + BLOCK_STOP + DELTA + STOP);
    expect(bench.summary).toMatchObject({ status: 200, tokens: { input: 12, output: 3 } });
  });

  test.each([
    ['a call', named('content_block_start', { index: 0, content_block: { type: 'tool_use', name: 'f', input: {} } })],
    ['a text that is there at once', named('content_block_start', { content_block: { type: 'text', text: 'a' } })],
    ['a reason why it ends', DELTA],
  ])('has begun with %s', async (_what, event) => {
    const { transport, ask } = setUp();
    const request = ask({ stream: true });
    (await transport.call()).stream().data(START + event);
    expect(request.reply.text).toBe(START + event);
  });

  test.each([
    ['a list', 'data: [1]\n\n'],
    ['an empty line', 'data:\n\n'],
    ['a block that is none', named('content_block_start')],
    ['a delta that is none', named('content_block_delta')],
    ['a thought that is empty', named('content_block_start', { content_block: { type: 'thinking', thinking: '' } })],
    ['an ending without a reason', named('message_delta')],
  ])('has not begun with %s', async (_what, event) => {
    const { transport, ask } = setUp();
    const request = ask({ stream: true });
    (await transport.call()).stream().data(START + event);
    expect(request.reply.isHeadSent).toBe(false);
  });

  test.each([
    ['an error', START + OVERLOADED],
    ['no JSON', 'event: message_start\ndata: oops\n\n'],
    ['an end without an answer', `${START}data: [DONE]\n\n`],
    ['nothing at all', ''],
  ])('that fails with %s before its first output is asked for again', async (_what, bytes) => {
    const world = setUp({ attempts: 2 });
    const request = world.ask({ stream: true });
    (await world.transport.call()).stream().data(bytes).end();
    (await nextCall(world, 2))
      .stream()
      .data(START + BLOCK + HI + BLOCK_STOP + DELTA + STOP)
      .end();
    await request.done;
    expect(request.reply.text).toBe(START + BLOCK + HI + BLOCK_STOP + DELTA + STOP);
  });

  test('that fails after its first output ends with an error in its own form', async () => {
    const { transport, ask } = setUp();
    const request = ask({ stream: true });
    (await transport.call()).stream().data(START + BLOCK + HI + OVERLOADED);
    await request.done;
    const [, json = ''] = /event: error\ndata: (.*)\n\n$/.exec(request.reply.text) ?? [];
    expect(JSON.parse(json)).toEqual({
      type: 'error',
      error: {
        type: 'overloaded_error',
        message: expect.stringMatching(/Overloaded.*Request id: req_1/),
        details: { error_code: 'upstream_overloaded' },
      },
      request_id: null,
    });
  });

  test('that is too long is refused in the words that agents look for', async () => {
    for (const words of ['prompt is too long: 9 tokens > 8 maximum', 'too many tokens for the context window']) {
      const { transport, ask } = setUp();
      const request = ask();
      const error = { type: 'invalid_request_error', message: words };
      (await transport.call()).answer({ type: 'error', error }, 400);
      await request.done;
      const { status, toBody } = request.error as ProxyError;
      const told = messagesErrorBody(toBody.call(request.error), status, 'req_1').error;
      expect(told.message).toMatch(/^prompt is too long: (?!prompt)/);
    }
  });

  test('that ends without its last event, but with its reason, is complete', async () => {
    const { bench, transport, ask } = setUp();
    const request = ask({ stream: true });
    (await transport.call())
      .stream()
      .data(START + BLOCK + HI + BLOCK_STOP + DELTA)
      .end();
    await request.done;
    expect(bench.summary.code).toBeNull();
  });

  test('that is not complete is a failure', async () => {
    const { bench, transport, ask } = setUp();
    const request = ask({ stream: true });
    (await transport.call())
      .stream()
      .data(START + BLOCK + HI)
      .end();
    await request.done;
    expect(bench.summary.code).toBe('upstream_error');
  });

  test.each([
    [{ tools: [{ name: 'f', input_schema: {} }] }, 'tools'],
    [{ output_config: { format: { type: 'json_schema', schema: {} } } }, 'json_schema'],
    [{ output_format: { type: 'json_schema', schema: {} } }, 'json_schema'],
    [user({ type: 'image', source: { type: 'url', url: 'https://a.test/b.png' } }), 'vision'],
    [user({ type: 'document', source: { type: 'base64', data: 'JVBERi0=' } }), 'files'],
    [user({ type: 'document', source: { type: 'content', content: [{ type: 'image', source: {} }] } }), 'vision'],
    [user({ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'image', source: {} }] }), 'vision'],
  ])('%j needs a target that has %s', async (body, capability) => {
    const { transport, ask } = setUp({ changes: { supports: new Set() } });
    const request = ask(body);
    await request.done;
    expect(request.error).toMatchObject({ message: expect.stringContaining(`: ${capability}.`) });
    expect(transport.calls).toEqual([]);
  });

  test.each([
    user({ type: 'text', text: 'Hi' }),
    user('Hi'),
    user(7),
    user({ type: 'document', source: { type: 'text', data: 'Hi' } }),
    { metadata: { user_id: 'u' }, system: 'Be brief.', thinking: { type: 'enabled', budget_tokens: 1024 } },
  ])('%j needs nothing', async (body) => {
    const { transport, ask } = setUp({ changes: { supports: new Set() } });
    ask(body);
    expect((await transport.call()).json).toMatchObject(body);
  });

  test.each([
    [{ messages: [] }, 'invalid_type', 'messages'],
    [{ messages: null }, 'missing_required_parameter', 'messages'],
    [{ messages: ['Hi'] }, 'invalid_type', 'messages[0]'],
    [{ messages: [{ content: 'Hi' }] }, 'invalid_type', 'messages[0].role'],
    [{ messages: [{ role: 'user' }] }, 'invalid_type', 'messages[0].content'],
    [{ max_tokens: null }, 'missing_required_parameter', 'max_tokens'],
    [{ max_tokens: 0 }, 'invalid_type', 'max_tokens'],
    [{ system: 7 }, 'invalid_type', 'system'],
    [{ stream: 'yes' }, 'invalid_type', 'stream'],
    [{ thinking: true }, 'invalid_type', 'thinking'],
  ])('%j is refused by the name of the field', async (body, code, param) => {
    const { ask } = setUp();
    const request = ask(body);
    await request.done;
    expect(request.error).toMatchObject({ code, details: { param } });
  });
});

describe('counting tokens', () => {
  test('is a request without tokens where the vendor counts itself', async () => {
    const { bench, transport, count } = setUp();
    const request = count({ tools: [] });
    const call = await transport.call();
    expect(call.request.path).toBe('/v1/messages/count_tokens');
    expect(bench.booked(0, 0)).toBe(1);
    call.answer({ input_tokens: 2095 });
    await request.done;
    expect(request.reply.json).toEqual({ input_tokens: 2095 });
    expect(bench.summary.status).toBe(200);
  });

  test('says nothing of the limits on messages', async () => {
    const { bench, transport, ask, count } = setUp();
    const head = { 'anthropic-ratelimit-requests-limit': '600', 'anthropic-ratelimit-requests-remaining': '1' };
    const request = count();
    (await transport.call()).answer({ input_tokens: 7 }, 200, head);
    await request.done;
    expect(bench.booked(0, 0)).toBe(1);
    const message = ask();
    (await transport.call(2)).answer(ANSWER, 200, head);
    await message.done;
    expect(bench.booked(0, 0)).toBe(599);
  });

  test('weighs nothing on the limits on tokens', () => {
    expect(countTokensDoor.measure({ messages: [{ role: 'user', content: 'Hello' }] })).toEqual({
      chat: { messages: [] },
      knownTokens: 0,
    });
  });

  test('is our own estimate where no vendor does, without a key', async () => {
    const { bench, transport, count } = setUp({ provider: openai });
    const request = count();
    await request.done;
    expect(request.reply.json).toEqual({ input_tokens: 10 });
    expect(transport.calls).toEqual([]);
    expect(bench.booked(0, 0)).toBe(0);
    expect(bench.summary).toMatchObject({ status: 200, attempts: 0 });
  });

  test('checks the same fields, but for the cap', async () => {
    const { count } = setUp();
    const request = count({ messages: 'Hello' });
    await request.done;
    expect(request.error).toMatchObject({ code: 'invalid_type', details: { param: 'messages' } });
  });
});

describe('the weight of a message', () => {
  const weigh = (body: object) => messagesDoor.measure(body as Record<string, unknown>).chat;

  test('is that of a chat with the same words', () => {
    const body = {
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 'x' },
            { type: 'redacted_thinking', data: 'x' },
            { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Ghent' } },
            { type: 'tool_use', id: 'b', name: 'time' },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'Rain.' }, 'odd'] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b' }] },
        'odd',
      ],
      tools: [
        { name: 'weather', description: 'Weather.', input_schema: { type: 'object' } },
        { type: 'bash_1' },
        'odd',
      ],
      tool_choice: { type: 'tool', name: 'weather' },
      output_config: { format: { type: 'json_schema', schema: {} } },
    };
    const text = (value: string) => ({ type: 'text', text: value });
    expect(weigh(body)).toEqual({
      messages: [
        { role: 'system', content: [text('Be brief.')] },
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          content: [text('Hm.')],
          tool_calls: [
            { function: { name: 'weather', arguments: '{"city":"Ghent"}' } },
            { function: { name: 'time', arguments: '{}' } },
          ],
        },
        { role: 'user', content: ['odd'] },
        { role: 'tool', content: 'Rain.' },
        { role: 'user', content: [] },
        { role: 'tool', content: '' },
        'odd',
      ],
      tools: [
        { function: { name: 'weather', description: 'Weather.', parameters: { type: 'object' } } },
        { type: 'bash_1' },
        'odd',
      ],
      tool_choice: { function: { type: 'tool', name: 'weather' } },
      response_format: { json_schema: { type: 'json_schema', schema: {} } },
    });
  });

  test.each([
    [
      { type: 'image', source: { media_type: 'image/png', data: 'a'.repeat(9_000) } },
      [image(`data:image/png;base64,${'a'.repeat(4_000)}`)],
    ],
    [{ type: 'image', source: { type: 'url', url: 'https://a.test/b' } }, [image('https://a.test/b')]],
    [{ type: 'image' }, [image(null)]],
    [{ type: 'document', source: { type: 'text', data: 'Hi' } }, [{ type: 'text', text: 'Hi' }]],
    [
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'Hi' }] } },
      [{ type: 'text', text: 'Hi' }],
    ],
    [
      { type: 'document', source: { type: 'base64', data: 'JVBERi0=' } },
      [{ type: 'file', file: { file_data: 'JVBERi0=' } }],
    ],
    [{ type: 'document' }, []],
    [{ type: 'search_result', title: 'a' }, [{ type: 'text', text: '{"type":"search_result","title":"a"}' }]],
  ])('of %j is that of the part', (block, parts) => {
    expect(weigh({ messages: [{ role: 'user', content: [block] }] })).toEqual({
      messages: [{ role: 'user', content: parts }],
    });
  });
});

function image(url: string | null): object {
  return { type: 'image_url', image_url: { url } };
}

function user(content: unknown): { messages: readonly object[] } {
  return {
    messages: [
      {
        role: 'user',
        content: typeof content === 'object' ? [content] : typeof content === 'number' ? [content] : content,
      },
    ],
  };
}
