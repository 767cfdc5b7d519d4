import { describe, expect, test } from 'vitest';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import { Quota } from '../../src/scheduler/quota.ts';
import { QuotaLimit } from '../../src/scheduler/quota-limit.ts';

const ONE = [1, 0, 0, 0, 1] as const;
const COST = { reserved: ONE, expected: ONE, certain: ONE };

/** 20 requests a minute, of which 2 are held: one comes back every 3 s. */
function bucketOfTwo(): QuotaLimit {
  return new QuotaLimit({
    ...{ name: 'rpm', quotaName: 'org-a', skewMs: 250, source: 'config' },
    plan: {
      ...{ unit: 'requests', windowMs: 60_000, capacity: 20 },
      ...{ algorithm: 'token-bucket', isGuess: false, burst: 0.1 },
    },
  });
}

/** Sends one request at 0 and lets the head of its answer, heard at `now`, say what remains. */
function afterHead(remaining: number, now: number): { readonly hasChanged: boolean; readonly level: number } {
  const limit = bucketOfTwo();
  limit.primary.take(1, 0);
  limit.flow.record(0, 1);
  // Two thirds of another one are back when the second goes.
  limit.primary.take(1, 2_000);
  limit.flow.record(2_000, 1);
  const hasChanged = limit.seeRemaining(remaining, { sentAt: 2_000, now, skewMs: 250, cost: COST });
  return { hasChanged, level: limit.primary.level(now) };
}

test('a head that rounds down takes nothing from a bucket', () => {
  const { hasChanged, level } = afterHead(0, 2_400);
  expect(hasChanged).toBe(false);
  expect(level).toBeGreaterThan(0.6);
});

test('a head that says less than a rounding explains is believed', () => {
  const { hasChanged, level } = afterHead(-1, 2_400);
  expect(hasChanged).toBe(true);
  expect(level).toBeLessThan(0.2);
});

test('limits that answers teach are named for what they count and how long', () => {
  const quota = new Quota({ id: 'q', name: 'q', limits: [], learns: true, skewMs: 250 });
  const teach = (windowMs: number) => {
    return quota.limitFor({ unit: 'requests', windowMs, limit: 10, remaining: null }, 'header', 0)?.name;
  };
  expect([1_000, 60_000, 3_600_000, 86_400_000].map(teach)).toEqual(['rps', 'rpm', 'rph', 'rpd']);
});

test('a lower limit lowers what goes at once and what goes in a slice as well', () => {
  const limit = new QuotaLimit({
    ...{ name: 'rpm', quotaName: 'org-a', skewMs: 250, source: 'config' },
    plan: {
      ...{ unit: 'requests', windowMs: 60_000, capacity: 600 },
      ...{ algorithm: 'sliding-window', isGuess: false, sliceMs: 10_000 },
    },
  });
  limit.seeCapacity(60, 0);
  expect(limit.meters.map((meter) => meter.limit.capacity)).toEqual([60, 60, 10]);
});

describe('a head that says more than the books of a bucket of 60,000 a minute', () => {
  const cost = { reserved: [1, 0, 0, 0, 1], expected: [1, 0, 0, 0, 1], certain: [1, 0, 0, 0, 1] } as const;

  /** Half full at 0. Heads come as they are sent, and each says by how much more is left than the books say. */
  function afterSurpluses(...heads: readonly (readonly [at: number, surplus: number])[]): number {
    const limit = bucketOfTokens();
    limit.primary.take(30_000, 0);
    for (const [at, surplus] of heads) hear(limit, at, surplus);
    const [last] = heads.at(-1) as readonly [number, number];
    return limit.primary.level(last) - (30_000 + last - SKEW_MS);
  }

  function hear(limit: QuotaLimit, at: number, surplus: number): void {
    const remaining = limit.primary.level(at) + surplus;
    limit.seeRemaining(remaining, { sentAt: at, now: at, skewMs: SKEW_MS, cost });
  }

  test('is not believed at once: a refund may be in it that the books are yet to get', () => {
    expect(afterSurpluses([1_000, 5_000], [1_100, 5_000])).toBeCloseTo(0);
  });

  test('nor when that is over, for more is left while answers are under way that are reserved less for', () => {
    expect(afterSurpluses([1_000, 5_000], [1_800, 5_000])).toBeCloseTo(0);
  });

  test('is believed when the next one says so too, but for the refill that is not sure', () => {
    const risen = afterSurpluses([1_000, 5_000], [1_800, 5_000], [2_600, 5_000]);
    expect(risen).toBeCloseTo(5_000 - SKEW_MS);
  });

  test('is believed no further than both of them agree', () => {
    const least = 1_000 - SKEW_MS;
    expect(afterSurpluses([1_000, 5_000], [1_800, 1_000], [2_600, 5_000])).toBeCloseTo(least);
    expect(afterSurpluses([1_000, 1_000], [1_800, 5_000], [2_600, 1_000])).toBeCloseTo(least);
  });

  test('is believed for the rest as well when a third one says so', () => {
    const heads = [1_000, 1_800, 2_600].map((at) => [at, 1_000] as const);
    expect(afterSurpluses(...heads, [3_400, 0], [4_200, 0])).toBeCloseTo(1_000 - SKEW_MS);
  });

  test('proves nothing about a limit that has changed since', () => {
    const limit = bucketOfTokens();
    limit.primary.take(30_000, 0);
    for (const at of [1_000, 1_800]) hear(limit, at, 5_000);
    limit.seeCapacity(40_000, 2_000);
    const level = limit.primary.level(2_600);
    hear(limit, 2_600, 5_000);
    expect(limit.primary.level(2_600)).toBe(level);
  });
});

describe('an answer that cost more than was booked for it', () => {
  test('leaves a guard on a bucket, of a quarter of it at most', () => {
    const limit = bucketOfTokens();
    limit.corrected(2_000, 1_000);
    expect(limit.meters[0]?.guard).toBe(2_000);
    limit.corrected(50_000, 2_000);
    expect(limit.meters[0]?.guard).toBe(15_000);
  });

  test('leaves none on a window, where what is not used is lost', () => {
    const limit = bucketOfTokens({ algorithm: 'sliding-window', burst: 1 });
    limit.corrected(2_000, 1_000);
    expect(limit.meters[0]?.guard).toBe(0);
  });
});

const SKEW_MS = 250;

function bucketOfTokens(overrides: Partial<LimitPlan> = {}): QuotaLimit {
  return new QuotaLimit({
    ...{ name: 'tpm', quotaName: 'org-a', skewMs: SKEW_MS, source: 'config' },
    plan: {
      ...{ unit: 'tokens', windowMs: 60_000, capacity: 60_000 },
      ...{ algorithm: 'token-bucket', isGuess: false },
      ...overrides,
    },
  });
}
