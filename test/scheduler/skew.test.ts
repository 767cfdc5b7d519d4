import { expect, test } from 'vitest';
import { Skew } from '../../src/scheduler/skew.ts';

const CALM_MS = 300_000;

test('grows by half with each refusal that it explains, up to two seconds', () => {
  const skew = new Skew(250);
  const seen = Array.from({ length: 7 }, (_, index) => [skew.widen(index), Math.round(skew.ms)]);
  expect(seen.map(([, ms]) => ms)).toEqual([375, 563, 844, 1266, 1898, 2000, 2000]);
  expect(seen.map(([isLonger]) => isLonger)).toEqual([true, true, true, true, true, true, false]);
});

test('shrinks by as much in each five minutes without one, and never below what is usual', () => {
  const skew = new Skew(250);
  skew.widen(0);
  skew.widen(1_000);
  expect(skew.calm(CALM_MS)).toBe(false);
  expect(skew.calm(1_000 + CALM_MS)).toBe(true);
  expect(skew.ms).toBeCloseTo(375);
  expect(skew.calm(1_001 + CALM_MS)).toBe(false);
  expect(skew.calm(1_000 + 2 * CALM_MS)).toBe(true);
  expect(skew.ms).toBe(250);
  expect(skew.calm(1_000 + 9 * CALM_MS)).toBe(false);
});

test('an upstream that is always late refuses ever more seldom', () => {
  const NEEDED_MS = 800;
  const DAY_MS = 86_400_000;
  const skew = new Skew(250);
  const refusedAt: number[] = [];
  for (let now = 0; now < 4 * DAY_MS; now += 60_000) {
    skew.calm(now);
    if (skew.ms >= NEEDED_MS) continue;
    refusedAt.push(now);
    skew.widen(now);
  }
  expect(refusedAt.length).toBeLessThan(20);
  expect(refusedAt.filter((at) => at > 2 * DAY_MS).length).toBeLessThanOrEqual(2);
});
