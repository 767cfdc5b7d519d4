import { describe, expect, test } from 'vitest';
import { overChat } from '../../../src/providers/bridge/over-chat.ts';
import { openai } from '../../../src/providers/openai.ts';
import type { ProviderCall, Wire } from '../../../src/providers/wire.ts';
import { DONE, event, HELLO, ROLE, STOP, USAGE } from '../../support/chat-answers.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';
import { messageIn } from './read-stream.ts';

const MESSAGE = { max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] };

function callWith(body: object | string, isStreaming = false): ProviderCall {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return { body: bytes, model: 'gpt-5', isStreaming, apiKey: 'sk', basePath: '/v1', apiVersion: null };
}

const CHAT: Wire = {
  adapt: (fields) => {
    fields.set('max_tokens', fields.valueOf('max_completion_tokens'));
    fields.drop('max_completion_tokens');
  },
  prepare: ({ body, basePath }) => ({ path: `${basePath}/chat`, headers: { a: 'b' }, body, dropped: ['seed'] }),
  refuses: ({ user }, model) => (user === 'nobody' ? { param: 'user', message: model } : null),
};

function bridge(chat: Partial<Wire> = {}, asksForUsage = true) {
  return overChat(
    { ...CHAT, ...chat },
    { vendor: 'acme', readUsage: (json) => openai.readUsage(json, null), asksForUsage },
  );
}

describe('a bridge', () => {
  test("asks by the vendor's own way of asking for chats", () => {
    const { body, ...prepared } = bridge().prepare(callWith({ ...MESSAGE, top_k: 3 }));
    expect(prepared).toEqual({ path: '/v1/chat', headers: { a: 'b' }, dropped: ['top_k', 'seed'] });
    expect(JSON.parse(body.toString())).toEqual({ model: 'gpt-5', messages: MESSAGE.messages, max_tokens: 64 });
  });

  test.each([
    [true, true, { include_usage: true }],
    [true, false, undefined],
    [false, true, undefined],
  ])('asks for usage: streamed %s, has to be asked %s', (isStreaming, asksForUsage, options) => {
    const { body } = bridge({}, asksForUsage).prepare(callWith(MESSAGE, isStreaming));
    expect(JSON.parse(body.toString())['stream_options']).toEqual(options);
  });

  test('needs nothing of a vendor but that it can be asked', () => {
    const { prepare } = overChat(
      { prepare: ({ body }) => ({ path: '/', headers: {}, body }) },
      { vendor: 'acme', readUsage: () => null, asksForUsage: false },
    );
    expect(prepare(callWith('oops')).dropped).toEqual([]);
  });

  test('refuses what messages cannot be over chats, and what the vendor refuses', () => {
    const wire = bridge();
    expect(wire.refuses?.({ ...MESSAGE, tools: [{ type: 'bash_20250124' }] }, 'm')).toMatchObject({
      param: 'tools[0]',
    });
    expect(wire.refuses?.({ ...MESSAGE, metadata: { user_id: 'nobody' } }, 'm')).toEqual({
      param: 'user',
      message: 'm',
    });
    expect(wire.refuses?.(MESSAGE, 'm')).toBeNull();
    const { refuses: _none, ...unrefusing } = CHAT;
    expect(
      overChat(unrefusing, { vendor: 'acme', readUsage: () => null, asksForUsage: false }).refuses?.(MESSAGE, 'm'),
    ).toBeNull();
  });
});

describe("a message to a vendor of OpenAI's format", () => {
  function setUp() {
    const transport = new ScriptedTransport();
    const { chat } = openai.wires;
    if (!chat) throw new Error('no chats');
    const readUsage = openai.readUsage;
    const wires = { messages: overChat(chat, { vendor: 'acme', readUsage, asksForUsage: true }) };
    const bench = new ProxyBench({
      clock: new FakeClock(),
      transport,
      targets: [{ changes: { wires } }],
      settings: { attempts: 1 },
    });
    const ask = (body: object) => bench.chat({ ...MESSAGE, ...body }, { operation: 'messages' });
    return { bench, transport, ask };
  }

  test.each([1, 2, 3, 7, 100_000])('streams the same, %i bytes at a time', async (size) => {
    const { bench, transport, ask } = setUp();
    const request = ask({ stream: true });
    const call = await transport.call();
    expect(call.json).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    call.stream();
    const bytes = Buffer.from(ROLE + HELLO + event({ choices: [{ delta: { content: ' é' } }] }) + STOP + USAGE + DONE);
    for (let at = 0; at < bytes.length; at += size) call.data(bytes.subarray(at, at + size));
    expect(request.reply.isEnded).toBe(true);
    call.end();
    await request.done;
    expect(messageIn(request.reply.text)).toMatchObject({
      content: [{ type: 'text', text: 'Hello there é' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 12, output_tokens: 3 },
    });
    expect(bench.summary).toMatchObject({ status: 200, tokens: { input: 12, output: 3 } });
  });

  test('says nothing of the usage that it was not told', async () => {
    const { bench, transport, ask } = setUp();
    const request = ask({ stream: true });
    (await transport.call())
      .stream()
      .data(ROLE + HELLO + STOP + DONE)
      .end();
    await request.done;
    expect(messageIn(request.reply.text)).toMatchObject({ usage: { input_tokens: 10, output_tokens: 0 } });
    expect(bench.summary.tokens).toMatchObject({ input: null, output: null });
  });

  test.each([
    ['an error', event({ error: { message: 'No.', type: 'server_error' } })],
    ['nothing but its end', DONE],
    ['half an answer', ROLE],
  ])('fails with %s', async (_what, bytes) => {
    const { bench, transport, ask } = setUp();
    const request = ask({ stream: true });
    (await transport.call()).stream().data(bytes).end();
    await request.done;
    expect(request.error).toMatchObject({ code: 'upstream_error' });
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('fails as a chat does where there is nothing at the path of chats', async () => {
    const { transport, ask } = setUp();
    const request = ask({});
    (await transport.call()).answer('Not found', 404);
    await request.done;
    expect(request.error).toMatchObject({
      code: 'upstream_error',
      message: expect.not.stringContaining('ask for a chat'),
    });
  });

  test('fails in the form of its door after its first output', async () => {
    const { transport, ask } = setUp();
    const request = ask({ stream: true });
    (await transport.call())
      .stream()
      .data(ROLE + HELLO)
      .fail('broken');
    await request.done;
    expect(request.reply.text).toMatch(/\n\nevent: error\ndata: \{"type":"error".*\n\n$/);
  });
});
