import type { Candidate, Strategy } from './strategy.ts';

/**
 * Smooth weighted round robin: every candidate gains its weight, the richest is picked and pays what all gained. Those
 * that can't start now gain nothing, so nobody comes back with a claim on the past.
 */
export function createWeighted(): Strategy {
  const credits = new Map<string, number>();
  return (candidates) => {
    let best = candidates[0] as Candidate;
    let bestCredit = Number.NEGATIVE_INFINITY;
    let total = 0;
    for (const candidate of candidates) {
      const credit = (credits.get(candidate.route.id) ?? 0) + candidate.weight;
      credits.set(candidate.route.id, credit);
      total += candidate.weight;
      if (credit <= bestCredit) continue;
      best = candidate;
      bestCredit = credit;
    }
    credits.set(best.route.id, bestCredit - total);
    return best;
  };
}
