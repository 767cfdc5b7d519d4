import type { Cost } from './cost.ts';
import type { Line } from './line.ts';
import type { Meter } from './meter.ts';
import type { RouteOption } from './model-routes.ts';

/** Whoever is ahead of a newcomer: a ticket, or a place that is kept for one. */
export interface Waiter {
  readonly arrival: number;
  readonly line: Line;
  readonly notBefore: number;
  /** How much of its cost to count: less than 1 for somebody who may never come. */
  readonly weight: number;
  costOn(option: RouteOption): Cost | null;
}

export interface Prediction {
  readonly at: number;
  readonly waitsFor: Meter | null;
}

/**
 * When a newcomer would start if it joined the end of the queue: books, everything that waits, and kept places, each at
 * its expected cost. It only grows at its end, which takes one look at each route; what leaves or is refunded is taken
 * off roughly and put right by the next rebuild.
 */
export class Backlog {
  #epoch = 0;
  /** The limit that moved the start on last, in the look at a route that was last. */
  #lastMover: Meter | null = null;
  builtAt = Number.NEGATIVE_INFINITY;

  /** Adds whoever joins the end, and says when it will start. */
  append(waiter: Waiter, now: number): Prediction {
    const best = { at: Number.POSITIVE_INFINITY, waitsFor: null as Meter | null, option: null as RouteOption | null };
    for (const option of waiter.line.options) {
      const cost = waiter.costOn(option);
      if (cost === null) continue;
      const start = this.#startOn(waiter, { option, cost, before: best.at }, now);
      if (start >= best.at) continue;
      best.at = start;
      best.option = option;
      best.waitsFor = this.#lastMover;
      if (start <= now) break;
    }
    if (best.option !== null) this.#book(waiter, best.option, { at: best.at, now });
    return best;
  }

  /** Something started without having waited here. */
  pass(waiter: Waiter, option: RouteOption, now: number): void {
    this.#book(waiter, option, { at: now, now });
  }

  /** Somebody ahead has left. */
  drop(waiter: Waiter, now: number): void {
    const option = waiter.line.options[0];
    const cost = option ? waiter.costOn(option) : null;
    if (!option || cost === null || waiter.line.options.length > 1) return;
    for (const meter of option.route.meters) meter.tail(this.#epoch, now).release(meter.expected(cost));
  }

  /** Starts over from the books with whoever waits, in order. */
  rebuild(waiters: Iterable<Waiter>, now: number, report: (waiter: Waiter, prediction: Prediction) => void): void {
    this.#epoch += 1;
    this.builtAt = now;
    for (const waiter of waiters) report(waiter, this.append(waiter, now));
  }

  /** When it would start there; anything that is not before `before` will do, as it is no better. */
  #startOn(
    waiter: Waiter,
    { option, cost, before }: { option: RouteOption; cost: Cost; before: number },
    now: number,
  ): number {
    let at = Math.max(now, waiter.notBefore, option.route.availableAt(now));
    this.#lastMover = null;
    for (const meter of option.route.meters) {
      if (at >= before) return at;
      at = this.#after(meter, meter.expected(cost) * waiter.weight, { at, now });
    }
    if (waiter.line.clientQuota === null) return at;
    for (const meter of waiter.line.clientQuota.meters) {
      at = this.#after(meter, meter.expected(cost) * waiter.weight, { at, now });
    }
    return at;
  }

  #after(meter: Meter, amount: number, { at, now }: { at: number; now: number }): number {
    const ready = meter.tail(this.#epoch, now).earliest(amount, at);
    if (ready <= at) return at;
    this.#lastMover = meter;
    return ready;
  }

  #book(waiter: Waiter, option: RouteOption, { at, now }: { at: number; now: number }): void {
    const cost = waiter.costOn(option);
    if (cost === null || at === Number.POSITIVE_INFINITY) return;
    const append = (meter: Meter) => {
      meter.tail(this.#epoch, now).append(meter.expected(cost) * waiter.weight, at);
    };
    for (const meter of option.route.meters) append(meter);
    if (waiter.line.clientQuota !== null) for (const meter of waiter.line.clientQuota.meters) append(meter);
  }
}
