import type { Limit } from '../../../src/scheduler/limits/limit.ts';

/** Taken as soon as it fitted, `gapMs` after the one before; then `part` of it was charged. */
export interface Spent {
  readonly gapMs: number;
  readonly amount: number;
  readonly part: number;
}

export interface Placed {
  readonly amount: number;
  readonly at: number;
}

export interface Search {
  readonly past: readonly Spent[];
  readonly ageMs: number;
  readonly placed: readonly Placed[];
  readonly amount: number;
  readonly from: number;
}

/** A limit with a past, and the instant at which that is over. */
export function spend(limits: readonly Limit[], past: readonly Spent[], ageMs: number): { limit: Limit; now: number } {
  const [limit] = limits as [Limit];
  let now = 0;
  for (const { gapMs, amount, part } of past) {
    now = limit.readyAt(amount, now + gapMs);
    limit.settle(limit.take(amount, now), amount * part, now);
  }
  return { limit, now: now + ageMs };
}

/**
 * The first start that leaves all bookings in time, found by trying: at each instant that could be the first, everything
 * is taken anew from fresh books in the order of time.
 */
export function bruteForceEarliest(limits: () => Limit[], search: Search, toleranceMs: number): number {
  const { amount, from } = search;
  const placed = search.placed.toSorted((a, b) => a.at - b.at);
  const gaps = [from, ...placed.map(({ at }) => at).filter((at) => at > from)];
  const candidates = gaps.map((gap) =>
    replay(
      limits,
      search,
      placed.filter(({ at }) => at <= gap),
    ).limit.readyAt(amount, gap),
  );
  const feasible = candidates.filter((at) => {
    const before = placed.filter((booking) => booking.at <= at);
    const after = placed.filter((booking) => booking.at > at);
    return replay(limits, search, [...before, { amount, at }, ...after]).lateMs <= toleranceMs;
  });
  return Math.min(...feasible);
}

/** How much too early the earliest of them was, if they are taken at their instants. */
function replay(
  limits: () => Limit[],
  { past, ageMs }: Search,
  bookings: readonly Placed[],
): { limit: Limit; lateMs: number } {
  const { limit } = spend(limits(), past, ageMs);
  let lateMs = 0;
  for (const { amount, at } of bookings) {
    lateMs = Math.max(lateMs, limit.readyAt(amount, at) - at);
    limit.take(amount, at);
  }
  return { limit, lateMs };
}
