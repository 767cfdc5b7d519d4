import type { Cost } from './cost.ts';
import type { Lease } from './lease.ts';
import type { Line } from './line.ts';
import type { Meter } from './meter.ts';
import type { RouteOption } from './model-routes.ts';

/** A lease that may be had. */
export interface Grant {
  readonly option: RouteOption;
  readonly cost: Cost;
  readonly now: number;
}

interface HedgeTerms {
  /** In which somebody waits. */
  readonly lines: Iterable<Line>;
  readonly now: number;
  /** What else speaks against it. */
  readonly mayTake: (option: RouteOption) => boolean;
}

/**
 * Where what is under way may be sent a second time: on the route with most left; null: nowhere. Hedging is for quota that
 * nobody needs, so a route counts only if it is in service and proved, if it can start the request at once, if nobody waits
 * who would draw on one of its limits, and if each of these keeps the least share of its capacity.
 */
export function hedgeGrant(first: Lease, { lines, now, mayTake }: HedgeTerms): Grant | null {
  const { ticket } = first;
  const wanted = new Set<Meter>();
  for (const line of lines) for (const meter of line.meters()) wanted.add(meter);
  let best: Grant | null = null;
  let mostLeft = 0;
  for (const option of ticket.request.model.options) {
    const cost = ticket.costOn(option);
    if (cost === null || !isOpenTo(first, option, now) || !mayTake(option)) continue;
    const left = shareLeft(metersOf(first, option), { wanted, cost, now });
    if (left < LEAST_LEFT || left <= mostLeft) continue;
    best = { option, cost, now };
    mostLeft = left;
  }
  return best;
}

/** Targets that are held back are for when those before them cannot, not for when they are slow. */
function isOpenTo({ ticket, option: first }: Lease, option: RouteOption, now: number): boolean {
  const { route, target } = option;
  const isInPlay = target === first.target || ticket.request.model.after[target] === 0;
  if (!isInPlay || route === first.route) return false;
  if (ticket.excluded?.has(route) || route.status(now).kind !== 'ready') return false;
  return route.hasRoom && route.quotas.every(({ gate }) => gate.isOpen);
}

function metersOf({ ticket }: Lease, { route }: RouteOption): readonly Meter[] {
  return [...route.meters, ...(ticket.request.clientQuota?.meters ?? [])];
}

/** Of the limit that would have least left; 0: it could not start at once, or somebody waits for it. */
function shareLeft(
  meters: readonly Meter[],
  { wanted, cost, now }: { readonly wanted: ReadonlySet<Meter>; readonly cost: Cost; readonly now: number },
): number {
  let least = 1;
  for (const meter of meters) {
    if (wanted.has(meter) || meter.limit.readyAt(meter.required(cost), now) > now) return 0;
    least = Math.min(least, (meter.limit.level(now) - meter.reserved(cost)) / meter.limit.capacity);
  }
  return least;
}

/** Of a limit's capacity: below it, quota is for those who come first. */
const LEAST_LEFT = 0.3;
