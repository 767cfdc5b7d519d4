import { bindingLimit, isResting } from './admission.ts';
import { KeptPlace } from './kept-places.ts';
import type { Meter } from './meter.ts';
import type { Promises } from './promises.ts';
import type { BindingLimit, Rejection } from './rejection.ts';
import { firstCost, type Ticket } from './ticket.ts';

interface Reason {
  readonly kind: 'queue_full' | 'wait_exceeded';
  /** Until it could start. */
  readonly waitMs: number;
  readonly now: number;
}

/** Turns tickets away, and keeps a place for them: a rejection is a promise. */
export class Refusals {
  readonly #promises: Promises;
  readonly #turnOf: (ticket: Ticket, now: number) => number;

  /** @param turnOf when a ticket would start behind all whom it has to let go first */
  constructor(promises: Promises, turnOf: (ticket: Ticket, now: number) => number) {
    this.#promises = promises;
    this.#turnOf = turnOf;
  }

  refuse(ticket: Ticket, why: Reason): Rejection {
    const { request, waitsFor } = ticket;
    const isOwn = waitsFor !== null && (request.clientQuota?.meters.includes(waitsFor) ?? false);
    const turn = request.mayGoElsewhere
      ? { retryAfterMs: null, keepPlace: (at: number) => this.#promiseLater(ticket, why.now + why.waitMs, at) }
      : { retryAfterMs: this.#promise(ticket, why.waitMs, why.now) };
    return {
      kind: isOwn ? 'client_limit' : why.kind,
      predictedWaitMs: why.waitMs,
      ...turn,
      limit: waitsFor && this.#binding(ticket, waitsFor),
      hasWaited: why.now >= ticket.deadline,
      isResting: isResting(request, why.now),
    };
  }

  /**
   * Keeps a place, and says from when on: when the planned start is within half of the longest wait. Returns are told a
   * little further apart than it takes to serve them. Otherwise predictions that are too good by a hundredth would let the
   * queue grow for as long as people return, with no newcomer left to turn away.
   */
  #promise(ticket: Ticket, waitMs: number, now: number): number | null {
    const { maxWaitMs, maxQueueSize, placeKey } = ticket.request;
    if (waitMs === Number.POSITIVE_INFINITY) return null;
    const promisedMs = Math.max(0, now + waitMs - ticket.predictedAt);
    const turnMs = waitMs + promisedMs * SPACING_SHARE;
    if (turnMs >= PROMISE_HORIZON_MS + maxWaitMs / 2 || this.#promises.size >= 10 * maxQueueSize) return null;
    const retryAfterMs = Math.max(turnMs - maxWaitMs / 2, Math.min(waitMs, SHORTEST_RETURN_MS), 1);
    const place = new KeptPlace(placeKey(), ticket, now + retryAfterMs);
    this.#promises.keep(place);
    ticket.line.flow.keeps(ticket.share, place, now);
    return retryAfterMs;
  }

  /** Nothing else has served it. It was not put behind those who return before, or they would have to make room for nobody. */
  #promiseLater(ticket: Ticket, turnAt: number, now: number): number | null {
    const at = this.#turnOf(ticket, now);
    return this.#promise(ticket, Math.max(0, turnAt - now, at - now), now);
  }

  #binding(ticket: Ticket, meter: Meter): BindingLimit {
    return bindingLimit(meter, firstCost(ticket.request.costs));
  }
}

const PROMISE_HORIZON_MS = 60_000;
const SHORTEST_RETURN_MS = 1_000;
/** Of the time that those take who were promised before. */
const SPACING_SHARE = 0.2;
