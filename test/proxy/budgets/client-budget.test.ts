import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toNanoUsd } from '../../../src/money.ts';
import { type BudgetTerms, ClientBudget } from '../../../src/proxy/budgets/client-budget.ts';
import { type Bill, Tab } from '../../../src/proxy/budgets/tab.ts';
import type { SavedBudget } from '../../../src/scheduler/limit-store.ts';
import { budgetPeriodAt } from '../../../src/setup/budget-period.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const DAY_MS = 86_400_000;
const CENT = toNanoUsd(0.01);

function setUp(terms: Partial<BudgetTerms> = {}, saved: SavedBudget | null = null, clock = new FakeClock()) {
  const calls = { unwritten: 0 };
  const budget = new ClientBudget({
    terms: { usd: 1, per: 'day', ...terms },
    periodAt: budgetPeriodAt,
    wallNow: () => clock.wallNow(),
    saved,
    onUnwritten: () => {
      calls.unwritten += 1;
    },
  });
  return { budget, clock, calls };
}

/** One request from its start to its end. */
function request(budget: ClientBudget, cents: { readonly expected: number; readonly real: number }): void {
  const tab = new Tab(budget);
  tab.hold([cents.expected * CENT]);
  tab.begin(cents.expected * CENT).settle(cents.real * CENT);
  tab.close();
}

function figures(budget: ClientBudget): readonly [spentUsd: number, reservedUsd: number] {
  const { spentUsd, reservedUsd } = budget.view();
  return [spentUsd, reservedUsd];
}

describe('a budget', () => {
  test('holds the dearest target while it waits, the one it goes to while it is sent, and what it came to', () => {
    const { budget } = setUp();
    const tab = new Tab(budget);
    tab.hold([1 * CENT, 5 * CENT, 0]);
    expect(figures(budget)).toEqual([0, 0.05]);
    const bill = tab.begin(1 * CENT);
    expect(figures(budget)).toEqual([0, 0.01]);
    bill.settle(2 * CENT);
    expect(figures(budget)).toEqual([0.02, 0]);
    bill.settle(2 * CENT);
    expect(figures(budget)).toEqual([0.02, 0]);
  });

  test('lets nobody pass on money that another has reserved, and says that it may be free in a moment', () => {
    const { budget } = setUp();
    const [first, second] = [new Tab(budget), new Tab(budget)];
    first.hold([60 * CENT]);
    expect(() => second.hold([60 * CENT])).toThrow(
      expect.objectContaining({ code: 'client_budget_exceeded', retry: 'soon', status: 429 }),
    );
    first.close();
    second.hold([60 * CENT]);
    expect(figures(budget)).toEqual([0, 0.6]);
  });

  test('refuses for the cheapest target, which others may leave room for in a moment', () => {
    const { budget } = setUp();
    new Tab(budget).hold([60 * CENT]);
    expect(() => new Tab(budget).hold([50 * CENT, 300 * CENT])).toThrow(
      expect.objectContaining({ retry: 'soon', message: expect.stringContaining('expected to cost $0.50') }),
    );
  });

  test('that is spent says what was spent of what, what was asked, and when it begins anew', () => {
    const { budget } = setUp({ usd: 1, per: 'month' });
    request(budget, { expected: 90, real: 95 });
    const tab = new Tab(budget);
    expect(() => tab.hold([10 * CENT])).toThrow(
      expect.objectContaining({
        code: 'client_budget_exceeded',
        retry: 'never',
        message:
          'You have spent $0.95 of your budget of $1.00 a month, and this request is expected to cost $0.10. The budget will reset at 2026-02-01T00:00:00.000Z.',
      }),
    );
    expect(figures(budget)).toEqual([0.95, 0]);
  });

  test('that one request exceeds says so, rather than when it begins anew', () => {
    const { budget } = setUp({ usd: 1, per: 'month' });
    const hold = () => new Tab(budget).hold([101 * CENT]);
    expect(hold).toThrow(/to cost \$1\.01\. That is more than the whole budget: shorten the messages.*billing/);
    expect(hold).toThrow(expect.objectContaining({ retry: 'never' }));
    expect(hold).not.toThrow(/will reset/);
  });

  test('for all time sends to whoever can raise it', () => {
    const { budget } = setUp({ per: 'total' });
    request(budget, { expected: 1, real: 100 });
    expect(() => new Tab(budget).hold([1 * CENT])).toThrow(/your whole budget of \$1\.00.*billing/);
  });

  test('never stands in the way of what is free', () => {
    const { budget } = setUp();
    request(budget, { expected: 1, real: 300 });
    new Tab(budget).hold([0]);
    expect(figures(budget)).toEqual([3, 0]);
  });

  test('cannot be spent on what has no price', () => {
    const { budget } = setUp();
    expect(() => new Tab(budget).hold([1, null])).toThrow(expect.objectContaining({ code: 'model_not_allowed' }));
    expect(figures(budget)).toEqual([0, 0]);
  });

  test('pays for two attempts at once, and for whatever each has come to', () => {
    const { budget } = setUp();
    const tab = new Tab(budget);
    tab.hold([5 * CENT]);
    const [first, second] = [tab.begin(5 * CENT), tab.begin(3 * CENT)];
    expect(figures(budget)).toEqual([0, 0.08]);
    first.settle(4 * CENT);
    tab.close();
    second.settle(1 * CENT);
    expect(figures(budget)).toEqual([0.05, 0]);
    expect(tab.costUsd).toBe(0.05);
  });
});

describe('a period', () => {
  test('that ends makes room, and whoever is under way then counts in the new one', () => {
    const { budget, clock } = setUp({ per: 'day' });
    request(budget, { expected: 80, real: 80 });
    const tab = new Tab(budget);
    tab.hold([20 * CENT]);
    const bill = tab.begin(20 * CENT);
    clock.jumpWall(DAY_MS);
    expect(figures(budget)).toEqual([0, 0.2]);
    bill.settle(15 * CENT);
    expect(figures(budget)).toEqual([0.15, 0]);
  });

  test('does not begin anew when the clock is put right and comes to its beginning again', () => {
    const { budget, clock } = setUp({ per: 'month' });
    request(budget, { expected: 80, real: 80 });
    clock.jumpWall(-60_000);
    expect(budget.view()).toMatchObject({ spentUsd: 0.8, resetsAt: '2026-02-01T00:00:00.000Z' });
    clock.jumpWall(120_000);
    expect(figures(budget)).toEqual([0.8, 0]);
  });

  test('is that of the calendar when the clock was far ahead, and nothing comes back with it', () => {
    const { budget, clock } = setUp({ per: 'month' });
    clock.jumpWall(300 * DAY_MS);
    request(budget, { expected: 80, real: 80 });
    clock.jumpWall(-300 * DAY_MS);
    expect(budget.view()).toMatchObject({ spentUsd: 0.8, resetsAt: '2026-02-01T00:00:00.000Z' });
  });

  test('of other terms keeps what fell into it for sure', () => {
    const { budget } = setUp({ per: 'day' });
    request(budget, { expected: 80, real: 80 });
    budget.terms = { usd: 5, per: 'month' };
    expect(budget.view()).toMatchObject({ limitUsd: 5, per: 'month', spentUsd: 0.8 });
  });
});

describe('what is written of a budget', () => {
  const written = (spentUsd: number, aheadUsd: number, periodStartMs = Date.UTC(2026, 0, 1)): SavedBudget => {
    return { client: 'web', periodStartMs, spentUsd, aheadUsd };
  };

  test('counts what is reserved as spent, and comes back as spent', () => {
    const { budget } = setUp();
    request(budget, { expected: 10, real: 10 });
    new Tab(budget).hold([5 * CENT]);
    const saved = budget.save(true);
    expect(saved).toEqual({ periodStartMs: Date.UTC(2026, 0, 1), spentUsd: 0.15, aheadUsd: 0 });
    expect(figures(setUp({}, { client: 'web', ...saved }).budget)).toEqual([0.15, 0]);
  });

  test('allows for as much again as came since the last write, within the budget', () => {
    const { budget } = setUp({ usd: 1 });
    request(budget, { expected: 10, real: 30 });
    expect(budget.save(false)).toMatchObject({ spentUsd: 0.3, aheadUsd: 0.3 });
    request(budget, { expected: 10, real: 50 });
    expect(budget.save(false)).toMatchObject({ spentUsd: 0.8, aheadUsd: 0.2 });
    expect(budget.save(false)).toMatchObject({ spentUsd: 0.8, aheadUsd: 0 });
  });

  test('is asked for as soon as more is taken than the last write allows for, then with twice the room', () => {
    const { budget, calls } = setUp({ usd: 100 });
    request(budget, { expected: 10, real: 10 });
    expect(calls.unwritten).toBeGreaterThan(0);
    budget.save(false);
    calls.unwritten = 0;
    request(budget, { expected: 10, real: 10 });
    expect(calls.unwritten).toBe(0);
    request(budget, { expected: 1, real: 1 });
    expect(calls.unwritten).toBeGreaterThan(0);
    expect(budget.save(false)).toMatchObject({ spentUsd: 0.21, aheadUsd: 0.2 });
  });

  test('is lost to a crash at no moment: the next process has never less than was taken', () => {
    const step = fc.record({ cents: fc.nat(20), isWritten: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { budget, calls } = setUp({ usd: 10 });
        let file: SavedBudget | null = null;
        for (const { cents, isWritten } of steps) {
          calls.unwritten = 0;
          request(budget, { expected: cents, real: cents });
          if (isWritten || calls.unwritten > 0) file = { client: 'web', ...budget.save(false) };
          expect(figures(setUp({ usd: 10 }, file).budget)[0]).toBeGreaterThanOrEqual(figures(budget)[0]);
        }
      }),
    );
  });

  test.each([
    ['the day before', written(0.5, 0.1, Date.UTC(2025, 11, 31)), 0],
    ['today', written(0.5, 0.1), 0.6],
    ['a day to come, because the clock was set back', written(0.5, 0.1, Date.UTC(2026, 0, 2)), 0.6],
    ['the month, by former terms', written(0.5, 0, Date.UTC(2025, 11, 1)), 0],
  ])('for %s', (_what, saved, spentUsd) => {
    expect(figures(setUp({ per: 'day' }, saved).budget)[0]).toBeCloseTo(spentUsd, 9);
  });
});

describe('whatever requests do, in whatever order', () => {
  type Step = { readonly tab: number; readonly kind: 'hold' | 'begin' | 'settle' | 'close'; readonly cents: number };
  const steps: fc.Arbitrary<readonly Step[]> = fc.array(
    fc.record({
      tab: fc.nat(4),
      kind: fc.constantFrom('hold' as const, 'begin' as const, 'settle' as const, 'close' as const),
      cents: fc.nat(40),
    }),
    { maxLength: 80 },
  );

  test('nothing reserved is ever below nothing or left behind, and what is spent is the sum of what was settled', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const { budget } = setUp({ usd: 1 });
        const tabs = Array.from({ length: 5 }, () => ({ tab: new Tab(budget), bills: [] as Bill[] }));
        let settled = 0;
        let spentBefore = 0;
        for (const { tab: index, kind, cents } of taken) {
          const { tab, bills } = tabs[index] as (typeof tabs)[number];
          if (kind === 'hold') {
            const [spent, reserved] = figures(budget);
            try {
              tab.hold([cents * CENT]);
              // Whoever was let in has room besides all others.
              const [, after] = figures(budget);
              expect(cents === 0 || toNanoUsd(spent + after) <= toNanoUsd(1)).toBe(true);
            } catch {
              expect(figures(budget)[1]).toBeLessThanOrEqual(reserved);
            }
          }
          if (kind === 'begin') bills.push(tab.begin(cents * CENT));
          if (kind === 'settle') {
            const bill = bills.pop();
            bill?.settle(cents * CENT);
            if (bill) settled += cents * CENT;
          }
          if (kind === 'close') tab.close();
          const [spent, reserved] = figures(budget);
          expect(reserved).toBeGreaterThanOrEqual(0);
          expect(spent).toBeGreaterThanOrEqual(spentBefore);
          expect(toNanoUsd(spent)).toBe(settled);
          spentBefore = spent;
        }
        for (const { tab, bills } of tabs) {
          for (const bill of bills) bill.settle(0);
          tab.close();
        }
        expect(figures(budget)).toEqual([spentBefore, 0]);
      }),
    );
  });
});
