import { type Candidate, lowest } from './strategy.ts';

/** The first in the configuration file. */
export function failover(candidates: readonly Candidate[]): Candidate {
  return lowest(candidates, (candidate) => candidate.index);
}
