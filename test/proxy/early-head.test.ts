import { describe, expect, test } from 'vitest';
import type { EarlyHead } from '../../src/proxy/client-answer.ts';
import { apiError, COMPLETION } from '../support/chat-answers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type BenchOptions, ProxyBench } from '../support/proxy-bench.ts';
import { ReplyDouble } from '../support/reply-double.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const WHITESPACE: EarlyHead = { mode: 'whitespace', afterMs: 15_000 };
const INTERIM: EarlyHead = { mode: 'interim', afterMs: 15_000 };

function setUp(earlyHead: EarlyHead | null, options: Partial<BenchOptions> = {}) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const settings = { ...options.settings, earlyHead };
  const bench = new ProxyBench({ clock, transport, maxWaitMs: 600_000, ...options, settings });
  return { clock, transport, bench };
}

/** Lets what was promised run: no timer is involved. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a client that waits for a whole answer, with white space', () => {
  test('gets a 200 and a newline for every silent 15 s upstream, and then its answer', async () => {
    const { bench, transport, clock } = setUp(WHITESPACE);
    const chat = bench.chat();
    const call = (await transport.call()).sent();
    clock.advance(14_999);
    expect(chat.reply.isHeadSent).toBe(false);
    clock.advance(15_001);
    expect(chat.reply).toMatchObject({ status: 200, text: '\n\n' });
    expect(chat.reply.headers).toMatchObject({ 'content-type': 'application/json', 'x-accel-buffering': 'no' });
    call.answer(COMPLETION);
    await chat.done;
    expect(chat.reply).toMatchObject({ text: `\n\n${JSON.stringify(COMPLETION)}`, isEnded: true });
    expect(chat.reply.json).toEqual(COMPLETION);
    expect(bench.summary).toMatchObject({ status: 200, firstByteMs: 30_000 });
    expect(clock.pendingTimers).toBe(1);
  });

  test('gets one while it is still queued, and is then served', async () => {
    const { bench, transport, clock } = setUp(WHITESPACE, { targets: [{ rpm: 1 }] });
    const first = bench.chat();
    (await transport.call()).answer(COMPLETION);
    await first.done;
    const second = bench.chat();
    await settle();
    clock.advance(15_000);
    expect(second.reply.text).toBe('\n');
    clock.advance(50_000);
    (await transport.call(2)).answer(COMPLETION);
    await second.done;
    expect(second.reply.json).toEqual(COMPLETION);
  });

  test('is served by another key when the first one fails after it', async () => {
    const { bench, transport, clock } = setUp(WHITESPACE, { targets: [{ keys: ['first', 'second'] }] });
    const chat = bench.chat();
    const call = await transport.call();
    clock.advance(20_000);
    call.answer(apiError('boom'), 500);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.json).toEqual(COMPLETION);
    expect(bench.summary).toMatchObject({ attempts: 2, key: 'second' });
  });

  test('is told in the body when all attempts fail, and the body is one JSON', async () => {
    const { bench, transport, clock } = setUp(WHITESPACE, { settings: { attempts: 1 } });
    const chat = bench.chat();
    const call = await transport.call();
    clock.advance(20_000);
    call.answer(apiError('boom'), 500);
    await chat.done;
    expect(chat.error).toBeNull();
    expect(chat.reply).toMatchObject({ status: 200, isEnded: true });
    expect(chat.reply.json).toMatchObject({
      error: { code: 'upstream_error', type: 'server_error', message: expect.stringMatching(/Request id: req_1$/) },
    });
    expect(bench.summary).toMatchObject({ status: 200, code: 'upstream_error' });
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('is told so whatever the endpoint, and not in an event', async () => {
    const { bench, transport, clock } = setUp(WHITESPACE, { settings: { attempts: 1 } });
    const chat = bench.chat({ input: 'Hello' }, { operation: 'responses' });
    const call = await transport.call();
    clock.advance(20_000);
    call.answer(apiError('boom'), 500);
    await chat.done;
    expect(chat.reply.json).toMatchObject({ error: { code: 'upstream_error' } });
  });

  test('keeps its status when it fails before the silence is over', async () => {
    const { bench, transport, clock } = setUp(WHITESPACE, { settings: { attempts: 1 } });
    const chat = bench.chat();
    const call = await transport.call();
    clock.advance(14_000);
    call.answer(apiError('boom'), 500);
    await chat.done;
    expect(chat.error).toMatchObject({ status: 502 });
    expect(chat.reply.isHeadSent).toBe(false);
  });

  test('finds nothing put between the bytes of an answer that is passed on as it comes', async () => {
    const { bench, transport, clock } = setUp(WHITESPACE);
    const chat = bench.chat();
    const call = (await transport.call()).sent().head();
    const text = JSON.stringify({ ...COMPLETION, filler: 'x'.repeat(9 * 1024 * 1024) });
    call.data(text.slice(0, -100_000));
    clock.advance(40_000);
    call.data(text.slice(-100_000)).end();
    await chat.done;
    expect(chat.reply.text === text).toBe(true);
  });

  test('is left without an end when such an answer breaks off: its owner cuts it', async () => {
    const { bench, transport, clock } = setUp(WHITESPACE);
    const chat = bench.chat();
    const call = (await transport.call()).sent().head();
    clock.advance(15_000);
    call.data('x'.repeat(9 * 1024 * 1024)).fail('broken');
    await chat.done;
    expect(chat.reply.isEnded).toBe(false);
    expect(bench.summary).toMatchObject({ code: 'upstream_error' });
  });

  test('that does not read gets no heap of newlines', async () => {
    const reply = new ReplyDouble();
    reply.isReading = false;
    const { bench, clock } = setUp(WHITESPACE);
    bench.chat({}, { reply });
    clock.advance(100_000);
    expect(reply.text).toBe('\n');
  });

  test('gets them once, however many requests its choices are made of', async () => {
    const { bench, transport, clock } = setUp(WHITESPACE, { targets: [{ changes: { supports: new Set() } }] });
    const chat = bench.chat({ n: 2 });
    const calls = [await transport.call(1), await transport.call(2)];
    clock.advance(15_000);
    expect(chat.reply.text).toBe('\n');
    for (const call of calls) call.answer(COMPLETION);
    await chat.done;
    expect(chat.reply.json).toMatchObject({ choices: [{ index: 0 }, { index: 1 }] });
  });

  test('is not confused with one that streams', async () => {
    const { bench, clock } = setUp(WHITESPACE);
    const chat = bench.chat({ stream: true });
    clock.advance(20_000);
    expect(chat.reply.text).toBe(': keepalive\n\n');
  });
});

describe('a client that waits for a whole answer, with interim heads', () => {
  test('gets one for every silent 15 s, and keeps the status', async () => {
    const { bench, transport, clock } = setUp(INTERIM, { settings: { attempts: 1 } });
    const chat = bench.chat();
    const call = await transport.call();
    clock.advance(45_000);
    expect(chat.reply).toMatchObject({ isHeadSent: false, processings: 3, text: '' });
    call.answer(apiError('boom'), 500);
    await chat.done;
    expect(chat.error).toMatchObject({ status: 502, code: 'upstream_error' });
  });

  test('gets none when streaming, and none by default', async () => {
    const { bench, clock } = setUp(INTERIM);
    const streaming = bench.chat({ stream: true });
    clock.advance(60_000);
    expect(streaming.reply.processings).toBe(0);
    const plain = setUp(null);
    const chat = plain.bench.chat();
    plain.clock.advance(100_000);
    expect(chat.reply).toMatchObject({ isHeadSent: false, processings: 0 });
  });
});
