import type { Route } from '../route.ts';
import type { Ticket } from '../ticket.ts';

/** A route that can start the ticket now, with what a strategy may want to know. */
export interface Candidate {
  readonly route: Route;
  /** Index of its target within the model. */
  readonly target: number;
  /** Place in the configuration file, the last word among equals. */
  readonly index: number;
  /** The target's weight divided by the number of its keys: keys within a target share equally. */
  readonly weight: number;
}

/** Picks one of the routes that can start a ticket now; `candidates` has at least one. */
export type Strategy = (candidates: readonly Candidate[], ticket: Ticket, now: number) => Candidate;

/** The candidate with the lowest score; equals go to the one with fewer in flight, then by file order. */
export function lowest(candidates: readonly Candidate[], score: (candidate: Candidate) => number): Candidate {
  let best = candidates[0] as Candidate;
  let bestScore = score(best);
  for (let i = 1; i < candidates.length; i += 1) {
    const candidate = candidates[i] as Candidate;
    const own = score(candidate);
    if (own < bestScore || (own === bestScore && isPreferred(candidate, best))) {
      best = candidate;
      bestScore = own;
    }
  }
  return best;
}

function isPreferred(a: Candidate, b: Candidate): boolean {
  if (a.route.inFlight !== b.route.inFlight) return a.route.inFlight < b.route.inFlight;
  return a.index < b.index;
}
