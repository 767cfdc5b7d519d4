import type { Cost } from './cost.ts';
import { Heap } from './heap.ts';
import { isInPlay, openAt } from './in-play.ts';
import { SAME_INSTANT_MS } from './limits/limit.ts';
import type { Line } from './line.ts';
import type { Meter } from './meter.ts';
import type { RouteOption } from './model-routes.ts';
import type { Candidate } from './strategies/strategy.ts';
import type { Ticket } from './ticket.ts';

/** What the plan asks of its owner. */
export interface PlanOwner {
  /** Takes from the books at once. */
  grant(ticket: Ticket, option: RouteOption, now: number): void;
  /** No route is left that could ever serve it. */
  reject(ticket: Ticket): void;
}

interface Start {
  readonly option: RouteOption;
  readonly at: number;
  readonly waitsFor: Meter | null;
}

/** The start on a route; null where it is known not to come before `best`. */
type StartOn = (option: RouteOption, best: number) => Start | null;

/**
 * Who starts when, and where. Waiting tickets are walked in their one order; each is given the route and the instant at
 * which it can start first after every older ticket's booking, and is booked there. One that can start at once does.
 *
 *     rebuild ──▶ fill ──▶ (time passes) ──▶ startDue ──▶ fill ──▶ …        bad or good news ──▶ isStale ──▶ rebuild
 *
 * Between rebuilds the plan stays true by itself: a start that was booked turns into a booking of the books at the same
 * instant, so the timelines need no change. News make it stale; then it may be late, but every start is checked against
 * the books first, so it is never over a limit.
 */
export class Plan {
  isStale = false;
  readonly #owner: PlanOwner;
  readonly #lines = new Set<Line>();
  readonly #candidates: Candidate[] = [];
  #epoch = 0;
  #walk = 0;
  #firstStart = Number.POSITIVE_INFINITY;

  constructor(owner: PlanOwner) {
    this.#owner = owner;
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

  addLine(line: Line): void {
    this.#lines.add(line);
  }

  dropLine(line: Line): void {
    this.#lines.delete(line);
  }

  /** Plans anew from the books as they are. */
  rebuild(now: number): void {
    this.#epoch += 1;
    this.isStale = false;
    this.#firstStart = Number.POSITIVE_INFINITY;
    for (const line of this.#lines) {
      line.queue.unbookAll();
      line.lastStart = Number.NEGATIVE_INFINITY;
    }
    this.fill(now);
  }

  /**
   * Starts the only ticket that waits, if the books let it: with nobody ahead there is nothing to plan. Returns whether
   * it did.
   */
  startAlone(ticket: Ticket, now: number): boolean {
    const start = this.#firstStartOf(ticket, now, (option) => this.#startByBooks(ticket, option, now));
    if (start === null || start.at > now) return false;
    this.isStale = true;
    this.#owner.grant(ticket, start.option, now);
    return true;
  }

  /** Books, or starts, whoever has no booking yet, as far as each line's depth goes. */
  fill(now: number): void {
    this.#walk += 1;
    const open = new Heap<Line>((line) => (line.queue.nextUnbooked() as Ticket).arrival);
    for (const line of this.#lines) {
      line.bounds.begin(this.#epoch);
      if (line.queue.nextUnbooked() !== null) open.push(line);
    }
    for (let line = open.pop(); line !== undefined; line = open.pop()) {
      if (this.#placeNext(line, now) && line.queue.nextUnbooked() !== null) open.push(line);
    }
  }

  /** Starts those whose booked instant has come. */
  startDue(now: number): void {
    if (this.#firstStart > now + SAME_INSTANT_MS) return;
    const due: Ticket[] = [];
    for (const line of this.#lines) {
      for (const ticket of line.queue.booked()) {
        if (ticket.booking !== null && ticket.booking.at <= now + SAME_INSTANT_MS) due.push(ticket);
      }
    }
    due.sort((a, b) => a.arrival - b.arrival);
    for (const ticket of due) this.#start(ticket, now);
    this.#findFirstStart();
  }

  /** Returns whether the line's next ticket may be tried as well. */
  #placeNext(line: Line, now: number): boolean {
    const ticket = line.queue.nextUnbooked() as Ticket;
    if (line.queue.bookedCount >= line.depth) {
      this.#holdBack(line, line.lastStart);
      return false;
    }
    const start = this.#firstStartOf(ticket, now, (option, best) => this.#startBefore(ticket, option, { best, now }));
    if (start === null) {
      this.#owner.reject(ticket);
      return true;
    }
    if (this.#isBehindOlder(line, start)) {
      this.#holdBack(line, start.at);
      return false;
    }
    if (start.at <= now) this.#grant(ticket, start.option, now);
    else this.#book(ticket, start, now);
    return true;
  }

  #grant(ticket: Ticket, option: RouteOption, now: number): void {
    const cost = ticket.costOn(option) as Cost;
    this.#eachMeter(ticket, option, (meter) => {
      meter.timeline(this.#epoch, now).book(meter.reserved(cost), now);
    });
    this.#owner.grant(ticket, option, now);
  }

  #book(ticket: Ticket, start: Start, now: number): void {
    const cost = ticket.costOn(start.option) as Cost;
    this.#eachMeter(ticket, start.option, (meter) => {
      meter.timeline(this.#epoch, now).book(meter.expected(cost), start.at, meter.required(cost));
    });
    const { line } = ticket;
    line.queue.book(ticket, start);
    line.lastStart = Math.max(line.lastStart, start.at);
    this.#firstStart = Math.min(this.#firstStart, start.at);
    ticket.predictedAt = start.at;
    ticket.waitsFor = start.waitsFor;
  }

  /** A booked start has come: the books decide. If they disagree, the plan was stale. */
  #start(ticket: Ticket, now: number): void {
    const { option } = ticket.booking as NonNullable<Ticket['booking']>;
    const cost = ticket.costOn(option) as Cost;
    const isOpen = option.route.hasRoom && option.route.availableAt(now) <= now;
    if (!isOpen || this.#checkBooks(ticket, option, now).at > now) {
      this.isStale = true;
      return;
    }
    this.#eachMeter(ticket, option, (meter) => {
      const more = meter.reserved(cost) - meter.expected(cost);
      if (more > 0) meter.timeline(this.#epoch, now).book(more, now);
    });
    this.#owner.grant(ticket, option, now);
  }

  /** The best of all routes: one that can start it now, as the strategy likes, else whichever is ready first. */
  #firstStartOf(ticket: Ticket, now: number, startOn: StartOn): Start | null {
    const { line } = ticket;
    this.#candidates.length = 0;
    let best: Start | null = null;
    let bestAt = Number.POSITIVE_INFINITY;
    let target = 0;
    let bestBefore = Number.POSITIVE_INFINITY;
    for (const option of line.options) {
      if (option.target !== target) {
        target = option.target;
        bestBefore = bestAt;
      }
      const start = isInPlay(ticket, option, { bestBefore, now }) ? startOn(option, bestAt) : null;
      if (start === null) continue;
      if (start.at <= now + SAME_INSTANT_MS) this.#candidates.push(option);
      if (start.at >= bestAt) continue;
      best = start;
      bestAt = start.at;
    }
    return this.#candidates.length === 0 ? best : this.#choose(ticket, now);
  }

  #choose(ticket: Ticket, now: number): Start {
    const [only, another] = this.#candidates as [Candidate, Candidate | undefined];
    const option = another === undefined ? only : ticket.line.model.strategy(this.#candidates, ticket, now);
    return { option, at: now, waitsFor: null };
  }

  /** Null: surely not before `best`. */
  #startBefore(ticket: Ticket, option: RouteOption, { best, now }: { best: number; now: number }): Start | null {
    const { bounds } = ticket.line;
    const cost = ticket.costOn(option) as Cost;
    if (bounds.isBehind(option, cost, best)) return null;
    const start = this.#foresee(ticket, option, now);
    if (start.at <= now) return this.#checkBooks(ticket, option, now);
    // Whatever else it waits for may end at any moment.
    if (openAt(ticket, option, now) <= now) bounds.learn(option, cost, start.at);
    return start;
  }

  /** Each limit may move the start on; repeated until none does. */
  #foresee(ticket: Ticket, option: RouteOption, now: number): Start {
    const cost = ticket.costOn(option) as Cost;
    let at = openAt(ticket, option, now);
    let waitsFor: Meter | null = null;
    for (let round = 0, hasMoved = at < Number.POSITIVE_INFINITY; hasMoved && round < MAX_ROUNDS; round += 1) {
      hasMoved = false;
      this.#eachMeter(ticket, option, (meter) => {
        const ready = meter.timeline(this.#epoch, now).earliest(meter.required(cost), at);
        if (ready <= at + SAME_INSTANT_MS) return;
        at = ready;
        waitsFor = meter;
        hasMoved = ready < Number.POSITIVE_INFINITY;
      });
    }
    return { option, at, waitsFor };
  }

  #startByBooks(ticket: Ticket, option: RouteOption, now: number): Start {
    const at = openAt(ticket, option, now);
    return at > now ? { option, at, waitsFor: null } : this.#checkBooks(ticket, option, now);
  }

  /** A timeline foresees; the books know. A slot, above all, may be held for longer than foreseen. */
  #checkBooks(ticket: Ticket, option: RouteOption, now: number): Start {
    const cost = ticket.costOn(option) as Cost;
    let start: Start = { option, at: now, waitsFor: null };
    this.#eachMeter(ticket, option, (meter) => {
      const ready = meter.limit.readyAt(meter.required(cost), now);
      if (ready > start.at + SAME_INSTANT_MS) start = { option, at: ready, waitsFor: meter };
    });
    return start;
  }

  #eachMeter(ticket: Ticket, option: RouteOption, visit: (meter: Meter) => void): void {
    for (const meter of option.route.meters) visit(meter);
    const { clientQuota } = ticket.request;
    if (clientQuota !== null) for (const meter of clientQuota.meters) visit(meter);
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
      for (const ticket of line.queue.booked()) {
        if (ticket.booking !== null && ticket.booking.at < this.#firstStart) this.#firstStart = ticket.booking.at;
      }
    }
  }
}

/** Limits rarely move a start more than twice; the books check whatever is left. */
const MAX_ROUNDS = 6;
/** Tickets times routes that cost less than a timer's worth. */
const SMALL_PLAN = 400;
