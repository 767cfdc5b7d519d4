import { describe, expect, test } from 'vitest';
import type { TokenEstimate } from '../../src/tokens/estimate.ts';
import { COMPLETION, DONE, HELLO, ROLE, STOP, USAGE } from '../support/chat-answers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type BenchOptions, ProxyBench } from '../support/proxy-bench.ts';
import { ReplyDouble } from '../support/reply-double.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const STREAM = { stream: true };

function setUp(options: Partial<BenchOptions> = {}) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const bench = new ProxyBench({ clock, transport, ...options });
  return { clock, transport, bench };
}

/** Lets what was promised run: no timer is involved. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a whole answer', () => {
  test('goes to the client byte for byte once it is complete, and not before', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const call = (await transport.call()).sent().head();
    const text = ` ${JSON.stringify(COMPLETION, null, 2)}\n`;
    call.data(text.slice(0, 30)).data(text.slice(30));
    expect(chat.reply.isHeadSent).toBe(false);
    call.end();
    await chat.done;
    expect(chat.reply).toMatchObject({ status: 200, text, isEnded: true });
    expect(call.orders).toContain('first event');
  });

  test('names the upstream that served it, passes on its two headers and no others', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const theirs = {
      'openai-processing-ms': '42',
      'openai-version': '2020-10-01',
      'openai-organization': 'org-secret',
    };
    (await transport.call()).answer(COMPLETION, 200, { ...theirs, 'set-cookie': ['a', 'b'] });
    await chat.done;
    expect(chat.reply.headers).toEqual({
      'content-type': 'application/json',
      'openai-processing-ms': '42',
      'openai-version': '2020-10-01',
      'x-ratelimit-limit-requests': '100',
      'x-sluice-provider': 'acme',
      'x-sluice-key': 'first',
      'x-sluice-model': 'gpt-upstream',
      'x-sluice-attempts': '1',
      'x-sluice-queue-ms': '0',
    });
  });

  test('says nothing of keys where debug headers are off', async () => {
    const settings = { streamKeepaliveMs: null, hasDebugHeaders: false };
    const { bench, transport } = setUp({ settings });
    const chat = bench.chat();
    (await transport.call()).answer(COMPLETION, 200, { 'openai-version': 'ü' });
    await chat.done;
    expect(Object.keys(chat.reply.headers)).toEqual(['x-ratelimit-limit-requests', 'content-type']);
  });

  test('is booked as the upstream counted it', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat({ max_tokens: 100 });
    const call = await transport.call();
    expect([bench.booked(0, 0), bench.booked(0, 1)]).toEqual([1, 111]);
    call.answer(COMPLETION);
    await chat.done;
    clock.advance(1_000);
    expect([bench.booked(0, 0), bench.booked(0, 1)]).toEqual([1, 15]);
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('teaches how the upstream counts and how long answers are', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call()).answer(COMPLETION);
    await chat.done;
    expect(bench.calibration.correction('acme', 'gpt-upstream')).toMatchObject({ answers: 1 });
    expect(bench.outputs.size).toBeGreaterThan(0);
  });

  test('lets go of the body as soon as it is complete', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const call = (await transport.call()).sent().head().data(JSON.stringify(COMPLETION));
    expect(chat.releases).toBe(0);
    call.end();
    expect(chat.releases).toBe(1);
    await chat.done;
  });

  test('of more than 8 MiB is passed on as it comes, no faster than the client reads', async () => {
    const { bench, transport } = setUp();
    const reply = new ReplyDouble();
    reply.isReading = false;
    const chat = bench.chat({}, { reply });
    const call = (await transport.call()).sent().head();
    const piece = 'x'.repeat(3 * 1024 * 1024);
    call.data(piece).data(piece);
    expect(reply.isHeadSent).toBe(false);
    call.data(piece).data(piece);
    expect(reply.status).toBe(200);
    expect(call.orders).toEqual(['first event', 'pause']);
    reply.drain();
    reply.drain();
    expect(call.orders).toEqual(['first event', 'pause', 'resume']);
    call.end();
    await chat.done;
    expect(reply.text.length).toBe(4 * piece.length);
    expect(bench.summary).toMatchObject({ status: 200, code: null });
  });

  test('of more than 8 MiB that breaks is left without an end, for the connection to be cut', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const call = (await transport.call()).sent().head();
    call.data('x'.repeat(9 * 1024 * 1024)).fail('broken');
    await chat.done;
    expect(chat.reply).toMatchObject({ status: 200, isEnded: false });
    expect(chat.error).toBeNull();
    expect(bench.summary).toMatchObject({ status: 200, code: 'upstream_error' });
    expect(transport.calls.length).toBe(1);
  });
});

describe('a streamed answer', () => {
  test('begins with its first output, and what came before goes with it', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat(STREAM);
    const call = (await transport.call()).stream({ 'openai-processing-ms': '7' });
    call.data(ROLE);
    expect(chat.reply.isHeadSent).toBe(false);
    expect(chat.releases).toBe(0);
    call.data(HELLO);
    expect(chat.reply).toMatchObject({ status: 200, text: ROLE + HELLO });
    expect(chat.releases).toBe(1);
    expect(chat.reply.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'openai-processing-ms': '7',
      'x-sluice-key': 'first',
    });
    call.data(STOP + USAGE + DONE).end();
    await chat.done;
    expect(chat.reply).toMatchObject({ text: ROLE + HELLO + STOP + DONE, isEnded: true });
  });

  test('is asked for its usage, which is booked and kept from a client that did not ask', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat(STREAM);
    const call = (await transport.call()).stream();
    expect(call.json).toMatchObject({ model: 'gpt-upstream', stream_options: { include_usage: true } });
    call.data(HELLO + STOP + USAGE + DONE).end();
    await chat.done;
    clock.advance(1_000);
    expect(bench.booked(0, 1)).toBe(15);
    expect(chat.reply.text).not.toContain('usage');
    expect(bench.summary.tokens).toMatchObject({ input: 12, output: 3 });
    expect(bench.calibration.correction('acme', 'gpt-upstream').answers).toBe(1);
  });

  test('shows its usage to a client that asked', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ ...STREAM, stream_options: { include_usage: true } });
    (await transport.call())
      .stream()
      .data(HELLO + STOP + USAGE + DONE)
      .end();
    await chat.done;
    expect(chat.reply.text).toContain('"completion_tokens":3');
  });

  test('that ends with a finish reason is complete without [DONE]', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat(STREAM);
    (await transport.call())
      .stream()
      .data(HELLO + STOP)
      .end();
    await chat.done;
    expect(chat.reply).toMatchObject({ text: HELLO + STOP, isEnded: true });
    expect(bench.summary).toMatchObject({ status: 200, code: null });
  });

  test('is over for the client at [DONE], whatever the connection does afterwards', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat(STREAM);
    const call = (await transport.call()).stream().data(HELLO + STOP + DONE);
    expect(chat.reply.isEnded).toBe(true);
    expect(bench.scheduler.openLeases).toBe(1);
    call.fail('broken');
    await chat.done;
    expect(bench.summary).toMatchObject({ status: 200, code: null });
  });

  test('whose upstream does not close after [DONE] is cut after a second', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat(STREAM);
    const call = (await transport.call()).stream().data(HELLO + STOP + DONE);
    clock.advance(999);
    expect(call.isOver).toBe(false);
    clock.advance(1);
    await chat.done;
    expect(call.orders.at(-1)).toBe('abort');
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('stops the upstream while a megabyte is unsent', async () => {
    const { bench, transport } = setUp();
    const reply = new ReplyDouble();
    reply.isReading = false;
    const chat = bench.chat(STREAM, { reply });
    const call = (await transport.call()).stream().data(HELLO);
    const large = HELLO.replace('Hello there', 'x'.repeat(600_000));
    call.data(large).data(large);
    expect(call.orders).toContain('pause');
    reply.drain();
    expect(call.orders.at(-1)).toBe('resume');
    call.data(STOP + DONE).end();
    await chat.done;
    expect(reply.isEnded).toBe(true);
  });
});

describe('a client that waits for a stream', () => {
  test('gets comments after twenty silent seconds, and then its answer', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat(STREAM);
    const call = await transport.call();
    clock.advance(20_000);
    expect(chat.reply).toMatchObject({ status: 200, text: ': keepalive\n\n' });
    expect(chat.reply.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8' });
    clock.advance(20_000);
    call.stream().data(HELLO);
    clock.advance(20_000);
    call.data(STOP + DONE).end();
    await chat.done;
    const comment = ': keepalive\n\n';
    expect(chat.reply.text).toBe(comment + comment + HELLO + comment + STOP + DONE);
    expect(bench.summary.firstByteMs).toBe(40_000);
  });

  test('that does not read gets no heap of comments', async () => {
    const { bench, transport, clock } = setUp();
    const reply = new ReplyDouble();
    reply.isReading = false;
    const chat = bench.chat(STREAM, { reply });
    await transport.call();
    clock.advance(100_000);
    expect(reply.text).toBe(': keepalive\n\n');
    reply.leave();
    await chat.done;
    expect(clock.pendingTimers).toBeLessThanOrEqual(1);
  });

  test('is told in band when all attempts fail after a comment', async () => {
    const { bench, transport, clock } = setUp({ settings: { attempts: 1 } });
    const chat = bench.chat(STREAM);
    const call = await transport.call();
    clock.advance(20_000);
    call.answer('', 500);
    await chat.done;
    expect(chat.error).toBeNull();
    const [comment, event] = chat.reply.text.split('\n\n');
    expect(comment).toBe(': keepalive');
    const { error } = JSON.parse(String(event).replace('data: ', '')) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code: 'upstream_error', type: 'server_error' });
    expect(error['message']).toMatch(/Request id: req_1$/);
    expect(chat.reply.isEnded).toBe(true);
    expect(chat.reply.text).not.toContain('[DONE]');
    expect(bench.summary).toMatchObject({ status: 200, code: 'upstream_error' });
  });

  test('gets a comment while it is still queued, and is then served', async () => {
    const { bench, transport, clock } = setUp({ targets: [{ rpm: 1 }], maxWaitMs: 120_000 });
    bench.chat();
    (await transport.call(1)).answer(COMPLETION);
    const chat = bench.chat(STREAM);
    await settle();
    clock.advance(25_000);
    expect(chat.reply.text).toBe(': keepalive\n\n');
    expect(chat.reply.headers).not.toHaveProperty('x-sluice-key');
    clock.advance(36_000);
    (await transport.call(2))
      .stream()
      .data(HELLO + STOP + DONE)
      .end();
    await chat.done;
    expect(chat.reply.text).toContain(HELLO);
  });

  test('that did not ask for a stream waits in silence', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat();
    const call = await transport.call();
    clock.advance(50_000);
    expect(chat.reply.isHeadSent).toBe(false);
    call.answer(COMPLETION);
    await chat.done;
  });
});

describe('the queue', () => {
  test('holds a request until its key can afford it, and says which limit it waited for', async () => {
    const { bench, transport, clock } = setUp({ targets: [{ rpm: 1 }], maxWaitMs: 120_000 });
    const first = bench.chat();
    (await transport.call(1)).answer(COMPLETION);
    await first.done;
    const second = bench.chat();
    await settle();
    expect(transport.calls.length).toBe(1);
    clock.advance(61_000);
    (await transport.call(2)).answer(COMPLETION);
    await second.done;
    const summary = bench.summaries[1];
    expect(summary).toMatchObject({ limit: 'first rpm', attempts: 1, status: 200 });
    expect(summary?.queueMs).toBeGreaterThan(59_000);
    expect(second.reply.headers['x-sluice-queue-ms']).toMatch(/^6\d{4}$/);
  });

  test('refuses at once who would wait too long, and keeps the place', async () => {
    const { bench, transport, clock } = setUp({ targets: [{ rpm: 1 }], maxWaitMs: 5_000 });
    bench.chat();
    (await transport.call()).answer(COMPLETION);
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'queue_wait_exceeded', retry: 'promise' });
    expect(chat.error).toHaveProperty('details.headers.x-sluice-attempts', '0');
    expect(chat.error).toHaveProperty('details.limit', 'first rpm');
    expect(bench.summaries[1]).toMatchObject({ status: 429, code: 'queue_wait_exceeded', limit: 'first rpm' });
    expect(bench.summaries[1]?.tokens).toMatchObject({ estimatedInput: expect.any(Number), input: null });

    clock.advance(58_000);
    const back = bench.chat();
    clock.advance(5_000);
    (await transport.call(2)).answer(COMPLETION);
    await back.done;
    expect(back.reply.status).toBe(200);
  });

  test('is left early by a client that asks for a short wait', async () => {
    const { bench, transport } = setUp({ targets: [{ rpm: 1 }] });
    bench.chat();
    (await transport.call()).answer(COMPLETION);
    const chat = bench.chat({}, { headers: { 'x-sluice-max-wait': '5s' } });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'queue_wait_exceeded' });
  });

  test("is not entered by what no key's limit could ever admit", async () => {
    const { bench } = setUp({ targets: [{ tpm: 50 }] });
    const chat = bench.chat({ max_tokens: 100 });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'request_exceeds_limit', status: 400 });
  });
});

describe('a client that leaves', () => {
  test('while its text is being counted takes no place in the queue', async () => {
    const counting = Promise.withResolvers<TokenEstimate>();
    const tokens = { estimate: () => counting.promise };
    const { bench, transport } = setUp({ services: { tokens } });
    const chat = bench.chat();
    chat.reply.leave();
    counting.resolve({ inputTokens: 5, atLeastTokens: 5 });
    await chat.done;
    expect(transport.calls).toEqual([]);
    expect(bench.summary).toMatchObject({ status: 499, code: 'client_closed_request', attempts: 0 });
  });

  test('while it waits is out of the queue at once', async () => {
    const { bench, transport } = setUp({ targets: [{ rpm: 1 }], maxWaitMs: 120_000 });
    bench.chat();
    (await transport.call()).answer(COMPLETION);
    const chat = bench.chat();
    await settle();
    expect(bench.scheduler.waiting).toBe(1);
    chat.reply.leave();
    expect(bench.scheduler.waiting).toBe(0);
    await chat.done;
    expect(bench.summaries[1]).toMatchObject({ status: 499 });
  });

  test('just when its turn comes sends nothing and pays nothing', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat();
    await Promise.resolve();
    chat.reply.leave();
    await chat.done;
    expect(transport.calls.every((call) => call.isOver)).toBe(true);
    expect(bench.booked()).toBe(0);
    expect(bench.scheduler.openLeases).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('while connecting costs nothing', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const call = await transport.call();
    chat.reply.leave();
    expect(call.orders).toEqual(['abort']);
    await chat.done;
    expect([bench.booked(0, 0), bench.booked(0, 1)]).toEqual([0, 0]);
    expect(bench.summary).toMatchObject({ status: 499, attempts: 1 });
  });

  test('before the head stays booked as reserved, since nobody knows what was produced', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat({ max_tokens: 100 });
    (await transport.call()).sent();
    chat.reply.leave();
    await chat.done;
    clock.advance(1_000);
    expect([bench.booked(0, 0), bench.booked(0, 1)]).toEqual([1, 111]);
  });

  test('in the middle of a stream is booked by what was relayed, and teaches nothing', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat({ ...STREAM, max_tokens: 100 });
    const call = (await transport.call()).stream().data(ROLE + HELLO);
    chat.reply.leave();
    expect(call.isOver).toBe(true);
    await chat.done;
    clock.advance(1_000);
    // Ten tokens of prompt, three for eleven characters.
    expect([bench.booked(0, 0), bench.booked(0, 1)]).toEqual([1, 13]);
    expect(bench.calibration.correction('acme', 'gpt-upstream').answers).toBe(0);
    expect(bench.outputs.size).toBe(0);
    expect(bench.summary).toMatchObject({ status: 499, code: 'client_closed_request' });
  });

  test('while Sluice holds the upstream back aborts it all the same', async () => {
    const { bench, transport } = setUp();
    const reply = new ReplyDouble();
    reply.isReading = false;
    const chat = bench.chat(STREAM, { reply });
    const call = (await transport.call()).stream().data(HELLO.replace('Hello there', 'x'.repeat(1_200_000)));
    expect(call.orders).toContain('pause');
    reply.leave();
    await chat.done;
    expect(call.isOver).toBe(true);
    expect(bench.scheduler.openLeases).toBe(0);
  });
});

describe('a request that cannot be served', () => {
  test('is reported once, however early it fails', async () => {
    const { bench } = setUp();
    const chat = bench.chat('{"model":"chat"');
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'invalid_json' });
    expect(bench.summary).toMatchObject({ status: 400, code: 'invalid_json', modelAsked: null, attempts: 0 });
    expect(chat.releases).toBeGreaterThan(0);
  });

  test('for an unknown model is told so, with what it asked for in the log', async () => {
    const { bench } = setUp();
    const chat = bench.chat({ model: 'nonsense' });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'model_not_found' });
    expect(bench.summary).toMatchObject({ status: 404, modelAsked: 'nonsense' });
  });

  test('because of a bug of ours says nothing but its id', async () => {
    const tokens = {
      estimate: () => {
        throw new TypeError('secret detail');
      },
    };
    const { bench } = setUp({ services: { tokens } });
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({
      code: 'internal_error',
      message: 'The server failed on this request. Its id is req_1.',
      cause: new TypeError('secret detail'),
    });
    expect(bench.summary).toMatchObject({ status: 500, code: 'internal_error' });
  });

  test('because of a bug in the middle of its stream is told in band, and the log hears of the bug', async () => {
    const calibration = {
      correction: () => ({ factor: 1, answers: 0 }),
      observe: () => {
        throw new TypeError('secret detail');
      },
    };
    const { bench, transport, clock } = setUp({ services: { calibration } });
    const chat = bench.chat(STREAM);
    const call = await transport.call();
    clock.advance(20_000);
    call
      .stream()
      .data(HELLO + USAGE + STOP)
      .end();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'internal_error' });
    expect(chat.reply.isEnded).toBe(true);
  });
});
