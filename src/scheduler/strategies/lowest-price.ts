import type { Ticket } from '../ticket.ts';
import { type Candidate, lowest } from './strategy.ts';

/** Where this request is expected to cost least. A target without a price comes last. */
export function lowestPrice(candidates: readonly Candidate[], ticket: Ticket): Candidate {
  return lowest(candidates, (each) => priceOn(each, ticket));
}

/** A conversation stays where it is while nothing else costs less. */
export function isAsCheap(own: Candidate, candidates: readonly Candidate[], { ticket }: { ticket: Ticket }): boolean {
  const price = priceOn(own, ticket);
  return candidates.every((each) => priceOn(each, ticket) >= price);
}

function priceOn({ target }: Candidate, { request }: Ticket): number {
  return request.prices?.[target] ?? Number.POSITIVE_INFINITY;
}
