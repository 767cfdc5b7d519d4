import { bindingLimit, isForsaken, refuseAtDoor } from './admission.ts';
import { Backlog, type Prediction, type Waiter } from './backlog.ts';
import type { Cost } from './cost.ts';
import { KeptPlace } from './kept-places.ts';
import { Lines } from './lines.ts';
import type { Meter } from './meter.ts';
import type { Plan } from './plan.ts';
import { PredictionError } from './prediction-error.ts';
import { Promises, type Standing } from './promises.ts';
import type { BindingLimit, Rejection } from './rejection.ts';
import { Ticket, type TicketRequest } from './ticket.ts';

export type Entry =
  | { readonly kind: 'entered'; readonly ticket: Ticket }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

interface Hopeless {
  readonly ticket: Ticket;
  /** When it could start; null: nothing is in service, and it does not wait for that. */
  readonly at: number | null;
}

/**
 * Who may wait. Foretells every newcomer's start, and turns away whoever would wait too long, or would make those too late
 * who were told to come back: a rejection is a promise.
 */
export class Door {
  readonly #lines: Lines;
  readonly #backlog = new Backlog();
  readonly #promises = new Promises();
  readonly #error = new PredictionError();
  #arrivals = 0;
  /** Who has entered and is not foretold yet: no backlog counts it before it joins. */
  #newcomer: Ticket | null = null;
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
    return this.#promises.size;
  }

  /** When those who wait should be foretold anew, or the next slice of them; Infinity: nothing has happened. */
  get nextRefreshAt(): number {
    if (this.#backlog.isBuilding || this.#promises.isBuilding) return Number.NEGATIVE_INFINITY;
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
    const hasPromise = this.#promises.size > 0 && this.#promises.claim(request.placeKey(), now);
    const line = this.#lines.lineOf(request);
    const ticket = new Ticket(request, line, { arrival: this.#arrivals++, now, hasPromise });
    if (!ticket.hasPromise && this.#lines.count(request) >= request.maxQueueSize) {
      return { kind: 'rejected', rejection: this.#refuseFull(ticket, now) };
    }
    this.#lines.add(ticket);
    this.#newcomer = ticket;
    return { kind: 'entered', ticket };
  }

  /** What the request is by now; null: that takes time to find out. */
  renewed({ request }: Ticket): TicketRequest | null {
    return request.renewed ? request.renewed() : request;
  }

  /** A ticket comes back as what its request is by now; null: it is withdrawn until that is known. */
  reenter(ticket: Ticket, request: TicketRequest | null): void {
    ticket.state = 'withdrawn';
    this.isStale = true;
    if (request === null) return;
    ticket.request = request;
    this.#lines.move([ticket]);
  }

  /** The configuration has changed: each request may have become another one, which waits at the place of the old. */
  renewAll(): void {
    const moved: Ticket[] = [];
    for (const ticket of this.#lines.inOrder()) {
      const request = this.renewed(ticket);
      if (request === ticket.request) continue;
      ticket.state = 'withdrawn';
      this.#lines.remove(ticket);
      if (request === null) continue;
      ticket.request = request;
      moved.push(ticket);
    }
    this.#lines.move(moved);
  }

  /** It has left the queue, for a lease or for good. */
  leave(ticket: Ticket): void {
    // One that starts at once is never foretold; when it comes back it is no newcomer.
    if (ticket === this.#newcomer) this.#newcomer = null;
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

  /** Says when a newcomer that could not start at once will; a rejection if that is too late for it, or for others. */
  foretell(ticket: Ticket, now: number): Rejection | null {
    let rejection: Rejection | null = null;
    const isOld = now >= this.#backlog.builtAt + this.#pauseMs(DRIFT_PAUSES);
    const isShort = this.#lines.waiting + this.#promises.size <= SHORT_QUEUE;
    if (this.#lines.waiting === 1 || (isOld && isShort)) this.#foretellOthers(now);
    else if (isOld) this.isStale = true;
    this.#backlog.append(ticket, now, (prediction) => {
      ticket.predictedAt = ticket.booking?.at ?? prediction.at;
      ticket.waitsFor = ticket.waitsFor ?? prediction.waitsFor;
      ticket.firstPredictedAt = ticket.predictedAt;
      rejection = ticket.hasPromise ? null : this.#judge(ticket, now);
      return rejection === null;
    });
    this.#newcomer = null;
    return rejection;
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
    if (this.#promises.lapse(now)) this.isStale = true;
    if (this.isStale && !this.#backlog.isBuilding && now >= this.#backlog.builtAt + this.#pauseMs()) {
      this.isStale = false;
      const waiting = this.#foretold();
      if (this.#promises.size > 0) this.#promises.startRebuild(waiting, now);
      this.#backlog.startRebuild(waiting, now);
    }
    const hopeless: Hopeless[] = [];
    if (!this.#backlog.isBuilding) this.#promises.continueRebuild(now);
    this.#backlog.continueRebuild(now, (waiter, prediction) => this.#hear(waiter, prediction, { hopeless, now }));
    return hopeless.map(({ ticket, at }) => ({ ticket, rejection: this.#refuseHopeless(ticket, at, now) }));
  }

  /** A newcomer may wait if it, and all who were told to come back, will start in time. */
  #judge(ticket: Ticket, now: number): Rejection | null {
    const isInTime = ticket.predictedAt - now <= ticket.request.maxWaitMs * (1 - this.#error.margin);
    if (isInTime && this.#promises.size === 0) return null;
    const waitMs = ticket.predictedAt - now;
    if (!isInTime && ticket.request.mayGoElsewhere) return this.#refuse(ticket, { kind: 'wait_exceeded', waitMs, now });
    const { at, delayMs } = this.#behindAll(ticket, now);
    if (isInTime && this.#promises.makeRoom(ticket.line, delayMs)) return null;
    return this.#refuse(ticket, { kind: 'wait_exceeded', waitMs: Math.max(ticket.predictedAt, at) - now, now });
  }

  #behindAll(ticket: Ticket, now: number): Standing {
    if (this.#promises.size === 0) this.#promises.rebuild(this.#foretold(), now);
    return this.#promises.stand(ticket, now);
  }

  #foretellOthers(now: number): void {
    const waiting = this.#foretold();
    if (this.#promises.size > 0) this.#promises.rebuild(waiting, now);
    this.#backlog.rebuild(waiting, now, (waiter, prediction) => this.#hear(waiter, prediction, { hopeless: [], now }));
  }

  /** All who wait, in order, but for the newcomer. */
  #foretold(): Ticket[] {
    const tickets = this.#lines.inOrder();
    // It is the youngest, so the last.
    if (tickets.at(-1) === this.#newcomer) tickets.pop();
    return tickets;
  }

  /**
   * A new prediction. Those whose start has passed their deadline by more than the margin are hopeless, and are told the
   * instant at which they could start behind everybody who was promised to be served before.
   */
  #hear(waiter: Waiter, prediction: Prediction, { hopeless, now }: { hopeless: Hopeless[]; now: number }): void {
    // This backlog knows tickets only. One that has its lease by now is nobody's concern.
    const ticket = waiter as Ticket;
    if (ticket.isWaiting && ticket.booking === null) {
      ticket.predictedAt = prediction.at;
      ticket.waitsFor = prediction.waitsFor;
    }
    const allowedMs = ticket.request.maxWaitMs * (1 + this.#error.margin);
    if (!ticket.isWaiting || ticket.hasPromise) return;
    if (isForsaken(ticket.request, now, ticket.excluded)) hopeless.push({ ticket, at: null });
    else if (ticket.predictedAt > ticket.arrivedAt + allowedMs) {
      hopeless.push({ ticket, at: Math.max(ticket.predictedAt, prediction.at) });
    }
  }

  #refuseHopeless(ticket: Ticket, at: number | null, now: number): Rejection {
    if (at === null) return { kind: 'out_of_service' };
    return this.#refuse(ticket, { kind: 'wait_exceeded', waitMs: Math.max(0, at - now), now });
  }

  #refuseFull(ticket: Ticket, now: number): Rejection {
    // It was never in the queue: a backlog that is being built must not find it there.
    ticket.state = 'done';
    const foretold = this.#backlog.append(ticket, now, () => false);
    const { at, waitsFor } = ticket.request.mayGoElsewhere ? foretold : this.#behindAll(ticket, now);
    ticket.waitsFor = waitsFor;
    ticket.predictedAt = foretold.at;
    return this.#refuse(ticket, { kind: 'queue_full', waitMs: at - now, now });
  }

  #refuse(ticket: Ticket, why: { kind: 'queue_full' | 'wait_exceeded'; waitMs: number; now: number }): Rejection {
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
    };
  }

  /**
   * Keeps a place, and says from when on: when the planned start is within half of the longest wait. Returns are told a
   * little further apart than it takes to serve them. Otherwise predictions that are too good by a hundredth would let the
   * queue grow for as long as people return, with no newcomer left to turn away.
   */
  #promise(ticket: Ticket, waitMs: number, now: number): number | null {
    const { maxWaitMs, maxQueueSize, placeKey } = ticket.request;
    const promisedMs = Math.max(0, now + waitMs - ticket.predictedAt);
    const turnMs = waitMs + promisedMs * SPACING_SHARE;
    if (turnMs >= PROMISE_HORIZON_MS + maxWaitMs / 2 || this.#promises.size >= 10 * maxQueueSize) return null;
    const retryAfterMs = Math.max(turnMs - maxWaitMs / 2, Math.min(waitMs, SHORTEST_RETURN_MS), 1);
    this.#promises.keep(new KeptPlace(placeKey(), ticket, now + retryAfterMs));
    return retryAfterMs;
  }

  /** Nothing else has served it. It was not put behind those who return before, or they would have to make room for nobody. */
  #promiseLater(ticket: Ticket, turnAt: number, now: number): number | null {
    const { at } = this.#behindAll(ticket, now);
    return this.#promise(ticket, Math.max(0, turnAt - now, at - now), now);
  }

  #binding(ticket: Ticket, meter: Meter): BindingLimit {
    const cost = ticket.request.costs.find((each) => each !== null) as Cost;
    return bindingLimit(meter, cost);
  }

  /** The longer the queue, the less one arrival or refund changes, and the more a rebuild costs. */
  #pauseMs(pauses = 1): number {
    return Math.min(pauses * (this.#lines.waiting + this.#promises.size), LONGEST_PAUSE_MS);
  }
}

const PROMISE_HORIZON_MS = 60_000;
const SHORTEST_RETURN_MS = 1_000;
/** Of the time that those take who were promised before. */
const SPACING_SHARE = 0.2;
const LONGEST_PAUSE_MS = 2_000;
/** News are heard after a pause; refunds and debts, which come to little on the whole, after so many, up to the longest. */
const DRIFT_PAUSES = 4;
/** So many are foretold anew in one go. */
const SHORT_QUEUE = 200;
