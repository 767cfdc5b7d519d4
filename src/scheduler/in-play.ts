import type { After, RouteOption } from './model-routes.ts';
import type { Ticket } from './ticket.ts';

/** When the ticket may use the route at all, its limits aside. */
export function openAt(ticket: Ticket, { route }: RouteOption, now: number): number {
  const at = Math.max(now, ticket.notBefore, route.availableAt(now));
  return route.hasRoom ? at : Math.max(at, now + GATE_WAIT_MS);
}

/** Whether the route may be used, and its target's turn has come: those before it are down or can't start it in time. */
export function isInPlay(
  ticket: Ticket,
  option: RouteOption,
  { bestBefore, now }: { bestBefore: number; now: number },
): boolean {
  if (ticket.excluded?.has(option.route)) return false;
  const after = ticket.line.model.after[option.target] as After;
  if (after === 0) return true;
  if (bestBefore === Number.POSITIVE_INFINITY) return true;
  if (after !== 'down') return bestBefore - ticket.arrivedAt > after;
  return ticket.line.options.every(
    ({ target, route }) => target >= option.target || route.isDown(now) || ticket.excluded?.has(route),
  );
}

/** A gate opens by an event, not at an instant: this stands in for it in the plan. */
const GATE_WAIT_MS = 1_000;
