import type { Waiter } from './backlog.ts';
import type { Cost } from './cost.ts';
import type { Line } from './line.ts';
import type { RouteOption } from './model-routes.ts';
import type { Ticket } from './ticket.ts';

/** The place in the queue of somebody who was told to come back. */
export class KeptPlace implements Waiter {
  readonly key: string;
  readonly arrival: number;
  readonly line: Line;
  readonly notBefore = 0;
  readonly weight: number;
  readonly hasLeft = false;
  /** When its owner was told to come back. */
  readonly from: number;
  readonly #costs: readonly (Cost | null)[];

  constructor(key: string, ticket: Ticket, { from, weight }: { readonly from: number; readonly weight: number }) {
    this.key = key;
    this.weight = weight;
    this.arrival = ticket.arrival;
    this.line = ticket.line;
    this.from = from;
    this.#costs = ticket.request.costs;
  }

  costOn(option: RouteOption): Cost {
    return this.#costs[option.target] as Cost;
  }

  /** Whether its owner may still come and claim it. */
  isKept(now: number): boolean {
    return now <= this.from + GRACE_MS;
  }

  /** Whether it is worth counting: whoever obeys comes when told, not seconds later. */
  isLikely(now: number): boolean {
    return now <= this.from + PUNCTUAL_MS;
  }
}

/**
 * A rejection is a promise: whoever comes back in time finds the place it would have had. Several requests alike keep
 * several places and get them back oldest first. How many do come back is learned: those who never will must not keep
 * others out.
 */
export class KeptPlaces {
  #byKey = new Map<string, KeptPlace[]>();
  #size = 0;
  #lapsedAt = Number.NEGATIVE_INFINITY;
  #returnShare = 1;
  #nextReturnAt = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#size;
  }

  /** How likely somebody who was told to come back does. */
  get returnShare(): number {
    return this.#returnShare;
  }

  keep(place: KeptPlace): void {
    const places = this.#byKey.get(place.key);
    if (places) places.push(place);
    else this.#byKey.set(place.key, [place]);
    this.#size += 1;
    this.#expect(place);
  }

  /** No owner of a place that is worth counting will come before it. */
  get nextReturnAt(): number {
    return this.#nextReturnAt;
  }

  /**
   * The oldest place that is kept for `key`, which is no longer kept then. Not before its time: somebody who comes earlier
   * is a newcomer, or would wait longer than it may.
   */
  take(key: string, now: number): KeptPlace | null {
    const places = this.#byKey.get(key);
    while (places?.[0] && now >= places[0].from - EARLY_MS) {
      const place = places.shift() as KeptPlace;
      this.#size -= 1;
      if (places.length === 0) this.#byKey.delete(key);
      this.#learn(place.isKept(now));
      if (place.isKept(now)) return place;
    }
    return null;
  }

  /** Forgets those that nobody came back for, about once a second; returns whether there were any. */
  lapse(now: number): boolean {
    if (now < this.#lapsedAt + LAPSE_EVERY_MS) return false;
    this.#lapsedAt = now;
    this.#nextReturnAt = Number.POSITIVE_INFINITY;
    const before = this.#size;
    for (const [key, places] of this.#byKey) {
      const kept = places.filter((place) => place.isKept(now));
      if (kept.length === places.length) continue;
      this.#size -= places.length - kept.length;
      for (let lapsed = kept.length; lapsed < places.length; lapsed += 1) this.#learn(false);
      if (kept.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, kept);
    }
    for (const place of this) if (place.isLikely(now)) this.#expect(place);
    return this.#size < before;
  }

  #expect({ from }: KeptPlace): void {
    this.#nextReturnAt = Math.min(this.#nextReturnAt, from);
  }

  #learn(hasReturned: boolean): void {
    this.#returnShare += ((hasReturned ? 1 : 0) - this.#returnShare) * LEARNING_SHARE;
  }

  *[Symbol.iterator](): Generator<KeptPlace> {
    for (const places of this.#byKey.values()) yield* places;
  }
}

const GRACE_MS = 5_000;
const PUNCTUAL_MS = 1_000;
const EARLY_MS = 250;
const LAPSE_EVERY_MS = 1_000;
/** The newest of the last forty or so counts most. */
const LEARNING_SHARE = 0.05;
