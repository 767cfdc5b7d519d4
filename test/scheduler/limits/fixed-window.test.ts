import { expect, test } from 'vitest';
import { FixedWindow } from '../../../src/scheduler/limits/fixed-window.ts';
import { describeLimit } from './limit.contract.ts';
import { WindowCounter } from './twins/window-counter.ts';

const MINUTE_MS = 60_000;
const SKEW_MS = 250;
const TOKENS = { capacity: 100_000, windowMs: MINUTE_MS };
const PHASE_MS = 17_000;

function minuteOf(instant: number) {
  const startMs = Math.floor((instant - PHASE_MS) / MINUTE_MS) * MINUTE_MS + PHASE_MS;
  return { startMs, endMs: startMs + MINUTE_MS };
}

describeLimit({
  ...TOKENS,
  name: 'a window of known phase',
  skewMs: SKEW_MS,
  limits: () => [new FixedWindow({ ...TOKENS, unit: 'tokens', skewMs: SKEW_MS, boundaries: minuteOf })],
  twins: { 'that window': () => new WindowCounter({ ...TOKENS, phase: PHASE_MS }) },
  utilisation: [
    { meanShare: 0.01, atLeast: 0.99 },
    { meanShare: 0.05, atLeast: 0.985 },
    { meanShare: 0.1, atLeast: 0.97 },
    { meanShare: 0.2, atLeast: 0.94 },
  ],
});

test('nothing is sent in the last skew of a window, where it might arrive in the next', () => {
  const limit = minutes();
  const lastMs = PHASE_MS + MINUTE_MS - SKEW_MS;
  expect(limit.readyAt(1, lastMs - 1)).toBe(lastMs - 1);
  expect(limit.readyAt(1, lastMs)).toBe(PHASE_MS + MINUTE_MS);
});

test('a wider skew widens that guard', () => {
  const limit = minutes();
  limit.setSkew(2_000);
  expect(limit.readyAt(1, PHASE_MS + MINUTE_MS - 1_999)).toBe(PHASE_MS + MINUTE_MS);
});

test('a short window gives up a hundredth of itself instead', () => {
  const limit = new FixedWindow({
    unit: 'requests',
    windowMs: 1_000,
    capacity: 10,
    skewMs: 250,
    boundaries: (instant) => ({
      startMs: Math.floor(instant / 1_000) * 1_000,
      endMs: Math.floor(instant / 1_000) * 1_000 + 1_000,
    }),
  });
  expect(limit.readyAt(1, 989)).toBe(989);
  expect(limit.readyAt(1, 990)).toBe(1_000);
});

test('a refund after the window has passed is lost', () => {
  const limit = minutes();
  const booking = limit.take(60_000, PHASE_MS);
  limit.take(1_000, PHASE_MS + MINUTE_MS);
  expect(limit.settle(booking, 0, PHASE_MS + MINUTE_MS)).toBe(false);
  expect(limit.level(PHASE_MS + MINUTE_MS)).toBe(99_000);
});

test('what was used in a window that is over is not restored', () => {
  const limit = minutes();
  limit.take(60_000, PHASE_MS);
  const restored = minutes();
  restored.restore(limit.snapshot(PHASE_MS), MINUTE_MS, PHASE_MS + MINUTE_MS);
  expect(restored.level(PHASE_MS + MINUTE_MS)).toBe(100_000);
});

test('the end of the queue keeps its place until it is built anew', () => {
  const tail = minutes().tail();
  tail.append(100_000, PHASE_MS);
  tail.release(100_000);
  expect(tail.earliest(1, PHASE_MS)).toBe(PHASE_MS + MINUTE_MS);
});

test('what a booking needs for its start alone is kept free until then, and no longer', () => {
  const timeline = minutes().fork();
  timeline.book(20_000, PHASE_MS + 30_000, 90_000);
  expect(timeline.earliest(10_000, PHASE_MS)).toBe(PHASE_MS);
  expect(timeline.earliest(50_000, PHASE_MS)).toBe(PHASE_MS + 30_000);
  expect(timeline.earliest(50_000, PHASE_MS + 40_000)).toBe(PHASE_MS + 40_000);
  expect(timeline.earliest(90_000, PHASE_MS)).toBe(PHASE_MS + MINUTE_MS);
});

function minutes(): FixedWindow {
  return new FixedWindow({ ...TOKENS, unit: 'tokens', skewMs: SKEW_MS, boundaries: minuteOf });
}
