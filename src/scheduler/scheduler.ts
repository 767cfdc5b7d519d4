import type { Clock } from '../clock.ts';
import { refuseForGood } from './admission.ts';
import { Alarm } from './alarm.ts';
import { applyProof, applyReport, isOfItsQuotas } from './apply-report.ts';
import type { Cost } from './cost.ts';
import { Door } from './door.ts';
import type { SchedulerListener } from './events.ts';
import { Heap } from './heap.ts';
import { hedgeGrant } from './hedge.ts';
import { type Ending, Lease, type LeaseOwner } from './lease.ts';
import { SAME_INSTANT_MS } from './limits/limit.ts';
import type { RouteOption } from './model-routes.ts';
import { Outbox } from './outbox.ts';
import { Plan, type PlanOwner } from './plan.ts';
import type { Reading } from './quota-limit.ts';
import type { Rejection } from './rejection.ts';
import type { Route } from './route.ts';
import { Settlements } from './settlements.ts';
import { countCharge, countHedge } from './shares/account.ts';
import type { ClassRule } from './shares/share.ts';
import type { Ticket, TicketRequest } from './ticket.ts';

export interface SchedulerOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** How long after the last byte an upstream gives back what was not used, in ms. */
  readonly settleLagMs?: number;
  /** What classes of requests mean to each other; default: weighted. */
  readonly classRule?: ClassRule;
  readonly onEvent?: SchedulerListener;
}

/**
 * Decides who goes next, on which route, and when: tickets in, leases out. Everything happens in the caller's turn or in
 * the one timer's; nothing in here waits.
 *
 * A turn settles what is due, turns away what is too late, brings the plan up to date, and starts what may start. Callers
 * hear of leases and rejections at the end of the turn, when all books agree again.
 */
export class Scheduler implements LeaseOwner, PlanOwner {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #emit: SchedulerListener;
  readonly #plan: Plan;
  readonly #door: Door;
  readonly #settlements: Settlements;
  readonly #deadlines = new Heap<Ticket>((ticket) => ticket.deadline);
  readonly #touch = ({ route }: Lease) => this.#plan.touch(route);
  readonly #outbox = new Outbox();
  readonly #alarm: Alarm;
  #plannedAt = Number.NEGATIVE_INFINITY;
  #openLeases = 0;

  constructor(options: SchedulerOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#emit = options.onEvent ?? (() => {});
    this.#settlements = new Settlements(options.settleLagMs);
    const rule = options.classRule ?? 'weighted';
    this.#plan = new Plan(this, rule);
    this.#door = new Door(this.#plan, rule);
    this.#alarm = new Alarm(options.clock, () => this.#turn());
  }

  /** Leases that have not ended. */
  get openLeases(): number {
    return this.#openLeases;
  }

  get waiting(): number {
    return this.#door.waiting;
  }

  /** Deadlines that are still looked at; a few more than wait. */
  get watchedDeadlines(): number {
    return this.#deadlines.size;
  }

  /** Tickets that wait, in lines. */
  get door(): Door {
    return this.#door;
  }

  /** Hands in a request. The answer, a lease or a rejection, may come before this returns. */
  submit(request: TicketRequest): Ticket | null {
    const entry = this.#door.enter(request, this.#clock.now());
    if (entry.kind === 'rejected') {
      request.onRejection(entry.rejection);
      return null;
    }
    const { ticket } = entry;
    this.#turn(ticket);
    if (ticket.isWaiting) this.#foretell(ticket);
    if (ticket.isWaiting) this.#watchDeadline(ticket);
    return ticket;
  }

  /** The client has left. A lease that it may have is for its holder to end. */
  cancel(ticket: Ticket): void {
    if (ticket.state === 'withdrawn') ticket.state = 'done';
    if (!ticket.isWaiting) return;
    this.#markLeaving(ticket);
    this.#door.forget(ticket, this.#clock.now());
    this.#turn();
  }

  /** After a failed attempt: back into the queue, in the old order and with the old deadline. */
  again(ticket: Ticket, retry: { readonly exclude: readonly Route[]; readonly notBeforeMs: number }): void {
    if (ticket.state !== 'leased') return;
    const now = this.#clock.now();
    ticket.notBefore = now + retry.notBeforeMs;
    if (retry.exclude.length > 0) ticket.excluded = new Set([...(ticket.excluded ?? []), ...retry.exclude]);
    this.#comeBack(ticket, this.#door.renewed(ticket));
  }

  /** What has become of a request that was withdrawn is known: back into the queue, in the old order, the old deadline. */
  resume(ticket: Ticket, request: TicketRequest): void {
    if (ticket.state === 'withdrawn') this.#comeBack(ticket, request);
  }

  #comeBack(ticket: Ticket, request: TicketRequest | null): void {
    this.#door.reenter(ticket, request, this.#clock.now());
    if (ticket.isWaiting && refuseForGood(ticket.request) !== null) this.reject(ticket);
    this.#plan.isStale = true;
    this.#turn();
    if (ticket.isWaiting) this.#watchDeadline(ticket);
  }

  /** A key, limit, state or the configuration was changed from outside. Whom no route could ever serve now is told so. */
  changed(): void {
    this.#door.renewAll(this.#clock.now());
    for (const ticket of this.#door.waitingTickets()) if (refuseForGood(ticket.request) !== null) this.reject(ticket);
    this.#plan.invalidate();
    this.#door.isStale = true;
    this.#turn();
  }

  /** Turns away whoever can't start within `graceMs`; newcomers are turned away as well. */
  drain(graceMs: number): void {
    const now = this.#clock.now();
    this.#door.close();
    for (const ticket of this.#door.waitingTickets()) {
      if (ticket.predictedAt > now + graceMs) this.#turnAway(ticket, { kind: 'shutting_down' });
    }
    this.#turn();
  }

  /** Books everything that is still to be settled, and stops the timer. */
  stop(): void {
    this.#settlements.settleAll(this.#clock.now());
    this.#alarm.stop();
  }

  grant(ticket: Ticket, option: RouteOption, now: number): void {
    const lease = new Lease(this, ticket, { option, cost: ticket.costOn(option) as Cost, now });
    ticket.state = 'leased';
    this.#door.leave(ticket, now);
    ticket.predictedAt = now;
    this.#door.started(ticket, now);
    this.#openLeases += 1;
    this.#outbox.push(() => ticket.request.onLease(lease));
  }

  /** A second lease for what is under way, on another route, where it takes nothing from anybody; null: nowhere. */
  hedge(first: Lease, mayTake: (option: RouteOption) => boolean = () => true): Lease | null {
    const grant = hedgeGrant(first, { lines: this.#plan.lines, now: this.#clock.now(), mayTake });
    if (grant === null) return null;
    this.#openLeases += 1;
    countHedge(first.ticket);
    this.#plan.touch(grant.option.route);
    return new Lease(this, first.ticket, grant);
  }

  reject(ticket: Ticket): void {
    this.#turnAway(ticket, refuseForGood(ticket.request) ?? { kind: 'no_usable_route' });
  }

  headed(lease: Lease, readings: readonly Reading[]): void {
    const now = this.#clock.now();
    this.#plan.touch(lease.route);
    if (lease.route.quotas[0].observe(readings, { sentAt: lease.sentAt, now, cost: lease.cost })) this.#news();
    this.#turn();
  }

  proved(lease: Lease): void {
    const now = this.#clock.now();
    const { route } = lease;
    this.#plan.touch(route);
    const wasOpen = route.quotas[0].gate.isOpen;
    const wasWide = route.circuit.isWide;
    applyProof(lease, { now, emit: this.#emit });
    if (!wasOpen) this.#news();
    else if (!wasWide) this.#plan.isStale = true;
    this.#turn();
  }

  ended(lease: Lease, ending: Ending): void {
    const now = this.#clock.now();
    const { route } = lease;
    this.#plan.touch(route);
    const hadRoom = route.hasRoom;
    lease.leaveGates();
    route.inFlight -= 1;
    this.#openLeases -= 1;
    countCharge(lease, ending);
    // Whoever waits for a gate waits for no instant, so it must be told.
    if (this.#settlements.add(lease, ending, now) || !hadRoom) this.#plan.isStale = true;
    const wasReady = route.status(now).kind === 'ready';
    applyReport(lease, ending.report, {
      now,
      emit: this.#emit,
      distrust: () => this.#settlements.distrust(),
      random: this.#random,
    });
    if (!wasReady || route.status(now).kind !== 'ready') this.#news();
    if (!isOfItsQuotas(ending)) this.#plan.invalidate();
    this.#turn();
  }

  #news(): void {
    this.#plan.isStale = true;
    this.#door.isStale = true;
  }

  #foretell(ticket: Ticket): void {
    const rejection = this.#door.foretell(ticket, this.#clock.now());
    if (rejection === null) return;
    this.#turnAway(ticket, rejection);
    this.#turn();
  }

  #turn(newcomer: Ticket | null = null): void {
    const now = this.#clock.now();
    if (this.#settlements.settleDue(now, this.#touch)) this.#plan.isStale = true;
    this.#expire(now);
    const isAlone = newcomer !== null && this.#door.waiting === 1;
    if (!isAlone || !this.#plan.startAlone(newcomer, now)) this.#bringUpToDate(now);
    this.#alarm.set(this.#nextAt());
    this.#outbox.deliver();
  }

  #bringUpToDate(now: number): void {
    if (this.#door.waiting === 0) return;
    if (this.#plan.isStale && now >= this.#plannedAt + this.#plan.pauseMs - SAME_INSTANT_MS) {
      this.#plannedAt = now;
      this.#plan.update(now);
    } else {
      this.#plan.startDue(now);
      this.#plan.fill(now);
    }
    for (const { ticket, rejection } of this.#door.refresh(now)) this.#turnAway(ticket, rejection);
  }

  /** Those who have left stay in the heap until it is mostly them: a ticket holds on to its whole request. */
  #watchDeadline(ticket: Ticket): void {
    this.#deadlines.push(ticket);
    if (this.#deadlines.size > 2 * this.#door.waiting + FEW_DEADLINES) this.#deadlines.retain((each) => each.isWaiting);
    this.#alarm.set(this.#nextAt());
  }

  #expire(now: number): void {
    for (let next = this.#deadlines.peek(); next; next = this.#deadlines.peek()) {
      if (next.isWaiting && next.deadline > now) return;
      this.#deadlines.pop();
      if (next.isWaiting) this.#turnAway(next, this.#door.tooLate(next, now));
    }
  }

  #turnAway(ticket: Ticket, rejection: Rejection): void {
    this.#markLeaving(ticket);
    this.#door.leave(ticket, this.#clock.now());
    this.#outbox.push(() => ticket.request.onRejection(rejection));
  }

  /** What it had booked is free for others. */
  #markLeaving(ticket: Ticket): void {
    if (ticket.booking !== null) {
      this.#plan.isStale = true;
      this.#plan.touch(ticket.booking.option.route);
    }
    ticket.state = 'done';
  }

  #nextAt(): number {
    let at = Math.min(this.#settlements.nextAt, this.#deadlines.peek()?.deadline ?? Number.POSITIVE_INFINITY);
    if (this.#door.waiting === 0) return at;
    at = Math.min(at, this.#plan.isStale ? this.#plannedAt + this.#plan.pauseMs : this.#plan.firstStart);
    return Math.min(at, this.#door.nextRefreshAt);
  }
}

const FEW_DEADLINES = 64;
