import type { Ticket } from '../ticket.ts';
import { type Candidate, lowest } from './strategy.ts';

/** The fewest tokens booked in the last hour for its weight. */
export function leastUsage(candidates: readonly Candidate[], _ticket: Ticket, now: number): Candidate {
  return lowest(candidates, ({ route, weight }) => route.usage.lastHour(now) / weight);
}
