import { expect, test } from 'vitest';
import { UsageHistory } from '../../src/scheduler/usage-history.ts';

const MINUTE_MS = 60_000;

test('remembers what was booked in the last hour and nothing before', () => {
  const usage = new UsageHistory();
  usage.add(10, 0);
  usage.add(5, 30 * MINUTE_MS);
  expect(usage.lastHour(59 * MINUTE_MS)).toBe(15);
  expect(usage.lastHour(61 * MINUTE_MS)).toBe(5);
  expect(usage.lastHour(91 * MINUTE_MS)).toBe(0);
});

test('forgets everything after a day without use', () => {
  const usage = new UsageHistory();
  usage.add(10, 0);
  usage.add(7, 1440 * MINUTE_MS);
  expect(usage.lastHour(1440 * MINUTE_MS)).toBe(7);
});
