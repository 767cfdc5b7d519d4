import { expect, test } from 'vitest';
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
