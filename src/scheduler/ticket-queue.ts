import { compareTickets, type Ticket } from './ticket.ts';

/**
 * Waiting tickets of one client in order, oldest first:
 *
 *     #items:  ·  ·  b  b  ·  b  u  u  ·  u  u        · gone   b booked   u not booked yet
 *                    ▲ #head     ▲ #cursor
 *
 * Leaving is O(1): the place stays as a gap until the head or a compaction passes it. The booked ones are a
 * prefix, but for an older ticket that comes back, until the plan is put right.
 */
export class TicketQueue {
  #items: Ticket[] = [];
  #head = 0;
  #cursor = 0;
  #size = 0;
  #booked = 0;
  #isInOrder = true;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  get bookedCount(): number {
    return this.#booked;
  }

  /** Whether whoever has no booking yet is younger than all that have one. */
  get isInOrder(): boolean {
    return this.#isInOrder;
  }

  /**
   * Adds a ticket in its place: nearly always at the end. One that comes back takes the gap that it left, if that is still
   * there, or it would wait twice. Returns whether it landed before a booked one.
   */
  add(ticket: Ticket): boolean {
    this.#size += 1;
    let index = this.#items.length;
    while (index > this.#head && compareTickets(this.#items[index - 1] as Ticket, ticket) > 0) index -= 1;
    const gap = this.#gapOf(ticket, index);
    if (gap !== null) index = gap;
    else if (index === this.#items.length) this.#items.push(ticket);
    else this.#items.splice(index, 0, ticket);
    if (index >= this.#cursor) return false;
    this.#cursor = index;
    this.#isInOrder = this.#booked === 0;
    return true;
  }

  /** Who is to be served last, or last but for `except`; null: nobody. */
  youngest(except: Ticket | null = null): Ticket | null {
    for (let i = this.#items.length - 1; i >= this.#head; i -= 1) {
      const ticket = this.#items[i] as Ticket;
      if (ticket.isWaiting && ticket !== except) return ticket;
    }
    return null;
  }

  /**
   * A place for a newcomer that is more urgent than others, if there is one: before those of the end of the queue that may be
   * passed. Returns them, youngest first.
   */
  makeWay(newcomer: Ticket, mayPass: (older: Ticket) => boolean): Ticket[] {
    const passed: Ticket[] = [];
    let index = this.#items.length - 1;
    for (; index >= this.#head; index -= 1) {
      const older = this.#items[index] as Ticket;
      if (!older.isWaiting) continue;
      if (!mayPass(older)) break;
      passed.push(older);
    }
    const next = passed.at(-1);
    if (next === undefined) return passed;
    const before = index < this.#head ? next.order - 1 : (this.#items[index] as Ticket).order;
    const order = (before + next.order) / 2;
    // Between two numbers that are next to each other there is no third.
    if (order <= before || order >= next.order) return [];
    newcomer.order = order;
    return passed;
  }

  /** The ticket has left, by a lease or otherwise; its state says so already. */
  remove(ticket: Ticket): void {
    this.#size -= 1;
    if (ticket.booking !== null) {
      ticket.booking = null;
      this.#booked -= 1;
    }
    if (this.#size === 0) this.#clear();
    else if (this.#items.length > 2 * this.#size + MIN_GAPS) this.dropGaps();
    else this.#passGaps();
  }

  /** Those who have left are no longer known here; one that waits elsewhere must not be. */
  dropGaps(): void {
    let cursor = 0;
    const kept: Ticket[] = [];
    for (let i = this.#head; i < this.#items.length; i += 1) {
      if (i === this.#cursor) cursor = kept.length;
      const ticket = this.#items[i] as Ticket;
      if (ticket.isWaiting) kept.push(ticket);
    }
    if (this.#cursor >= this.#items.length) cursor = kept.length;
    this.#items = kept;
    this.#head = 0;
    this.#cursor = cursor;
  }

  /** The oldest ticket without a booking. */
  nextUnbooked(): Ticket | null {
    for (; this.#cursor < this.#items.length; this.#cursor += 1) {
      const ticket = this.#items[this.#cursor] as Ticket;
      if (ticket.isWaiting && ticket.booking === null) return ticket;
    }
    return null;
  }

  /** Books what `nextUnbooked` gave. */
  book(ticket: Ticket, booking: NonNullable<Ticket['booking']>): void {
    ticket.booking = booking;
    this.#booked += 1;
    this.#cursor += 1;
  }

  /** Another booking for one that has one, or one for a ticket that came in before others that have. */
  rebook(ticket: Ticket, booking: NonNullable<Ticket['booking']>): void {
    if (ticket.booking === null) this.#booked += 1;
    ticket.booking = booking;
  }

  unbook(ticket: Ticket): void {
    if (ticket.booking === null) return;
    ticket.booking = null;
    this.#booked -= 1;
    this.#cursor = this.#head;
  }

  /** Forgets every booking; the plan starts anew. */
  unbookAll(): void {
    for (const ticket of this.booked()) ticket.booking = null;
    this.#passGaps();
    this.#cursor = this.#head;
    this.#booked = 0;
    this.#isInOrder = true;
  }

  /** Whoever has no booking now is younger than all that have one. */
  putInOrder(): void {
    this.#isInOrder = true;
  }

  /** Those that wait, oldest first. */
  *[Symbol.iterator](): Generator<Ticket> {
    for (let i = this.#head; i < this.#items.length; i += 1) {
      const ticket = this.#items[i] as Ticket;
      if (ticket.isWaiting) yield ticket;
    }
  }

  /** The booked ones, oldest first. */
  *booked(): Generator<Ticket> {
    let left = this.#booked;
    for (let i = this.#head; left > 0 && i < this.#items.length; i += 1) {
      const ticket = this.#items[i] as Ticket;
      if (ticket.booking === null) continue;
      left -= 1;
      yield ticket;
    }
  }

  /** Those that wait, oldest first, up to the last that is booked. */
  upToLastBooked(): Ticket[] {
    const tickets: Ticket[] = [];
    let left = this.#booked;
    for (let i = this.#head; left > 0 && i < this.#items.length; i += 1) {
      const ticket = this.#items[i] as Ticket;
      if (!ticket.isWaiting) continue;
      tickets.push(ticket);
      if (ticket.booking !== null) left -= 1;
    }
    return tickets;
  }

  /** Where it was, if that is still there: before `end`, among those of its order. One that was made way for may be one of them. */
  #gapOf(ticket: Ticket, end: number): number | null {
    for (let i = end - 1; i >= this.#head; i -= 1) {
      const each = this.#items[i] as Ticket;
      if (each === ticket) return i;
      if (compareTickets(each, ticket) !== 0) return null;
    }
    return null;
  }

  /** Whoever is oldest stands at the head, so that a walk begins with it. */
  #passGaps(): void {
    while (this.#head < this.#items.length && !(this.#items[this.#head] as Ticket).isWaiting) this.#head += 1;
    this.#cursor = Math.max(this.#cursor, this.#head);
  }

  #clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#cursor = 0;
  }
}

/** Gaps that are not worth a compaction. */
const MIN_GAPS = 64;
