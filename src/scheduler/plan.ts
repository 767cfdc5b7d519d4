import { Forecast, type Start } from './forecast.ts';
import { SAME_INSTANT_MS } from './limits/limit.ts';
import type { Line } from './line.ts';
import type { Meter } from './meter.ts';
import type { RouteOption } from './model-routes.ts';
import type { Quota } from './quota.ts';
import { Repair } from './repair.ts';
import type { Route } from './route.ts';
import { RoutePicker } from './route-picker.ts';
import { FairWalk, PlannedTimes, plannedLanes } from './shares/fair-walk.ts';
import type { ClassRule } from './shares/share.ts';
import type { Ticket } from './ticket.ts';
import type { TicketQueue } from './ticket-queue.ts';

/** What the plan asks of its owner. */
export interface PlanOwner {
  /** Takes from the books at once. */
  grant(ticket: Ticket, option: RouteOption, now: number): void;
  /** No route is left that could ever serve it. */
  reject(ticket: Ticket): void;
}

/**
 * Who starts when, and where. Waiting tickets are walked in their one order (`shares/fair-walk.ts`); each is given the route
 * and instant at which it can start first after the booking of everybody before it, and is booked there. One that can start
 * at once does.
 *
 *     update ──▶ fill ──▶ (time passes) ──▶ startDue ──▶ fill ──▶ …        bad or good news ──▶ isStale ──▶ update
 *
 * Between updates the plan stays true by itself: a start that was booked turns into a booking of the books at the same
 * instant, so the timelines need no change. News make it stale; then it may be late, but every start is checked against
 * the books first, so it is never over a limit. An update puts right what the news touch, if that is known and only one
 * client waits, in one line; else it plans anew.
 */
export class Plan {
  isStale = false;
  readonly #owner: PlanOwner;
  readonly #lines = new Set<Line>();
  readonly #forecast = new Forecast();
  readonly #picker = new RoutePicker(this.#forecast);
  readonly #rule: ClassRule;
  readonly #times = new PlannedTimes();
  /** What has changed since the plan was made or repaired. */
  #news = new Set<Quota>();
  /** The only line that waits, and did when the plan was made; null: it can't be repaired. */
  #repairable: Line | null = null;
  #walk = 0;
  #rank = 0;
  #firstStart = Number.POSITIVE_INFINITY;

  constructor(owner: PlanOwner, rule: ClassRule) {
    this.#owner = owner;
    this.#rule = rule;
  }

  /** Lines in which somebody waits. */
  get lines(): ReadonlySet<Line> {
    return this.#lines;
  }

  /** The earliest booked start, or earlier: whoever had it may have left. */
  get firstStart(): number {
    return this.#firstStart;
  }

  /** How long to leave a plan as it is: a large one is remade at intervals, a small one at once. */
  get pauseMs(): number {
    let placements = 0;
    let routes = 0;
    for (const { depth, queue, options } of this.#lines) {
      placements += Math.min(depth, queue.size) * options.length;
      routes = Math.max(routes, options.length);
    }
    return placements <= SMALL_PLAN ? 0 : Math.max(5, routes * 0.2);
  }

  /** Somebody waits in it. */
  addLine(line: Line): void {
    if (line !== this.#repairable || !line.queue.isOneClients) this.#repairable = null;
    this.#lines.add(line);
  }

  dropLine(line: Line): void {
    this.#lines.delete(line);
    this.#repairable = null;
  }

  /** Books or gates that cover the route have changed: what is planned there has to be looked at again, by and by. */
  touch({ quotas }: Route): void {
    for (const quota of quotas) this.#news.add(quota);
  }

  /** Anything may have changed. */
  invalidate(): void {
    this.isStale = true;
    this.#repairable = null;
  }

  /** Makes the plan what it would be if it were made from the books as they are. */
  update(now: number): void {
    this.isStale = false;
    const news = this.#news;
    this.#news = new Set();
    const line = this.#repairable;
    if (line === null || news.size > Math.max(MUCH_NEWS, line.options.length / 3)) this.#rebuild(now);
    else this.#repair(line, news, now);
  }

  /**
   * Starts the only ticket that waits, if the books let it: with nobody ahead there is nothing to plan. Returns whether
   * it did.
   */
  startAlone(ticket: Ticket, now: number): boolean {
    const start = this.#picker.pickByBooks(ticket, now);
    if (start === null || start.at > now) return false;
    this.isStale = true;
    this.#owner.grant(ticket, start.option, now);
    this.touch(start.option.route);
    return true;
  }

  /** Books, or starts, whoever has no booking yet, as far as each line's depth goes. */
  fill(now: number): void {
    this.#walk += 1;
    for (const line of this.#lines) line.bounds.begin(this.#forecast.epoch);
    const lane = this.#onlyLane();
    if (lane !== null) {
      for (let next = lane.nextUnbooked(); next !== null && this.#place(next, now); ) next = lane.nextUnbooked();
      return;
    }
    const walk = new FairWalk(plannedLanes(this.#lines), this.#times, this.#rule);
    for (let ticket = walk.next(); ticket !== null; ticket = walk.next()) {
      if (this.#place(ticket, now)) walk.served(ticket);
      else walk.close(ticket.line);
    }
  }

  /** Where one client waits in one line, nobody has a turn between. */
  #onlyLane(): TicketQueue | null {
    if (this.#lines.size !== 1) return null;
    for (const { queue } of this.#lines) if (queue.isOneClients) for (const lane of queue.lanes.values()) return lane;
    return null;
  }

  /** Starts those whose booked instant has come. */
  startDue(now: number): void {
    if (this.#firstStart > now + SAME_INSTANT_MS) return;
    const due: Ticket[] = [];
    for (const line of this.#lines) {
      for (const ticket of line.queue.upToLastBooked()) {
        if (ticket.booking !== null && ticket.booking.at <= now + SAME_INSTANT_MS) due.push(ticket);
      }
    }
    due.sort(inPlannedOrder);
    for (const ticket of due) this.#start(ticket, now);
    this.#findFirstStart();
  }

  #rebuild(now: number): void {
    this.#repairable = null;
    this.#times.reset();
    this.#forecast.begin();
    this.#firstStart = Number.POSITIVE_INFINITY;
    for (const line of this.#lines) {
      line.queue.unbookAll();
      line.lastStart = Number.NEGATIVE_INFINITY;
      if (this.#lines.size === 1 && canRepair(line)) this.#repairable = line;
    }
    this.fill(now);
  }

  #repair(line: Line, news: ReadonlySet<Quota>, now: number): void {
    this.#walk += 1;
    const repair = new Repair(line, {
      forecast: this.#forecast,
      picker: this.#picker,
      id: this.#walk,
      news,
      now,
      place: (ticket, start) => this.#replace(ticket, start, now),
    });
    repair.run();
    line.queue.putInOrder();
    this.#findFirstStart();
    this.fill(now);
  }

  #replace(ticket: Ticket, start: Start | null, now: number): void {
    const { queue } = ticket.line;
    if (start !== null && start.at > now) {
      queue.rebook(ticket, start);
      this.#booked(ticket, start, now);
      return;
    }
    queue.unbook(ticket);
    if (start === null) this.#owner.reject(ticket);
    else this.#grant(ticket, start.option, now);
  }

  /** Books or starts it; false: nobody of its line can be placed any more. */
  #place(ticket: Ticket, now: number): boolean {
    const { line } = ticket;
    // It is older than some that are booked: a repair puts it before them.
    if (line === this.#repairable && !line.queue.isInOrder) return false;
    if (line.queue.bookedCount >= line.depth) {
      this.#holdBack(line, line.lastStart);
      return false;
    }
    const start = this.#picker.pick(ticket, now);
    if (start === null) {
      this.#owner.reject(ticket);
      return true;
    }
    if (this.#isBehindOlder(line, start)) {
      this.#holdBack(line, start.at);
      return false;
    }
    if (start.at <= now) {
      this.#grant(ticket, start.option, now);
    } else {
      line.queue.book(ticket, start);
      this.#booked(ticket, start, now);
    }
    return true;
  }

  #grant(ticket: Ticket, option: RouteOption, now: number): void {
    this.#forecast.take(ticket, option, { now, isBooked: false });
    this.#owner.grant(ticket, option, now);
    this.touch(option.route);
  }

  #booked(ticket: Ticket, start: Start, now: number): void {
    const { line } = ticket;
    ticket.rank = this.#rank++;
    this.#forecast.book(ticket, start, now);
    line.lastStart = Math.max(line.lastStart, start.at);
    line.waitsFor = start.waitsFor;
    this.#firstStart = Math.min(this.#firstStart, start.at);
    ticket.predictedAt = start.at;
    ticket.waitsFor = start.waitsFor;
  }

  /** A booked start has come: the books decide. If they disagree, the plan was stale. */
  #start(ticket: Ticket, now: number): void {
    const { option } = ticket.booking as NonNullable<Ticket['booking']>;
    const isOpen = option.route.hasRoom && option.route.availableAt(now) <= now;
    this.touch(option.route);
    if (!isOpen || this.#forecast.startByBooks(ticket, option, now).at > now) {
      this.isStale = true;
      return;
    }
    this.#forecast.take(ticket, option, { now, isBooked: true });
    this.#owner.grant(ticket, option, now);
  }

  #isBehindOlder(line: Line, start: Start): boolean {
    if (this.#lines.size === 1) return false;
    const isBehind = (meter: Meter) => start.at >= meter.frontier(this.#walk);
    return start.option.route.meters.some(isBehind) || (line.clientQuota?.meters.some(isBehind) ?? false);
  }

  /** Somebody in this line has no booking: whoever is younger and shares a limit may only start before `from`. */
  #holdBack(line: Line, from: number): void {
    if (this.#lines.size === 1) return;
    for (const meter of line.meters()) meter.holdBack(this.#walk, from);
  }

  #findFirstStart(): void {
    this.#firstStart = Number.POSITIVE_INFINITY;
    for (const line of this.#lines) {
      line.lastStart = Number.NEGATIVE_INFINITY;
      for (const { booking } of line.queue.upToLastBooked()) {
        if (booking === null) continue;
        this.#firstStart = Math.min(this.#firstStart, booking.at);
        line.lastStart = Math.max(line.lastStart, booking.at);
      }
    }
  }
}

/**
 * A client's own limits bind all routes together, which targets are in play depends on those before them, and with several
 * clients what one was charged may move all of them.
 */
function canRepair({ clientQuota, model, queue }: Line): boolean {
  return queue.isOneClients && clientQuota === null && model.after.every((after) => after === 0);
}

/** Of one client by its own order, which is true of those that were put right as well. */
function inPlannedOrder(a: Ticket, b: Ticket): number {
  return a.share === b.share ? a.order - b.order : a.rank - b.rank;
}

/** News of so many quotas, and of a third of the routes, are more work to put right than a new plan. */
const MUCH_NEWS = 16;
/** Tickets times routes that cost less than a timer's worth. */
const SMALL_PLAN = 400;
