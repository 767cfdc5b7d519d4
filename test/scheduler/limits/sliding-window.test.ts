import { Pace } from '../../../src/scheduler/limits/pace.ts';
import { SlidingWindow } from '../../../src/scheduler/limits/sliding-window.ts';
import { describeLimit } from './limit.contract.ts';
import { ExactLog } from './twins/exact-log.ts';
import { AllOf } from './twins/slots.ts';
import { WindowCounter } from './twins/window-counter.ts';

const MINUTE_MS = 60_000;
const SKEW_MS = 250;
const TOKENS = { capacity: 100_000, windowMs: MINUTE_MS };

describeLimit({
  ...TOKENS,
  name: 'a window of tokens',
  skewMs: SKEW_MS,
  limits: () => [new SlidingWindow({ ...TOKENS, unit: 'tokens', skewMs: SKEW_MS })],
  twins: {
    'a log': () => new ExactLog(TOKENS),
    'a window of unknown phase': (random) => new WindowCounter({ ...TOKENS, phase: random() * MINUTE_MS }),
  },
  utilisation: [
    { meanShare: 0.01, atLeast: 0.99 },
    { meanShare: 0.05, atLeast: 0.985 },
    { meanShare: 0.1, atLeast: 0.97 },
    { meanShare: 0.2, atLeast: 0.94 },
  ],
});

const REQUESTS = { capacity: 600, windowMs: MINUTE_MS };

describeLimit({
  ...REQUESTS,
  name: 'a window of requests with a pace',
  skewMs: SKEW_MS,
  limits: () => [
    new SlidingWindow({ ...REQUESTS, unit: 'requests', skewMs: SKEW_MS }),
    new Pace({ ...REQUESTS, unit: 'requests', burst: 0.25 }),
  ],
  twins: {
    'a log': () => new ExactLog(REQUESTS),
    'a window of unknown phase': (random) => new WindowCounter({ ...REQUESTS, phase: random() * MINUTE_MS }),
  },
  utilisation: [{ meanShare: 1 / 600, atLeast: 0.99 }],
});

const SECOND = { capacity: 10, windowMs: 1_000 };

describeLimit({
  ...SECOND,
  name: 'slices of a second',
  skewMs: 79,
  limits: () => [
    new SlidingWindow({ ...SECOND, unit: 'requests', skewMs: 79 }),
    new SlidingWindow({ ...REQUESTS, unit: 'requests', skewMs: SKEW_MS }),
  ],
  twins: {
    'a log with slices': () => new AllOf([new ExactLog(SECOND), new ExactLog(REQUESTS)]),
    'a counter with slices': () => new AllOf([new WindowCounter({ ...SECOND, phase: 300 }), new ExactLog(REQUESTS)]),
  },
  utilisation: [{ meanShare: 0.1, atLeast: 0.92 }],
});

const TEN_SECONDS = { capacity: 100, windowMs: 10_000 };

describeLimit({
  ...TEN_SECONDS,
  name: 'slices of ten seconds',
  skewMs: 100,
  limits: () => [
    new SlidingWindow({ ...TEN_SECONDS, unit: 'requests', skewMs: 100 }),
    new SlidingWindow({ ...REQUESTS, unit: 'requests', skewMs: SKEW_MS }),
  ],
  twins: { 'a log with slices': () => new AllOf([new ExactLog(TEN_SECONDS), new ExactLog(REQUESTS)]) },
  utilisation: [{ meanShare: 0.01, atLeast: 0.98 }],
});
