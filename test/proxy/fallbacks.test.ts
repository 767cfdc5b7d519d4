import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../src/errors.ts';
import { Fallbacks } from '../../src/proxy/fallbacks.ts';
import { apiError, COMPLETION, DONE, HELLO, ROLE, STOP } from '../support/chat-answers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type BenchModel, type BenchOptions, ProxyBench } from '../support/proxy-bench.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

/** Of another vendor, with a key of its own. */
const SPARE: BenchModel = { targets: [{ name: 'spare', keys: ['spare'], changes: { model: 'spare-upstream' } }] };
const FULL: BenchModel = { targets: [{ name: 'spare', keys: ['spare'], rpm: 1 }], maxWaitMs: 40_000 };

function setUp(options: Partial<BenchOptions> = {}) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const settings = { attempts: 1, ...options.settings };
  const bench = new ProxyBench({
    ...{ clock, transport, fallbacks: ['spare'], others: { spare: SPARE } },
    ...options,
    settings,
  });
  return { clock, transport, bench };
}

/** Takes all that a model has: one request a minute. */
async function fill({ bench, transport }: ReturnType<typeof setUp>, model = 'chat'): Promise<void> {
  const number = transport.calls.length + 1;
  const filler = bench.chat({ model });
  (await transport.call(number)).answer(COMPLETION);
  await filler.done;
  bench.summaries.length = 0;
}

describe('a model that cannot serve a request gives it to its fallback', () => {
  test.each([
    ['its upstream fails', 500, apiError('boom')],
    ['its upstream is overloaded', 503, apiError('The engine is currently overloaded')],
    ['its key is refused', 401, apiError('Incorrect API key', { code: 'invalid_api_key' })],
    ['its upstream does not know the model', 404, apiError('No such model', { code: 'model_not_found' })],
  ])('when %s', async (_name, status, body) => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).answer(body, status);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.error).toBeNull();
    expect(chat.reply.json).toEqual(COMPLETION);
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-model': 'spare-upstream', 'x-sluice-attempts': '2' });
    expect(bench.summary).toMatchObject({
      modelAsked: 'chat',
      modelServed: 'spare-upstream',
      status: 200,
      attempts: 2,
    });
    expect(transport.calls[1]?.json).toMatchObject({ model: 'spare-upstream' });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(chat.releases).toBeGreaterThan(0);
  });

  test('when its queue is full, at once and with no place kept', async () => {
    const world = setUp({ targets: [{ rpm: 1 }], maxQueueSize: 1, maxWaitMs: 90_000 });
    const { bench, transport } = world;
    await fill(world);
    const waiting = bench.chat();
    const chat = bench.chat();
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-model': 'spare-upstream', 'x-sluice-queue-ms': '0' });
    expect(bench.scheduler.door.keptPlaces).toBe(0);
    waiting.reply.leave();
    await waiting.done;
  });

  test('when the wait would be too long', async () => {
    const world = setUp({ targets: [{ rpm: 1 }], maxWaitMs: 5_000 });
    await fill(world);
    const chat = world.bench.chat();
    (await world.transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-model': 'spare-upstream' });
    expect(world.bench.scheduler.door.keptPlaces).toBe(0);
  });

  test('when every key of it is closed', async () => {
    const { bench, transport } = setUp();
    for (const { key } of bench.routes) key.disabled = 'billing';
    const chat = bench.chat();
    (await transport.call(1)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-model': 'spare-upstream' });
  });

  test('when a limit of it could never grant the request', async () => {
    const { bench, transport } = setUp({ targets: [{ tpm: 3 }] });
    const chat = bench.chat();
    (await transport.call(1)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-model': 'spare-upstream' });
  });

  test('when nothing of it is in service, at once', async () => {
    const { bench, transport, clock } = setUp();
    for (const route of bench.routes)
      for (let nth = 0; nth < 3; nth += 1) route.circuit.failed(clock.now(), clock.now());
    const chat = bench.chat();
    (await transport.call(1)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-model': 'spare-upstream', 'x-sluice-queue-ms': '0' });
  });

  test('when it goes out of service while requests wait for it', async () => {
    const { bench, transport } = setUp({ targets: [{ rpm: 3 }] });
    const chats = [1, 2, 3, 4, 5].map((number) => bench.chat({ seed: number }));
    for (const number of [1, 2, 3]) (await transport.call(number)).answer(apiError('boom'), 500);
    for (const number of [4, 5, 6, 7, 8]) (await transport.call(number)).answer(COMPLETION);
    for (const { done } of chats) await done;
    expect(chats.map(({ reply }) => reply.headers['x-sluice-model'])).toEqual(chats.map(() => 'spare-upstream'));
    expect(bench.scheduler.door.keptPlaces).toBe(0);
  });

  test('also what came by other doors', async () => {
    const { bench, transport } = setUp();
    const body = { input: 'Hello' };
    const chat = bench.chat(body, { operation: 'embeddings' });
    (await transport.call(1)).answer(apiError('boom'), 500);
    (await transport.call(2)).answer({ object: 'list', data: [], usage: { prompt_tokens: 3, total_tokens: 3 } });
    await chat.done;
    expect(chat.error).toBeNull();
    expect(transport.calls[1]?.request.path).toBe('/v1/embeddings');
    expect(transport.calls[1]?.json).toEqual({ model: 'spare-upstream', input: 'Hello' });
  });

  test('also a stream that brought nothing yet', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call(1)).stream().data(ROLE).fail('broken');
    (await transport.call(2)).stream().data(`${ROLE}${HELLO}${STOP}${DONE}`).end();
    await chat.done;
    expect(chat.reply.text).toContain('Hello there');
    expect(chat.reply.text).not.toContain('error');
  });

  test('also where only comments have gone out', async () => {
    const { bench, transport, clock } = setUp({ settings: { streamKeepaliveMs: 1_000 } });
    const chat = bench.chat({ stream: true });
    const first = await transport.call(1);
    clock.advance(1_500);
    expect(chat.reply.text).toBe(': keepalive\n\n');
    first.answer(apiError('boom'), 500);
    (await transport.call(2)).stream().data(`${ROLE}${HELLO}${STOP}${DONE}`).end();
    await chat.done;
    expect(chat.reply.text).toContain('Hello there');
  });

  test('with all choices that it asks for one by one', async () => {
    const supports = new Set(['tools'] as const);
    const spare = { targets: [{ name: 'spare', keys: ['spare'], changes: { model: 'spare-upstream', supports } }] };
    const { bench, transport } = setUp({ others: { spare } });
    const chat = bench.chat({ n: 2 });
    (await transport.call(1)).answer(apiError('boom'), 500);
    (await transport.call(2)).answer(COMPLETION);
    (await transport.call(3)).answer(COMPLETION);
    await chat.done;
    expect(transport.calls.slice(1).map(({ json }) => json)).toMatchObject([
      { model: 'spare-upstream' },
      { model: 'spare-upstream' },
    ]);
    expect((chat.reply.json as { choices: unknown[] }).choices).toHaveLength(2);
  });
});

describe('a request that is too long', () => {
  const SHORT = [{ changes: { contextLengthTokens: 4 } }];

  test('goes to a context fallback, and to no other', async () => {
    const { bench, transport } = setUp({
      targets: SHORT,
      fallbacks: ['full'],
      contextFallbacks: ['spare'],
      others: { spare: SPARE, full: FULL },
    });
    const chat = bench.chat();
    (await transport.call(1)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-model': 'spare-upstream' });
  });

  test('goes there also when it is the upstream that says so', async () => {
    const { bench, transport } = setUp({ fallbacks: [], contextFallbacks: ['spare'] });
    const chat = bench.chat();
    const tooLong = apiError('maximum context length is 10 tokens', { code: 'context_length_exceeded' });
    (await transport.call(1)).answer(tooLong, 400);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.json).toEqual(COMPLETION);
  });

  test('is refused where there are only fallbacks for other cases', async () => {
    const { bench, transport } = setUp({ targets: SHORT });
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'context_length_exceeded' });
    expect(transport.calls).toHaveLength(0);
  });

  test('is refused in the words of the model that was asked when it is too long for its fallback too', async () => {
    const spare = { targets: [{ name: 'spare', changes: { contextLengthTokens: 3 } }] };
    const { bench } = setUp({ targets: SHORT, contextFallbacks: ['spare'], others: { spare } });
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'context_length_exceeded', message: expect.stringMatching(/ 4 tokens/) });
  });
});

describe('when no model serves it', () => {
  test('the client hears what the model said that it asked for', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).answer(apiError('boom'), 500);
    (await transport.call(2)).answer('', 503);
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error', status: 502 });
    expect(chat.error).toMatchObject({
      details: { headers: { 'x-sluice-provider': 'acme', 'x-sluice-attempts': '2' } },
    });
    expect(bench.summary).toMatchObject({ provider: 'acme', attempts: 2, code: 'upstream_error' });
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('the place is kept at the model that was asked, and whoever returns as told is served by it', async () => {
    const world = setUp({ targets: [{ rpm: 1 }], maxWaitMs: 40_000, others: { spare: FULL } });
    const { bench, transport, clock } = world;
    await fill(world, 'spare');
    await fill(world);
    const refused = bench.chat();
    await refused.done;
    expect(refused.error).toMatchObject({ code: 'queue_wait_exceeded', retry: 'promise' });
    expect(bench.scheduler.door.keptPlaces).toBe(1);
    clock.advance((refused.error as ProxyError).details.retryAfterMs as number);
    const returned = bench.chat();
    await new Promise((resolve) => setImmediate(resolve));
    expect(bench.scheduler.waiting).toBe(1);
    clock.advance(30_000);
    (await transport.call(3)).answer(COMPLETION);
    await returned.done;
    expect(returned.reply.headers).toMatchObject({ 'x-sluice-provider': 'acme' });
    expect(bench.scheduler.door.keptPlaces).toBe(0);
  });

  test('a request waits for the model that it asked for where that is out of service for a moment', async () => {
    const world = setUp({ others: { spare: FULL } });
    const { bench, transport, clock } = world;
    await fill(world, 'spare');
    for (const route of bench.routes)
      for (let nth = 0; nth < 3; nth += 1) route.circuit.failed(clock.now(), clock.now());
    const chat = bench.chat();
    await new Promise((resolve) => setImmediate(resolve));
    expect(bench.scheduler.waiting).toBe(1);
    clock.advance(2_000);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-provider': 'acme' });
  });

  test('a mistake of the client is no reason to ask another model', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).answer(apiError('temperature is out of range', { type: 'invalid_request_error' }), 400);
    await chat.done;
    expect(chat.error).toMatchObject({ status: 400 });
    expect(transport.calls).toHaveLength(1);
  });

  test('a stream that has brought something ends with its own error', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call(1)).stream().data(`${ROLE}${HELLO}`).fail('broken');
    await chat.done;
    expect(chat.reply.text).toMatch(/The answer broke off/);
    expect(transport.calls).toHaveLength(1);
  });

  test('a fallback that is no more there is passed over', async () => {
    const { bench, transport } = setUp({ fallbacks: ['gone', 'spare'] });
    const chat = bench.chat();
    (await transport.call(1)).answer(apiError('boom'), 500);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.json).toEqual(COMPLETION);
  });
});

describe('the time that there is to wait', () => {
  test('is one for all models', async () => {
    const spare = { targets: [{ name: 'spare', keys: ['spare'], rpm: 1 }] };
    const world = setUp({ others: { spare } });
    const { bench, transport, clock } = world;
    await fill(world, 'spare');
    clock.advance(50_000);
    const chat = bench.chat({}, { headers: { 'x-sluice-max-wait': '14s' } });
    const first = await transport.call(2);
    // In ten seconds the fallback could start it, but then only two are left.
    clock.advance(2_000);
    first.answer(apiError('boom'), 500);
    await transport.call(2);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(9_000);
    (await transport.call(3)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.status).toBe(200);
  });

  test('that the first model has used up leaves the next one only what it can start at once', async () => {
    const spare = { targets: [{ name: 'spare', keys: ['spare'], rpm: 1 }] };
    const world = setUp({ others: { spare } });
    const { bench, transport, clock } = world;
    await fill(world, 'spare');
    const chat = bench.chat({}, { headers: { 'x-sluice-max-wait': '30s' } });
    const first = await transport.call(2);
    clock.advance(29_000);
    first.answer(apiError('boom'), 500);
    await chat.done;
    // It could start there in 31 s of the 30 that it has in all.
    expect(chat.error).toMatchObject({ code: 'upstream_error' });
    expect(transport.calls).toHaveLength(2);
  });

  test('ends with the client: it leaves the queue of the fallback at once', async () => {
    const spare = { targets: [{ name: 'spare', keys: ['spare'], rpm: 1 }] };
    const world = setUp({ others: { spare } });
    const { bench, transport, clock } = world;
    await fill(world, 'spare');
    clock.advance(30_000);
    const chat = bench.chat();
    (await transport.call(2)).answer(apiError('boom'), 500);
    await new Promise((resolve) => setImmediate(resolve));
    expect(bench.scheduler.waiting).toBe(1);
    chat.reply.leave();
    await chat.done;
    expect(bench.scheduler.waiting).toBe(0);
    expect(bench.summary).toMatchObject({ status: 499 });
  });

  test('ends with the client: the call to the fallback is aborted', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).answer(apiError('boom'), 500);
    const second = (await transport.call(2)).sent();
    chat.reply.leave();
    await chat.done;
    expect(second.orders).toContain('abort');
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bench.summary).toMatchObject({ status: 499, modelServed: 'spare-upstream' });
  });
});

describe('the order of fallbacks', () => {
  const model = (name: string, fallbacks: readonly string[], contextFallbacks: readonly string[] = []) => ({
    ...{ name, fallbacks, contextFallbacks },
  });
  const failed = new ProxyError('upstream_error', 'No answer.');

  /** With the model that was asked behind it. */
  function started(): Fallbacks {
    const fallbacks = new Fallbacks({ name: 'a' }, false);
    expect(fallbacks.next()).toEqual({ name: 'a', isPatient: false });
    return fallbacks;
  }

  test('waits in any case for the model that was asked where there are none', () => {
    expect(new Fallbacks({ name: 'a' }, true).next()).toEqual({ name: 'a', isPatient: true });
  });

  test('is that of the model that was asked, and then theirs; nobody is asked twice', () => {
    const fallbacks = started();
    fallbacks.add(model('a', ['b', 'c']), failed);
    expect(fallbacks.next()).toEqual({ name: 'b', isPatient: false });
    fallbacks.add(model('b', ['a', 'd', 'c']), failed);
    expect(fallbacks.next()).toEqual({ name: 'c', isPatient: false });
    fallbacks.add(model('c', ['b']), failed);
    expect(fallbacks.next()).toEqual({ name: 'd', isPatient: false });
    fallbacks.add(model('d', []), failed);
    expect(fallbacks.next()).toBeNull();
  });

  test('ends with those that were out of service, which may be waited for now', () => {
    const resting = new ProxyError('upstream_overloaded', 'It rests.', { couldWait: true });
    const fallbacks = started();
    fallbacks.add(model('a', ['b', 'c']), resting);
    fallbacks.next();
    fallbacks.add(model('b', []), failed);
    fallbacks.next();
    fallbacks.add(model('c', []), resting);
    expect(fallbacks.next()).toEqual({ name: 'a', isPatient: true });
    fallbacks.add(model('a', ['b', 'c']), failed);
    expect(fallbacks.next()).toEqual({ name: 'c', isPatient: true });
    expect(fallbacks.next()).toBeNull();
  });

  test('follows why each has not served it', () => {
    const fallbacks = started();
    fallbacks.add(model('a', ['b'], ['x']), failed);
    expect(fallbacks.next()).toEqual({ name: 'b', isPatient: false });
    fallbacks.add(model('b', ['c'], ['y']), new ProxyError('context_length_exceeded', 'Too long.'));
    expect(fallbacks.next()).toEqual({ name: 'y', isPatient: false });
    expect(fallbacks.next()).toBeNull();
  });

  test.each([
    ['client_rate_limit_exceeded', {}],
    ['shutting_down', {}],
    ['unsupported_value', {}],
    ['upstream_error', { verdict: { status: 400, body: failed.toBody() } }],
  ] as const)('has nobody for %s', (code, details) => {
    const fallbacks = started();
    fallbacks.add(model('a', ['b'], ['x']), new ProxyError(code, 'No.', details));
    expect(fallbacks.next()).toBeNull();
  });
});
