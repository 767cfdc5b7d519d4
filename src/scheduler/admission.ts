import type { Cost } from './cost.ts';
import type { Meter } from './meter.ts';
import type { BindingLimit, Rejection } from './rejection.ts';
import type { Route } from './route.ts';
import { firstCost, type TicketRequest } from './ticket.ts';

/** Why a request can't be let in at all, whatever the queue looks like; null: it may wait. */
export function refuseAtDoor(request: TicketRequest, now: number): Rejection | null {
  const refusal = refuseForGood(request);
  if (refusal !== null) return refusal;
  if (isForsaken(request, now)) return { kind: 'out_of_service' };
  const { clientQuota } = request;
  if (!request.rejectsOnClientLimit || clientQuota === null) return null;
  return refuseByClientLimit(request, clientQuota.meters, now);
}

/** Whether it is for others to serve it: nothing that could is in service, or has room for more than those who try that out. */
export function isForsaken(
  { isImpatient, model, costs }: TicketRequest,
  now: number,
  excluded: ReadonlySet<Route> | null = null,
): boolean {
  if (!isImpatient) return false;
  return model.options.every(({ target, route }) => {
    return !costs[target] || excluded?.has(route) || route.isDown(now) || !route.circuit.hasRoom;
  });
}

/** Whether all that could serve it rest, after failures or refusals of their upstreams. */
export function isResting({ model, costs }: TicketRequest, now: number): boolean {
  return model.options.every(({ target, route }) => !costs[target] || route.availableAt(now) > now);
}

/** Why no route as it is now will ever serve a request; null: one may. */
export function refuseForGood(request: TicketRequest): Rejection | null {
  const tooSmall = smallestObstacle(request);
  if (tooSmall) return { kind: 'exceeds_limit', limit: tooSmall };
  const { model, costs } = request;
  const isUsable = model.options.some(({ target, route }) => costs[target] && !route.isDisabled);
  return isUsable ? null : { kind: 'no_usable_route' };
}

function refuseByClientLimit(request: TicketRequest, meters: readonly Meter[], now: number): Rejection | null {
  const cost = firstCost(request.costs);
  for (const meter of meters) {
    const readyAt = meter.limit.readyAt(meter.reserved(cost), now);
    if (readyAt <= now) continue;
    const waitMs = readyAt - now;
    const limit = bindingLimit(meter, cost);
    const wait = { predictedWaitMs: waitMs, retryAfterMs: waitMs };
    return { kind: 'client_limit', ...wait, limit, hasWaited: false, isResting: false };
  }
  return null;
}

/** When no route could ever grant it: of the limits in the way, the one that comes closest. */
function smallestObstacle({ model, costs, clientQuota }: TicketRequest): BindingLimit | null {
  let nearest: BindingLimit | null = null;
  for (const { target, route } of model.options) {
    const cost = costs[target];
    if (!cost) continue;
    const own = clientQuota?.meters.find((meter) => !meter.canEverTake(cost));
    const obstacle = own ?? route.meters.find((meter) => !meter.canEverTake(cost));
    if (!obstacle) return null;
    const limit = bindingLimit(obstacle, cost, 'certain');
    if (nearest === null || limit.capacity > nearest.capacity) nearest = limit;
  }
  return nearest;
}

export function bindingLimit(meter: Meter, cost: Cost, which: 'reserved' | 'certain' = 'reserved'): BindingLimit {
  return {
    quota: meter.quotaName,
    name: meter.name,
    unit: meter.unitName,
    windowMs: meter.limit.windowMs,
    capacity: meter.limit.capacity,
    asked: cost[which][meter.unit],
  };
}
