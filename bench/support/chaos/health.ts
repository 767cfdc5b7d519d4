import type { LimitUnit } from '../../../src/simulator/limits/limit-spec.ts';
import { MODELS, upstreamModel } from './sluice-config.ts';
import type { Room, StagedVendor } from './staged-vendor.ts';

export const LOOK_MS = 200;
/** Beyond the request itself: what others that wait may be given first, as a share of the limit. */
const SPARE = 0.05;

/** What a request takes, in tokens. */
export interface Need {
  readonly inputTokens: number;
  /** Its cap, or what it may become. */
  readonly outputTokens: number;
}

interface Look {
  readonly at: number;
  /** By `vendor key model`. */
  readonly rooms: ReadonlyMap<string, Room>;
}

/**
 * Which routes were healthy when, by the plan of faults and the vendors' own books, looked at five times a second.
 *
 * A request *had a healthy route* when one and the same route of its model was, at every look from the request's arrival
 * to the first byte of its answer (or to `max_wait`, where that comes first), under no fault, its vendor's port open, and
 * its limits had room for the request and a twentieth of the limit besides. A key that a lasting fault has met (wrong
 * credentials, billing) counts as under a fault from then on. How Sluice thinks of the route does not matter.
 */
export class Health {
  readonly #vendors: readonly StagedVendor[];
  readonly #looks: Look[] = [];
  readonly #routes: ReadonlyMap<string, readonly string[]>;

  constructor(vendors: readonly StagedVendor[]) {
    this.#vendors = vendors;
    this.#routes = new Map(
      MODELS.map(({ name, targets, isEmbedding }) => [name, routesOf(vendors, targets, isEmbedding)]),
    );
  }

  look(at: number): void {
    const rooms = this.#vendors.flatMap((vendor) =>
      vendor.rooms().map((room): [string, Room] => [routeId(vendor.spec.name, room.key, room.model), room]),
    );
    this.#looks.push({ at, rooms: new Map(rooms) });
  }

  /** @param from milliseconds of the clock that `look` was given */
  hadRoute(model: string, need: Need, { from, until }: { readonly from: number; readonly until: number }): boolean {
    const looks = this.#during(from, until);
    if (looks.length === 0) return false;
    return (this.#routes.get(model) ?? []).some((route) =>
      looks.every(({ rooms }) => {
        const room = rooms.get(route);
        return room?.isSound === true && hasRoom(room, need);
      }),
    );
  }

  /** From the last one before to the first one after. */
  #during(from: number, until: number): Look[] {
    const first = Math.max(
      0,
      this.#looks.findLastIndex(({ at }) => at <= from),
    );
    const after = this.#looks.findIndex(({ at }, index) => index >= first && at >= until);
    return this.#looks.slice(first, after < 0 ? this.#looks.length : after + 1);
  }
}

function routesOf(vendors: readonly StagedVendor[], targets: readonly string[], isEmbedding: boolean): string[] {
  return vendors
    .filter(({ spec }) => targets.includes(spec.name))
    .flatMap(({ spec }) => spec.keys.map(({ name }) => routeId(spec.name, name, upstreamModel(spec, isEmbedding))));
}

function routeId(vendor: string, key: string, model: string): string {
  return `${vendor} ${key} ${model}`;
}

function hasRoom({ limits }: Room, need: Need): boolean {
  return limits.every(({ unit, level, limit }) => level >= amountOf(unit, need) + SPARE * limit);
}

function amountOf(unit: LimitUnit, { inputTokens, outputTokens }: Need): number {
  if (unit === 'requests' || unit === 'in-flight') return 1;
  if (unit === 'input') return inputTokens;
  return unit === 'output' ? outputTokens : inputTokens + outputTokens;
}
