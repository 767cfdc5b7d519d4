import { afterEach, describe, expect, test, vi } from 'vitest';
import { chargeOf } from '../../src/charge.ts';
import type { Cost } from '../../src/scheduler/cost.ts';
import type { RouteOption } from '../../src/scheduler/model-routes.ts';
import { StartBounds } from '../../src/scheduler/start-bounds.ts';
import { World } from './simulation/world.ts';

function cost(input: number, output: number, certain = input): Cost {
  return { reserved: chargeOf(input, output), expected: chargeOf(input, output), certain: chargeOf(certain, 0) };
}

describe('what is known of a route', () => {
  const option = { index: 1 } as RouteOption;

  test('holds for whatever costs as much or more, and for no earlier instant', () => {
    const bounds = new StartBounds(2);
    expect(bounds.isBehind(option, cost(100, 100), 0)).toBe(false);
    bounds.learn(option, cost(100, 100), 500);
    expect(bounds.isBehind(option, cost(100, 100), 500)).toBe(true);
    expect(bounds.isBehind(option, cost(200, 100), 400)).toBe(true);
    expect(bounds.isBehind(option, cost(200, 100), 501)).toBe(false);
    expect(bounds.isBehind({ ...option, index: 0 }, cost(200, 100), 400)).toBe(false);
  });

  test('says nothing of what costs less in any respect', () => {
    const bounds = new StartBounds(2);
    const known = cost(100, 100);
    bounds.learn(option, known, 500);
    expect(bounds.isBehind(option, cost(99, 200), 400)).toBe(false);
    expect(bounds.isBehind(option, { ...known, expected: chargeOf(99, 100) }, 400)).toBe(false);
    expect(bounds.isBehind(option, cost(100, 100, 99), 400)).toBe(false);
  });

  test('is forgotten with its epoch', () => {
    const bounds = new StartBounds(2);
    bounds.begin(7);
    bounds.learn(option, cost(100, 100), 500);
    bounds.begin(7);
    expect(bounds.isBehind(option, cost(100, 100), 400)).toBe(true);
    bounds.begin(8);
    expect(bounds.isBehind(option, cost(100, 100), 400)).toBe(false);
  });
});

describe('knowing it', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Every start, with its route and what was foretold. */
  function history(seed: number, keys: number): string[] {
    const bucket = { windowMs: 60_000, algorithm: 'token-bucket', isGuess: false } as const;
    const window = { windowMs: 60_000, algorithm: 'sliding-window', isGuess: false } as const;
    const world = new World({
      seed,
      keys: Array.from({ length: keys }, (_, index) => {
        const tpm = 20_000 + 10_000 * (index % 3);
        const plan = index % 2 === 0 ? bucket : window;
        return {
          truth: { tpm, rpm: 60 },
          told: [
            { name: 'tpm', plan: { ...plan, unit: 'tokens', capacity: tpm } },
            { name: 'rpm', plan: { ...bucket, unit: 'requests', capacity: 60 } },
          ],
        };
      }),
    }).openGates();
    world.offer(4 * keys, 20_000, () => ({
      inputTokens: 50 + Math.floor(2_000 * world.random() ** 3),
      outputTokens: 50 + Math.floor(200 * world.random()),
      expectedOutput: 100,
      outputCap: 400,
      serviceMs: 1_500,
    }));
    return world.served.map(({ route, startedAt, predictedAt }) => `${route.id} ${startedAt} ${predictedAt}`);
  }

  test.each([
    [1, 3],
    [2, 6],
    [3, 12],
  ])('spares looking, and changes nothing of who starts when and where (seed %i, %i keys)', (seed, keys) => {
    const known = history(seed, keys);
    vi.spyOn(StartBounds.prototype, 'isBehind').mockReturnValue(false);
    expect(known.length).toBeGreaterThan(5 * keys);
    expect(history(seed, keys)).toEqual(known);
  });
});
