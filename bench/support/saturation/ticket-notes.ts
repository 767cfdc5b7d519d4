import type { Clock } from '../../../src/clock.ts';
import type { Rejection } from '../../../src/scheduler/rejection.ts';
import { Scheduler } from '../../../src/scheduler/scheduler.ts';
import type { TicketRequest } from '../../../src/scheduler/ticket.ts';

/** What became of one request in the scheduler. Instants are ms on the clock of Sluice's process. */
export interface TicketNote {
  /** Its place in the one order. */
  readonly arrival: number;
  readonly arrivedAt: number;
  /** When it would start, as foretold when it came. */
  readonly foretoldAt: number;
  /** Tokens that it reserves on each target. */
  readonly reserved: readonly number[];
  /** Null: it still waits, or was turned away. */
  readonly startedAt: number | null;
  readonly rejection: { readonly kind: Rejection['kind']; readonly hasWaited: boolean } | null;
}

export interface Notes {
  /** Tickets that have left the queue since the last look, and those that wait now. */
  readonly tickets: readonly TicketNote[];
  /** How often somebody waited, of all times that it was looked. */
  readonly waitingShare: number;
}

interface Open {
  note: { -readonly [K in keyof TicketNote]: TicketNote[K] };
  hasLeft: boolean;
}

const LOOK_EVERY_MS = 50;

/** Listens at the scheduler's entrance. */
export class TicketNotes {
  readonly #clock: Clock;
  #open: Open[] = [];
  #scheduler: Scheduler | null = null;
  #looks = 0;
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From here on every scheduler of this process is listened to; there is one. */
  watch(): void {
    const notes = this;
    const { submit } = Scheduler.prototype;
    Scheduler.prototype.submit = function (this: Scheduler, request) {
      notes.#scheduler = this;
      const open = notes.#begin(request);
      const ticket = submit.call(this, notes.#overheard(request, open));
      if (ticket === null) return null;
      open.note.arrival = ticket.order;
      if (open.note.startedAt === null) open.note.foretoldAt = ticket.predictedAt;
      return ticket;
    };
    setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  take(): Notes {
    const tickets = this.#open.map(({ note }) => note);
    this.#open = this.#open.filter(({ hasLeft }) => !hasLeft);
    const waitingShare = this.#looks === 0 ? 0 : this.#waiting / this.#looks;
    this.#looks = 0;
    this.#waiting = 0;
    return { tickets, waitingShare };
  }

  #begin({ costs }: TicketRequest): Open {
    const now = this.#clock.now();
    const reserved = costs.map((cost) => cost?.reserved[1] ?? Number.POSITIVE_INFINITY);
    const note = { arrival: -1, arrivedAt: now, foretoldAt: now, reserved, startedAt: null, rejection: null };
    const open: Open = { note, hasLeft: false };
    this.#open.push(open);
    return open;
  }

  #overheard(request: TicketRequest, open: Open): TicketRequest {
    return {
      ...request,
      onLease: (lease) => {
        // A second lease is a retry, whose wait has another cause.
        open.note.startedAt ??= this.#clock.now();
        open.hasLeft = true;
        request.onLease(lease);
      },
      onRejection: (rejection) => {
        const hasWaited = 'hasWaited' in rejection && rejection.hasWaited;
        open.note.rejection = { kind: rejection.kind, hasWaited };
        open.hasLeft = true;
        request.onRejection(rejection);
      },
    };
  }

  #look(): void {
    this.#looks += 1;
    if ((this.#scheduler?.waiting ?? 0) > 0) this.#waiting += 1;
  }
}
