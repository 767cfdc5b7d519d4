import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import type { Ticket } from '../../src/scheduler/ticket.ts';
import type { LimitsOptions } from '../../src/simulator/limits/limit-spec.ts';
import { type SimulatedKey, type SimulatedRequest, World } from './simulation/world.ts';

const MINUTE_MS = 60_000;

function plan(overrides: Partial<LimitPlan> & Pick<LimitPlan, 'capacity'>): LimitPlan {
  return { unit: 'requests', windowMs: MINUTE_MS, algorithm: 'token-bucket', isGuess: false, ...overrides };
}

const rpm = fc.integer({ min: 2, max: 120 });
const tpm = fc.integer({ min: 2_000, max: 50_000 });
const algorithm = fc.constantFrom('token-bucket' as const, 'sliding-window' as const);

const key = fc.record({ rpm, tpm, algorithm, slots: fc.option(fc.integer({ min: 1, max: 5 }), { nil: null }) });

function simulatedKey(given: {
  rpm: number;
  tpm: number;
  algorithm: 'token-bucket' | 'sliding-window';
  slots: number | null;
}): SimulatedKey {
  const truthAlgorithm = given.algorithm === 'token-bucket' ? 'token-bucket' : 'sliding-log';
  const told: NamedPlan[] = [
    { name: 'rpm', plan: plan({ capacity: given.rpm, algorithm: given.algorithm }) },
    { name: 'tpm', plan: plan({ unit: 'tokens', capacity: given.tpm, algorithm: given.algorithm }) },
  ];
  const truth: LimitsOptions = {
    rpm: { limit: given.rpm, algorithm: truthAlgorithm },
    tpm: { limit: given.tpm, algorithm: truthAlgorithm },
    ...(given.slots === null ? {} : { concurrency: { limit: given.slots } }),
  };
  if (given.slots !== null) {
    told.push({
      name: 'concurrency',
      plan: plan({ unit: 'in_flight', windowMs: 0, capacity: given.slots, algorithm: 'in-flight' }),
    });
  }
  return { truth, told };
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      tokens: fc.integer({ min: 1, max: 2_000 }),
      service: fc.integer({ min: 10, max: 5_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 8_000 }) }) },
);

const program = fc.record({
  keys: fc.array(key, { minLength: 1, maxLength: 4 }),
  steps: fc.array(step, { maxLength: 120 }),
  seed: fc.integer(),
  strategy: fc.constantFrom('headroom', 'failover', 'round-robin', 'weighted', 'least-usage', 'least-busy'),
});

interface Run {
  readonly world: World;
  readonly tickets: Ticket[];
  readonly cancelled: Set<Ticket>;
}

function run({ keys, steps, seed, strategy }: typeof program extends fc.Arbitrary<infer P> ? P : never): Run {
  const world = new World({ keys: keys.map(simulatedKey), seed, strategy, maxWaitMs: 30_000 }).openGates();
  const tickets: Ticket[] = [];
  const cancelled = new Set<Ticket>();
  for (const each of steps) {
    if (each.do === 'ask') {
      const request: SimulatedRequest = { inputTokens: each.tokens, outputTokens: 0, serviceMs: each.service };
      const ticket = world.submit(request);
      if (ticket) tickets.push(ticket);
    } else if (each.do === 'wait') {
      world.clock.advance(each.ms);
    } else if (tickets.length > 0) {
      const ticket = tickets[each.which % tickets.length] as Ticket;
      if (ticket.isWaiting) cancelled.add(ticket);
      world.scheduler.cancel(ticket);
    }
  }
  return { world, tickets, cancelled };
}

test('whatever comes, whatever the keys: no upstream refuses, and in the end nothing is open or waits', () => {
  fc.assert(
    fc.property(program, (given) => {
      const { world, cancelled } = run(given);
      world.clock.advance(3 * MINUTE_MS);
      expect(world.refusals).toBe(0);
      expect(world.scheduler.waiting).toBe(0);
      expect(world.scheduler.openLeases).toBe(0);
      expect(world.served.some(({ ticket }) => cancelled.has(ticket))).toBe(false);
      for (const quota of world.quotas) {
        for (const { primary } of quota.limits) {
          expect(primary.level(world.clock.now())).toBeCloseTo(primary.capacity, 3);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('of two tickets that cost the same the older always starts first', () => {
  fc.assert(
    fc.property(program, (given) => {
      const same = given.steps.map((each) => (each.do === 'ask' ? { ...each, tokens: 500 } : each));
      const { world } = run({ ...given, steps: same });
      world.clock.advance(3 * MINUTE_MS);
      const order = world.served.map(({ ticket }) => ticket.order);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }),
    { numRuns: 150 },
  );
});

test('nobody waits for a key that has stood idle and could have served it', () => {
  fc.assert(
    fc.property(program, (given) => {
      const { world } = run(given);
      world.clock.advance(5);
      for (const ticket of world.scheduler.door.waitingTickets()) {
        for (const option of world.model.options) {
          const cost = ticket.costOn(option);
          const isIdle = option.route.meters.every(
            ({ limit }) => limit.level(world.clock.now()) >= limit.capacity - 1e-6,
          );
          const fits = cost !== null && option.route.meters.every((meter) => meter.canEverTake(cost));
          expect(isIdle && fits).toBe(false);
        }
      }
    }),
    { numRuns: 150 },
  );
});
