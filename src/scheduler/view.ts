import type { ModelRoutes } from './model-routes.ts';
import type { Quota } from './quota.ts';
import type { Route, RouteStatus } from './route.ts';
import type { Priority } from './shares/share.ts';
import type { Ticket } from './ticket.ts';

/** One model's queue as people see it; waits in milliseconds. */
export interface ModelView {
  readonly model: string;
  readonly waiting: number;
  readonly oldestWaitMs: number;
  /** Of the newest that waits: about what a newcomer should expect. */
  readonly predictedWaitMs: number;
  readonly inFlight: number;
}

interface LimitView {
  readonly limit: string;
  readonly unit: string;
  readonly windowMs: number;
  readonly level: number;
  readonly capacity: number;
  /** Until it is full again. */
  readonly resetMs: number;
  readonly source: string;
}

export interface QuotaView {
  readonly quota: string;
  readonly limits: readonly LimitView[];
  /** Nothing is known of its level yet: it lets few requests through until an answer tells. */
  readonly isProbing: boolean;
}

export interface RouteView {
  readonly provider: string;
  readonly model: string;
  readonly key: string;
  readonly state: RouteStatus['kind'];
  readonly reason: string | null;
  readonly untilMs: number | null;
  readonly failuresInRow: number;
  readonly inFlight: number;
}

/** One waiting request; durations in milliseconds. */
export interface TicketView {
  /** The `x-request-id` of its answer. */
  readonly request: string;
  readonly model: string;
  /** Its class: that of its client, or a lower one that it asked for itself. */
  readonly priority: Priority;
  readonly waitedMs: number;
  /** Until its planned start. */
  readonly startsInMs: number;
  /** Where it is planned to go; null for those behind the planned ones, whose key is chosen later. */
  readonly route: { readonly provider: string; readonly key: string } | null;
  /** The limit that its planned start waits for. */
  readonly waitsFor: string | null;
}

export function viewModel(model: ModelRoutes, waiting: readonly Ticket[], now: number): ModelView {
  const [oldest] = waiting;
  const newest = waiting.at(-1);
  return {
    model: model.name,
    waiting: waiting.length,
    oldestWaitMs: oldest ? Math.round(now - oldest.arrivedAt) : 0,
    predictedWaitMs: newest ? Math.max(0, Math.round(newest.predictedAt - now)) : 0,
    inFlight: model.options.reduce((sum, { route }) => sum + route.inFlight, 0),
  };
}

export function viewTicket(ticket: Ticket, now: number): TicketView {
  const { request, share, arrivedAt, predictedAt, booking, waitsFor } = ticket;
  const route = booking?.option.route;
  return {
    request: request.id,
    model: request.model.name,
    priority: share.class.priority,
    waitedMs: Math.round(now - arrivedAt),
    startsInMs: Math.max(0, Math.round(predictedAt - now)),
    route: route ? { provider: route.upstream.provider, key: route.key.name } : null,
    waitsFor: waitsFor ? `${waitsFor.quotaName} ${waitsFor.name}` : null,
  };
}

export function viewQuota(quota: Quota, now: number): QuotaView {
  return {
    quota: quota.name,
    limits: quota.limits.map(({ name, primary, source }) => ({
      limit: name,
      unit: primary.unit,
      windowMs: primary.windowMs,
      level: Math.floor(primary.level(now)),
      capacity: primary.capacity,
      resetMs: Math.round(primary.fullInMs(now)),
      source,
    })),
    isProbing: !quota.gate.isOpen,
  };
}

export function viewRoute(route: Route, now: number): RouteView {
  const status = route.status(now);
  return {
    provider: route.upstream.provider,
    model: route.upstream.model,
    key: route.key.name,
    state: status.kind,
    reason: 'reason' in status ? status.reason : null,
    untilMs: 'until' in status ? Math.round(status.until - now) : null,
    failuresInRow: route.circuit.failuresInRow,
    inFlight: route.inFlight,
  };
}
