import { describe, expect, test } from 'vitest';
import { ChatStreamWriter, errorChunk, wholeChat } from '../../src/providers/mapping/chat-answer.ts';
import { openai } from '../../src/providers/openai.ts';
import type { Provider, Usage } from '../../src/providers/provider.ts';
import type { AnswerTranslator, TranslationContext, Wire } from '../../src/providers/wire.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ProxyBench } from '../support/proxy-bench.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

/** A vendor with a format of its own: `{say}` whole; streamed `{say}`, at the end `{over: tokens}`. */
const wire: Wire = {
  prepare: ({ basePath, body }) => ({ path: `${basePath}/speak`, headers: {}, body, dropped: ['seed', 'logit_bias'] }),
  refuses: (body) => (body['logprobs'] ? { param: 'logprobs', message: 'it tells no probabilities.' } : null),
  translator: (context) => new Speech(context),
};

class Speech implements AnswerTranslator {
  readonly #writer: ChatStreamWriter;
  readonly #context: TranslationContext;

  constructor(context: TranslationContext) {
    this.#context = context;
    this.#writer = new ChatStreamWriter({ id: 'speech-1', ...context });
  }

  whole(json: Readonly<Record<string, unknown>>) {
    const content = String(json['say']);
    const choice = { content, reasoning: null, refusal: null, toolCalls: [], finishReason: 'stop' } as const;
    return wholeChat({ id: 'speech-1', ...this.#context }, [choice], usageOf(json));
  }

  event({ json }: { json: unknown }) {
    const event = json as { say?: string; over?: number; error?: unknown };
    if (event.error) return errorChunk(event.error);
    if (event.over !== undefined) return this.#writer.finish('stop') + this.#writer.done(usageOf(event));
    return this.#writer.text(event.say ?? '');
  }

  end(rest: string) {
    return rest === '' ? '' : errorChunk(JSON.parse(rest));
  }
}

function usageOf(json: unknown): Usage | null {
  const tokens = (json as { over?: number }).over;
  return tokens === undefined
    ? null
    : { inputTokens: tokens, cachedInputTokens: 0, outputTokens: 1, reasoningTokens: 0 };
}

function setUp(provider: Provider = { ...openai, wires: { chat: wire }, readUsage: (json) => usageOf(json) }) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const bench = new ProxyBench({ clock, transport, targets: [{ provider }], settings: { attempts: 1 } });
  return { bench, transport };
}

describe('a vendor with a format of its own', () => {
  test('is asked in its way, and its whole answer comes as a chat', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const call = await transport.call();
    expect(call.request.path).toBe('/v1/speak');
    call.answer({ say: 'Hi', over: 7 });
    await chat.done;
    expect(chat.reply.json).toMatchObject({ object: 'chat.completion', choices: [{ message: { content: 'Hi' } }] });
    expect(bench.summary.tokens).toMatchObject({ input: 7, output: 1 });
  });

  test('says which fields it has no words for', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call()).answer({ say: 'Hi' });
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-dropped': 'seed, logit_bias' });
  });

  test('counts the fields that it leaves out rather than fill the head with them', async () => {
    const fields = [
      ...Array.from({ length: 40 }, (_, index) => `field_${index}`),
      'a\r\nset-cookie: b',
      'x'.repeat(65),
    ];
    const speaking: Wire = { ...wire, prepare: (call) => ({ ...wire.prepare(call), dropped: fields }) };
    const { bench, transport } = setUp({ ...openai, wires: { chat: speaking }, readUsage: () => null });
    const chat = bench.chat();
    (await transport.call()).answer({ say: 'Hi' });
    await chat.done;
    expect(chat.reply.headers['x-sluice-dropped']).toMatch(/^field_0, .*, field_31, 10 more$/);
  });

  test('refuses what it cannot do, by name, before anything is sent', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ logprobs: 1 });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'unsupported_value', details: { param: 'logprobs' } });
    expect(transport.calls).toEqual([]);
  });

  test('cannot be asked for what it does not speak', async () => {
    const { bench } = setUp({ ...openai, wires: {} });
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'unsupported_value', message: expect.stringContaining('offers chats') });
  });

  test.each([1, 3, 1_000])('streams as chunks, %i bytes at a time', async (size) => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    const call = (await transport.call()).stream();
    const bytes = ': hello\n\ndata: {"say":"Hé"}\n\ndata: {"say":"llo"}\n\ndata: {"over":9}\n\n';
    const all = Buffer.from(bytes);
    for (let at = 0; at < all.length; at += size) call.data(all.subarray(at, at + size));
    call.end();
    await chat.done;
    expect(chat.reply.text).toMatch(/"role":"assistant".*"Hé".*"llo".*"stop".*\[DONE\]/s);
    expect(chat.reply.text).not.toContain('usage');
    expect(bench.summary).toMatchObject({ status: 200, code: null, tokens: { input: 9 } });
  });

  test('ends without a blank line after its last event', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call()).stream().data('data: {"say":"a"}\n\ndata: {"over":9}').end();
    await chat.done;
    expect(chat.reply.text).toContain('[DONE]');
  });

  test.each([
    ['as its first event', 'data: {"error":{"message":"no","code":"x"}}\n\n'],
    ['behind its events', '{"error":{"message":"no"}}\n\n'],
    ['by breaking off', ''],
    ['by saying what is no JSON', 'data: oops\n\n'],
  ])('fails %s', async (_how, bytes) => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call()).stream().data(bytes).end();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error' });
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('fails in band after its first output', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    const call = (await transport.call()).stream().data('data: {"say":"a"}\n\n');
    call.fail('broken');
    await chat.done;
    expect(chat.reply.text).toContain('"error"');
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test.each([
    ['in the middle of an event', 'data: {"say":"unsa'],
    ['with an event that is no JSON', 'data: {"say":"unsa\n\ndata: {"over":9}\n\n'],
  ])('shows nothing of the vendor when it breaks off %s', async (_how, bytes) => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    const call = (await transport.call()).stream().data('data: {"say":"a"}\n\n');
    call.data(bytes).end();
    await chat.done;
    // Clients would stop at what they cannot read, and never see why.
    expect(chat.reply.text).not.toContain('unsa');
    expect(chat.reply.text).toMatch(/"error":.*\n\n$/);
    expect(chat.reply.text).not.toContain('[DONE]');
  });

  test('answers too much to be translated', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const call = (await transport.call()).sent().head(200, { 'content-type': 'application/json' });
    for (let sent = 0; sent < 9; sent++) call.data('x'.repeat(1_048_576));
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error' });
  });

  test('sends an event without an end', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    const call = (await transport.call()).stream();
    for (let sent = 0; sent < 9; sent++) call.data('x'.repeat(1_048_576));
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error' });
  });
});
