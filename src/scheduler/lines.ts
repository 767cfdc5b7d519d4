import { Line } from './line.ts';
import type { ModelRoutes } from './model-routes.ts';
import type { Plan } from './plan.ts';
import { compareTickets, type Ticket, type TicketRequest } from './ticket.ts';

/** Every waiting ticket, in its line, and how many each client has waiting for each model. */
export class Lines {
  readonly #plan: Plan;
  readonly #byModel = new WeakMap<ModelRoutes, Map<string, Line>>();
  readonly #counts = new Map<string, number>();
  #waiting = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
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
      line = new Line(model, options, clientQuota);
      lines.set(key, line);
    }
    return line;
  }

  add(ticket: Ticket): void {
    this.#plan.addLine(ticket.line);
    if (ticket.line.queue.add(ticket)) this.#plan.isStale = true;
    const key = countKey(ticket.request);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#waiting += 1;
  }

  /** The ticket's state says already that it waits no more. */
  remove(ticket: Ticket): void {
    ticket.line.queue.remove(ticket);
    if (ticket.line.queue.size === 0) this.#plan.dropLine(ticket.line);
    const key = countKey(ticket.request);
    const left = (this.#counts.get(key) as number) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
    this.#waiting -= 1;
  }

  /** Puts tickets that have left into the lines of what their requests have become; they wait again, at their old places. */
  move(tickets: readonly Ticket[]): void {
    const left = new Set<Line>();
    for (const ticket of tickets) {
      const line = this.lineOf(ticket.request);
      if (line !== ticket.line) left.add(ticket.line);
      ticket.line = line;
    }
    // A line tells who has left it by their not waiting: it must forget those who wait elsewhere.
    for (const line of left) line.queue.dropGaps();
    for (const ticket of tickets) {
      ticket.state = 'waiting';
      this.add(ticket);
    }
  }

  /** All of them, in order. */
  inOrder(): Ticket[] {
    const tickets: Ticket[] = [];
    for (const line of this.#plan.lines) for (const ticket of line.queue) tickets.push(ticket);
    return this.#plan.lines.size > 1 ? tickets.sort(compareTickets) : tickets;
  }
}

function countKey({ client, model }: TicketRequest): string {
  return `${client}\n${model.name}`;
}
