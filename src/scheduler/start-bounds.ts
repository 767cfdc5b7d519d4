import type { Charge } from '../charge.ts';
import type { Cost } from './cost.ts';
import type { RouteOption } from './model-routes.ts';

/** Somebody for whom routes are looked at. */
export interface Seeker {
  /** Its place among those of its line. */
  readonly order: number;
}

/**
 * How early the routes of a line could start a ticket, as far as an epoch of the plan, or of the backlog, has found out.
 * Within an epoch bookings are only added and time only goes on, so what a route could not do for one ticket it can't do
 * earlier for a later one that costs as much or more. That spares most of the looking: with many routes, at all but the
 * one that was booked last.
 *
 * Each look is kept with the place of its ticket, so that it says the same when the plan is put right from an older
 * ticket on: whatever was found for that one or those before it still holds.
 */
export class StartBounds {
  readonly #counts: 'reserved' | 'expected';
  /**
   * By route, its looks one after the other, newest last: start, place, and what was asked for in each unit (0 where no
   * limit of the route counts it). Flat lists of numbers, since they are read a hundred times a ticket.
   */
  readonly #looks: number[][] = [];
  /** How many limits of the route they speak for. */
  readonly #meters: number[] = [];
  #epoch = -1;

  /** @param counts the part of a cost that decides when it may start */
  constructor(counts: 'reserved' | 'expected') {
    this.#counts = counts;
  }

  /** Forgets what an earlier epoch found. */
  begin(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    for (const looks of this.#looks) if (looks !== undefined) looks.length = 0;
  }

  /** Whether it can surely not start before `at` there. */
  isBehind({ index }: RouteOption, cost: Cost, { at, seeker }: { at: number; seeker: Seeker }): boolean {
    const looks = this.#looks[index];
    if (looks === undefined) return false;
    const { order } = seeker;
    const charge = cost[this.#counts];
    let tries = MOST_TRIES;
    for (let look = looks.length - LOOK; look >= 0 && tries > 0; look -= LOOK) {
      if ((looks[look + ORDER] as number) > order) continue;
      tries -= 1;
      if ((looks[look] as number) >= at && isAtLeast(charge, looks, look + AMOUNTS)) return true;
    }
    return false;
  }

  /** @param start finite: what never fits says nothing of what costs more but may be cut */
  learn({ index, route }: RouteOption, cost: Cost, { start, seeker }: { start: number; seeker: Seeker }): void {
    if (start === Number.POSITIVE_INFINITY) return;
    const looks = this.#looks[index] ?? [];
    this.#looks[index] = looks;
    const { meters } = route;
    if (this.#meters[index] !== meters.length) looks.length = 0;
    this.#meters[index] = meters.length;
    const charge = cost[this.#counts];
    const { order } = seeker;
    while (looks.length > 0 && saysMore({ start, order, charge }, looks)) looks.length -= LOOK;
    if (looks.length >= MOST_LOOKS * LOOK) looks.splice(0, looks.length - MOST_TRIES * LOOK);
    const amounts = looks.push(start, order, 0, 0, 0, 0, 0) - UNITS;
    for (const { unit } of meters) looks[amounts + unit] = charge[unit];
  }

  /** Forgets what was found for tickets behind `order`. */
  forget({ index }: RouteOption, order: number): void {
    const looks = this.#looks[index];
    if (looks === undefined) return;
    while (looks.length > 0 && (looks[looks.length - LOOK + ORDER] as number) > order) looks.length -= LOOK;
  }
}

/** In every unit that the route's limits count. */
function isAtLeast(charge: Charge, looks: readonly number[], from: number): boolean {
  return (
    charge[0] >= (looks[from] as number) &&
    charge[1] >= (looks[from + 1] as number) &&
    charge[2] >= (looks[from + 2] as number) &&
    charge[3] >= (looks[from + 3] as number) &&
    charge[4] >= (looks[from + 4] as number)
  );
}

/** Than the newest look, which is then for nothing: one as late for no more; any for an older ticket. */
function saysMore(
  { start, order, charge }: { start: number; order: number; charge: Charge },
  looks: readonly number[],
): boolean {
  const from = looks.length - LOOK;
  if ((looks[from + ORDER] as number) > order) return true;
  if ((looks[from] as number) > start || (looks[from + ORDER] as number) < order) return false;
  for (let unit = 0; unit < UNITS; unit += 1) {
    const amount = looks[from + AMOUNTS + unit] as number;
    if (amount > 0 && amount < (charge[unit] as number)) return false;
  }
  return true;
}

/** How a look is laid out: start, place, amounts. */
const ORDER = 1;
const AMOUNTS = 2;
const UNITS = 5;
const LOOK = AMOUNTS + UNITS;
/** The newest looks know most; a long list of smaller ones is not searched through. */
const MOST_TRIES = 8;
const MOST_LOOKS = 64;
