import { isForsaken, refuseAtDoor } from './admission.ts';
import { Backlog, type Prediction, type Waiter } from './backlog.ts';
import { Lines, poolOf } from './lines.ts';
import type { Plan } from './plan.ts';
import { PredictionError } from './prediction-error.ts';
import { Promises, type Standing } from './promises.ts';
import { Refusals } from './refusals.ts';
import type { Rejection } from './rejection.ts';
import { OwnPart } from './shares/own-part.ts';
import type { ClassRule } from './shares/share.ts';
import { SupplyCurves } from './shares/supply-curve.ts';
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
 *
 * Where one client is alone, a newcomer stands at the end of the queue, and the backlog says when that is. Where several
 * compete, it stands at the end of its own client's part, which moves as fast as that client is served.
 */
export class Door {
  readonly #lines: Lines;
  readonly #backlog = new Backlog();
  readonly #promises = new Promises();
  readonly #error = new PredictionError();
  readonly #own: OwnPart;
  readonly #curves = new SupplyCurves();
  readonly #refusals: Refusals;
  #arrivals = 0;
  /** Who has entered and is not foretold yet: no backlog counts it before it joins. */
  #newcomer: Ticket | null = null;
  #isClosed = false;
  /** Bad news: those who wait already must be foretold anew. */
  isStale = false;

  constructor(plan: Plan, rule: ClassRule) {
    this.#lines = new Lines(plan, rule);
    this.#own = new OwnPart(this.#curves, this.#error);
    this.#refusals = new Refusals(this.#promises, (ticket, now) => this.#turnOf(ticket, now));
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

  /** Oldest first. */
  waitingTickets(): Ticket[] {
    return this.#lines.byAge();
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
    const share = this.#lines.shareOf(request);
    const ticket = new Ticket(request, line, { share, order: this.#arrivals++, now, hasPromise });
    poolOf(ticket).came(share, now);
    line.flow.asked(share, ticket.shareTokens, now);
    if (!ticket.hasPromise && this.#lines.count(request) >= request.maxQueueSize) {
      return { kind: 'rejected', rejection: this.#refuseFull(ticket, now) };
    }
    this.#own.makeWay(ticket, now);
    this.#lines.add(ticket, now);
    this.#newcomer = ticket;
    return { kind: 'entered', ticket };
  }

  /** What the request is by now; null: that takes time to find out. */
  renewed({ request }: Ticket): TicketRequest | null {
    return request.renewed ? request.renewed() : request;
  }

  /** A ticket comes back as what its request is by now; null: it is withdrawn until that is known. */
  reenter(ticket: Ticket, request: TicketRequest | null, now: number): void {
    ticket.state = 'withdrawn';
    this.isStale = true;
    if (request === null) return;
    ticket.request = request;
    this.#lines.move([ticket], now);
  }

  /** The configuration has changed: each request may have become another one, which waits at the place of the old. */
  renewAll(now: number): void {
    const moved: Ticket[] = [];
    for (const ticket of this.#lines.inOrder()) {
      const request = this.renewed(ticket);
      if (request === ticket.request) continue;
      ticket.state = 'withdrawn';
      this.#lines.remove(ticket, now);
      if (request === null) continue;
      ticket.request = request;
      moved.push(ticket);
    }
    this.#lines.move(moved, now);
  }

  /** It has left the queue, for a lease or for good. */
  leave(ticket: Ticket, now: number): void {
    // One that starts at once is never foretold; when it comes back it is no newcomer.
    if (ticket === this.#newcomer) this.#newcomer = null;
    this.#lines.remove(ticket, now);
  }

  /** Its client has left: those behind it move up. */
  forget(ticket: Ticket, now: number): void {
    this.#lines.remove(ticket, now);
    this.#backlog.drop(ticket, now);
  }

  /** A ticket has its lease: its wait tells how good the prediction was. */
  started(ticket: Ticket, now: number): void {
    this.#lines.served(ticket, now);
    this.#curves.granted(ticket);
    if (ticket.firstPredictedAt === null) return;
    this.#error.learn(ticket.firstPredictedAt - ticket.arrivedAt, now - ticket.arrivedAt);
    ticket.firstPredictedAt = null;
  }

  /** Says when a newcomer that could not start at once will; a rejection if that is too late for it, or for others. */
  foretell(ticket: Ticket, now: number): Rejection | null {
    if (ticket.isUrgent || poolOf(ticket).isContested(now)) return this.#foretellAmongOwn(ticket, now);
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
    return this.#refusals.refuse(ticket, { kind: 'wait_exceeded', waitMs, now });
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
      this.#curves.begin();
      this.#backlog.startRebuild(waiting, now);
    }
    const hopeless: Hopeless[] = [];
    if (!this.#backlog.isBuilding) this.#promises.continueRebuild(now);
    const wasBuilding = this.#backlog.isBuilding;
    const hear = (waiter: Waiter, prediction: Prediction) =>
      this.#hear(waiter as Ticket, prediction, { hopeless, now });
    this.#backlog.continueRebuild(now, hear);
    if (wasBuilding && !this.#backlog.isBuilding) this.#curves.end();
    return hopeless.map(({ ticket, at }) => ({ ticket, rejection: this.#refuseHopeless(ticket, at, now) }));
  }

  /** A newcomer may wait if it, and all who were told to come back, will start in time. */
  #judge(ticket: Ticket, now: number): Rejection | null {
    const isInTime = ticket.predictedAt - now <= ticket.request.maxWaitMs * (1 - this.#error.margin);
    if (isInTime && this.#promises.size === 0) return null;
    const waitMs = ticket.predictedAt - now;
    if (!isInTime && ticket.request.mayGoElsewhere)
      return this.#refusals.refuse(ticket, { kind: 'wait_exceeded', waitMs, now });
    const { at, delayMs } = this.#behindAll(ticket, now);
    if (isInTime && this.#promises.makeRoom(ticket.line, delayMs)) return null;
    return this.#refusals.refuse(ticket, {
      kind: 'wait_exceeded',
      waitMs: Math.max(ticket.predictedAt, at) - now,
      now,
    });
  }

  /** Behind those of its own client. */
  #foretellAmongOwn(ticket: Ticket, now: number): Rejection | null {
    this.#newcomer = null;
    // Nothing of it is in the backlog, which has to be made anew before it speaks of one client again.
    this.isStale = true;
    const { isInTime, behindAllMs } = this.#own.foretell(ticket, now);
    ticket.firstPredictedAt = ticket.predictedAt;
    if (ticket.hasPromise || isInTime) return null;
    return this.#refusals.refuse(ticket, { kind: 'wait_exceeded', waitMs: behindAllMs, now });
  }

  /** When it would start behind everybody whom it has to let go first, those included who were told to come back. */
  #turnOf(ticket: Ticket, now: number): number {
    if (poolOf(ticket).isContested(now)) return now + this.#own.behindAllMs(ticket, now);
    return this.#behindAll(ticket, now).at;
  }

  #behindAll(ticket: Ticket, now: number): Standing {
    if (this.#promises.size === 0) this.#promises.rebuild(this.#foretold(), now);
    return this.#promises.stand(ticket, now);
  }

  #foretellOthers(now: number): void {
    const waiting = this.#foretold();
    if (this.#promises.size > 0) this.#promises.rebuild(waiting, now);
    this.#curves.begin();
    const hear = (waiter: Waiter, found: Prediction) => this.#hear(waiter as Ticket, found, { hopeless: [], now });
    this.#backlog.rebuild(waiting, now, hear);
    this.#curves.end();
  }

  /** All who wait, in order, but for the newcomer. */
  #foretold(): Ticket[] {
    const tickets = this.#lines.inOrder();
    return this.#newcomer === null ? tickets : tickets.filter((ticket) => ticket !== this.#newcomer);
  }

  /**
   * A new prediction. Those whose start has passed their deadline by more than the margin are hopeless, and are told the
   * instant at which they could start behind everybody who was promised to be served before.
   */
  #hear(ticket: Ticket, { at, waitsFor }: Prediction, { hopeless, now }: { hopeless: Hopeless[]; now: number }): void {
    if (poolOf(ticket).isContested(now)) {
      this.#curves.next(ticket, at);
      ticket.line.flow.met(ticket, at, this.#backlog.builtAt);
    }
    // One that has its lease by now is nobody's concern.
    if (ticket.isWaiting && ticket.booking === null) {
      ticket.predictedAt = at;
      ticket.waitsFor = waitsFor;
    }
    const allowedMs = ticket.request.maxWaitMs * (1 + this.#error.margin);
    if (!ticket.isWaiting || ticket.hasPromise) return;
    if (isForsaken(ticket.request, now, ticket.excluded)) hopeless.push({ ticket, at: null });
    else if (ticket.predictedAt > ticket.arrivedAt + allowedMs) {
      hopeless.push({ ticket, at: Math.max(ticket.predictedAt, at) });
    }
  }

  #refuseHopeless(ticket: Ticket, at: number | null, now: number): Rejection {
    if (at === null) return { kind: 'out_of_service' };
    return this.#refusals.refuse(ticket, { kind: 'wait_exceeded', waitMs: Math.max(0, at - now), now });
  }

  #refuseFull(ticket: Ticket, now: number): Rejection {
    // It was never in the queue: a backlog that is being built must not find it there.
    ticket.state = 'done';
    if (poolOf(ticket).isContested(now)) {
      const { behindAllMs } = this.#own.foretellOutside(ticket, now);
      return this.#refusals.refuse(ticket, { kind: 'queue_full', waitMs: behindAllMs, now });
    }
    const foretold = this.#backlog.append(ticket, now, () => false);
    const { at, waitsFor } = ticket.request.mayGoElsewhere ? foretold : this.#behindAll(ticket, now);
    ticket.waitsFor = waitsFor;
    ticket.predictedAt = foretold.at;
    return this.#refusals.refuse(ticket, { kind: 'queue_full', waitMs: at - now, now });
  }

  /** The longer the queue, the less one arrival or refund changes, and the more a rebuild costs. */
  #pauseMs(pauses = 1): number {
    return Math.min(pauses * (this.#lines.waiting + this.#promises.size), LONGEST_PAUSE_MS);
  }
}

const LONGEST_PAUSE_MS = 2_000;
/** News are heard after a pause; refunds and debts, which come to little on the whole, after so many, up to the longest. */
const DRIFT_PAUSES = 4;
/** So many are foretold anew in one go. */
const SHORT_QUEUE = 200;
