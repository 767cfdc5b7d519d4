import { type Candidate, lowest } from './strategy.ts';

/** The fewest leases in flight for its weight. */
export function leastBusy(candidates: readonly Candidate[]): Candidate {
  return lowest(candidates, ({ route, weight }) => route.inFlight / weight);
}
