import type { Candidate, Strategy } from './strategy.ts';

/** Each in turn: the next one in file order after the last that was picked. */
export function createRoundRobin(): Strategy {
  let last = -1;
  return (candidates) => {
    const next = candidates.find(({ index }) => index > last) ?? (candidates[0] as Candidate);
    last = next.index;
    return next;
  };
}
