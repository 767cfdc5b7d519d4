import type { Charge } from '../charge.ts';
import type { Cost } from './cost.ts';
import type { RouteOption } from './model-routes.ts';

/**
 * How early the routes of a line could start a ticket, as far as an epoch of the plan, or of the backlog, has found out.
 * Within an epoch bookings are only added and time only goes on, so what a route could not do for one ticket it can't do earlier for a
 * later one that costs as much or more. That spares most of the looking: with many routes, at all but the one that was
 * booked last.
 */
export class StartBounds {
  readonly #starts: number[];
  /** What the ticket cost that the start was found for; null: nothing is known. */
  readonly #costs: (Cost | null)[];
  #epoch = -1;

  /** @param routes of the whole model: a route is found by its index there */
  constructor(routes: number) {
    this.#starts = new Array<number>(routes).fill(0);
    this.#costs = new Array<Cost | null>(routes).fill(null);
  }

  /** Forgets what an earlier epoch found. */
  begin(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#costs.fill(null);
  }

  /** Whether a ticket of this cost can surely not start before `at` there. */
  isBehind({ index }: RouteOption, cost: Cost, at: number): boolean {
    const known = this.#costs[index] ?? null;
    return known !== null && (this.#starts[index] as number) >= at && isAtLeast(cost, known);
  }

  learn({ index }: RouteOption, cost: Cost, start: number): void {
    this.#costs[index] = cost;
    this.#starts[index] = start;
  }
}

/** In every unit, whichever of its figures decides. */
function isAtLeast(cost: Cost, other: Cost): boolean {
  if (cost === other) return true;
  return (
    covers(cost.reserved, other.reserved) &&
    covers(cost.expected, other.expected) &&
    covers(cost.certain, other.certain)
  );
}

function covers(charge: Charge, other: Charge): boolean {
  for (let unit = 0; unit < charge.length; unit += 1) {
    if ((charge[unit] as number) < (other[unit] as number)) return false;
  }
  return true;
}
