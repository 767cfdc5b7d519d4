import { describe, expect, test } from 'vitest';
import { type AdaptivePace, createLimits, type LimitPlan } from '../../../src/scheduler/limits/create-limits.ts';
import type { Limit } from '../../../src/scheduler/limits/limit.ts';
import { seededRandom } from '../simulation/random.ts';
import { saturate } from './traffic.ts';
import { ContinuousBucket } from './twins/continuous-bucket.ts';

const MINUTE_MS = 60_000;
const REQUESTS: LimitPlan = {
  unit: 'requests',
  windowMs: MINUTE_MS,
  capacity: 600,
  algorithm: 'sliding-window',
  isGuess: false,
};
const boundaries = () => ({ startMs: 0, endMs: MINUTE_MS });

test.each<{ name: string; plan: Partial<LimitPlan>; kinds: string[] }>([
  { name: 'a bucket', plan: { algorithm: 'token-bucket' }, kinds: ['TokenBucket'] },
  { name: 'a window of requests', plan: {}, kinds: ['SlidingWindow', 'Pace'] },
  { name: 'a window of tokens', plan: { unit: 'tokens' }, kinds: ['SlidingWindow'] },
  { name: 'a window of tokens with a burst', plan: { unit: 'tokens', burst: 0.5 }, kinds: ['SlidingWindow', 'Pace'] },
  { name: 'a window of requests that may burst', plan: { burst: 1 }, kinds: ['SlidingWindow'] },
  {
    name: 'a window that starts nobody knows when',
    plan: { algorithm: 'fixed-window' },
    kinds: ['SlidingWindow', 'Pace'],
  },
  { name: 'a window of known phase', plan: { algorithm: 'fixed-window', boundaries }, kinds: ['FixedWindow', 'Pace'] },
  { name: 'a guess', plan: { algorithm: 'token-bucket', isGuess: true }, kinds: ['SlidingWindow', 'AdaptivePace'] },
  {
    name: 'a bucket with slices',
    plan: { algorithm: 'token-bucket', sliceMs: 1_000 },
    kinds: ['TokenBucket', 'SlidingWindow'],
  },
  { name: 'slots', plan: { unit: 'in_flight', algorithm: 'in-flight', windowMs: 0 }, kinds: ['InFlight'] },
])('$name is kept as $kinds', ({ plan, kinds }) => {
  expect(createLimits({ ...REQUESTS, ...plan }).map((limit) => limit.constructor.name)).toEqual(kinds);
});

test('a slice has its share of the limit, rounded down, but one at least', () => {
  const slice = (capacity: number) => createLimits({ ...REQUESTS, capacity, sliceMs: 1_000 }).at(-1)?.capacity;
  expect([slice(660), slice(659), slice(20)]).toEqual([11, 10, 1]);
});

describe('the skew that is allowed for', () => {
  const spanMs = (limit: Limit) => {
    limit.take(limit.capacity, 0);
    return limit.readyAt(limit.capacity, 0);
  };

  test('is 250 ms, and a hundredth of windows under a minute', () => {
    expect(spanMs(createLimits(REQUESTS)[0] as Limit)).toBe(60_250);
    expect(spanMs(createLimits({ ...REQUESTS, windowMs: 1_000 })[0] as Limit)).toBe(1_010);
    expect(spanMs(createLimits({ ...REQUESTS, skewMs: 40 })[0] as Limit)).toBe(60_040);
    const bucket = createLimits({ ...REQUESTS, windowMs: 1_000, algorithm: 'token-bucket' })[0] as Limit;
    expect(spanMs(bucket)).toBe(1_250);
  });

  test('is a hundredth of a slice, or less where the limit allows for less', () => {
    const slice = (skewMs: number) => spanMs(createLimits({ ...REQUESTS, sliceMs: 10_000, skewMs }).at(-1) as Limit);
    expect([slice(250), slice(40)]).toEqual([10_100, 10_040]);
  });
});

test('a pace ignores what is said about the limit', () => {
  const pace = createLimits(REQUESTS)[1] as Limit;
  expect(pace.observe({ now: 0, lowest: 0, highest: 0, mayRaise: true })).toBe(false);
  pace.refused(0, 0, MINUTE_MS);
  pace.setSkew(5_000, 0);
  expect(pace.level(0)).toBe(150);
});

test('unexplained refusals bring the burst of a guess down to one request, and quiet brings it back', () => {
  const pace = createLimits({ ...REQUESTS, isGuess: true })[1] as AdaptivePace;
  const levels = Array.from({ length: 9 }, () => {
    pace.halveBurst(0);
    return pace.level(0);
  });
  expect(levels).toEqual([75, 37.5, 18.75, 9.375, 4.6875, 2.34375, 1.171875, 1, 1]);
  pace.raiseBurst(0);
  expect(pace.level(MINUTE_MS)).toBeCloseTo(1.25, 9);
  for (let time = 0; time < 40; time += 1) pace.raiseBurst(MINUTE_MS);
  expect(pace.level(2 * MINUTE_MS)).toBe(150);
});

test('the burst of a small guess is one request all along', () => {
  const pace = createLimits({ ...REQUESTS, capacity: 2, isGuess: true })[1] as AdaptivePace;
  pace.halveBurst(0);
  pace.raiseBurst(0);
  expect(pace.level(0)).toBe(1);
});

test('a guess is not refused by a bucket that holds a minute, and uses it up', () => {
  const random = seededRandom(5);
  const books = {
    limits: createLimits({ ...REQUESTS, isGuess: true }),
    twin: new ContinuousBucket({ capacity: 600, windowMs: MINUTE_MS }),
    skewMs: 250,
  };
  const trip = () => ({ gapMs: 0, amount: 1, delayMs: 250 * random(), servedMs: 1_000, charged: 1, lagMs: 100 });
  const { admitted, refusals } = saturate(books, trip, { fromMs: 2 * MINUTE_MS, toMs: 22 * MINUTE_MS });
  expect(refusals).toBe(0);
  expect(admitted / (20 * 600)).toBeGreaterThanOrEqual(0.99);
});

test('a day is not paced unless somebody says so: half of it may go in the morning', () => {
  const day = { ...REQUESTS, windowMs: 86_400_000, algorithm: 'sliding-window' as const };
  expect(createLimits(day)).toHaveLength(1);
  expect(createLimits({ ...day, isGuess: true })).toHaveLength(1);
  expect(createLimits({ ...day, burst: 0.1 })).toHaveLength(2);
});
