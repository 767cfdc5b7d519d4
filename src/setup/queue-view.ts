import type { BudgetView } from '../proxy/budgets/client-budget.ts';
import type { ServedModel } from '../proxy/served-model.ts';
import type { Quota } from '../scheduler/quota.ts';
import type { Ticket } from '../scheduler/ticket.ts';
import {
  type ModelView,
  type QuotaView,
  type RouteView,
  type TicketView,
  viewModel,
  viewQuota,
  viewRoute,
  viewTicket,
} from '../scheduler/view.ts';
import type { Traffic, TrafficView } from './traffic.ts';

export interface QueueView {
  readonly models: readonly ModelView[];
  /** The oldest of those that wait, in their order. */
  readonly tickets: readonly TicketView[];
  readonly quotas: readonly QuotaView[];
  readonly routes: readonly RouteView[];
  readonly traffic: readonly TrafficView[];
  /** Its own; null: it has none. */
  readonly budget: BudgetView | null;
}

export interface QueueViewParts {
  /** The models that the client may use. */
  readonly models: readonly ServedModel[];
  /** The tickets that it may see: its own. */
  readonly tickets: readonly Ticket[];
  readonly clientQuota: Quota | null;
  readonly budget: BudgetView | null;
  readonly traffic: Traffic;
  readonly now: number;
}

/** What `GET /queue` shows to one client: its models, its tickets, and the quotas and routes that those depend on. */
export function queueView({ models, tickets, clientQuota, budget, traffic, now }: QueueViewParts): QueueView {
  const routes = new Set(models.flatMap(({ routes: { options } }) => options.map(({ route }) => route)));
  const quotas = new Set([...routes].flatMap((route) => route.quotas).filter(mayLimit));
  if (clientQuota !== null) quotas.add(clientQuota);
  const upstreams = new Set([...routes].map(({ upstream }) => `${upstream.provider} ${upstream.model}`));
  return {
    models: models.map(({ routes: model }) => {
      const waiting = tickets.filter(({ request }) => request.model === model);
      return viewModel(model, waiting, now);
    }),
    tickets: tickets.slice(0, MOST_TICKETS).map((ticket) => viewTicket(ticket, now)),
    quotas: [...quotas].map((quota) => viewQuota(quota, now)),
    routes: [...routes].map((route) => viewRoute(route, now)),
    traffic: traffic.view().filter(({ provider, model }) => upstreams.has(`${provider} ${model}`)),
    budget,
  };
}

/** Where another bucket has a model's limits, its own stays empty for good. */
function mayLimit({ learns, limits }: Quota): boolean {
  return learns || limits.length > 0;
}

/** A page that people look at, also where thousands wait. */
const MOST_TICKETS = 100;
