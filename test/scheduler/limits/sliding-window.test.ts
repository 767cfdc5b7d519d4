import { expect, test } from 'vitest';
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

test('an entry that has left its window is neither refunded nor charged', () => {
  const limit = tokens();
  const booking = limit.take(1_000, 0);
  const other = limit.take(1_000, MINUTE_MS);
  const later = MINUTE_MS + SKEW_MS;
  expect(limit.settle(booking, 5_000, later)).toBe(false);
  expect(limit.level(later)).toBe(99_000);
  limit.setSkew(1_000);
  expect(limit.settle({ at: 0, amount: 5_000 }, 0, later)).toBe(false);
  expect(limit.settle(other, 0, later)).toBe(true);
  expect(limit.level(later)).toBe(100_000);
});

test('what was booked as nothing and charged in the end counts from its own instant', () => {
  const limit = tokens();
  limit.take(100, 0);
  const booking = limit.take(0, 1_000);
  limit.take(100, 2_000);
  limit.settle(booking, 700, 3_000);
  expect(limit.level(3_000)).toBe(99_100);
  expect(limit.level(1_000 + MINUTE_MS + SKEW_MS)).toBe(99_900);
  const twice = [limit.take(0, 70_000), limit.take(0, 70_000)];
  limit.take(1, 80_000);
  for (const each of twice) limit.settle(each, 50, 81_000);
  expect(limit.level(70_000 + MINUTE_MS + SKEW_MS)).toBe(99_999);
});

test("what somebody else used leaves with their window, and the oldest entries give way to an upstream's word", () => {
  const limit = tokens();
  const first = limit.take(40_000, 0);
  limit.observe({ now: 1_000, lowest: 50_000, highest: 50_000, mayRaise: true });
  expect(limit.readyAt(60_000, 1_000)).toBe(MINUTE_MS + SKEW_MS);
  limit.observe({ now: 2_000, lowest: 95_000, highest: 95_000, mayRaise: true });
  expect(limit.readyAt(100_000, 2_000)).toBe(1_000 + MINUTE_MS + SKEW_MS);
  limit.settle(first, 0, 3_000);
  expect(limit.level(3_000)).toBe(95_000);
});

test('a refusal keeps what is missing until its hint, and for one window at most', () => {
  const limit = tokens();
  limit.refused(0, 100_000, 110_000);
  expect(limit.readyAt(1, 100_000)).toBe(110_000);
  const hintless = tokens();
  hintless.refused(0, 100_000, 900_000);
  expect(hintless.readyAt(1, 100_000)).toBe(100_000 + MINUTE_MS + SKEW_MS);
  const passed = tokens();
  passed.refused(0, 100_000, 100_000);
  expect(passed.level(100_000)).toBe(100_000);
});

test('entries beyond the exact ones are merged, count from the newest of them, and can still be refunded', () => {
  const limit = new SlidingWindow({ ...TOKENS, unit: 'tokens', skewMs: 0, exactEntries: 2 });
  limit.take(10, 0);
  limit.take(10, 1_000);
  const merged = limit.take(10, 1_050);
  limit.take(10, 1_099);
  limit.take(10, 1_100);
  limit.settle(merged, 0, MINUTE_MS + 1_049);
  expect(limit.level(MINUTE_MS + 1_098)).toBe(99_970);
  expect(limit.level(MINUTE_MS + 1_099)).toBe(99_990);
});

test('a day of traffic is written down in a few hundred entries, none younger than it was', () => {
  const day = { capacity: 1e6, windowMs: 86_400_000 };
  const limit = new SlidingWindow({ ...day, unit: 'requests', skewMs: SKEW_MS });
  for (let second = 0; second < 7_200; second += 1) limit.take(1, second * 10_000);
  const now = 72_000_000;
  const written = limit.snapshot(now);
  expect(written.used.length).toBeLessThanOrEqual(600);
  const restored = new SlidingWindow({ ...day, unit: 'requests', skewMs: SKEW_MS });
  restored.restore(written, 0, now);
  expect(restored.level(now)).toBe(limit.level(now));
  for (let later = now; later < 2 * day.windowMs; later += 1e6) {
    expect(restored.level(later)).toBeLessThanOrEqual(limit.level(later));
  }
});

test('the end of a long queue stays where it is, however often it is cut behind', () => {
  const limit = tokens();
  const tail = limit.tail(0);
  const timeline = limit.fork(0);
  for (let index = 0; index < 1_000; index += 1) {
    const at = tail.earliest(10_000, 0);
    expect(at).toBe(Math.floor(index / 10) * (MINUTE_MS + SKEW_MS));
    if (index < 100) expect(timeline.earliest(10_000, 0)).toBe(at);
    tail.append(10_000, at);
    timeline.book(10_000, at);
  }
});

test('the end of the queue comes nearer by what is released', () => {
  const limit = tokens();
  limit.take(60_000, 0);
  const tail = limit.tail(1_000);
  tail.append(40_000, 1_000);
  tail.append(60_000, MINUTE_MS + SKEW_MS);
  expect(tail.earliest(40_000, 1_000)).toBe(1_000 + MINUTE_MS + SKEW_MS);
  tail.release(20_000);
  expect(tail.earliest(20_000, 1_000)).toBe(MINUTE_MS + SKEW_MS);
  tail.release(50_000);
  expect(tail.earliest(10_000, 1_000)).toBe(1_000);
  tail.release(1e6);
  expect(tail.earliest(100_000, 1_000)).toBe(1_000);
});

test('a start before the last one in the queue counts as starting with it', () => {
  const tail = tokens().tail(0);
  tail.append(50_000, 10_000);
  tail.append(50_000, 5_000);
  expect(tail.earliest(1, 0)).toBe(10_000 + MINUTE_MS + SKEW_MS);
});

test('what starts long before the bookings does not wait for them, if it is gone by then', () => {
  const limit = new SlidingWindow({ ...SECOND, unit: 'requests', skewMs: 0 });
  const timeline = limit.fork(0);
  timeline.book(10, 5_000);
  timeline.book(5, 6_000);
  expect(timeline.earliest(10, 0)).toBe(0);
  expect(timeline.earliest(10, 4_500)).toBe(7_000);
  expect(timeline.earliest(5, 4_500)).toBe(6_000);
  timeline.book(1, 2_000);
  expect(timeline.earliest(9, 1_500)).toBe(1_500);
  expect(timeline.earliest(10, 1_500)).toBe(3_000);
});

function tokens(): SlidingWindow {
  return new SlidingWindow({ ...TOKENS, unit: 'tokens', skewMs: SKEW_MS });
}
