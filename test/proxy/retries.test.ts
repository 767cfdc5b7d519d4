import { describe, expect, test } from 'vitest';
import { RetryBudget } from '../../src/proxy/retry-budget.ts';
import { apiError, COMPLETION, DONE, HELLO, RATE_LIMITED, ROLE, STOP } from '../support/chat-answers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type BenchOptions, ProxyBench } from '../support/proxy-bench.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const TWO_KEYS = [{ keys: ['first', 'second'] }];
const TWO_TARGETS = [
  { name: 'acme', keys: ['first'] },
  { name: 'other', keys: ['second'] },
];

const KEYS_AND_FALLBACK = [
  { name: 'acme', keys: ['first', 'second', 'third', 'fourth'] },
  { name: 'other', keys: ['fallback'] },
];

function setUp(options: Partial<BenchOptions> = {}) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const bench = new ProxyBench({ clock, transport, targets: TWO_KEYS, ...options });
  return { clock, transport, bench };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function keysTried({ calls }: ScriptedTransport): string[] {
  return calls.map(({ request }) => String(request.headers['authorization']).replace('Bearer sk-', ''));
}

describe('an attempt that fails before anything was sent to the client', () => {
  test.each([
    ['a 500', 500, apiError('boom')],
    ['a 503', 503, apiError('The engine is currently overloaded')],
    ['a 502 of some gateway', 502, '<html>Bad Gateway</html>'],
    ['a 401', 401, apiError('Incorrect API key provided: sk-first', { code: 'invalid_api_key' })],
    ['a 429 that passes', 429, RATE_LIMITED],
    ['a 429 without a body', 429, ''],
    ['spent credit', 429, apiError('You exceeded your current quota', { code: 'insufficient_quota' })],
    ['a redirect', 302, ''],
    ['an error inside a success', 200, apiError('boom')],
    ['an error inside a success that has no wrap', 200, { object: 'error', message: 'boom' }],
    ['a detail inside a success', 200, { detail: 'boom' }],
    ['a success that is no JSON', 200, '{"choices": ['],
    ['a success that is no object', 200, '[]'],
  ])('by %s is followed by one on the other key', async (_name, status, body) => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).answer(body, status);
    await settle();
    clock.advance(2_000);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(keysTried(transport)).toEqual(['first', 'second']);
    expect(chat.reply.json).toEqual(COMPLETION);
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-attempts': '2', 'x-sluice-key': 'second' });
    expect(bench.summary).toMatchObject({ attempts: 2, key: 'second', status: 200, code: null });
    expect(bench.summary?.failures).toEqual([expect.stringMatching(/^acme\/first gpt-upstream: the upstream /)]);
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('sends the same bytes again, with the other key', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ seed: 1 });
    (await transport.call(1)).answer('', 500);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(transport.calls[1]?.json).toEqual(transport.calls[0]?.json);
  });

  test('is free when no connection stood', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).fail('connect', false);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(bench.booked(0)).toBe(0);
  });

  test('leaves a server that can not be reached, with all its keys, for another target', async () => {
    const { bench, transport } = setUp({ targets: KEYS_AND_FALLBACK });
    const chat = bench.chat();
    (await transport.call(1)).fail('connect', false);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(keysTried(transport)).toEqual(['first', 'fallback']);
    expect(chat.reply.status).toBe(200);
  });

  test('keeps the last attempt for another target, when one key after the other has failed', async () => {
    const { bench, transport } = setUp({ targets: KEYS_AND_FALLBACK });
    const chat = bench.chat();
    (await transport.call(1)).answer(apiError('boom'), 500);
    (await transport.call(2)).answer(apiError('boom'), 500);
    (await transport.call(3)).answer(COMPLETION);
    await chat.done;
    expect(keysTried(transport)).toEqual(['first', 'second', 'fallback']);
    expect(chat.reply.status).toBe(200);
  });

  test('stays booked when the connection broke before the head', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat({ max_tokens: 100 });
    (await transport.call(1)).sent().fail('broken');
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    clock.advance(1_000);
    expect([bench.booked(0, 0), bench.booked(0, 1)]).toEqual([1, 111]);
  });

  test('by a refusal keeps its place among the requests and gets its tokens back', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat({ max_tokens: 100 });
    (await transport.call(1)).answer(apiError('Incorrect API key', { code: 'invalid_api_key' }), 401);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    clock.advance(1_000);
    expect([bench.booked(0, 0), bench.booked(0, 1)]).toEqual([1, 0]);
  });

  test('by a 500 is booked whole, since the upstream may have worked', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat({ max_tokens: 100 });
    (await transport.call(1)).answer(apiError('boom'), 500);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    clock.advance(1_000);
    expect([bench.booked(0, 0), bench.booked(0, 1)]).toEqual([1, 111]);
  });

  test('is judged by what has come when its error never ends', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat();
    const call = (await transport.call(1)).sent().head(500).data('{"error": {"mess');
    clock.advance(5_000);
    expect(call.isOver).toBe(true);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
  });

  test('is judged without the rest of an endless error', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const call = (await transport.call(1))
      .sent()
      .head(500)
      .data('x'.repeat(65 * 1024));
    expect(call.isOver).toBe(true);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
  });

  test('is judged by its status when the error itself breaks off', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).sent().head(401).data('{"err').fail('broken');
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(bench.routes[0]?.isDisabled).toBe(true);
  });

  test('gives its key a rest, and a key with wrong credentials is not tried again', async () => {
    const { bench, transport } = setUp();
    const first = bench.chat();
    (await transport.call(1)).answer(apiError('Incorrect API key', { code: 'invalid_api_key' }), 401);
    (await transport.call(2)).answer(COMPLETION);
    await first.done;
    const second = bench.chat();
    (await transport.call(3)).answer(COMPLETION);
    await second.done;
    expect(keysTried(transport)).toEqual(['first', 'second', 'second']);
  });

  test('does not close a model for everybody when only the service tier had no room', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).answer(
      apiError('Resource unavailable: flex is at capacity', { code: 'resource_unavailable' }),
      429,
    );
    await settle();
    const other = bench.chat();
    await settle();
    expect(bench.routes[0]?.upstream.restsUntil).toBe(0);
    for (const call of transport.calls.slice(1)) call.answer(COMPLETION);
    await Promise.all([chat.done, other.done]);
  });
});

describe('a stream that fails before its first output', () => {
  test.each([
    ['breaks', (call: Call) => call.stream().data(ROLE).fail('broken')],
    ['falls silent', (call: Call) => call.stream().data(ROLE).fail('idle_timeout')],
    ['ends', (call: Call) => call.stream().data(ROLE).end()],
    ['ends with [DONE]', (call: Call) => call.stream().data(ROLE + DONE)],
    ['is no JSON', (call: Call) => call.stream().data('data: {"choi\n\n')],
    ['begins with an error', (call: Call) => call.stream().data(`data: ${JSON.stringify(apiError('boom'))}\n\n`)],
    ['is JSON instead', (call: Call) => call.answer(COMPLETION)],
    ['is HTML instead', (call: Call) => call.answer('<html>', 200, { 'content-type': 'text/html' })],
    ['has no kind', (call: Call) => call.sent().head(200, {}).data(HELLO).end()],
  ])('because it %s is followed by another', async (_name, failing) => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    failing(await transport.call(1));
    (await transport.call(2))
      .stream()
      .data(ROLE + HELLO + STOP + DONE)
      .end();
    await chat.done;
    expect(chat.reply).toMatchObject({ status: 200, text: ROLE + HELLO + STOP + DONE, isEnded: true });
    expect(transport.calls.every((call) => call.isOver)).toBe(true);
    expect(bench.scheduler.openLeases).toBe(0);
  });
});

type Call = Awaited<ReturnType<ScriptedTransport['call']>>;

describe('a stream that fails after its first output', () => {
  const boom = `data: ${JSON.stringify(apiError('boom for sk-first'))}\n\n`;

  test.each([
    { how: 'breaks', fail: (call: Call) => call.fail('broken'), says: /broke off: the connection/ },
    { how: 'breaks inside an event', fail: (call: Call) => call.data('data: {"h').fail('broken'), says: /broke off/ },
    { how: 'falls silent', fail: (call: Call) => call.fail('idle_timeout'), says: /silent/, code: 'upstream_timeout' },
    { how: 'ends too early', fail: (call: Call) => call.end(), says: /ended before its answer did/ },
    { how: 'ends inside an event', fail: (call: Call) => call.data('data: {"h').end(), says: /ended before/ },
    { how: 'turns into nonsense', fail: (call: Call) => call.data('data: nonsense\n\n'), says: /no stream of events/ },
    { how: 'reports an error', fail: (call: Call) => call.data(boom), says: /boom for \[secret\]/ },
  ])('because it $how ends with an error in band and without a second attempt', async (failing) => {
    const { fail, says, code = 'upstream_error' } = failing;
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    fail((await transport.call(1)).stream().data(ROLE + HELLO));
    await chat.done;
    expect(transport.calls.length).toBe(1);
    expect(chat.error).toBeNull();
    expect(chat.reply.isEnded).toBe(true);
    expect(chat.reply.text.startsWith(ROLE + HELLO)).toBe(true);
    const last = chat.reply.text.slice((ROLE + HELLO).length);
    const { error } = JSON.parse(last.replace('data: ', '')) as { error: { code: string; message: string } };
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
    expect(error.message).toMatch(/Request id: req_1$/);
    expect(bench.summary).toMatchObject({ status: 200, code });
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('passes on what the upstream says of the request itself', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    const refusal = apiError('Filtered', { type: 'invalid_request_error', code: 'content_filter' });
    (await transport.call()).stream().data(`${HELLO}data: ${JSON.stringify(refusal)}\n\n`);
    await chat.done;
    expect(chat.reply.text).toContain('Filtered Request id: req_1');
    expect(chat.reply.text).toContain('"code":"content_filter"');
  });
});

describe('when nothing helps', () => {
  test('three attempts are made and the last failure is told', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat();
    for (const number of [1, 2, 3]) {
      (await transport.call(number)).answer(apiError('boom'), 500);
      await settle();
      clock.advance(2_000);
    }
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error', status: 502, retry: 'never' });
    expect(chat.error).toHaveProperty('details.headers.x-sluice-attempts', '3');
    expect(bench.summary).toMatchObject({ status: 502, code: 'upstream_error', attempts: 3 });
  });

  test('a timeout is a 504', async () => {
    const { bench, transport } = setUp({ settings: { attempts: 1 } });
    const chat = bench.chat();
    (await transport.call()).sent().fail('first_byte_timeout');
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_timeout', status: 504 });
    expect((chat.error as Error).message).not.toContain('upstream.internal');
  });

  test('keys that are all refused are named as such', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    for (const number of [1, 2]) {
      (await transport.call(number)).answer(apiError('Incorrect API key', { code: 'invalid_api_key' }), 401);
    }
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'no_usable_key', status: 503 });
  });

  test('a limit that stays spent is a 429 with the time at which to return', async () => {
    const { bench, transport, clock } = setUp({ targets: [{ keys: ['first'] }], maxWaitMs: 10_000 });
    const chat = bench.chat();
    (await transport.call(1)).answer(apiError('Slow down, please', { code: 'rate_limit_exceeded' }), 429, {
      'retry-after': '30',
    });
    await settle();
    clock.advance(11_000);
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'queue_wait_exceeded', status: 429 });
  });

  test('a failing upstream that rests for longer than the client waits is told as what it is', async () => {
    const { bench, transport, clock } = setUp({ targets: [{ keys: ['first'] }], maxWaitMs: 400 });
    const chat = bench.chat();
    (await transport.call(1)).answer(apiError('boom'), 500);
    await settle();
    clock.advance(1_000);
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error', status: 502 });
  });

  test('the end of the server is told as such', async () => {
    const { bench, transport, clock } = setUp({ targets: [{ keys: ['first'] }] });
    const chat = bench.chat();
    (await transport.call(1)).answer(apiError('boom'), 500);
    await settle();
    bench.scheduler.drain(0);
    clock.advance(1_000);
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'shutting_down' });
  });

  test('a call that our own shutdown aborts says nothing about its key', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).sent().fail('aborted');
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'shutting_down' });
  });

  test('repeats stop where the budget for them is spent', async () => {
    const retryBudget = new RetryBudget({ share: 0, floor: 0 });
    const { bench, transport } = setUp({ services: { retryBudget } });
    const chat = bench.chat();
    (await transport.call(1)).answer(apiError('boom'), 500);
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error' });
    expect(transport.calls.length).toBe(1);
  });

  describe('is the repeat of its client', () => {
    const BOOM = apiError('boom');

    test('that sends the same again after a failure: it is not repeated once more on what has failed', async () => {
      const { bench, transport, clock } = setUp({ settings: { attempts: 2 } });
      const first = bench.chat();
      (await transport.call(1)).answer(BOOM, 500);
      (await transport.call(2)).answer(BOOM, 500);
      await first.done;
      const again = bench.chat();
      (await transport.call(3)).answer(BOOM, 500);
      await again.done;
      expect(again.error).toMatchObject({ code: 'upstream_error' });
      expect(bench.summaries.map(({ attempts }) => attempts)).toEqual([2, 1]);
      clock.advance(120_000);
      const later = bench.chat();
      (await transport.call(4)).answer(BOOM, 500);
      (await transport.call(5)).answer(COMPLETION);
      await later.done;
      expect(later.error).toBeNull();
    });

    test('that says so itself, as SDKs do', async () => {
      const { bench, transport } = setUp();
      const chat = bench.chat({}, { headers: { 'x-stainless-retry-count': '1' } });
      (await transport.call(1)).answer(BOOM, 500);
      await chat.done;
      expect(chat.error).toMatchObject({ code: 'upstream_error' });
      const first = bench.chat({}, { headers: { 'x-stainless-retry-count': '0' }, client: 'other' });
      (await transport.call(2)).answer(BOOM, 500);
      (await transport.call(3)).answer(COMPLETION);
      await first.done;
      expect(first.error).toBeNull();
    });

    test('and may still go to another target, at once', async () => {
      const { bench, transport } = setUp({ targets: KEYS_AND_FALLBACK });
      const chat = bench.chat({}, { headers: { 'x-stainless-retry-count': '1' } });
      (await transport.call(1)).answer(BOOM, 500);
      (await transport.call(2)).answer(COMPLETION);
      await chat.done;
      expect(keysTried(transport)).toEqual(['first', 'fallback']);
    });

    test('and another request of the same client is none', async () => {
      const { bench, transport } = setUp({ settings: { attempts: 1 } });
      const first = bench.chat({ seed: 1 });
      (await transport.call(1)).answer(BOOM, 500);
      await first.done;
      const other = setUp({ services: { retryBudget: bench.services.retryBudget } });
      const chat = other.bench.chat({ seed: 2 });
      (await other.transport.call(1)).answer(BOOM, 500);
      (await other.transport.call(2)).answer(COMPLETION);
      await chat.done;
      expect(chat.error).toBeNull();
    });
  });
});

describe('what an upstream says of the request itself', () => {
  const refusal = apiError("Invalid 'temperature' for org-Abc123XYZ", {
    type: 'invalid_request_error',
    param: 'temperature',
    code: 'invalid_value',
  });

  test('is passed on without asking another key of the same model', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call(1)).answer(refusal, 400);
    await chat.done;
    expect(transport.calls.length).toBe(1);
    expect(chat.error).toMatchObject({ status: 400 });
    expect(chat.error).toHaveProperty('details.verdict.body.error', {
      message: "Invalid 'temperature' for [organization]",
      type: 'invalid_request_error',
      param: 'temperature',
      code: 'invalid_value',
    });
    expect(bench.routes[0]?.circuit.state(0).kind).toBe('closed');
  });

  test('is shown only after another provider has said the same', async () => {
    const { bench, transport } = setUp({ targets: TWO_TARGETS });
    const chat = bench.chat();
    (await transport.call(1)).answer(refusal, 400);
    (await transport.call(2)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.status).toBe(200);
  });

  test('is shown when the others have no time left for the request', async () => {
    const targets = [TWO_TARGETS[0] ?? {}, { ...TWO_TARGETS[1], rpm: 1 }];
    const { bench, transport, clock } = setUp({ targets, maxWaitMs: 5_000 });
    const lease = bench.scheduler.submit({
      id: 'x',
      client: 'x',
      model: { ...bench.model.routes, options: bench.model.routes.options.slice(1) },
      costs: [null, { reserved: [1, 0, 0, 0, 1], expected: [1, 0, 0, 0, 1], certain: [1, 0, 0, 0, 1] }],
      clientQuota: null,
      rejectsOnClientLimit: false,
      maxWaitMs: 1_000,
      maxQueueSize: 10,
      placeKey: () => 'x',
      onLease: (granted) => granted.end({ charged: 'reserved', report: { kind: 'ok' } }),
      onRejection: () => undefined,
    });
    expect(lease).not.toBeNull();
    const chat = bench.chat();
    (await transport.call(1)).answer(refusal, 400);
    await settle();
    clock.advance(6_000);
    await chat.done;
    expect(chat.error).toMatchObject({ status: 400 });
    expect(chat.error).toHaveProperty('details.verdict.body.error.code', 'invalid_value');
  });
});
