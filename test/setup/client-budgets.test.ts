import { expect, test } from 'vitest';
import { toNanoUsd } from '../../src/money.ts';
import { Tab } from '../../src/proxy/budgets/tab.ts';
import type { SavedBudget } from '../../src/scheduler/limit-store.ts';
import { ClientBudgets } from '../../src/setup/client-budgets.ts';
import { FakeClock } from '../support/fake-clock.ts';

const MONTHLY = { name: 'web', budget: { usd: 2, per: 'month' } } as const;
const FREE = { name: 'free', budget: null } as const;
const GONE: SavedBudget = { client: 'gone', periodStartMs: Date.UTC(2026, 0, 1), spentUsd: 7, aheadUsd: 1 };

function budgets(saved: readonly SavedBudget[] = []): ClientBudgets {
  return new ClientBudgets({ clock: new FakeClock(), saved, onUnwritten: () => undefined });
}

function spend(all: ClientBudgets, usd: number): void {
  new Tab(all.budgetOf({ name: 'web' })).begin(toNanoUsd(usd)).settle(toNanoUsd(usd));
}

test('a client has a budget only where it is configured', () => {
  const all = budgets();
  all.configure([MONTHLY, FREE]);
  expect(all.budgetOf({ name: 'web' })?.view()).toMatchObject({ limitUsd: 2, per: 'month', spentUsd: 0 });
  expect(all.budgetOf({ name: 'free' })).toBeNull();
  expect(all.budgetOf({ name: 'nobody' })).toBeNull();
});

test('what was written comes back, and what nobody asks for is written again as it was', () => {
  const before = budgets();
  before.configure([MONTHLY]);
  spend(before, 0.5);
  const after = budgets([...before.save(true), GONE]);
  after.configure([MONTHLY]);
  expect(after.budgetOf({ name: 'web' })?.view().spentUsd).toBe(0.5);
  expect(after.save(true)).toEqual([GONE, { ...before.save(true)[0] }]);
});

test('a configuration that changes keeps what was spent, also of a client that is away for a while', () => {
  const all = budgets();
  all.configure([MONTHLY]);
  spend(all, 1.5);
  all.configure([{ name: 'web', budget: { usd: 10, per: 'month' } }]);
  expect(all.budgetOf({ name: 'web' })?.view()).toMatchObject({ limitUsd: 10, spentUsd: 1.5 });
  all.configure([{ name: 'web', budget: null }]);
  expect(all.budgetOf({ name: 'web' })).toBeNull();
  expect(all.save(true)).toMatchObject([{ client: 'web', spentUsd: 1.5 }]);
  all.configure([MONTHLY]);
  expect(all.budgetOf({ name: 'web' })?.view()).toMatchObject({ limitUsd: 2, spentUsd: 1.5 });
});
