import { expect, test } from 'vitest';
import { TokenBucket } from '../../../src/scheduler/limits/token-bucket.ts';
import { describeLimit } from './limit.contract.ts';
import { ContinuousBucket } from './twins/continuous-bucket.ts';

const MINUTE_MS = 60_000;
const SKEW_MS = 250;

describeLimit({
  name: 'a bucket of tokens',
  capacity: 200_000,
  windowMs: MINUTE_MS,
  skewMs: SKEW_MS,
  limits: () => [bucket({ capacity: 200_000 })],
  twins: { 'a bucket': () => new ContinuousBucket({ capacity: 200_000, windowMs: MINUTE_MS }) },
  utilisation: [0.01, 0.05, 0.1, 0.2].map((meanShare) => ({ meanShare, atLeast: 0.995 })),
});

describeLimit({
  name: 'a bucket of requests that holds a tenth of a minute',
  capacity: 60,
  windowMs: MINUTE_MS,
  skewMs: SKEW_MS,
  limits: () => [bucket({ capacity: 60, burst: 0.1 })],
  twins: { 'a bucket as small': () => new ContinuousBucket({ capacity: 60, windowMs: MINUTE_MS, size: 6 }) },
  utilisation: [{ meanShare: 1 / 60, atLeast: 0.995 }],
});

test('a cost above what the bucket holds is granted when it is full, and paid for afterwards', () => {
  const limit = bucket({ capacity: 60, burst: 0.1, skewMs: 0 });
  expect(limit.readyAt(60, 0)).toBe(0);
  limit.take(60, 0);
  expect(limit.level(0)).toBe(-54);
  expect(limit.readyAt(1, 0)).toBe(55_000);
});

test('a bucket always holds one request, but never more than its capacity', () => {
  expect(bucket({ capacity: 60, burst: 0.001 }).level(0)).toBe(1);
  expect(bucket({ capacity: 0.5 }).level(0)).toBe(0.5);
});

test('a capacity of nothing admits nothing', () => {
  const limit = bucket({ capacity: 0 });
  expect(limit.level(0)).toBe(0);
  expect(limit.readyAt(1, 0)).toBe(Number.POSITIVE_INFINITY);
});

test('refill that a late request may cost the upstream does not count', () => {
  const limit = bucket({ capacity: 60_000 });
  limit.take(60_000, 0);
  expect(limit.readyAt(1, 0)).toBe(251);
  limit.setSkew(1_000);
  limit.take(60_000, 120_000);
  expect(limit.readyAt(1, 120_000)).toBe(121_001);
});

test.each([
  ['', null],
  [', also when the skew changes meanwhile', 300],
])('a refund that the upstream made while it was full is worth nothing once the rest is spent%s', (_, skewMs) => {
  const limit = bucket({ capacity: 60_000, skewMs: 0 });
  const booking = limit.take(1_000, 0);
  limit.take(50_000, 1_100);
  if (skewMs !== null) limit.setSkew(skewMs);
  limit.settle(booking, 0, 1_200);
  expect(limit.level(1_200)).toBeCloseTo(10_100, 6);
});

test('a refund after a quiet time fills the bucket and no more', () => {
  const limit = bucket({ capacity: 60_000, skewMs: 0 });
  const booking = limit.take(1_000, 0);
  limit.settle(booking, 0, 900_000);
  expect(limit.level(900_000)).toBe(60_000);
  limit.take(60_000, 900_000);
  expect(limit.level(900_000)).toBe(0);
});

test('many refunds under load are worth what they say', () => {
  const limit = bucket({ capacity: 60_000, skewMs: 0 });
  limit.take(60_000, 0);
  for (let now = 1_000; now < 100_000; now += 100) limit.settle(limit.take(200, now), 100, now + 50);
  expect(limit.level(100_000)).toBeCloseTo(100_000 - 990 * 100, 6);
});

test('nothing spills over when a bucket grows, and what a smaller one cannot hold is gone', () => {
  const limit = bucket({ capacity: 60, burst: 0.5 });
  limit.setBurst(1, 0);
  expect(limit.level(0)).toBe(30);
  limit.setBurst(0.25, 0);
  expect(limit.level(0)).toBe(15);
});

test('a limit that turns out to exist is full: whoever says so says the level too', () => {
  const limit = bucket({ capacity: Number.POSITIVE_INFINITY });
  limit.take(1e6, 0);
  expect(limit.fullInMs(0)).toBe(0);
  expect(limit.snapshot(0)).toEqual({ capacity: Number.POSITIVE_INFINITY, used: [] });
  limit.setCapacity(600, 0);
  expect(limit.level(0)).toBe(600);
});

test('the end of the queue comes nearer by what is released', () => {
  const tail = bucket({ capacity: 60_000, skewMs: 0 }).tail();
  tail.append(60_000, 0);
  tail.append(30_000, 30_000);
  expect(tail.earliest(1_000, 0)).toBe(31_000);
  tail.release(10_000);
  expect(tail.earliest(1_000, 0)).toBe(21_000);
});

function bucket(options: { capacity: number; burst?: number; skewMs?: number }): TokenBucket {
  return new TokenBucket({ unit: 'tokens', windowMs: MINUTE_MS, burst: 1, skewMs: SKEW_MS, ...options });
}
