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

  it('reuses the place of what it forgot', () => {
    const budget = new RetryBudget({ share: 1, floor: 0 });
    budget.requested(0);
    budget.requested(60_000);
    expect(spend(budget, 60_000)).toBe(1);
  });
});
