import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../src/proxy/retry-budget.ts';

/** Retries as often as there is room; says how often that was. */
function spend(budget: RetryBudget, now: number): number {
  let count = 0;
  for (; budget.hasRoom(now) && count < 1_000; count += 1) budget.retried(now);
  return count;
}

describe('the retry budget', () => {
  it('grants the floor when there were no requests', () => {
    expect(spend(new RetryBudget({ share: 0.2, floor: 10 }), 0)).toBe(10);
  });

  it('grants the share of the last minute on top', () => {
    const budget = new RetryBudget({ share: 0.2, floor: 10 });
    for (let second = 0; second < 50; second += 1) budget.requested(second * 1_000);
    expect(spend(budget, 50_000)).toBe(20);
    expect(budget.hasRoom(50_000)).toBe(false);
  });

  it('forgets after a minute, requests and retries alike', () => {
    const budget = new RetryBudget({ share: 0.2, floor: 10 });
    for (let count = 0; count < 100; count += 1) budget.requested(1_000);
    expect(spend(budget, 1_000)).toBe(30);
    expect(budget.hasRoom(59_000)).toBe(false);
    expect(spend(budget, 66_000)).toBe(10);
  });

  it('remembers for a minute which requests have failed', () => {
    const budget = new RetryBudget({ share: 0, floor: 0 });
    budget.failed('a', 0);
    budget.failed('b', 30_000);
    budget.failed('a', 40_000);
    expect(['a', 'b', 'c'].map((key) => budget.hasFailed(key, 89_999))).toEqual([true, true, false]);
    expect(['a', 'b'].map((key) => budget.hasFailed(key, 90_000))).toEqual([true, false]);
  });

  it('makes no room for what turns out to be a repeat of its client', () => {
    const budget = new RetryBudget({ share: 0.5, floor: 0 });
    for (let count = 0; count < 10; count += 1) budget.requested(0);
    for (let count = 0; count < 4; count += 1) budget.repeated(6_000);
    expect(spend(budget, 6_000)).toBe(3);
  });

  it('remembers no more than it has room for, and the newest', () => {
    const budget = new RetryBudget({ share: 0, floor: 0 });
    for (let count = 0; count < 10_001; count += 1) budget.failed(`${count}`, 1);
    expect(['0', '1', '10000'].map((key) => budget.hasFailed(key, 1))).toEqual([false, true, true]);
  });

  it('reuses the place of what it forgot', () => {
    const budget = new RetryBudget({ share: 1, floor: 0 });
    budget.requested(0);
    budget.requested(60_000);
    expect(spend(budget, 60_000)).toBe(1);
  });
});
