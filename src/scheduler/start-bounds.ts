import type { Charge } from '../charge.ts';
import type { Cost } from './cost.ts';
import type { Meter } from './meter.ts';
import type { RouteOption } from './model-routes.ts';

/** Somebody for whom routes are looked at. */
export interface Seeker {
  readonly arrival: number;
  /** How much of its cost counts. */
  readonly weight: number;
}

/** What a look at a route has found: for whom, at which part of its cost, and when it could start. */
interface Look {
  readonly charge: Charge;
  readonly weight: number;
  readonly arrival: number;
  readonly start: number;
}

/** What is known of a route. */
interface Known {
  /** Newest last. */
  readonly looks: Look[];
  /** The units that its limits count. */
  units: readonly Meter['unit'][];
  /** How many limits that speaks for. */
  meters: number;
}

/**
 * How early the routes of a line could start a ticket, as far as an epoch of the plan, or of the backlog, has found out.
 * Within an epoch bookings are only added and time only goes on, so what a route could not do for one ticket it can't do
 * earlier for a later one that costs as much or more. That spares most of the looking: with many routes, at all but the
 * one that was booked last.
 *
 * Each look is kept with the arrival of its ticket, so that it says the same when the plan is put right from an older
 * ticket on: whatever was found for that one or those before it still holds.
 */
export class StartBounds {
  readonly #counts: 'reserved' | 'expected';
  readonly #known: Known[] = [];
  #epoch = -1;

  /** @param counts the part of a cost that decides when it may start */
  constructor(counts: 'reserved' | 'expected') {
    this.#counts = counts;
  }

  /** Forgets what an earlier epoch found. */
  begin(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    for (const known of this.#known) if (known !== undefined) known.looks.length = 0;
  }

  /** Whether it can surely not start before `at` there. */
  isBehind({ index }: RouteOption, cost: Cost, { at, seeker }: { at: number; seeker: Seeker }): boolean {
    const known = this.#known[index];
    if (known === undefined) return false;
    const { looks, units } = known;
    const charge = cost[this.#counts];
    let tries = MOST_TRIES;
    for (let each = looks.length - 1; each >= 0 && tries > 0; each -= 1) {
      const look = looks[each] as Look;
      if (look.arrival > seeker.arrival) continue;
      tries -= 1;
      if (look.start >= at && isAtLeast(charge, seeker.weight, { look, units })) return true;
    }
    return false;
  }

  /** @param start finite: what never fits says nothing of what costs more but may be cut */
  learn({ index, route }: RouteOption, cost: Cost, { start, seeker }: { start: number; seeker: Seeker }): void {
    if (start === Number.POSITIVE_INFINITY) return;
    const known = this.#known[index] ?? { looks: [], units: [], meters: -1 };
    this.#known[index] = known;
    const { meters } = route;
    if (known.meters !== meters.length) {
      known.meters = meters.length;
      known.units = [...new Set(meters.map(({ unit }) => unit))];
      known.looks.length = 0;
    }
    if (known.looks.length >= MOST_LOOKS) known.looks.splice(0, known.looks.length - MOST_TRIES);
    known.looks.push({ charge: cost[this.#counts], weight: seeker.weight, arrival: seeker.arrival, start });
  }

  /** Forgets what was found for tickets that arrived after `arrival`. */
  forget({ index }: RouteOption, arrival: number): void {
    const looks = this.#known[index]?.looks;
    while (looks !== undefined && looks.length > 0 && (looks.at(-1) as Look).arrival > arrival) looks.pop();
  }
}

/** In every unit that the route's limits count. */
function isAtLeast(charge: Charge, weight: number, { look, units }: { look: Look; units: Known['units'] }): boolean {
  if (charge === look.charge && weight === look.weight) return true;
  for (const unit of units) if (charge[unit] * weight < look.charge[unit] * look.weight) return false;
  return true;
}

/** The newest looks know most; a long list of smaller ones is not searched through. */
const MOST_TRIES = 8;
const MOST_LOOKS = 64;
