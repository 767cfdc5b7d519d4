import type { Lease } from '../scheduler/lease.ts';
import type { Rejection } from '../scheduler/rejection.ts';
import type { Route } from '../scheduler/route.ts';
import type { Ticket, TicketRequest } from '../scheduler/ticket.ts';
import type { ClientAnswer } from './client-answer.ts';
import type { RequestServices } from './request-services.ts';

/** How a wait ends. */
export type Turn =
  | { readonly kind: 'lease'; readonly lease: Lease }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }
  /** The configuration has changed, and what the request is by now takes time to find out: then it enters again. */
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'gone' };

/** What a request wants of the scheduler. */
export type Wanted = Omit<TicketRequest, 'onLease' | 'onRejection' | 'renewed'>;

interface QueueWaitParts {
  readonly scheduler: RequestServices['scheduler'];
  readonly answer: ClientAnswer;
  /** What it wants as the configuration is by now; null: that takes time to find out. Must not throw. */
  readonly renewed: () => Wanted | null;
}

/** One request's place in the queue, over all its attempts. The client's leaving gives it up at once. */
export class QueueWait {
  readonly #parts: QueueWaitParts;
  #ticket: Ticket | null = null;
  /** What the ticket asks for. */
  #request: TicketRequest | null = null;
  /**
   * Ends the wait; null while there is none. The promise's own function and no closure made for this: V8 allocates a
   * closure that is assigned to a property as an old object, and all that it captures stays until a full collection.
   */
  #resolve: ((turn: Turn) => void) | null = null;
  #isGivenUp = false;

  constructor(parts: QueueWaitParts) {
    this.#parts = parts;
  }

  /** The limit that its start waited for last, as people know it; null: it never had to wait for one. */
  get waitedFor(): { readonly quota: string; readonly name: string } | null {
    const meter = this.#ticket?.waitsFor;
    return meter ? { quota: meter.quotaName, name: meter.name } : null;
  }

  /** Joins the queue; whoever was withdrawn comes back to its place. */
  enter(wanted: Wanted): Promise<Turn> {
    return this.#wait(() => {
      const { scheduler } = this.#parts;
      if (this.#ticket !== null && this.#request !== null) {
        this.#request = { ...this.#request, ...wanted, maxWaitMs: this.#request.maxWaitMs };
        scheduler.resume(this.#ticket, this.#request);
        return;
      }
      this.#request = {
        ...wanted,
        onLease: (lease) => this.#granted(lease),
        onRejection: (rejection) => this.#tell({ kind: 'rejected', rejection }),
        renewed: () => this.#renewed(),
      };
      this.#ticket = scheduler.submit(this.#request);
    });
  }

  /** After a failed attempt: same order, same deadline. */
  again(lease: Lease, retry: { readonly exclude: readonly Route[]; readonly notBeforeMs: number }): Promise<Turn> {
    return this.#wait(() => this.#parts.scheduler.again(lease.ticket, retry));
  }

  #wait(begin: () => void): Promise<Turn> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#parts.answer.whenGone(() => this.#giveUp());
      if (!this.#isGivenUp) begin();
    });
  }

  /** The scheduler asks, in its own turn. */
  #renewed(): TicketRequest | null {
    const before = this.#request as TicketRequest;
    const wanted = this.#parts.renewed();
    if (wanted === null) {
      this.#tell({ kind: 'withdrawn' });
      return null;
    }
    if (!DECIDING.every((fact) => wanted[fact] === before[fact])) {
      this.#request = { ...before, ...wanted, maxWaitMs: before.maxWaitMs };
    }
    return this.#request;
  }

  #giveUp(): void {
    this.#isGivenUp = true;
    if (this.#ticket) this.#parts.scheduler.cancel(this.#ticket);
    this.#tell({ kind: 'gone' });
  }

  #tell(turn: Turn): void {
    const resolve = this.#resolve;
    if (!resolve) return;
    this.#resolve = null;
    this.#parts.answer.whenGone(null);
    resolve(turn);
  }

  #granted(lease: Lease): void {
    this.#ticket = lease.ticket;
    // It was on its way to us when the client left.
    if (this.#isGivenUp) lease.end({ charged: 'unsent', report: { kind: 'nothing' } });
    else this.#tell({ kind: 'lease', lease });
  }
}

/** Facts by which a ticket waits; the others only say how. */
const DECIDING = ['model', 'share', 'costs', 'prices', 'clientQuota', 'rejectsOnClientLimit', 'maxQueueSize'] as const;
