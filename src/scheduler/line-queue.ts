import type { Share } from './shares/share.ts';
import type { Ticket } from './ticket.ts';
import { TicketQueue } from './ticket-queue.ts';

/** The waiting tickets of a line: a queue for each client, since whose turn it is depends on what others got. */
export class LineQueue {
  readonly #lanes = new Map<Share, TicketQueue>();
  #size = 0;
  #booked = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  get bookedCount(): number {
    return this.#booked;
  }

  /** Whether it is one client's alone. */
  get isOneClients(): boolean {
    return this.#lanes.size === 1;
  }

  /** Whether, in each lane, whoever has no booking yet is younger than all that have one. */
  get isInOrder(): boolean {
    for (const lane of this.#lanes.values()) if (!lane.isInOrder) return false;
    return true;
  }

  /** Those of each client that has somebody waiting. */
  get lanes(): ReadonlyMap<Share, TicketQueue> {
    return this.#lanes;
  }

  laneOf(share: Share): TicketQueue | undefined {
    return this.#lanes.get(share);
  }

  /** Whether nobody of its client in this line is older and has no place in the plan. */
  isNext({ share }: Ticket): boolean {
    const lane = this.#lanes.get(share);
    return lane === undefined || lane.size === lane.bookedCount;
  }

  /** The lowest virtual time among the clients of a class that wait here; Infinity: none does. */
  lowestFinish({ class: ofClass }: Share): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const share of this.#lanes.keys()) {
      if (share.class === ofClass && share.finish < lowest) lowest = share.finish;
    }
    return lowest;
  }

  /** Adds a ticket in its place. Returns whether it landed before a booked one of its client. */
  add(ticket: Ticket): boolean {
    let lane = this.#lanes.get(ticket.share);
    if (lane === undefined) {
      lane = new TicketQueue();
      this.#lanes.set(ticket.share, lane);
    }
    this.#size += 1;
    return lane.add(ticket);
  }

  /** The ticket has left, by a lease or otherwise; its state says so already. */
  remove(ticket: Ticket): void {
    const lane = this.#lanes.get(ticket.share) as TicketQueue;
    this.#size -= 1;
    if (ticket.booking !== null) this.#booked -= 1;
    lane.remove(ticket);
    if (lane.size === 0) this.#lanes.delete(ticket.share);
  }

  /** Books what its lane gave as the next one without a booking. */
  book(ticket: Ticket, booking: NonNullable<Ticket['booking']>): void {
    this.#booked += 1;
    this.#lane(ticket).book(ticket, booking);
  }

  /** Another booking for one that has one, or one for a ticket that came in before others that have. */
  rebook(ticket: Ticket, booking: NonNullable<Ticket['booking']>): void {
    if (ticket.booking === null) this.#booked += 1;
    this.#lane(ticket).rebook(ticket, booking);
  }

  unbook(ticket: Ticket): void {
    if (ticket.booking !== null) this.#booked -= 1;
    this.#lane(ticket).unbook(ticket);
  }

  /** Forgets every booking; the plan starts anew. */
  unbookAll(): void {
    this.#booked = 0;
    for (const lane of this.#lanes.values()) lane.unbookAll();
  }

  /** Those who have left are no longer known here; one that waits elsewhere must not be. */
  dropGaps(): void {
    for (const lane of this.#lanes.values()) lane.dropGaps();
  }

  /** Whoever has no booking now is younger than all of its client that have one. */
  putInOrder(): void {
    for (const lane of this.#lanes.values()) lane.putInOrder();
  }

  /** Those that wait, lane by lane, each oldest first. */
  *[Symbol.iterator](): Generator<Ticket> {
    for (const lane of this.#lanes.values()) yield* lane;
  }

  /** Those that wait, lane by lane, each oldest first and up to its last that is booked. */
  upToLastBooked(): Ticket[] {
    if (this.#lanes.size === 1) for (const lane of this.#lanes.values()) return lane.upToLastBooked();
    return [...this.#lanes.values()].flatMap((lane) => lane.upToLastBooked());
  }

  #lane({ share }: Ticket): TicketQueue {
    return this.#lanes.get(share) as TicketQueue;
  }
}
