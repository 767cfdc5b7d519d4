import { describe, expect, test, vi } from 'vitest';
import { ProxyError } from '../../src/errors.ts';
import { ClientBudget } from '../../src/proxy/budgets/client-budget.ts';
import { FirstEventTimes } from '../../src/proxy/hedging/first-event-times.ts';
import { HeardTimes } from '../../src/proxy/hedging/heard-times.ts';
import { Hedging } from '../../src/proxy/hedging/hedging.ts';
import { mayBeSentTwice } from '../../src/proxy/hedging/may-be-sent-twice.ts';
import { budgetPeriodAt } from '../../src/setup/budget-period.ts';
import { COMPLETION, DONE, HELLO, ROLE, STOP } from '../support/chat-answers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type BenchOptions, ProxyBench } from '../support/proxy-bench.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const TARGETS = [
  { name: 'acme', keys: ['first'] },
  { name: 'other', keys: ['second'] },
];
const ANSWER = `${ROLE}${HELLO}${STOP}${DONE}`;

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Two vendors with a key each; what is silent for a second is sent to the second one too. */
function setUp(options: Partial<BenchOptions> & { afterMs?: number | null; maxShare?: number } = {}) {
  const { afterMs = 1_000, maxShare = 1, ...others } = options;
  const times = new HeardTimes();
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const services: { hedging: Hedging | null } = { hedging: null };
  const bench = new ProxyBench({ clock, transport, targets: TARGETS, services, ...others });
  const hedging = new Hedging({ clock, scheduler: bench.scheduler, times, afterMs, maxShare });
  Object.assign(bench.services, { hedging });
  return { clock, transport, bench, hedging, times };
}

type World = ReturnType<typeof setUp>;

/** Answered at once, so that there are requests of which one in so many may be hedged. */
async function quick({ bench, transport }: World, body: object = {}): Promise<void> {
  const number = transport.calls.length + 1;
  const chat = bench.chat(body);
  const call = await transport.call(number);
  if ('stream' in body) call.stream().data(ANSWER).end();
  else call.answer(COMPLETION);
  await chat.done;
  bench.summaries.length = 0;
}

/** A stream that is silent until it is hedged. */
async function hedgedStream(world: World) {
  const { bench, transport, clock } = world;
  await quick(world);
  const chat = bench.chat({ stream: true });
  const first = (await transport.call(2)).stream();
  clock.advance(1_000);
  const second = (await transport.call(3)).stream();
  return { chat, first, second };
}

describe('an attempt without a first event', () => {
  test('is sent a second time elsewhere, and whichever brings content first answers', async () => {
    const world = setUp();
    const { chat, first, second } = await hedgedStream(world);
    second.data(ANSWER).end();
    await chat.done;
    expect(chat.reply.text).toBe(ANSWER);
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-provider': 'other', 'x-sluice-attempts': '2' });
    expect(first.orders).toContain('abort');
    expect(world.bench.summary).toMatchObject({ provider: 'other', attempts: 2, status: 200 });
    expect(world.bench.scheduler.openLeases).toBe(0);
    expect(world.bench.booked(0)).toBe(2);
    expect(world.bench.booked(1)).toBe(1);
  });

  test('may still win', async () => {
    const world = setUp();
    const { chat, first, second } = await hedgedStream(world);
    first.data(ANSWER).end();
    await chat.done;
    expect(chat.reply.text).toBe(ANSWER);
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-provider': 'acme' });
    expect(second.orders).toContain('abort');
    expect(world.bench.summary).toMatchObject({ provider: 'acme', attempts: 2 });
    expect(world.bench.scheduler.openLeases).toBe(0);
  });

  test('that brings content in the same turn as the other one is the only one to answer', async () => {
    const world = setUp();
    const { chat, first, second } = await hedgedStream(world);
    second.data(`${ROLE}${HELLO}`);
    first.data(ANSWER).end();
    second.data(`${STOP}${DONE}`).end();
    await chat.done;
    expect(chat.reply.text).toBe(ANSWER);
    expect(world.bench.scheduler.openLeases).toBe(0);
  });

  test('leaves the answer to the other one when it fails', async () => {
    const world = setUp();
    const { chat, first, second } = await hedgedStream(world);
    first.fail('broken');
    await settle();
    second.data(ANSWER).end();
    await chat.done;
    expect(chat.reply.text).toBe(ANSWER);
    expect(world.bench.scheduler.openLeases).toBe(0);
  });

  test('counts as a failed attempt of two when both fail', async () => {
    const world = setUp();
    const { chat, first, second } = await hedgedStream(world);
    first.fail('broken');
    second.fail('broken');
    await settle();
    world.clock.advance(500);
    (await world.transport.call(4)).stream().data(ROLE).fail('broken');
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error', message: expect.stringContaining('3 attempts') });
    expect(world.bench.summary).toMatchObject({ attempts: 3 });
    expect(world.bench.scheduler.openLeases).toBe(0);
  });

  test('is given up with the other one when the client leaves', async () => {
    const world = setUp();
    const { chat, first, second } = await hedgedStream(world);
    chat.reply.leave();
    await chat.done;
    expect(first.orders).toContain('abort');
    expect(second.orders).toContain('abort');
    expect(world.bench.summary).toMatchObject({ status: 499 });
    expect(world.bench.scheduler.openLeases).toBe(0);
  });

  test('ends with the other one when both are cut by a shutdown', async () => {
    const world = setUp();
    const { chat, first, second } = await hedgedStream(world);
    first.fail('aborted');
    second.fail('aborted');
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'shutting_down' });
    expect(world.bench.scheduler.openLeases).toBe(0);
  });

  test('of a whole answer is hedged as well', async () => {
    const world = setUp();
    const { bench, transport, clock } = world;
    await quick(world);
    const chat = bench.chat();
    const first = (await transport.call(2)).sent();
    clock.advance(1_000);
    (await transport.call(3)).answer(COMPLETION);
    await chat.done;
    expect(chat.reply.json).toEqual(COMPLETION);
    expect(first.orders).toContain('abort');
    expect(bench.scheduler.openLeases).toBe(0);
  });
});

describe('nothing is sent twice', () => {
  async function calls(
    world: World,
    asked: { body?: object; headers?: Record<string, string> },
    act: (world: World) => void,
  ): Promise<number> {
    await quick(world);
    const { body = {}, headers = {} } = asked;
    const chat = world.bench.chat(body, { headers });
    await world.transport.call(2);
    act(world);
    await settle();
    chat.reply.leave();
    await chat.done;
    expect(world.bench.scheduler.openLeases).toBe(0);
    return world.transport.calls.length;
  }
  const wait = ({ clock }: World) => clock.advance(10_000);

  test('before its time', async () => {
    expect(await calls(setUp(), {}, ({ clock }) => clock.advance(999))).toBe(2);
    expect(await calls(setUp(), {}, wait)).toBe(3);
  });

  test('once an event has come', async () => {
    const act = (world: World): void => {
      world.transport.calls[1]?.stream().data(ROLE);
      wait(world);
    };
    expect(await calls(setUp(), { body: { stream: true } }, act)).toBe(2);
  });

  test('where the upstream keeps it, or has been told to take it once', async () => {
    expect(await calls(setUp(), { body: { store: true } }, wait)).toBe(2);
    expect(await calls(setUp(), { headers: { 'idempotency-key': 'k' } }, wait)).toBe(2);
  });

  test('beyond the share of requests', async () => {
    expect(await calls(setUp({ maxShare: 0.5 }), {}, wait)).toBe(2);
  });

  test('by what was configured before', async () => {
    const before = setUp();
    const { model } = before.bench;
    const find = vi.fn(() => model);
    Object.assign(before.bench.services, { models: { find, fallback: () => null } });
    const reload = (world: World): void => {
      find.mockReturnValue({ ...model });
      wait(world);
    };
    expect(await calls(before, {}, reload)).toBe(2);
    const gone = setUp();
    Object.assign(gone.bench.services, { models: { find: () => find(), fallback: () => null } });
    find.mockReturnValue(gone.bench.model);
    const withdraw = (world: World): void => {
      find.mockImplementation(() => {
        throw new ProxyError('model_not_found', 'There is no such model.');
      });
      wait(world);
    };
    expect(await calls(gone, {}, withdraw)).toBe(2);
  });

  test('on a budget that has no room for it', async () => {
    const priced = { changes: { price: { input: 1e6, cachedInput: 1e6, output: 2e6 } } };
    const targets = TARGETS.map((target) => ({ ...target, ...priced }));
    /** How often is sent what two in a budget of `usd` are asked for, the second slow; and what they took of it by then. */
    const callsOn = async (usd: number) => {
      const world = setUp({ targets });
      const terms = { usd, per: 'day' } as const;
      const wallNow = () => world.clock.wallNow();
      const others = { periodAt: budgetPeriodAt, saved: null, onUnwritten: () => undefined };
      const budget = new ClientBudget({ terms, wallNow, ...others });
      Object.assign(world.bench.services, { budgetOf: () => budget });
      let taken = { spentUsd: 0, reservedUsd: 0 };
      const look = () => {
        wait(world);
        taken = budget.view();
      };
      const sent = await calls(world, {}, look);
      expect(budget.view().reservedUsd).toBe(0);
      return { sent, takenUsd: taken.spentUsd + taken.reservedUsd };
    };
    const { takenUsd } = await callsOn(1_000);
    expect(await callsOn(takenUsd)).toMatchObject({ sent: 3 });
    expect(await callsOn(takenUsd - 1)).toMatchObject({ sent: 2 });
  });

  test('where the other limit would be left with under 30 %', async () => {
    const targets = [TARGETS[0] as object, { name: 'other', keys: ['second'], rpm: 1 }];
    expect(await calls(setUp({ targets }), {}, wait)).toBe(2);
  });
});

describe('what is slow', () => {
  test.each([
    ['', false],
    [', under other terms too', true],
  ])('is learned: nothing before forty answers, then what takes longer than 95 % of them%s', async (_, isReloaded) => {
    const world = setUp({ afterMs: null });
    for (let nth = 0; nth < 40; nth += 1) {
      const chat = world.bench.chat({ stream: true });
      const call = (await world.transport.call(nth + 1)).sent();
      world.clock.advance(nth < 37 ? 100 : 300);
      call.head(200, { 'content-type': 'text/event-stream' }).data(ANSWER).end();
      await chat.done;
    }
    const { bench, clock, times } = world;
    const other = () => new Hedging({ clock, scheduler: bench.scheduler, times, afterMs: null, maxShare: 3 });
    // Its share is of what it has seen itself.
    const hedging = isReloaded ? other() : world.hedging;
    Object.assign(bench.services, { hedging });
    world.bench.chat({ stream: true });
    await world.transport.call(41);
    world.clock.advance(299);
    await settle();
    expect(world.transport.calls).toHaveLength(41);
    world.clock.advance(1);
    await world.transport.call(42);
  });

  test('is four times the usual where one in twenty is held up', () => {
    const times = new FirstEventTimes();
    for (let nth = 0; nth < 100; nth += 1) times.add(nth % 20 === 0 ? 2_000 : 100);
    expect(times.slowMs).toBe(400);
  });

  test('forgets what was long ago', () => {
    const times = new FirstEventTimes();
    for (let nth = 0; nth < 39; nth += 1) times.add(10);
    expect(times.slowMs).toBeNull();
    times.add(10);
    expect(times.slowMs).toBe(20);
    for (let nth = 0; nth < 256; nth += 1) times.add(70);
    expect(times.slowMs).toBe(140);
  });
});

test.each([
  ['chat', null, true],
  ['chat', { store: false }, true],
  ['messages', {}, true],
  ['embeddings', {}, true],
  ['completions', {}, true],
  ['responses', {}, false],
  ['count_tokens', {}, false],
  ['chat', { store: true }, false],
] as const)('%s with the body %j may be sent twice: %s', (operation, body, expected) => {
  expect(mayBeSentTwice({ operation, headers: {} }, body)).toBe(expected);
});
