import type { Ticket } from '../ticket.ts';
import type { Candidate, Strategy } from './strategy.ts';

/** Whether a conversation may stay with `own`, one of the routes that can start its next turn now. */
export type MayStay = (
  own: Candidate,
  candidates: readonly Candidate[],
  about: { readonly ticket: Ticket; readonly now: number },
) => boolean;

/**
 * Prefers the route that served the conversation last, where a ticket names one: its vendor may still know the prompt. Only
 * among routes that can start the ticket now, so nobody waits for it. The strategy hears only of those who are new or have
 * to move, so that these are spread as it says.
 */
export function keepConversations(strategy: Strategy, mayStay: MayStay): Strategy {
  return (candidates, ticket, now) => {
    const { prefers = null } = ticket.request;
    const own = prefers === null ? undefined : candidates.find(({ route }) => route.id === prefers);
    return own && mayStay(own, candidates, { ticket, now }) ? own : strategy(candidates, ticket, now);
  };
}
