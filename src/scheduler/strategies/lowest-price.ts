import type { Ticket } from '../ticket.ts';
import { type Candidate, lowest } from './strategy.ts';

/** Where this request is expected to cost least. A target without a price comes last. */
export function lowestPrice(candidates: readonly Candidate[], { request }: Ticket): Candidate {
  return lowest(candidates, ({ target }) => request.prices?.[target] ?? Number.POSITIVE_INFINITY);
}
