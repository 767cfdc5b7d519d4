import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import { Plan } from '../../src/scheduler/plan.ts';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import type { Ticket } from '../../src/scheduler/ticket.ts';
import { Office } from './office.ts';
import { type SimulatedKey, World } from './simulation/world.ts';

const MINUTE_MS = 60_000;

const key = fc.record({
  rpm: fc.integer({ min: 2, max: 60 }),
  tpm: fc.integer({ min: 3_000, max: 30_000 }),
  algorithm: fc.constantFrom('token-bucket' as const, 'sliding-window' as const),
  organisation: fc.option(fc.constantFrom('a', 'b'), { nil: null }),
});
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      input: fc.integer({ min: 1, max: 1_500 }),
      output: fc.integer({ min: 1, max: 800 }),
      expected: fc.integer({ min: 1, max: 400 }),
      isCapped: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 4_000 }) }) },
);
const program = fc.record({
  keys: fc.array(key, { minLength: 2, maxLength: 6 }),
  steps: fc.array(step, { minLength: 20, maxLength: 150 }),
  seed: fc.integer(),
  strategy: fc.constantFrom('headroom', 'failover', 'round-robin', 'weighted', 'least-usage', 'least-busy'),
  hasHeaders: fc.boolean(),
});
type Program = typeof program extends fc.Arbitrary<infer Given> ? Given : never;

function simulatedKey(
  { rpm, tpm, algorithm, organisation }: Program['keys'][number],
  hasHeaders: boolean,
): SimulatedKey {
  const plan = (unit: LimitPlan['unit'], capacity: number): LimitPlan => {
    return { unit, windowMs: MINUTE_MS, capacity, algorithm, isGuess: false };
  };
  const truthAlgorithm = algorithm === 'token-bucket' ? algorithm : ('sliding-log' as const);
  return {
    truth: { rpm: { limit: rpm, algorithm: truthAlgorithm }, tpm: { limit: tpm, algorithm: truthAlgorithm } },
    told: [
      { name: 'rpm', plan: plan('requests', rpm) },
      { name: 'tpm', plan: plan('tokens', tpm) },
    ],
    hasHeaders,
    ...(organisation === null ? {} : { organisation }),
  };
}

interface History {
  /** Who started where and when. */
  readonly starts: string[];
  readonly turnedAway: number;
  readonly refused: number;
}

function play({ keys, steps, seed, strategy, hasHeaders }: Program): History {
  const world = new World({ keys: keys.map((each) => simulatedKey(each, hasHeaders)), seed, strategy }).openGates();
  const tickets: Ticket[] = [];
  for (const each of steps) {
    if (each.do === 'ask') {
      const { input: inputTokens, output: outputTokens, expected, isCapped } = each;
      const cap = isCapped ? { outputCap: outputTokens + 500 } : {};
      const ticket = world.submit({
        inputTokens,
        outputTokens,
        expectedOutput: expected,
        serviceMs: outputTokens * 5,
        ...cap,
      });
      if (ticket) tickets.push(ticket);
    } else if (each.do === 'wait') {
      world.clock.advance(each.ms);
    } else if (tickets.length > 0) {
      world.scheduler.cancel(tickets[each.which % tickets.length] as Ticket);
    }
  }
  world.clock.advance(3 * MINUTE_MS);
  return {
    starts: world.served.map(
      ({ ticket, route, startedAt }) => `${ticket.request.id} ${route.id} ${startedAt.toFixed(3)}`,
    ),
    turnedAway: world.rejections.length,
    refused: world.refusals,
  };
}

function planAnewEveryTime(): void {
  const update = Plan.prototype.update;
  vi.spyOn(Plan.prototype, 'update').mockImplementation(function (this: Plan, now) {
    this.invalidate();
    update.call(this, now);
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

test('a plan that is put right after news is the one that would be made anew', () => {
  fc.assert(
    fc.property(program, (given) => {
      const repaired = play(given);
      planAnewEveryTime();
      const anew = play(given);
      vi.restoreAllMocks();
      expect(repaired).toEqual(anew);
    }),
    { numRuns: 150 },
  );
});

test('one that comes back goes first, and the last of a full plan gives up its booking for it', () => {
  const limits = [
    {
      name: 'rpm',
      plan: { unit: 'requests', windowMs: MINUTE_MS, capacity: 2, algorithm: 'token-bucket', isGuess: false },
    },
  ] as const;
  const office = new Office({ a: { limits }, b: { limits } }, { maxWaitMs: 60 * MINUTE_MS });
  const names = [...'abcdefghijklmnop'];
  const tickets = names.map((name) => office.ask(name));
  expect(office.log).toHaveLength(2);
  office.end('a', { report: { kind: 'nothing' } });
  const first = tickets[0] as Ticket;
  office.scheduler.again(first, { exclude: [], notBeforeMs: 0 });
  expect(tickets.filter((ticket) => ticket?.isWaiting && ticket.booking !== null)).toHaveLength(8);
  office.clock.advance(20 * MINUTE_MS);
  expect(office.log.slice(2).map(([name]) => name)).toEqual(['a', ...names.slice(2)]);
});

const rpm = (capacity: number): NamedPlan => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false },
});
const tpm = (capacity: number): NamedPlan => ({ name: 'tpm', plan: { ...rpm(capacity).plan, unit: 'tokens' } });

test('whom no route will ever fit again is turned away, not planned for never', () => {
  const office = new Office({ a: { limits: [tpm(1_000)], learns: true } }, { maxWaitMs: 60 * MINUTE_MS });
  office.ask('served', { tokens: 1_000 });
  office.ask('small', { tokens: 400 });
  office.ask('large', { tokens: 800 });
  office.ask('small too', { tokens: 400 });
  office.end('served');
  office.clock.advance(200);
  office.answer('served', []);
  office.quota('a').neverFits('tokens', 500, office.clock.now());
  office.ask('nudge', { tokens: 400 });
  office.clock.advance(10 * MINUTE_MS);
  expect(office.rejectedNames).toEqual(['large']);
  expect(office.log.slice(1)).toEqual(['small on a', 'small too on a', 'nudge on a']);
});

test('one that comes back with no route left is turned away, and those behind it keep their starts', () => {
  const office = new Office({ a: { limits: [rpm(1)] }, b: { limits: [rpm(1)] } }, { maxWaitMs: 60 * MINUTE_MS });
  const [first] = ['1', '2', '3', '4', '5'].map((name) => office.ask(name));
  office.end('2', { report: { kind: 'nothing' } });
  const starts = () => office.scheduler.door.waitingTickets().map(({ booking }) => booking?.at);
  const before = starts();
  office.end('1', { report: { kind: 'nothing' } });
  office.scheduler.again(first as Ticket, {
    exclude: [office.route('a'), office.route('b')],
    notBeforeMs: 0,
  });
  expect(office.rejected('1')).toMatchObject({ kind: 'no_usable_route' });
  expect(starts()).toEqual(before);
});

test('whoever waits for a route whose level nobody knows starts there as soon as it is proved', () => {
  const keys = { a: { limits: [rpm(60)], learns: true, hasClosedGate: true }, b: { limits: [rpm(1)] } };
  const office = new Office(keys, { maxWaitMs: 60 * MINUTE_MS });
  for (const name of '12345') office.ask(name);
  expect(office.log).toEqual(['1 on a', '2 on b']);
  office.end('2', { charged: 'unsent', report: { kind: 'nothing' } });
  office.clock.advance(1_000);
  expect(office.log.slice(2)).toEqual(['3 on b']);
  office.answer('1');
  expect(office.log.slice(3)).toEqual(['4 on a', '5 on a']);
});

describe('a plan so large that it is put right a few milliseconds late', () => {
  const DEPTH = 30;
  const keys = Object.fromEntries(
    Array.from({ length: DEPTH / 2 }, (_, i) => [`k${i}`, { limits: [tpm(i === 0 ? 6_000 : 200)] }]),
  );

  /** Only the first key can take large ones; three come back at once, each older than some that are booked. */
  function comeBack(): Office {
    const office = new Office(keys, { maxWaitMs: 600 * MINUTE_MS });
    const ask = (name: string, tokens: number) => office.ask(name, { tokens }) as Ticket;
    const begun = Array.from({ length: 5 }, (_, i) => ask(`begun ${i}`, 1_000));
    const waiting = Array.from({ length: DEPTH - 1 }, (_, i) => ask(`waiting ${i}`, 1_000));
    const small = ask('small', 100);
    for (let i = 0; i < 3; i += 1) ask(`last ${i}`, 1_000);
    expect(office.log.at(-1)).toBe('small on k1');
    const due = waiting[0]?.booking?.at as number;
    office.clock.advance(due - office.clock.now() - 2);
    // It is made anew now, and not put right before it has had its pause.
    office.scheduler.changed();
    for (const ticket of [begun[0] as Ticket, begun[1] as Ticket, small]) {
      office.end(ticket.request.id, { report: { kind: 'nothing' } });
      office.scheduler.again(ticket, { exclude: [], notBeforeMs: 0 });
    }
    office.clock.advance(3);
    ask('newcomer', 1_000);
    return office;
  }

  test('loses nobody, and starts all that can only go to one key in their order', () => {
    const office = comeBack();
    office.clock.advance(30 * MINUTE_MS);
    const large = office.log.slice(6).filter((entry) => !entry.startsWith('small'));
    const starts = large.map((entry) => entry.replace(' on k0', ''));
    expect(starts).toEqual([
      // Its instant came, and somebody's turn with it, before the plan was put right.
      'waiting 0',
      'begun 0',
      'begun 1',
      ...Array.from({ length: DEPTH - 2 }, (_, i) => `waiting ${i + 1}`),
      'last 0',
      'last 1',
      'last 2',
      'newcomer',
    ]);
    expect(office.log.filter((entry) => entry.startsWith('small'))).toHaveLength(2);
    expect(office.scheduler.waiting).toBe(0);
  });
});

test('where slots are held for as long as answers take, nobody is lost, overtaken, or left beside a free slot', () => {
  const slots = fc.integer({ min: 1, max: 3 });
  const given = fc.record({ keys: fc.array(slots, { minLength: 2, maxLength: 5 }), program });
  fc.assert(
    fc.property(given, ({ keys, program: { steps, seed, strategy } }) => {
      const world = new World({ keys: keys.map(slotKey), seed, strategy, delayMs: [1, 20] }).openGates();
      const tickets: Ticket[] = [];
      for (const each of steps) {
        if (each.do === 'ask') {
          const ticket = world.submit({ inputTokens: 10, outputTokens: 10, serviceMs: each.output });
          if (ticket) tickets.push(ticket);
        } else if (each.do === 'wait') {
          world.clock.advance(each.ms);
          const isFree = ({ meters }: (typeof world.model.options)[number]['route']) =>
            meters.every(({ limit }) => limit.level(world.clock.now()) >= 1);
          world.clock.advance(5);
          const waits = world.scheduler.waiting > 0;
          expect(waits && world.model.options.every(({ route }) => isFree(route))).toBe(false);
        } else if (tickets.length > 0) {
          world.scheduler.cancel(tickets[each.which % tickets.length] as Ticket);
        }
      }
      world.clock.advance(3 * MINUTE_MS);
      const order = world.served.map(({ ticket }) => ticket.order);
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(world.refusals).toBe(0);
      expect(tickets.every(({ isWaiting }) => !isWaiting)).toBe(true);
      expect([world.scheduler.waiting, world.scheduler.openLeases]).toEqual([0, 0]);
    }),
    { numRuns: 60 },
  );
});

function slotKey(capacity: number): SimulatedKey {
  return {
    truth: { concurrency: { limit: capacity } },
    told: [
      {
        name: 'concurrency',
        plan: { unit: 'in_flight', windowMs: 0, capacity, algorithm: 'in-flight', isGuess: false },
      },
    ],
  };
}
