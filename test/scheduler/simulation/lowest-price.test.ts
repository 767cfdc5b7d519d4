import { expect, test } from 'vitest';
import type { Price } from '../../../src/money.ts';
import type { LimitPlan } from '../../../src/scheduler/limits/create-limits.ts';
import { type SimulatedKey, type SimulatedRequest, World } from './world.ts';

const MINUTE_MS = 60_000;
const DEAR: Price = { input: 2.5, cachedInput: 1.25, output: 10 };
const CHEAP: Price = { input: 0.15, cachedInput: 0.075, output: 0.6 };

/** So many requests a second, or at once. */
function key(price: Price, limits: { readonly rps?: number; readonly concurrency?: number }): SimulatedKey {
  const { rps = 1_000, concurrency = 1_000 } = limits;
  const rate: LimitPlan = {
    ...{ unit: 'requests', windowMs: MINUTE_MS, algorithm: 'token-bucket', isGuess: false },
    capacity: rps * 60,
  };
  const atOnce: LimitPlan = {
    ...{ unit: 'in_flight', windowMs: 0, algorithm: 'in-flight', isGuess: false },
    capacity: concurrency,
  };
  return {
    price,
    truth: { rpm: rps * 60, concurrency },
    told: [
      { name: 'rpm', plan: rate },
      { name: 'concurrency', plan: atOnce },
    ],
  };
}

function shareOf(world: World, index: number): number {
  const route = world.model.options[index]?.route;
  return world.served.filter((served) => served.route === route).length / world.served.length;
}

/** Poisson arrivals for twenty minutes; the first five, when buckets empty, do not count. */
function afterAWhile(
  keys: readonly SimulatedKey[],
  perSecond: number,
  draw: (world: World) => SimulatedRequest,
): World {
  const world = new World({ keys, strategy: 'lowest-price' }).openGates();
  world.offer(perSecond, 5 * MINUTE_MS, () => draw(world));
  world.startMeasuring();
  world.offer(perSecond, 15 * MINUTE_MS, () => draw(world));
  return world;
}

const plain = (): SimulatedRequest => ({ inputTokens: 800, outputTokens: 200, serviceMs: 1_000 });

test.each([
  ['a rate', { rps: 10 }, 8],
  ['requests in flight', { concurrency: 8 }, 5],
])('the cheapest route gets over 80 %% while it affords them: %s', (_what, limits, perSecond) => {
  const world = afterAWhile([key(DEAR, {}), key(CHEAP, limits)], perSecond, plain);
  expect(shareOf(world, 1)).toBeGreaterThanOrEqual(0.8);
  // What it cannot start at once goes to the other, and waits for nothing.
  expect(Math.max(...world.served.map(({ arrivedAt, startedAt }) => startedAt - arrivedAt))).toBe(0);
  expect(world.refusals).toBe(0);
});

test('beyond what the cheapest affords the rest goes to the next, and the cheapest stays full', () => {
  const world = afterAWhile([key(DEAR, {}), key(CHEAP, { rps: 5 })], 10, plain);
  expect(shareOf(world, 1)).toBeGreaterThan(0.48);
  expect(shareOf(world, 0) + shareOf(world, 1)).toBe(1);
  expect(world.rejections).toEqual([]);
});

test('which is the cheapest is for each request to say: long prompts here, long answers there', () => {
  const forPrompts = { input: 1, cachedInput: 1, output: 10 };
  const forAnswers = { input: 5, cachedInput: 5, output: 5 };
  const world = afterAWhile([key(forPrompts, {}), key(forAnswers, {})], 5, ({ random }) => ({
    ...plain(),
    ...(random() < 0.5 ? { inputTokens: 5_000, outputTokens: 10 } : { inputTokens: 10, outputTokens: 5_000 }),
  }));
  const [prompts] = world.model.options;
  expect(world.served.every(({ route, request }) => (route === prompts?.route) === request.inputTokens > 10)).toBe(
    true,
  );
});
