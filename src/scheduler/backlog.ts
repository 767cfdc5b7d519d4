import type { Cost } from './cost.ts';
import { Heap } from './heap.ts';
import { SAME_INSTANT_MS } from './limits/limit.ts';
import type { Line } from './line.ts';
import type { Meter } from './meter.ts';
import type { RouteOption } from './model-routes.ts';
import type { Quota } from './quota.ts';
import type { StartBounds } from './start-bounds.ts';

/** Whoever is ahead of a newcomer: a ticket, or a place that is kept for one. */
export interface Waiter {
  readonly line: Line;
  readonly notBefore: number;
  /** How much of its cost to count: less than 1 for somebody who may never come. */
  readonly weight: number;
  /** It has given up its place; a ticket that was served has not. */
  readonly hasLeft: boolean;
  /** Never null on an option of its line. */
  costOn(option: RouteOption): Cost | null;
}

export interface Prediction {
  readonly at: number;
  readonly waitsFor: Meter | null;
}

interface Found extends Prediction {
  readonly option: RouteOption | null;
  /** When it would start if its client had no limits of its own. */
  readonly readyAt: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Hears what each waiter's start is in a new backlog. */
export type PredictionReport = (waiter: Waiter, prediction: Prediction) => void;

interface Search {
  readonly waiter: Waiter;
  readonly epoch: number;
  readonly now: number;
  readonly bounds: StartBounds | null;
}

/** One that its client's own limits hold back: until it starts, what it will take upstream is there for others. */
interface Late {
  readonly waiter: Waiter;
  readonly option: RouteOption;
  readonly at: number;
}

/** By the upstream's quota; the next to start first. */
type LateOnes = Map<Quota, Heap<Late>>;

/** A backlog, as those who are placed in it need to know it. */
interface Place {
  readonly epoch: number;
  readonly now: number;
  readonly late: LateOnes;
}

interface Building {
  readonly epoch: number;
  readonly waiters: Waiter[];
  readonly late: LateOnes;
  next: number;
}

/**
 * When a newcomer would start if it joined the end of the queue: books, everything that waits, and kept places, each at
 * its expected cost. It only grows at its end, which takes one look at each route; what leaves or is refunded is taken
 * off roughly and put right by the next rebuild.
 *
 * A long queue is rebuilt a slice a turn, beside the backlog that answers until then; whoever joins meanwhile joins both.
 */
export class Backlog {
  /** When the books were last looked at for a rebuild. */
  builtAt = Number.NEGATIVE_INFINITY;
  #epoch: number;
  #building: Building | null = null;
  /** Of the one that answers. */
  #late: LateOnes = new Map();
  /** Something was taken off the one that answers. */
  #hasReleased = false;
  /** What was nearly as good as the best in the last search. */
  #runnerUp: { line: Line | null; option: RouteOption | null; at: number } = { line: null, option: null, at: 0 };
  /** The limit that moved the start on last, in the look at a route that was last. */
  #lastMover: Meter | null = null;
  /** The start there, its client's own limits aside. */
  #lastReadyAt = 0;

  /** @param view 0 or 1: two backlogs may look at the same limits, each in its own way */
  constructor(view: 0 | 1 = 0) {
    this.#epoch = 2 * view;
  }

  get isBuilding(): boolean {
    return this.#building !== null;
  }

  /** Says when whoever joins the end will start, and adds it if it does join. */
  append(waiter: Waiter, now: number, doesJoin: (prediction: Prediction) => boolean = () => true): Prediction {
    const place = { epoch: this.#epoch, now, late: this.#late };
    const best = this.#findBehindLate(waiter, place);
    if (!doesJoin(best)) return best;
    this.#building?.waiters.push(waiter);
    this.#bookFound(waiter, best, place);
    return best;
  }

  /** Starts over from the books with whoever waits, in order: all at once, for a queue that is short. */
  rebuild(waiters: Waiter[], now: number, report: PredictionReport): void {
    this.startRebuild(waiters, now);
    while (this.#building !== null) this.continueRebuild(now, report);
  }

  startRebuild(waiters: Waiter[], now: number): void {
    this.builtAt = now;
    // One that is given up has left bookings behind under its epoch. The one that answers keeps the other parity; the
    // bit above it says whose epochs they are.
    const epoch = this.#building === null ? (this.#epoch ^ 1) + 4 : this.#building.epoch + 4;
    this.#building = { epoch, waiters, late: new Map(), next: 0 };
  }

  /** The next slice. */
  continueRebuild(now: number, report: PredictionReport): void {
    const building = this.#building;
    if (building === null) return;
    const end = Math.min(building.next + SLICE, building.waiters.length);
    const place = { epoch: building.epoch, now, late: building.late };
    for (; building.next < end; building.next += 1) {
      const waiter = building.waiters[building.next] as Waiter;
      if (!waiter.hasLeft) report(waiter, this.#place(waiter, place));
    }
    if (building.next < building.waiters.length) return;
    this.#epoch = building.epoch;
    this.#late = building.late;
    this.#hasReleased = false;
    this.#building = null;
  }

  /** Somebody ahead has left. */
  drop(waiter: Waiter, now: number): void {
    // Where it would have gone, or whether it has taken anything there yet, the next rebuild sees.
    if (waiter.line.options.length > 1 || waiter.line.clientQuota !== null) return;
    const option = waiter.line.options[0] as RouteOption;
    const cost = waiter.costOn(option) as Cost;
    this.#hasReleased = true;
    for (const meter of option.route.meters) meter.tail(this.#epoch, now).release(meter.expected(cost));
  }

  #place(waiter: Waiter, place: Place): Prediction {
    const best = this.#findBehindLate(waiter, place);
    this.#bookFound(waiter, best, place);
    return best;
  }

  /** Those who start late are ahead of whoever would start later still on the same route. */
  #findBehindLate(waiter: Waiter, place: Place): Found {
    for (;;) {
      const best = this.#find(waiter, place);
      const late = best.option && place.late.get(best.option.route.quotas[0]);
      const first = late?.peek();
      if (!late || !first || first.at > best.readyAt) return best;
      late.pop();
      if (!first.waiter.hasLeft) this.#book(first, first.option.route.meters, place);
    }
  }

  #bookFound(waiter: Waiter, { option, at, readyAt }: Found, place: Place): void {
    if (option === null) return;
    const found = { waiter, option, at };
    if (at > readyAt) putOff(found, place);
    else this.#book(found, option.route.meters, place);
    this.#book(found, waiter.line.clientQuota?.meters ?? [], place);
  }

  /**
   * Begins with the route that was second best for the one before: most likely it is the best now, which spares looks at
   * others.
   */
  #find(waiter: Waiter, { epoch, now }: Pick<Place, 'epoch' | 'now'>): Found {
    const { line } = waiter;
    const likely = this.#runnerUp.line === line ? this.#runnerUp.option : null;
    this.#runnerUp = { line, option: null, at: Number.POSITIVE_INFINITY };
    const best: Mutable<Found> = { at: Number.POSITIVE_INFINITY, readyAt: 0, waitsFor: null, option: null };
    const search = { waiter, epoch, now, bounds: this.#boundsOf(waiter, epoch) };
    if (likely !== null) this.#improve(best, likely, search);
    for (const option of line.options) {
      if (best.at <= now && best.option !== null && best.option.index < option.index) break;
      if (option !== likely) this.#improve(best, option, search);
    }
    return best;
  }

  /** Takes the option for the best if it is, or as good and before it in the file. */
  #improve(best: Mutable<Found>, option: RouteOption, search: Search): void {
    const { waiter, now, bounds } = search;
    const cost = waiter.costOn(option) as Cost;
    const isFirst = best.option === null || option.index < best.option.index;
    // What is a hair later is looked at, since the first of equals counts.
    const before = isFirst ? best.at + SAME_INSTANT_MS : best.at;
    // Waiters come in the order of the walk, whatever their arrival.
    const seeker = IN_ORDER;
    if (bounds?.isBehind(option, cost, { at: before, seeker })) return;
    const from = Math.max(now, waiter.notBefore, option.route.availableAt(now));
    const at = this.#startOn(option, cost, { search, from, before });
    // What it waits for besides limits may end at any moment.
    if (from <= now) bounds?.learn(option, cost, { start: at, seeker });
    if (at < best.at || (at === best.at && isFirst && at < Number.POSITIVE_INFINITY)) {
      if (best.option !== null) this.#runnerUp = { line: waiter.line, option: best.option, at: best.at };
      best.at = at;
      best.readyAt = this.#lastReadyAt;
      best.option = option;
      best.waitsFor = this.#lastMover;
    } else if (at < this.#runnerUp.at) {
      this.#runnerUp = { line: waiter.line, option, at };
    }
  }

  /** Null: something has left, so that starts may be earlier than was found; or less than all of its cost counts. */
  #boundsOf({ line, weight }: Waiter, epoch: number): StartBounds | null {
    if (weight !== 1 || (this.#hasReleased && epoch === this.#epoch)) return null;
    const bounds = line.backlogBounds[epoch & 3] as StartBounds;
    bounds.begin(epoch);
    return bounds;
  }

  /** When it would start there; anything that is not before `before` will do, as it is no better. */
  #startOn(
    { route }: RouteOption,
    cost: Cost,
    { search, from, before }: { search: Search; from: number; before: number },
  ): number {
    const { waiter, epoch, now } = search;
    let at = from;
    this.#lastMover = null;
    for (const meter of route.meters) {
      if (at >= before) return at;
      at = this.#after(meter, meter.expected(cost) * waiter.weight, { at, now, epoch });
    }
    this.#lastReadyAt = at;
    if (waiter.line.clientQuota === null) return at;
    for (const meter of waiter.line.clientQuota.meters) {
      at = this.#after(meter, meter.expected(cost) * waiter.weight, { at, now, epoch });
    }
    return at;
  }

  #after(meter: Meter, amount: number, { at, now, epoch }: { at: number; now: number; epoch: number }): number {
    const ready = meter.tail(epoch, now).earliest(amount, at);
    if (ready <= at) return at;
    this.#lastMover = meter;
    return ready;
  }

  #book({ waiter, option, at }: Late, meters: readonly Meter[], { epoch, now }: Place): void {
    const cost = waiter.costOn(option) as Cost;
    for (const meter of meters) meter.tail(epoch, now).append(meter.expected(cost) * waiter.weight, at);
  }
}

function putOff(late: Late, place: Place): void {
  const [quota] = late.option.route.quotas;
  const others = place.late.get(quota) ?? new Heap<Late>(({ at }) => at);
  others.push(late);
  place.late.set(quota, others);
}

const IN_ORDER = { order: 0 };
/** So many are placed in a millisecond or two, also with a hundred routes. */
const SLICE = 200;
