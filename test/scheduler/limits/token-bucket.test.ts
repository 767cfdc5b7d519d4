import { describe, expect, test } from 'vitest';
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
  limits: () => [
    new TokenBucket({ unit: 'tokens', windowMs: MINUTE_MS, capacity: 200_000, burst: 1, skewMs: SKEW_MS }),
  ],
  twins: { 'a bucket': () => new ContinuousBucket({ capacity: 200_000, windowMs: MINUTE_MS }) },
  utilisation: [0.01, 0.05, 0.1, 0.2].map((meanShare) => ({ meanShare, atLeast: 0.995 })),
});

describeLimit({
  name: 'a bucket of requests that holds a tenth of a minute',
  capacity: 60,
  windowMs: MINUTE_MS,
  skewMs: SKEW_MS,
  limits: () => [new TokenBucket({ unit: 'requests', windowMs: MINUTE_MS, capacity: 60, burst: 0.1, skewMs: SKEW_MS })],
  twins: { 'a bucket as small': () => new ContinuousBucket({ capacity: 60, windowMs: MINUTE_MS, size: 6 }) },
  utilisation: [{ meanShare: 1 / 60, atLeast: 0.995 }],
});
void describe;
void expect;
void test;
