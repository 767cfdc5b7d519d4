import fc from 'fast-check';
import { expect, test } from 'vitest';
import { budgetPeriodAt } from '../../src/setup/budget-period.ts';

const PERIODS = ['day', 'week', 'month'] as const;

function at(time: string): number {
  return Date.parse(time);
}

test.each([
  ['day', '2026-11-29T20:15:00Z', '2026-11-29T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
  // A Sunday, a Monday.
  ['week', '2026-11-29T23:59:59Z', '2026-11-23T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
  ['week', '2026-11-30T00:00:00Z', '2026-11-30T00:00:00.000Z', '2026-12-07T00:00:00.000Z'],
  ['month', '2026-12-31T23:59:59Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['month', '2028-02-29T12:00:00Z', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
] as const)('the %s of %s begins at %s and ends at %s', (...[per, time, start, end]) => {
  const period = budgetPeriodAt(per, at(time));
  expect(new Date(period.startMs).toISOString()).toBe(start);
  expect(period).toMatchObject({ endMs: at(end), resetsAt: end });
});

test('all time has no end', () => {
  expect(budgetPeriodAt('total', at('2026-11-29T20:15:00Z'))).toEqual({
    startMs: 0,
    endMs: Number.POSITIVE_INFINITY,
    resetsAt: null,
  });
});

test('periods follow each other without a gap, and every instant is in its own', () => {
  const instants = fc.integer({ min: at('1960-01-01T00:00:00Z'), max: at('2100-01-01T00:00:00Z') });
  fc.assert(
    fc.property(fc.constantFrom(...PERIODS), instants, (per, wallMs) => {
      const { startMs, endMs } = budgetPeriodAt(per, wallMs);
      expect(startMs <= wallMs && wallMs < endMs).toBe(true);
      expect(budgetPeriodAt(per, endMs).startMs).toBe(endMs);
      expect(budgetPeriodAt(per, startMs - 1).endMs).toBe(startMs);
      if (per === 'week') expect(new Date(startMs).getUTCDay()).toBe(1);
    }),
  );
});
