import type { Ending, Lease } from '../lease.ts';
import { poolOf } from '../lines.ts';
import { shareTokensOf, type Ticket } from '../ticket.ts';

/** A ticket has a second lease, which is settled as the first one is. */
export function countHedge(ticket: Ticket): void {
  poolOf(ticket).served(ticket.share, ticket.shareTokens);
}

/** What an attempt came to: its client has got so much more or less than was expected. */
export function countCharge({ ticket, cost }: Lease, { charged }: Ending): void {
  const tokens = charged === 'unsent' ? 0 : shareTokensOf(charged === 'reserved' ? cost.reserved : charged);
  poolOf(ticket).corrected(ticket.share, tokens - ticket.shareTokens, ticket.passed);
}
