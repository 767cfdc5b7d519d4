import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import { Plan } from '../../src/scheduler/plan.ts';
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
