import { Line } from './line.ts';
import type { ModelRoutes } from './model-routes.ts';
import type { Plan } from './plan.ts';
import { inFairOrder } from './shares/fair-walk.ts';
import { ModelFlow } from './shares/model-flow.ts';
import { Pools } from './shares/pools.ts';
import { type ClassRule, type Pool, type Share, USUAL_SHARE } from './shares/share.ts';
import { compareTickets, shareTokensOf, type Ticket, type TicketRequest } from './ticket.ts';

/** Every waiting ticket, in its line, and how many each client has waiting for each model. */
export class Lines {
  readonly #plan: Plan;
  readonly #byModel = new WeakMap<ModelRoutes, Map<string, Line>>();
  readonly #counts = new Map<string, number>();
  readonly #pools = new Pools();
  readonly #flows = new WeakMap<ModelRoutes, ModelFlow>();
  readonly #rule: ClassRule;
  #waiting = 0;

  constructor(plan: Plan, rule: ClassRule) {
    this.#plan = plan;
    this.#rule = rule;
  }

  get waiting(): number {
    return this.#waiting;
  }

  count(request: TicketRequest): number {
    return this.#counts.get(countKey(request)) ?? 0;
  }

  /** The line of a request: one a model, set of targets that can serve it, and client with limits of its own. */
  lineOf(request: TicketRequest): Line {
    const { model, costs, clientQuota } = request;
    let lines = this.#byModel.get(model);
    if (!lines) {
      lines = new Map();
      this.#byModel.set(model, lines);
    }
    let key = clientQuota?.id ?? '';
    for (let i = 0; i < costs.length; i += 1) key += costs[i] ? '+' : '-';
    let line = lines.get(key);
    // A client that lost its limits and has some again has another quota of the same id.
    if (line?.clientQuota !== clientQuota) {
      const options = model.options.filter(({ target }) => costs[target]);
      line = new Line(model, options, { clientQuota, flow: this.#flowOf(model) });
      lines.set(key, line);
    }
    return line;
  }

  /** By whose virtual time a request has its turn. */
  shareOf({ model, client, share }: TicketRequest): Share {
    return this.#pools.of(model).share(client, share ?? USUAL_SHARE);
  }

  #flowOf(model: ModelRoutes): ModelFlow {
    let flow = this.#flows.get(model);
    if (flow === undefined) {
      flow = new ModelFlow(this.#rule);
      this.#flows.set(model, flow);
    }
    return flow;
  }

  add(ticket: Ticket, now: number): void {
    const { share, line } = ticket;
    const pool = poolOf(ticket);
    if (pool.lapse(now)) this.#plan.isStale = true;
    // Its turn may come before those of others that are booked.
    if (pool.hasOthers(share) && line.queue.isNext(ticket)) this.#plan.isStale = true;
    pool.waits(share, line.queue.lowestFinish(share));
    line.flow.enters(share, ticket.shareTokens, now);
    if (line.queue.add(ticket)) this.#plan.isStale = true;
    this.#plan.addLine(line);
    const key = countKey(ticket.request);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#waiting += 1;
  }

  /** The ticket's state says already that it waits no more. */
  remove(ticket: Ticket, now: number): void {
    poolOf(ticket).waitsNoMore(ticket.share);
    ticket.line.flow.leaves(ticket.share, ticket.shareTokens, now);
    ticket.line.queue.remove(ticket);
    if (ticket.line.queue.size === 0) this.#plan.dropLine(ticket.line);
    const key = countKey(ticket.request);
    const left = (this.#counts.get(key) as number) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
    this.#waiting -= 1;
  }

  /** Its lease has been granted. */
  served(ticket: Ticket, now: number): void {
    ticket.passed = poolOf(ticket).served(ticket.share, ticket.shareTokens);
    ticket.line.flow.granted(ticket.shareTokens, ticket.arrivedAt < now);
  }

  /** Puts tickets that have left into the lines of what their requests have become; they wait again, at their old places. */
  move(tickets: readonly Ticket[], now: number): void {
    const left = new Set<Line>();
    for (const ticket of tickets) {
      const line = this.lineOf(ticket.request);
      const share = this.shareOf(ticket.request);
      if (line !== ticket.line || share !== ticket.share) left.add(ticket.line);
      ticket.line = line;
      ticket.share = share;
      // Where nothing can serve it any more it counts as it did until it is turned away.
      const cost = ticket.request.costs.find((each) => each !== null);
      if (cost) ticket.shareTokens = shareTokensOf(cost.expected);
    }
    // A line tells who has left it by their not waiting: it must forget those who wait elsewhere.
    for (const line of left) line.queue.dropGaps();
    for (const ticket of tickets) {
      ticket.state = 'waiting';
      this.add(ticket, now);
    }
  }

  /** All of them, oldest first. */
  byAge(): Ticket[] {
    const tickets: Ticket[] = [];
    for (const line of this.#plan.lines) for (const ticket of line.queue) tickets.push(ticket);
    return tickets.sort(compareTickets);
  }

  /** All of them, in the order in which their turns will come. */
  inOrder(): Ticket[] {
    return inFairOrder(this.#plan.lines, this.#rule);
  }
}

/** Where it competes; it may have changed since it came. */
export function poolOf({ share }: Ticket): Pool {
  return share.class.pool;
}

function countKey({ client, model }: TicketRequest): string {
  return `${client}\n${model.name}`;
}
