import type { Cluster } from './clusters.ts';
import type { Cost } from './cost.ts';
import { openAt } from './in-play.ts';
import { SAME_INSTANT_MS, type Timeline } from './limits/limit.ts';
import type { Meter } from './meter.ts';
import type { RouteOption } from './model-routes.ts';
import type { Ticket } from './ticket.ts';

/** Where and when a ticket may start, and the limit that it waits for. */
export interface Start {
  readonly option: RouteOption;
  readonly at: number;
  readonly waitsFor: Meter | null;
}

/** The books of all limits with the plan's bookings on top: what could start when, and what it takes from whom. */
export class Forecast {
  #epoch = 0;

  get epoch(): number {
    return this.#epoch;
  }

  /** Forgets all bookings: the books as they are. */
  begin(): void {
    this.#epoch += 1;
  }

  /** The books of a cluster as they are, with no bookings but those of `older` tickets. */
  reopen(cluster: Cluster, older: readonly Ticket[], now: number): void {
    for (const { route } of cluster.options) for (const meter of route.meters) meter.dropTimeline();
    for (const ticket of older) {
      const { booking } = ticket;
      if (booking !== null && cluster.options.includes(booking.option)) this.book(ticket, booking, now);
    }
  }

  /** The first instant at which it could start there, after all that is booked; null: surely not before `best`. */
  startOn(ticket: Ticket, option: RouteOption, { best, now }: { best: number; now: number }): Start | null {
    const { bounds } = ticket.line;
    const cost = ticket.costOn(option) as Cost;
    if (bounds.isBehind(option, cost, { at: best, seeker: ticket })) return null;
    const from = openAt(ticket, option, now);
    const start = this.#foresee(ticket, option, { from, now });
    if (start.at <= now) return this.startByBooks(ticket, option, now);
    // Whatever else it waits for may end at any moment.
    if (from <= now) bounds.learn(option, cost, { start: start.at, seeker: ticket });
    return start;
  }

  /** A timeline foresees; the books know. A slot, above all, may be held for longer than foreseen. */
  startByBooks(ticket: Ticket, option: RouteOption, now: number): Start {
    const cost = ticket.costOn(option) as Cost;
    let start: Start = { option, at: now, waitsFor: null };
    for (const meter of metersOf(ticket, option)) {
      const ready = meter.limit.readyAt(meter.required(cost), now);
      if (ready > start.at + SAME_INSTANT_MS) start = { option, at: ready, waitsFor: meter };
    }
    return start;
  }

  /** Books a start of the future: what is expected of it, with all that it needs at that instant. */
  book(ticket: Ticket, { option, at }: Pick<Start, 'option' | 'at'>, now: number): void {
    const cost = ticket.costOn(option) as Cost;
    for (const meter of metersOf(ticket, option)) {
      this.#timeline(meter, now).book(meter.expected(cost), at, meter.required(cost));
    }
  }

  /** One that starts now takes what it reserves; `isBooked`: what is expected of it is booked already. */
  take(ticket: Ticket, option: RouteOption, { now, isBooked }: { now: number; isBooked: boolean }): void {
    const cost = ticket.costOn(option) as Cost;
    for (const meter of metersOf(ticket, option)) {
      const amount = meter.reserved(cost) - (isBooked ? meter.expected(cost) : 0);
      if (amount > 0) this.#timeline(meter, now).book(amount, now);
    }
  }

  /** Each limit may move the start on; repeated until none does. */
  #foresee(ticket: Ticket, option: RouteOption, { from, now }: { from: number; now: number }): Start {
    const cost = ticket.costOn(option) as Cost;
    const meters = metersOf(ticket, option);
    let at = from;
    let waitsFor: Meter | null = null;
    for (let round = 0, hasMoved = at < Number.POSITIVE_INFINITY; hasMoved && round < MAX_ROUNDS; round += 1) {
      hasMoved = false;
      for (const meter of meters) {
        const ready = this.#timeline(meter, now).earliest(meter.required(cost), at);
        if (ready <= at + SAME_INSTANT_MS) continue;
        at = ready;
        waitsFor = meter;
        hasMoved = ready < Number.POSITIVE_INFINITY;
      }
    }
    return { option, at, waitsFor };
  }

  #timeline(meter: Meter, now: number): Timeline {
    return meter.timeline(this.#epoch, now);
  }
}

/** Every limit that a start of it there draws on. */
function metersOf(ticket: Ticket, { route }: RouteOption): readonly Meter[] {
  const { clientQuota } = ticket.request;
  return clientQuota === null ? route.meters : [...route.meters, ...clientQuota.meters];
}

/** Limits rarely move a start more than twice; the books check whatever is left. */
const MAX_ROUNDS = 6;
