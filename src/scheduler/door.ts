import { bindingLimit, refuseAtDoor } from './admission.ts';
import { Backlog, type Prediction, type Waiter } from './backlog.ts';
import type { Cost } from './cost.ts';
import { KeptPlace, KeptPlaces } from './kept-places.ts';
import { Lines } from './lines.ts';
import type { Meter } from './meter.ts';
import type { Plan } from './plan.ts';
import { PredictionError } from './prediction-error.ts';
import type { BindingLimit, Rejection } from './rejection.ts';
import { compareTickets, Ticket, type TicketRequest } from './ticket.ts';

export type Entry =
  | { readonly kind: 'entered'; readonly ticket: Ticket }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

interface Hopeless {
  readonly ticket: Ticket;
  readonly at: number;
}

/**
 * Who may wait. Foretells every newcomer's start, turns away whoever would wait too long, and keeps the place of those it
 * told to come back: a rejection is a promise.
 */
export class Door {
  readonly #lines: Lines;
  readonly #backlog = new Backlog();
  readonly #places = new KeptPlaces();
  readonly #error = new PredictionError();
  #arrivals = 0;
  #isClosed = false;
  /** Bad news: those who wait already must be foretold anew. */
  isStale = false;

  constructor(plan: Plan) {
    this.#lines = new Lines(plan);
  }

  get waiting(): number {
    return this.#lines.waiting;
  }

  get keptPlaces(): number {
    return this.#places.size;
  }

  /** When those who wait should be foretold anew, or the next slice of them; Infinity: nothing has happened. */
  get nextRefreshAt(): number {
    if (this.#backlog.isBuilding) return Number.NEGATIVE_INFINITY;
    return this.isStale ? this.#backlog.builtAt + this.#pauseMs() : Number.POSITIVE_INFINITY;
  }

  waitingTickets(): Ticket[] {
    return this.#lines.inOrder();
  }

  /** Nobody new gets in from now on. */
  close(): void {
    this.#isClosed = true;
  }

  enter(request: TicketRequest, now: number): Entry {
    if (this.#isClosed) return { kind: 'rejected', rejection: { kind: 'shutting_down' } };
    const refusal = refuseAtDoor(request, now);
    if (refusal) return { kind: 'rejected', rejection: refusal };
    const place = this.#places.size > 0 ? this.#places.take(request.placeKey(), now) : null;
    const line = this.#lines.lineOf(request);
    const arrival = place?.arrival ?? this.#arrivals++;
    const ticket = new Ticket(request, line, { arrival, now, hasPromise: place !== null });
    if (!ticket.hasPromise && this.#lines.count(request) >= request.maxQueueSize) {
      return { kind: 'rejected', rejection: this.#refuseFull(ticket, now) };
    }
    this.#lines.add(ticket);
    return { kind: 'entered', ticket };
  }

  /** A ticket comes back after a failed attempt. */
  reenter(ticket: Ticket): void {
    ticket.state = 'waiting';
    this.#lines.add(ticket);
    this.isStale = true;
  }

  /** It has left the queue, for a lease or for good. */
  leave(ticket: Ticket): void {
    this.#lines.remove(ticket);
  }

  /** Its client has left: those behind it move up. */
  forget(ticket: Ticket, now: number): void {
    this.#lines.remove(ticket);
    this.#backlog.drop(ticket, now);
  }

  /** A ticket has its lease: its wait tells how good the prediction was. */
  started(ticket: Ticket, now: number): void {
    if (ticket.firstPredictedAt === null) return;
    this.#error.learn(ticket.firstPredictedAt - ticket.arrivedAt, now - ticket.arrivedAt);
    ticket.firstPredictedAt = null;
  }

  /** Says when a newcomer that could not start at once will; a rejection if that is too late for it. */
  foretell(ticket: Ticket, now: number): Rejection | null {
    const prediction = this.#predict(ticket, now);
    ticket.predictedAt = ticket.booking?.at ?? prediction.at;
    ticket.waitsFor = ticket.waitsFor ?? prediction.waitsFor;
    if (ticket.hasPromise) return null;
    ticket.firstPredictedAt = ticket.predictedAt;
    // The plan knows only who is here, the backlog also who may come back; a start before that can hurt nobody.
    const isBeforeReturns = ticket.predictedAt < this.#places.nextReturnAt;
    const waitMs = (isBeforeReturns ? ticket.predictedAt : Math.max(ticket.predictedAt, prediction.at)) - now;
    if (waitMs <= ticket.request.maxWaitMs * (1 - this.#error.margin)) return null;
    return this.#refuse(ticket, { kind: 'wait_exceeded', waitMs, now });
  }

  /** Its time is up. */
  tooLate(ticket: Ticket, now: number): Rejection {
    const waitMs = Math.max(0, ticket.predictedAt - now);
    return this.#refuse(ticket, { kind: 'wait_exceeded', waitMs, now });
  }

  /**
   * After bad news, and now and then in a long queue: foretells all who wait anew, a slice a turn, and gives those for whom
   * it has become hopeless.
   */
  refresh(now: number): { ticket: Ticket; rejection: Rejection }[] {
    if (this.#places.size > 0 && this.#places.lapse(now)) this.isStale = true;
    if (this.isStale && !this.#backlog.isBuilding && now >= this.#backlog.builtAt + this.#pauseMs()) {
      this.isStale = false;
      this.#backlog.startRebuild(this.#waiters(now), now);
    }
    const hopeless: Hopeless[] = [];
    this.#backlog.continueRebuild(now, (waiter, prediction) => this.#hear(waiter, prediction, hopeless));
    return hopeless.map(({ ticket, at }) => ({
      ticket,
      rejection: this.#refuse(ticket, { kind: 'wait_exceeded', waitMs: Math.max(0, at - now), now }),
    }));
  }

  #predict(ticket: Ticket, now: number): Prediction {
    // A kept place was counted all along, and its owner is not turned away for its length.
    if (ticket.hasPromise) return { at: now + ticket.request.maxWaitMs / 2, waitsFor: null };
    const isOld = now >= this.#backlog.builtAt + this.#pauseMs();
    const isShort = this.#lines.waiting + this.#places.size <= SHORT_QUEUE;
    if (this.#lines.waiting > 1 && !(isOld && isShort)) {
      if (isOld) this.isStale = true;
      return this.#backlog.append(ticket, now);
    }
    let own: Prediction = { at: ticket.predictedAt, waitsFor: null };
    this.#backlog.rebuild(this.#waiters(now), now, (waiter, prediction) => {
      if (waiter === ticket) own = prediction;
      this.#hear(waiter, prediction, []);
    });
    return own;
  }

  /** All who wait or are likely to come back, in order. */
  #waiters(now: number): Waiter[] {
    const waiters: Waiter[] = this.#lines.inOrder();
    if (this.#places.size === 0) return waiters;
    for (const place of this.#places) if (place.isLikely(now)) waiters.push(place);
    return waiters.sort(compareTickets);
  }

  /**
   * A new prediction. Those whose start has passed their deadline by more than the margin are hopeless, and are told the
   * instant at which they could start behind everybody who was promised to be served before.
   */
  #hear(waiter: Waiter, prediction: Prediction, hopeless: Hopeless[]): void {
    if (!(waiter instanceof Ticket) || !waiter.isWaiting) return;
    if (waiter.booking === null) {
      waiter.predictedAt = prediction.at;
      waiter.waitsFor = prediction.waitsFor;
    }
    const allowedMs = waiter.request.maxWaitMs * (1 + this.#error.margin);
    if (waiter.hasPromise || waiter.predictedAt <= waiter.arrivedAt + allowedMs) return;
    hopeless.push({ ticket: waiter, at: Math.max(waiter.predictedAt, prediction.at) });
  }

  #refuseFull(ticket: Ticket, now: number): Rejection {
    // It was never in the queue: a backlog that is being built must not find it there.
    ticket.state = 'done';
    const { at, waitsFor } = this.#backlog.append(ticket, now);
    ticket.waitsFor = waitsFor;
    return this.#refuse(ticket, { kind: 'queue_full', waitMs: at - now, now });
  }

  #refuse(ticket: Ticket, why: { kind: 'queue_full' | 'wait_exceeded'; waitMs: number; now: number }): Rejection {
    const { request, waitsFor } = ticket;
    const isOwn = waitsFor !== null && (request.clientQuota?.meters.includes(waitsFor) ?? false);
    return {
      kind: isOwn ? 'client_limit' : why.kind,
      predictedWaitMs: why.waitMs,
      retryAfterMs: this.#promise(ticket, why.waitMs, why.now),
      limit: waitsFor && this.#binding(ticket, waitsFor),
      hasWaited: why.now >= ticket.deadline,
    };
  }

  /** Keeps the place, and says from when on the planned start is within half of the longest wait. */
  #promise(ticket: Ticket, waitMs: number, now: number): number | null {
    const { maxWaitMs, maxQueueSize, placeKey } = ticket.request;
    if (waitMs >= PROMISE_HORIZON_MS + maxWaitMs / 2 || this.#places.size >= 10 * maxQueueSize) return null;
    const retryAfterMs = Math.max(waitMs - maxWaitMs / 2, Math.min(waitMs, SHORTEST_RETURN_MS), 1);
    this.#places.keep(
      new KeptPlace(placeKey(), ticket, {
        from: now + retryAfterMs,
        weight: this.#places.returnShare,
      }),
    );
    return retryAfterMs;
  }

  #binding(ticket: Ticket, meter: Meter): BindingLimit {
    const cost = ticket.request.costs.find((each) => each !== null) as Cost;
    return bindingLimit(meter, cost);
  }

  /** The longer the queue, the less one arrival or refund changes, and the more a rebuild costs. */
  #pauseMs(): number {
    return Math.min(this.#lines.waiting + this.#places.size, LONGEST_PAUSE_MS);
  }
}

const PROMISE_HORIZON_MS = 60_000;
const SHORTEST_RETURN_MS = 1_000;
const LONGEST_PAUSE_MS = 2_000;
/** So many are foretold anew in one go. */
const SHORT_QUEUE = 200;
