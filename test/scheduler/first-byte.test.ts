import { expect, test } from 'vitest';
import { FirstByte } from '../../src/scheduler/first-byte.ts';

function answer(measure: FirstByte, tookMs: number, now: number): void {
  measure.sent(now - tookMs);
  measure.ended('answered', { tookMs, now });
}

test('nothing is known of a route before its first answer', () => {
  const measure = new FirstByte();
  expect(measure.expectedMs(0)).toBeNull();
  answer(measure, 400, 400);
  expect(measure.expectedMs(400)).toBe(400);
});

test('each answer moves the mean by a fifth', () => {
  const measure = new FirstByte();
  answer(measure, 400, 1_000);
  answer(measure, 500, 1_000);
  expect(measure.expectedMs(1_000)).toBeCloseTo(420);
});

test('an answer in less than half the time counts half', () => {
  const measure = new FirstByte();
  answer(measure, 400, 1_000);
  answer(measure, 100, 1_000);
  expect(measure.expectedMs(1_000)).toBeCloseTo(250);
});

test('what was known counts half after a minute, and next to nothing after ten', () => {
  const [minute, ten] = [new FirstByte(), new FirstByte()];
  answer(minute, 400, 1_000);
  answer(minute, 800, 61_000);
  expect(minute.expectedMs(61_000)).toBeCloseTo(600);
  answer(ten, 400, 1_000);
  answer(ten, 800, 601_000);
  expect(ten.expectedMs(601_000)).toBeCloseTo(800, -1);
});

test('a failure counts as ten seconds however soon it came, or as long as it took', () => {
  const [quick, slow] = [new FirstByte(), new FirstByte()];
  quick.sent(0);
  quick.ended('failed', { tookMs: 20, now: 20 });
  expect(quick.expectedMs(20)).toBe(10_000);
  slow.sent(0);
  slow.ended('failed', { tookMs: 30_000, now: 30_000 });
  expect(slow.expectedMs(30_000)).toBe(30_000);
});

test('a client that leaves later than an answer was due says that the route is slow, and sooner nothing', () => {
  const measure = new FirstByte();
  answer(measure, 400, 1_000);
  measure.sent(1_000);
  measure.ended('gone', { tookMs: 100, now: 1_100 });
  expect(measure.expectedMs(1_100)).toBe(400);
  measure.sent(1_100);
  measure.ended('gone', { tookMs: 5_400, now: 6_500 });
  expect(measure.expectedMs(6_500)).toBeGreaterThan(1_000);
});

test('of a route that is not known, a client that leaves within a second says nothing', () => {
  const measure = new FirstByte();
  measure.sent(0);
  measure.ended('gone', { tookMs: 900, now: 900 });
  expect(measure.expectedMs(900)).toBeNull();
  measure.sent(1_000);
  measure.ended('gone', { tookMs: 20_000, now: 21_000 });
  expect(measure.expectedMs(21_000)).toBe(20_000);
});

test('silence counts while answers are owed, from the last one that came', () => {
  const measure = new FirstByte();
  answer(measure, 400, 1_000);
  measure.sent(1_000);
  measure.sent(1_100);
  expect(measure.expectedMs(9_000)).toBe(8_000);
  measure.ended('answered', { tookMs: 400, now: 9_000 });
  expect(measure.expectedMs(9_300)).toBe(400);
  measure.ended('unknown', { tookMs: 8_000, now: 9_300 });
  expect(measure.expectedMs(60_000)).toBe(400);
});
