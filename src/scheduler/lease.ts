import type { Charge } from '../charge.ts';
import type { Cost } from './cost.ts';
import type { FirstByte, FirstByteEnd } from './first-byte.ts';
import type { Booking } from './limits/limit.ts';
import type { Meter } from './meter.ts';
import type { RouteOption } from './model-routes.ts';
import type { Quota } from './quota.ts';
import type { QuotaLimit, Reading, Spent } from './quota-limit.ts';
import type { Route } from './route.ts';
import type { Ticket } from './ticket.ts';

/** What an attempt says about its route. `nothing`: the client left, or the request itself was wrong. */
export type Report =
  | { readonly kind: 'ok' }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'wait';
      readonly retryAfterMs: number | null;
      readonly spent: readonly Spent[];
    }
  | { readonly kind: 'never_fits'; readonly unit: Reading['unit'] | 'in_flight' | null; readonly limit: number | null }
  | { readonly kind: 'exhausted'; readonly retryAfterMs: number | null; readonly spent?: readonly Spent[] }
  | {
      readonly kind: 'disabled';
      readonly reason: 'credentials' | 'billing' | 'model';
      readonly scope: 'key' | 'key_model';
    }
  | { readonly kind: 'capacity'; readonly retryAfterMs: number | null }
  | { readonly kind: 'ramp' }
  | { readonly kind: 'failed' };

/** How a lease ends. `unsent`: nothing reached the upstream, so everything comes back at once. */
export interface Ending {
  readonly charged: Charge | 'unsent' | 'reserved';
  readonly report: Report;
}

/** What the scheduler does with a lease's news; it alone implements this. */
export interface LeaseOwner {
  headed(lease: Lease, readings: readonly Reading[]): void;
  proved(lease: Lease): void;
  ended(lease: Lease, ending: Ending): void;
}

interface Held {
  readonly meter: Meter;
  readonly booking: Booking;
  /** The limit that compares this booking with what heads say; null where no head speaks of it. */
  readonly limit: QuotaLimit | null;
  /** What of it the upstream may charge at the end only. */
  readonly unsure: number;
}

/**
 * The right to send one request on one route, booked on every limit that covers it.
 *
 *     granted ──headed()──▶ headed ──proved()──▶ proved ──end()──▶ ended
 *        └────────────────────┴──────end() or dispose─────────────▶ ended
 *
 * It ends exactly once: ending it again does nothing, and one that is disposed without an end is booked as reserved.
 */
export class Lease implements Disposable {
  readonly ticket: Ticket;
  readonly option: RouteOption;
  readonly cost: Cost;
  readonly grantedAt: number;
  /** When it was sent: restamped by `sent`, so that a slow upload does not count against its answer. */
  sentAt: number;
  hasHead = false;
  /** Output has come. */
  isProved = false;
  /** It counts no longer as unanswered: output has come, or all that a failure says is known. */
  hasLeftGates = false;
  hasEnded = false;
  readonly #owner: LeaseOwner;
  /** Every quota that it draws on; those of its route and its client may be others by the time it ends. */
  readonly #quotas: readonly Quota[];
  readonly #firstByte: FirstByte;
  #isTimed = false;
  #held: Held[] = [];

  constructor(owner: LeaseOwner, ticket: Ticket, grant: { option: RouteOption; cost: Cost; now: number }) {
    this.#owner = owner;
    this.ticket = ticket;
    this.option = grant.option;
    this.cost = grant.cost;
    this.grantedAt = grant.now;
    this.sentAt = grant.now;
    const { clientQuota } = ticket.request;
    this.#quotas = clientQuota === null ? grant.option.route.quotas : [...grant.option.route.quotas, clientQuota];
    this.#firstByte = this.route.firstByteOf(ticket.request);
    this.#firstByte.sent(grant.now);
    this.#book(grant.now);
    this.route.enterGates();
    this.route.inFlight += 1;
    this.route.usage.add(this.reserved[1], grant.now);
  }

  get route(): Route {
    return this.option.route;
  }

  /** Its first content has come. */
  answered(now: number): void {
    this.leaveGates();
    this.timed('answered', now);
  }

  leaveGates(): void {
    if (this.hasLeftGates) return;
    this.hasLeftGates = true;
    this.route.leaveGates(this.grantedAt);
  }

  /** What is known of its first byte, once. A failure counts behind it too. */
  timed(end: FirstByteEnd, now: number): void {
    const tookMs = now - this.sentAt;
    if (!this.#isTimed) this.#firstByte.ended(end, { tookMs, now });
    else if (end === 'failed') this.#firstByte.failed({ tookMs, now });
    this.#isTimed = true;
  }

  /** What the vendor's limiter takes at admission, as it was booked. */
  get reserved(): Charge {
    return this.cost.reserved;
  }

  /** The final head has come, with what it says of limits; whether an answer follows is not known yet. Counts once. */
  headed(readings: readonly Reading[]): void {
    if (this.hasHead || this.hasEnded) return;
    this.hasHead = true;
    this.#owner.headed(this, readings);
  }

  /** Output has come, not only a head that promises it: those who wait for a first answer may follow. Counts once. */
  proved(): void {
    if (this.hasLeftGates || this.hasEnded) return;
    this.isProved = true;
    this.#owner.proved(this);
  }

  end(ending: Ending): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#owner.ended(this, ending);
  }

  [Symbol.dispose](): void {
    this.end({ charged: 'reserved', report: { kind: 'nothing' } });
  }

  /**
   * Sets the bookings to what was charged: all of them, or only those that were too low (a debt counts at once, a refund
   * when the upstream has made it). Returns whether any level rose.
   */
  settle(charged: Ending['charged'], now: number, which: 'debts' | 'all'): boolean {
    let hasRisen = false;
    for (const held of this.#held) {
      const amount = finalAmount(held, charged);
      const isDebt = amount > held.booking.amount;
      if (which === 'debts' && (!isDebt || held.meter.isChargedAtEnd)) continue;
      hasRisen = this.#correct(held, amount, now) || hasRisen;
    }
    if (which === 'all') this.#letGo(now);
    return hasRisen;
  }

  /** A limit that covers its route from now on counts it as if it always had. */
  bookAlso(limit: QuotaLimit, isCompared: boolean): void {
    this.#bookOn(limit, isCompared, this.grantedAt);
  }

  #letGo(now: number): void {
    for (const { limit, unsure } of this.#held) limit?.ended(unsure, now);
    this.#held = [];
    for (const quota of this.#quotas) quota.underWay.delete(this);
  }

  #correct({ meter, booking, limit }: Held, amount: number, now: number): boolean {
    const change = amount - booking.amount;
    if (meter.isChargedAtEnd && amount > 0) {
      meter.limit.settle(booking, 0, now);
      meter.limit.take(amount, now);
      return true;
    }
    if (change === 0) return false;
    const hasRisen = meter.limit.settle(booking, amount, now);
    limit?.corrected(change, now);
    return hasRisen;
  }

  #book(now: number): void {
    for (const quota of this.#quotas) {
      quota.underWay.add(this);
      for (const limit of quota.limits) this.#bookOn(limit, quota.learns, now);
    }
  }

  #bookOn(limit: QuotaLimit, isCompared: boolean, now: number): void {
    for (const meter of limit.meters) {
      const amount = meter.reserved(this.cost);
      const isPrimary = isCompared && meter === limit.meters[0];
      const unsure = isPrimary ? Math.max(0, amount - this.cost.certain[meter.unit]) : 0;
      this.#held.push({ meter, booking: meter.limit.take(amount, now), limit: isPrimary ? limit : null, unsure });
      if (isPrimary) limit.flow.record(now, amount, unsure);
    }
  }
}

function finalAmount({ meter, booking }: Held, charged: Ending['charged']): number {
  if (meter.unit === IN_FLIGHT || charged === 'unsent') return 0;
  return charged === 'reserved' ? booking.amount : charged[meter.unit];
}

const IN_FLIGHT = 4;
