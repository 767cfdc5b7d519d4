import type { Waiter } from './backlog.ts';
import type { Cost } from './cost.ts';
import type { Line } from './line.ts';
import type { RouteOption } from './model-routes.ts';
import type { Ticket } from './ticket.ts';

/** The right of somebody who was told to come back to join the queue then, however long it is. */
export class KeptPlace implements Waiter {
  readonly key: string;
  readonly line: Line;
  /** When its owner was told to come back: it won't start before. */
  readonly notBefore: number;
  readonly weight = 1;
  readonly hasLeft = false;
  /** What it counts for among its client's. */
  readonly tokens: number;
  /** Its owner has come back. */
  isTaken = false;
  /** So late its owner may start if it comes when told. */
  readonly startBy: number;
  readonly #costs: readonly (Cost | null)[];

  constructor(key: string, ticket: Ticket, from: number) {
    this.key = key;
    this.line = ticket.line;
    this.tokens = ticket.shareTokens;
    this.notBefore = from;
    this.startBy = from + ticket.request.maxWaitMs * LONGEST_WAIT_SHARE;
    this.#costs = ticket.request.costs;
  }

  costOn(option: RouteOption): Cost {
    return this.#costs[option.target] as Cost;
  }

  /** Whether its owner may still come and claim it. */
  isKept(now: number): boolean {
    return now <= this.notBefore + GRACE_MS;
  }

  /** Whether it is worth counting: whoever obeys comes when told, not seconds later. */
  isLikely(now: number): boolean {
    return now <= this.notBefore + PUNCTUAL_MS;
  }
}

/** Places by what recognises their owners. Several requests alike keep several, and get them back oldest first. */
export class KeptPlaces {
  #byKey = new Map<string, KeptPlace[]>();
  #size = 0;
  #lapsedAt = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.#size;
  }

  keep(place: KeptPlace): void {
    const places = this.#byKey.get(place.key);
    if (places) places.push(place);
    else this.#byKey.set(place.key, [place]);
    this.#size += 1;
  }

  /**
   * The oldest place that is kept for `key`, which is no longer kept then. Not before its time: somebody who comes earlier
   * is a newcomer, or would wait longer than it may.
   */
  take(key: string, now: number): KeptPlace | null {
    const places = this.#byKey.get(key);
    while (places?.[0] && now >= places[0].notBefore - EARLY_MS) {
      const place = places.shift() as KeptPlace;
      place.isTaken = true;
      this.#size -= 1;
      if (places.length === 0) this.#byKey.delete(key);
      if (place.isKept(now)) return place;
    }
    return null;
  }

  /** Forgets those that nobody came back for, about once a second; returns whether there were any. */
  lapse(now: number): boolean {
    if (now < this.#lapsedAt + LAPSE_EVERY_MS) return false;
    this.#lapsedAt = now;
    const before = this.#size;
    for (const [key, places] of this.#byKey) {
      const kept = places.filter((place) => place.isKept(now));
      if (kept.length === places.length) continue;
      this.#size -= places.length - kept.length;
      if (kept.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, kept);
    }
    return this.#size < before;
  }

  /** Those whose owners are still expected, in the order in which they will come. */
  expected(now: number): KeptPlace[] {
    const places: KeptPlace[] = [];
    for (const each of this.#byKey.values()) for (const place of each) if (place.isLikely(now)) places.push(place);
    return places.sort((a, b) => a.notBefore - b.notBefore);
  }
}

const GRACE_MS = 5_000;
const PUNCTUAL_MS = 1_000;
const EARLY_MS = 250;
const LAPSE_EVERY_MS = 1_000;
/** Of the longest wait: told for half of it, its turn may come a little later; the rest is for predictions that were wrong. */
const LONGEST_WAIT_SHARE = 0.7;
