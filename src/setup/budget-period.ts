import type { BudgetPeriod, BudgetTerms } from '../proxy/budgets/client-budget.ts';

const DAY_MS = 86_400_000;
/** The epoch was a Thursday; its week began on the Monday before. */
const DAYS_FROM_MONDAY = 3;

/** Days, weeks from Monday and months of the calendar, in UTC. */
export function budgetPeriodAt(per: BudgetTerms['per'], wallMs: number): BudgetPeriod {
  switch (per) {
    case 'day':
      return daysFrom(Math.floor(wallMs / DAY_MS), 1);
    case 'week': {
      const day = Math.floor(wallMs / DAY_MS);
      const weekday = (((day + DAYS_FROM_MONDAY) % 7) + 7) % 7;
      return daysFrom(day - weekday, 7);
    }
    case 'month': {
      const date = new Date(wallMs);
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
      return period(Date.UTC(year, month), Date.UTC(year, month + 1));
    }
    case 'total':
      return { startMs: 0, endMs: Number.POSITIVE_INFINITY, resetsAt: null };
  }
}

function daysFrom(day: number, days: number): BudgetPeriod {
  return period(day * DAY_MS, (day + days) * DAY_MS);
}

function period(startMs: number, endMs: number): BudgetPeriod {
  return { startMs, endMs, resetsAt: new Date(endMs).toISOString() };
}
