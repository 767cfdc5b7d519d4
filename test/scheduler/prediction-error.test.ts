import { expect, test } from 'vitest';
import { PredictionError } from '../../src/scheduler/prediction-error.ts';

function learned(lateness: number, times: number): number {
  const error = new PredictionError();
  for (let i = 0; i < times; i += 1) error.learn(10_000, 10_000 * (1 + lateness));
  return error.margin;
}

test('keeps a tenth in reserve until enough predictions have come true', () => {
  expect(learned(0.2, 99)).toBe(0.1);
});

test('learns how late the latest hundredth is', () => {
  expect(learned(0.2, 256)).toBeCloseTo(0.2);
});

test('never keeps less than a twentieth or more than a quarter', () => {
  expect(learned(-0.5, 256)).toBe(0.05);
  expect(learned(3, 256)).toBe(0.25);
});

test('short waits teach nothing: a millisecond more is no error', () => {
  const error = new PredictionError();
  for (let i = 0; i < 512; i += 1) error.learn(100, 1000);
  expect(error.margin).toBe(0.1);
});
