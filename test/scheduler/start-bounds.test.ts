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
  const [TOKENS, IN_FLIGHT] = [{ unit: 1 }, { unit: 4 }] as const;
  const option = { index: 1, route: { meters: [TOKENS] } } as unknown as RouteOption;
  const first = { order: 1 };

  test('holds for whatever costs as much or more, and for no earlier instant', () => {
    const bounds = new StartBounds('reserved');
    expect(bounds.isBehind(option, cost(100, 100), { at: 0, seeker: first })).toBe(false);
    bounds.learn(option, cost(100, 100), { start: 500, seeker: first });
    expect(bounds.isBehind(option, cost(100, 100), { at: 500, seeker: first })).toBe(true);
    expect(bounds.isBehind(option, cost(200, 100), { at: 400, seeker: first })).toBe(true);
    expect(bounds.isBehind(option, cost(200, 100), { at: 501, seeker: first })).toBe(false);
    expect(bounds.isBehind({ ...option, index: 0 }, cost(200, 100), { at: 400, seeker: first })).toBe(false);
  });

  test('says nothing of what costs less of what its limits count', () => {
    const bounds = new StartBounds('expected');
    bounds.learn(option, cost(100, 100), { start: 500, seeker: first });
    expect(bounds.isBehind(option, cost(99, 100), { at: 400, seeker: first })).toBe(false);
    expect(bounds.isBehind(option, cost(10, 190), { at: 400, seeker: first })).toBe(true);
  });

  test('says nothing of tickets that come before, and outlives what is found for those behind', () => {
    const bounds = new StartBounds('reserved');
    bounds.learn(option, cost(100, 100), { start: 500, seeker: first });
    bounds.learn(option, cost(100, 100), { start: 900, seeker: { order: 5 } });
    expect(bounds.isBehind(option, cost(100, 100), { at: 400, seeker: { order: 0 } })).toBe(false);
    expect(bounds.isBehind(option, cost(100, 100), { at: 900, seeker: { order: 4 } })).toBe(false);
    expect(bounds.isBehind(option, cost(100, 100), { at: 900, seeker: { order: 5 } })).toBe(true);
    bounds.forget(option, 4);
    bounds.forget({ ...option, index: 0 }, 4);
    expect(bounds.isBehind(option, cost(100, 100), { at: 900, seeker: { order: 5 } })).toBe(false);
    expect(bounds.isBehind(option, cost(100, 100), { at: 500, seeker: { order: 5 } })).toBe(true);
  });

  test('for one behind falls when one before it, which has come back, is looked at again', () => {
    const bounds = new StartBounds('reserved');
    bounds.learn(option, cost(100, 100), { start: 900, seeker: { order: 5 } });
    bounds.learn(option, cost(100, 100), { start: 500, seeker: { order: 2 } });
    expect(bounds.isBehind(option, cost(100, 100), { at: 900, seeker: { order: 5 } })).toBe(false);
    expect(bounds.isBehind(option, cost(100, 100), { at: 500, seeker: { order: 5 } })).toBe(true);
  });

  test('is not what never fits: something larger may be a guess, and be cut', () => {
    const bounds = new StartBounds('reserved');
    bounds.learn(option, cost(100, 100), { start: Number.POSITIVE_INFINITY, seeker: first });
    expect(bounds.isBehind(option, cost(100, 100), { at: 0, seeker: first })).toBe(false);
  });

  test('is found anew when the route learns a limit', () => {
    const bounds = new StartBounds('reserved');
    bounds.learn(option, cost(100, 100), { start: 500, seeker: first });
    const learned = { ...option, route: { meters: [TOKENS, IN_FLIGHT] } } as unknown as RouteOption;
    bounds.learn(learned, cost(100, 100), { start: 300, seeker: first });
    expect(bounds.isBehind(learned, cost(100, 100), { at: 400, seeker: first })).toBe(false);
    expect(bounds.isBehind(learned, cost(100, 100), { at: 300, seeker: first })).toBe(true);
  });

  test('is no more than the newest looks, however many there were', () => {
    const bounds = new StartBounds('reserved');
    for (let tokens = 1_000; tokens > 0; tokens -= 1) {
      bounds.learn(option, cost(tokens, 0), { start: 1_000 - tokens, seeker: first });
    }
    expect(bounds.isBehind(option, cost(900, 0), { at: 900, seeker: first })).toBe(true);
    expect(bounds.isBehind(option, cost(1, 0), { at: 999, seeker: first })).toBe(true);
  });

  test('is forgotten with its epoch', () => {
    const bounds = new StartBounds('reserved');
    bounds.begin(7);
    bounds.learn(option, cost(100, 100), { start: 500, seeker: first });
    bounds.begin(7);
    expect(bounds.isBehind(option, cost(100, 100), { at: 400, seeker: first })).toBe(true);
    bounds.begin(8);
    expect(bounds.isBehind(option, cost(100, 100), { at: 400, seeker: first })).toBe(false);
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
