import { type Limit, SAME_INSTANT_MS, type Timeline } from '../../../src/scheduler/limits/limit.ts';
import { Timetable } from './timetable.ts';
import type { Twin } from './twins/twin.ts';

/** A request, and what chance does to it. Times in ms. */
export interface Trip {
  /** After the one before. */
  readonly gapMs: number;
  readonly amount: number;
  /** From our grant to the upstream's admission. */
  readonly delayMs: number;
  readonly servedMs: number;
  /** What the upstream charges in the end. */
  readonly charged: number;
  /** From the upstream's refund to ours. */
  readonly lagMs: number;
}

export interface Books {
  /** Everything that is booked for one request. */
  readonly limits: readonly Limit[];
  readonly twin: Twin;
  readonly skewMs: number;
}

/** First instant >= `from` at which all of them may be ready; whoever comes back then asks again. */
function readyOnAll(limits: readonly Limit[], amount: number, from: number): number {
  return limits.reduce((at, limit) => limit.readyAt(amount, at), from);
}

/** Sends and settles on behalf of a policy that decides when. */
class Traffic {
  readonly time = new Timetable();
  readonly #books: Books;
  refusals = 0;
  admitted: { readonly at: number; readonly amount: number }[] = [];

  constructor(books: Books) {
    this.#books = books;
  }

  /** `changed` is called when a level may have risen. */
  send(trip: Trip, changed: () => void): void {
    const { limits, twin, skewMs } = this.#books;
    const bookings = limits.map((limit) => ({ limit, booking: limit.take(trip.amount, this.time.now) }));
    const settle = () => {
      for (const { limit, booking } of bookings) limit.settle(booking, trip.charged, this.time.now);
      changed();
    };
    this.time.at(this.time.now + trip.delayMs, () => {
      const recharge = twin.admit(trip.amount, this.time.now);
      if (recharge === null) this.refusals += 1;
      else this.admitted.push({ at: this.time.now, amount: trip.amount });
      const endedAt = this.time.now + trip.servedMs;
      // Exact books hear of a refund after it was made, and of a debt so early that all sent before have arrived.
      const rechargedAt = trip.charged > trip.amount ? endedAt + trip.lagMs + skewMs - 0.5 : endedAt;
      this.time.at(rechargedAt, () => recharge?.(trip.charged, this.time.now));
      this.time.at(endedAt + trip.lagMs, settle);
    });
  }
}

/** Who comes first goes first; returns how many the upstream refused, and when each was sent. */
export function sendInOrder(books: Books, trips: readonly Trip[]): { refusals: number; sentAt: number[] } {
  const traffic = new Traffic(books);
  const { time } = traffic;
  const waiting: Trip[] = [];
  const sentAt: number[] = [];
  const startWhoCan = (): void => {
    for (let trip = waiting[0]; trip; trip = waiting[0]) {
      const ready = readyOnAll(books.limits, trip.amount, time.now);
      if (ready > time.now + SAME_INSTANT_MS) {
        if (ready < Number.POSITIVE_INFINITY) time.at(ready, startWhoCan);
        return;
      }
      waiting.shift();
      sentAt.push(time.now);
      traffic.send(trip, startWhoCan);
    }
  };
  let at = 0;
  for (const trip of trips) {
    at += trip.gapMs;
    time.at(at, () => {
      waiting.push(trip);
      startWhoCan();
    });
  }
  time.runUntil(at + 1e7);
  return { refusals: traffic.refusals, sentAt };
}

/**
 * Always more work than fits: the first `DEPTH` are planned on timelines as the scheduler does it. Returns what the
 * upstream admitted from `fromMs` to `toMs`, and how much it refused.
 */
export function saturate(
  books: Books,
  nextTrip: () => Trip,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): { admitted: number; refusals: number } {
  const traffic = new Traffic(books);
  const { time } = traffic;
  const waiting = Array.from({ length: DEPTH }, nextTrip);
  let wakeAt = Number.POSITIVE_INFINITY;
  const wake = (): void => {
    if (time.now >= wakeAt - SAME_INSTANT_MS) plan();
  };
  const plan = (): void => {
    const timelines = books.limits.map((limit) => limit.fork(time.now));
    wakeAt = Number.POSITIVE_INFINITY;
    for (let index = 0; index < waiting.length; ) {
      const trip = waiting[index] as Trip;
      const at = earliestOnAll(timelines, trip.amount, time.now);
      for (const timeline of timelines) timeline.book(trip.amount, at);
      if (at <= time.now + SAME_INSTANT_MS) {
        traffic.send(trip, plan);
        waiting.splice(index, 1);
        waiting.push(nextTrip());
      } else {
        wakeAt = Math.min(wakeAt, at);
        index += 1;
      }
    }
    time.at(wakeAt, wake);
  };
  plan();
  time.runUntil(toMs);
  const counted = traffic.admitted.filter(({ at }) => at >= fromMs && at < toMs);
  return { admitted: counted.reduce((sum, { amount }) => sum + amount, 0), refusals: traffic.refusals };
}

function earliestOnAll(timelines: readonly Timeline[], amount: number, from: number): number {
  let at = from;
  for (let before = Number.NaN; before !== at; ) {
    before = at;
    for (const timeline of timelines) at = timeline.earliest(amount, at);
  }
  return at;
}

const DEPTH = 8;
