import { expect, test } from 'vitest';
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
