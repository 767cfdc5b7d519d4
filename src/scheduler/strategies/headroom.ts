import { Pace } from '../limits/pace.ts';
import type { Ticket } from '../ticket.ts';
import { type Candidate, lowest } from './strategy.ts';

/** The route with the most room left: the largest share, on its tightest limit, that stays free after this ticket. */
export function headroom(candidates: readonly Candidate[], ticket: Ticket, now: number): Candidate {
  return lowest(candidates, (candidate) => -roomAfter(candidate, ticket, now));
}

function roomAfter(candidate: Candidate, ticket: Ticket, now: number): number {
  const cost = ticket.request.costs[candidate.target];
  let room = Number.POSITIVE_INFINITY;
  for (const meter of candidate.route.meters) {
    const { capacity } = meter.limit;
    // A pace says how fast, not how much: its level tells nothing of what is left.
    if (!cost || capacity === Number.POSITIVE_INFINITY || meter.limit instanceof Pace) continue;
    room = Math.min(room, (meter.limit.level(now) - meter.reserved(cost)) / capacity);
  }
  return room;
}
