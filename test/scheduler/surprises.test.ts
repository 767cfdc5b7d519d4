import { expect, test } from 'vitest';
import { Surprises } from '../../src/scheduler/surprises.ts';

test('where every answer costs what was booked, or less, nothing is kept in hand', () => {
  const surprises = new Surprises();
  for (const change of [0, -500, -1]) surprises.settled(change, 0);
  expect(surprises.guard).toBe(0);
});

test('what came due at once is kept in hand together, refunds aside: they come later', () => {
  const surprises = new Surprises();
  surprises.settled(300, 1_000);
  surprises.settled(-900, 1_100);
  surprises.settled(200, 1_250);
  expect(surprises.guard).toBe(500);
});

test('what came due apart is not added up', () => {
  const surprises = new Surprises();
  surprises.settled(300, 1_000);
  surprises.settled(200, 1_251);
  expect(surprises.guard).toBeLessThanOrEqual(300);
  expect(surprises.guard).toBeGreaterThan(299);
});

test('a single long answer is forgotten after some thousand that were none', () => {
  const surprises = new Surprises();
  surprises.settled(1_000, 0);
  for (let answer = 1; answer <= 5_000; answer += 1) surprises.settled(-10, answer * 1_000);
  expect(surprises.guard).toBeLessThan(10);
});
