import { Backlog, type Prediction, type Waiter } from './backlog.ts';
import { KeptPlace, KeptPlaces } from './kept-places.ts';
import type { Line } from './line.ts';
import type { Meter } from './meter.ts';
import type { Ticket } from './ticket.ts';

/** Where a newcomer stands behind everybody: those who wait, and all who were told to come back. */
export interface Standing extends Prediction {
  /** How much later the next one like it starts for its sake. */
  readonly delayMs: number;
}

/**
 * What was promised to those who were turned away. A rejection is a promise: whoever comes back when told joins the queue
 * and is served, whether all of them come or it alone.
 *
 * So nobody guesses how many will. Returns are told apart by as much as it takes to serve them, each behind all that was
 * promised before, so that they never come faster than they can be served; and a newcomer is let in if everybody could
 * start in time even if all returned. Those who come back join the end of the queue: nobody who was let in is pushed back
 * by them, and what was foretold stays true.
 */
export class Promises {
  readonly #places = new KeptPlaces();
  readonly #backlog = new Backlog(1);
  /** How much later, in ms, the most pressing return that waits for this limit could start. */
  #slack = new Map<Meter, number>();
  #nextSlack = new Map<Meter, number>();
  /** Made since the backlog that is being built was begun. */
  #sinceBegun: KeptPlace[] = [];

  /** How many may still be claimed. */
  get size(): number {
    return this.#places.size;
  }

  get isBuilding(): boolean {
    return this.#backlog.isBuilding;
  }

  /** Whether a place is kept for `key`; then it has been claimed. */
  claim(key: string, now: number): boolean {
    return this.#places.size > 0 && this.#places.take(key, now) !== null;
  }

  /** Forgets what nobody came for; returns whether there was any. */
  lapse(now: number): boolean {
    return this.#places.size > 0 && this.#places.lapse(now);
  }

  keep(place: KeptPlace): void {
    this.#places.keep(place);
    if (this.#backlog.isBuilding) this.#sinceBegun.push(place);
  }

  /** Puts a newcomer behind everybody. Before the first promise, `rebuild`. */
  stand(ticket: Ticket, now: number): Standing {
    const { at, waitsFor } = this.#backlog.append(ticket, now);
    const next = this.#backlog.append(ticket, now, () => false);
    return { at, waitsFor, delayMs: next.at - at };
  }

  /**
   * Whether all who were told to come back could still start in time with one before them that delays them by so much; it
   * is taken to join then. A limit that its line does not draw on is none of its business.
   */
  makeRoom(line: Line, delayMs: number): boolean {
    // Where a window begins anew the next one starts no later, and where nobody can start no delay is known.
    if (this.#slack.size === 0 || !(delayMs > 0)) return true;
    const shared = [...line.meters()].filter((meter) => this.#slackOf(meter) < Number.POSITIVE_INFINITY);
    if (shared.some((meter) => this.#slackOf(meter) < delayMs)) return false;
    for (const meter of shared) this.#slack.set(meter, this.#slackOf(meter) - delayMs);
    return true;
  }

  /** Those who wait have changed: all at once, for a queue that is short. */
  rebuild(waiting: readonly Waiter[], now: number): void {
    this.startRebuild(waiting, now);
    while (this.isBuilding) this.continueRebuild(now);
  }

  startRebuild(waiting: readonly Waiter[], now: number): void {
    this.#nextSlack = new Map();
    this.#sinceBegun = [];
    this.#backlog.startRebuild([...waiting, ...this.#places.expected(now)], now);
  }

  /** The next slice. */
  continueRebuild(now: number): void {
    if (!this.#backlog.isBuilding) return;
    this.#backlog.continueRebuild(now, (waiter, prediction) => this.#hear(waiter, prediction));
    if (this.#backlog.isBuilding) return;
    this.#slack = this.#nextSlack;
    for (const place of this.#sinceBegun) this.#backlog.append(place, now);
    this.#sinceBegun = [];
  }

  #slackOf(meter: Meter): number {
    return this.#slack.get(meter) ?? Number.POSITIVE_INFINITY;
  }

  #hear(waiter: Waiter, { at, waitsFor }: Prediction): void {
    // One that can't start at all is held up by something worse than newcomers.
    if (!(waiter instanceof KeptPlace) || waitsFor === null || at === Number.POSITIVE_INFINITY) return;
    const slackMs = waiter.startBy - at;
    this.#nextSlack.set(waitsFor, Math.min(this.#nextSlack.get(waitsFor) ?? slackMs, slackMs));
  }
}
