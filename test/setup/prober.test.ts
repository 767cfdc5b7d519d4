import { describe, expect, test } from 'vitest';
import type { SchedulerEvent } from '../../src/scheduler/events.ts';
import type { Route } from '../../src/scheduler/route.ts';
import { adapterOf } from '../../src/setup/adapters.ts';
import { Books } from '../../src/setup/books.ts';
import { Prober } from '../../src/setup/prober.ts';
import { ServedModels } from '../../src/setup/served-models.ts';
import { configOf } from '../config/load.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

/** A prober that asks each `interval` exactly, over a transport in memory. */
function setUp(provider: string, random = () => 0.5) {
  const clock = new FakeClock(1_000);
  const transport = new ScriptedTransport();
  const config = configOf(`
providers: [${provider}]
models: [{ name: m, targets: [{ provider: acme }] }]
`);
  const factsOf = (of: (typeof config.providers)[number]) => adapterOf(of).limits;
  const keeper = { adopt: () => undefined, release: () => undefined };
  const books = new Books({ config, clock, random: () => 0, factsOf, keeper });
  new ServedModels({ config, books, adapterOf, createdAt: 0 });
  const events: SchedulerEvent[] = [];
  const changes: number[] = [];
  const prober = new Prober({
    providers: config.providers,
    books,
    clock,
    random,
    transport,
    userAgent: 'sluice/1.2.3',
    emit: (event) => events.push(event),
    onChange: () => changes.push(clock.now()),
  });
  const route = (key: string): Route => books.routes().find((each) => each.key.name === key) as Route;
  const state = (key: string) => route(key).status(clock.now()).kind;
  const open = (key: string): void => {
    for (let failures = 0; failures < 2; failures += 1) route(key).circuit.failed(clock.now(), clock.now());
  };
  /** As if it had just served somebody. */
  const use = (key: string): void => route(key).circuit.succeeded(clock.now());
  return { clock, transport, prober, events, changes, books, route, state, open, use };
}

const OPENAI =
  '{ name: acme, type: openai, probe: { interval: 30s }, keys: [{ name: a, key: sk-a }, { name: b, key: sk-b }] }';
const ONE_KEY = '{ name: acme, type: openai, probe: { interval: 30s }, keys: [{ name: a, key: sk-a }] }';

/** Lets what was promised run: no timer is involved. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a prober', () => {
  test('asks for the list of models of a key whose route keeps failing, and lets one request try when it comes', async () => {
    const { clock, transport, open, use, state, events, changes } = setUp(OPENAI);
    clock.advance(29_900);
    open('a');
    use('b');
    clock.advance(100);
    const call = await transport.call();
    expect(call.request).toMatchObject({
      method: 'GET',
      origin: 'https://api.openai.com',
      path: '/v1/models',
      body: null,
      headers: { authorization: 'Bearer sk-a', 'user-agent': 'sluice/1.2.3' },
    });
    call.answer({ object: 'list', data: [] });
    await settle();
    expect(state('a')).toBe('half-open');
    expect(events).toMatchObject([{ kind: 'route', reason: 'probe', from: 'open' }]);
    expect(changes.length).toBe(1);
    expect(transport.calls.length).toBe(1);
  });

  test('asks nobody who is in use', async () => {
    const { clock, transport, use } = setUp(OPENAI);
    for (let rounds = 0; rounds < 5; rounds += 1) {
      clock.advance(29_000);
      use('a');
      use('b');
      clock.advance(1_000);
      await settle();
    }
    expect(transport.calls.length).toBe(0);
  });

  test('asks one after the other, and not before the last has answered', async () => {
    const { clock, transport } = setUp(OPENAI);
    clock.advance(30_000);
    await settle();
    expect(transport.calls.length).toBe(1);
    clock.advance(60_000);
    expect(transport.calls.length).toBe(1);
    (await transport.call(1)).answer({ data: [] });
    await settle();
    expect(transport.calls.map(({ request }) => request.headers['authorization'])).toEqual([
      'Bearer sk-a',
      'Bearer sk-b',
    ]);
  });

  test('finds a server that nobody uses and that answers nothing twice, before a request does', async () => {
    const { clock, transport, state, events } = setUp(ONE_KEY);
    for (const round of [1, 2]) {
      expect(state('a')).toBe('ready');
      clock.advance(30_000);
      (await transport.call(round)).fail('connect', false);
      await settle();
    }
    expect(state('a')).toBe('open');
    expect(events).toMatchObject([{ from: 'ready', reason: 'probe' }]);
    clock.advance(30_000);
    (await transport.call(3)).answer({ data: [] });
    await settle();
    expect(state('a')).toBe('half-open');
  });

  test.each([401, 403, 404, 429, 500])('leaves a server alone that nobody uses and that answers %i', async (status) => {
    const { clock, transport, state } = setUp(ONE_KEY);
    for (const round of [1, 2, 3]) {
      clock.advance(30_000);
      (await transport.call(round)).answer({ error: {} }, status);
      await settle();
    }
    expect(state('a')).toBe('ready');
  });

  test('keeps requests off a server that is still silent', async () => {
    const { clock, transport, state, open } = setUp(ONE_KEY);
    clock.advance(29_900);
    open('a');
    clock.advance(100);
    (await transport.call()).fail('first_byte_timeout');
    await settle();
    clock.advance(29_000);
    expect(state('a')).toBe('open');
  });

  test('lets a key that was refused try again when its vendor takes it, and believes a second refusal', async () => {
    const { clock, transport, state, route, use } = setUp(ONE_KEY);
    route('a').key.disabled = 'credentials';
    clock.advance(30_000);
    (await transport.call()).answer({ data: [] });
    await settle();
    clock.advance(10);
    expect(state('a')).toBe('half-open');
    route('a').key.disabled = 'credentials';
    clock.advance(90_000);
    await settle();
    expect(transport.calls.length).toBe(1);
    // An operator has repaired it, and it has served somebody since.
    route('a').key.disabled = null;
    use('a');
    clock.advance(60_000);
    await settle();
    route('a').key.disabled = 'credentials';
    (await transport.call(2)).answer({ data: [] });
    await settle();
    expect(route('a').key.disabled).toBeNull();
  });

  test('leaves a key alone that is refused for billing', async () => {
    const { clock, transport, route } = setUp(ONE_KEY);
    route('a').key.disabled = 'billing';
    clock.advance(90_000);
    await settle();
    expect(transport.calls.length).toBe(0);
  });

  test('books what may count, and asks nothing where there is no room for it', async () => {
    const { clock, transport, route } = setUp(
      '{ name: acme, type: openai-compatible, base_url: "http://127.0.0.1:1/v1", probe: { interval: 10s }, limits: { rpm: { limit: 1, algorithm: sliding-window } } }',
    );
    clock.advance(10_000);
    (await transport.call()).answer({ data: [] });
    await settle();
    expect(route('none').quotas[0].limits[0]?.primary.level(clock.now())).toBe(0);
    for (let rounds = 0; rounds < 4; rounds += 1) {
      clock.advance(10_000);
      await settle();
    }
    expect(transport.calls.length).toBe(1);
  });

  test('sends what a provider wants with every call, where its vendor lists models', async () => {
    const { clock, transport } = setUp(
      '{ name: acme, type: azure-openai, base_url: "https://r.openai.azure.com", headers: { X-Team: red }, probe: { interval: 10s }, keys: [k] }',
    );
    clock.advance(10_000);
    expect((await transport.call()).request).toMatchObject({
      path: '/openai/models?api-version=2024-10-21',
      headers: { 'api-key': 'k', 'x-team': 'red' },
    });
  });

  test('comes at intervals that are never quite the same', () => {
    const spread = [0, 1].map((value) => {
      const { clock, transport } = setUp(ONE_KEY, () => value);
      let waitedMs = 0;
      for (; transport.calls.length === 0; waitedMs += 1_000) clock.advance(1_000);
      return waitedMs;
    });
    expect(spread).toEqual([27_000, 33_000]);
  });

  test('that is closed ends what is under way and begins nothing more', async () => {
    const { clock, transport, prober, state } = setUp(OPENAI);
    clock.advance(30_000);
    const call = await transport.call();
    prober.close();
    await settle();
    expect(call.orders.at(-1)).toBe('abort');
    clock.advance(300_000);
    expect(transport.calls.length).toBe(1);
    expect(clock.pendingTimers).toBe(0);
    expect(state('a')).toBe('ready');
  });

  test('does nothing where none is asked for', () => {
    const { clock } = setUp('{ name: acme, type: openai, keys: [k] }');
    expect(clock.pendingTimers).toBe(0);
  });

  test('does not read a list without end', async () => {
    const { clock, transport, state, open } = setUp(ONE_KEY);
    clock.advance(29_900);
    open('a');
    clock.advance(100);
    const call = (await transport.call()).sent().head(200);
    call.data(Buffer.alloc(2 * 1024 * 1024));
    await settle();
    expect(call.isOver).toBe(true);
    expect(state('a')).toBe('half-open');
  });
});
