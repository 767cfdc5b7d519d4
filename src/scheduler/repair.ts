import type { Cluster } from './clusters.ts';
import type { Cost } from './cost.ts';
import type { Forecast, Start } from './forecast.ts';
import { SAME_INSTANT_MS } from './limits/limit.ts';
import type { Line } from './line.ts';
import type { RouteOption } from './model-routes.ts';
import type { Quota } from './quota.ts';
import { isBefore, mustBeat, type RoutePicker } from './route-picker.ts';
import type { Ticket } from './ticket.ts';

export interface RepairOptions {
  readonly forecast: Forecast;
  readonly picker: RoutePicker;
  /** Tells one repair from another; rises. */
  readonly id: number;
  /** The books or gates of these are not what they were when the plan was made or repaired last. */
  readonly news: ReadonlySet<Quota>;
  readonly now: number;
  /** Starts, books or turns away. */
  readonly place: (ticket: Ticket, start: Start | null) => void;
}

/**
 * Puts the plan of a line right after news of some of its routes, with the same outcome as a plan that is made anew.
 *
 * Booked tickets are walked in order. As long as neither the books of a cluster nor what older tickets have booked on it
 * has changed, it can do for a ticket what it could before: nothing earlier than the start that is booked. So only
 * clusters with news are open to another look, and they are few. A ticket that leaves its cluster, or moves to one, opens
 * it for those behind: its bookings are made again up to there.
 */
export class Repair {
  readonly #line: Line;
  readonly #options: RepairOptions;
  /** Those that have been walked and have a booking. */
  readonly #older: Ticket[] = [];
  /** Routes of the open clusters. */
  readonly #open: RouteOption[] = [];

  constructor(line: Line, options: RepairOptions) {
    this.#line = line;
    this.#options = options;
  }

  run(): void {
    const { clusters, options, queue, depth } = this.#line;
    for (const quota of this.#options.news) this.#openFrom(clusters.drawingOn(quota), Number.NEGATIVE_INFINITY);
    // A gate opens by an event: what stands in for its instant moves on with the time.
    for (const option of options) {
      if (!option.route.hasRoom) this.#openFrom(clusters.of(option), Number.NEGATIVE_INFINITY);
    }
    for (const ticket of queue.upToLastBooked()) {
      if (this.#older.length < depth) this.#revise(ticket);
      else this.#unbook(ticket);
    }
  }

  #revise(ticket: Ticket): void {
    const { booking } = ticket;
    const start = this.#startOf(ticket);
    // A booking is kept in a closed cluster only, where it is booked still; what is open is booked again.
    if (start === null || start !== booking) {
      if (booking !== null) this.#openFrom(this.#line.clusters.of(booking.option), ticket.order);
      this.#options.place(ticket, start);
    }
    if (ticket.booking !== null) this.#older.push(ticket);
  }

  /** The booking itself where nothing has come up that is better. */
  #startOf(ticket: Ticket): Start | null {
    const { picker, now } = this.#options;
    const { booking } = ticket;
    // Whose instant has come may have a choice.
    const known = booking !== null && booking.at > now + SAME_INSTANT_MS ? booking : null;
    const isSure = known !== null && !this.#isOpen(known.option);
    picker.begin();
    let best = picker.better(ticket, isSure ? known : null, { options: this.#open, now });
    const mayBeElsewhere = known === null || best === null || isBefore(known, best);
    if (mayBeElsewhere && !isSure) best = this.#lookFurther(ticket, best);
    return picker.settle(ticket, best, now);
  }

  /** Among closed clusters as well: those that may be better, by what is known of them, are opened. */
  #lookFurther(ticket: Ticket, begun: Start | null): Start | null {
    const { picker, now } = this.#options;
    const { clusters, options, bounds } = this.#line;
    let best = begun;
    for (const option of options) {
      if (this.#isOpen(option) || ticket.excluded?.has(option.route)) continue;
      const cost = ticket.costOn(option) as Cost;
      if (bounds.isBehind(option, cost, { at: mustBeat(option, best), seeker: ticket })) continue;
      const cluster = clusters.of(option);
      this.#openFrom(cluster, ticket.order);
      best = picker.better(ticket, best, { options: cluster.options, now });
    }
    return best;
  }

  #isOpen(option: RouteOption): boolean {
    return this.#line.clusters.of(option).repair === this.#options.id;
  }

  /** Whatever was found or booked there for tickets behind `order` holds no longer. */
  #openFrom(cluster: Cluster | undefined, order: number): void {
    const { forecast, id, now } = this.#options;
    if (cluster === undefined || cluster.repair === id) return;
    cluster.repair = id;
    for (const option of cluster.options) {
      this.#open.push(option);
      this.#line.bounds.forget(option, order);
    }
    forecast.reopen(cluster, this.#older, now);
  }

  /** So many are booked before it that it has to wait for its turn to be. */
  #unbook(ticket: Ticket): void {
    if (ticket.booking !== null) this.#openFrom(this.#line.clusters.of(ticket.booking.option), ticket.order);
    this.#line.queue.unbook(ticket);
  }
}
