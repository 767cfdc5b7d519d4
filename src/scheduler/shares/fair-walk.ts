import { Heap } from '../heap.ts';
import type { Line } from '../line.ts';
import { compareTickets, type Ticket } from '../ticket.ts';
import type { TicketQueue } from '../ticket-queue.ts';
import type { FairMember } from './fair-level.ts';
import type { ClassRule, Pool, Share, ShareClass } from './share.ts';

/** Gives the tickets of one client in one line, in their order. */
export interface LaneReader {
  readonly line: Line;
  /** Whom it would give now; null: nobody is left. */
  head(): Ticket | null;
  /** The head has had its turn. */
  pass(): void;
}

/** Those of each client in each line that have no place in the plan yet. */
export function* plannedLanes(lines: Iterable<Line>): Generator<readonly [Share, LaneReader]> {
  for (const line of lines) {
    for (const [share, lane] of line.queue.lanes) {
      if (lane.size > lane.bookedCount) yield [share, { line, head: () => lane.nextUnbooked(), pass: () => undefined }];
    }
  }
}

/** Everybody who waits, in the order in which their turns will come. */
export function inFairOrder(lines: Iterable<Line>, rule: ClassRule): Ticket[] {
  const alone = ofOneClient(lines);
  if (alone !== null) return alone;
  const times = new PlannedTimes();
  const walk = new FairWalk(allLanes(lines), times, rule);
  const tickets: Ticket[] = [];
  for (let ticket = walk.next(); ticket !== null; ticket = walk.next()) {
    tickets.push(ticket);
    walk.served(ticket);
  }
  return tickets;
}

/** Null: several wait. */
function ofOneClient(lines: Iterable<Line>): Ticket[] | null {
  const lanes: TicketQueue[] = [];
  const shares = new Set<Share>();
  for (const line of lines) {
    for (const [share, lane] of line.queue.lanes) {
      shares.add(share);
      lanes.push(lane);
    }
    if (shares.size > 1) return null;
  }
  const tickets = lanes.flatMap((lane) => [...lane]);
  return lanes.length > 1 ? tickets.sort(compareTickets) : tickets;
}

function* allLanes(lines: Iterable<Line>): Generator<readonly [Share, LaneReader]> {
  for (const line of lines) {
    for (const [share, lane] of line.queue.lanes) yield [share, readerOf(line, [...lane])];
  }
}

function readerOf(line: Line, tickets: readonly Ticket[]): LaneReader {
  let next = 0;
  return {
    line,
    head: () => tickets[next] ?? null,
    pass: () => {
      next += 1;
    },
  };
}

/** Virtual times as they will be when all that is planned has been served. */
export class PlannedTimes {
  readonly #finish = new Map<FairMember, number>();

  finish(member: FairMember): number {
    return this.#finish.get(member) ?? member.finish;
  }

  /** @param from where its turn began */
  served(member: FairMember, amount: number, from: number): void {
    this.#finish.set(member, from + amount / member.weight);
  }

  /** As they are. */
  reset(): void {
    this.#finish.clear();
  }
}

interface ShareTurn {
  readonly share: Share;
  readonly lanes: LaneReader[];
}

interface ClassTurn {
  readonly class: ShareClass;
  readonly shares: Heap<ShareTurn>;
}

interface PoolTurn {
  readonly classes: ClassTurn[];
  head: Ticket;
  /** Whose turn it is there. */
  next: { readonly class: ClassTurn; readonly lane: LaneReader };
}

/**
 * The one order of waiting tickets, as a walk. Pools have nothing to do with each other: whoever came first goes first. Within
 * one, the class whose virtual time is lowest has its turn, within that the client, and of the client its oldest ticket. The
 * turns of those that come later depend on what those before them take, so nobody's place is known before the walk is there.
 */
export class FairWalk {
  readonly #pools = new Heap<PoolTurn>(({ head }) => head.order);
  readonly #times: PlannedTimes;
  readonly #rule: ClassRule;
  readonly #closed = new Set<Line>();
  #current: PoolTurn | null = null;
  /** Where the turn begins, of the client and of its class: what starts in it counts in their own times before it is over. */
  readonly #from = { ofShare: 0, ofClass: 0 };

  constructor(lanes: Iterable<readonly [Share, LaneReader]>, times: PlannedTimes, rule: ClassRule) {
    this.#times = times;
    this.#rule = rule;
    for (const shares of sharesByPool(lanes)) this.#addPool(shares);
  }

  /** Whose turn it is; null: nobody is left. `served` or `close` says what came of it. */
  next(): Ticket | null {
    this.#current = this.#pools.pop() ?? null;
    const head = this.#current?.head ?? null;
    if (head === null) return null;
    this.#from.ofShare = this.#times.finish(head.share);
    this.#from.ofClass = this.#times.finish(head.share.class);
    return head;
  }

  /** The ticket has got its place: its client's next turn is so much later. */
  served(ticket: Ticket): void {
    const turn = this.#current as PoolTurn;
    const { lane, class: ofClass } = turn.next;
    lane.pass();
    this.#times.served(ticket.share, ticket.shareTokens, this.#from.ofShare);
    this.#times.served(ticket.share.class, ticket.shareTokens, this.#from.ofClass);
    const share = ofClass.shares.pop() as ShareTurn;
    ofClass.shares.push(share);
    this.#again(turn);
  }

  /** Nobody of this line can have a place any more. */
  close(line: Line): void {
    this.#closed.add(line);
    this.#again(this.#current as PoolTurn);
  }

  #again(turn: PoolTurn): void {
    if (this.#find(turn)) this.#pools.push(turn);
  }

  #addPool(shares: Iterable<ShareTurn>): void {
    const classes = new Map<ShareClass, ClassTurn>();
    for (const turn of shares) {
      const ofClass = turn.share.class;
      let classTurn = classes.get(ofClass);
      if (classTurn === undefined) {
        const finishOf = ({ share }: ShareTurn) => this.#times.finish(share);
        classTurn = { class: ofClass, shares: new Heap(finishOf, (each) => this.#headOf(each)?.order ?? 0) };
        classes.set(ofClass, classTurn);
      }
      classTurn.shares.push(turn);
    }
    const turn: Omit<PoolTurn, 'head' | 'next'> = { classes: [...classes.values()] };
    this.#again(turn as PoolTurn);
  }

  /** Sets whose turn it is in the pool; false: nobody's. */
  #find(turn: PoolTurn): boolean {
    for (let ofClass = this.#classOf(turn); ofClass !== null; ofClass = this.#classOf(turn)) {
      const share = ofClass.shares.peek() as ShareTurn;
      const lane = this.#laneOf(share);
      if (lane !== null) {
        turn.head = lane.head() as Ticket;
        turn.next = { class: ofClass, lane };
        return true;
      }
      ofClass.shares.pop();
      if (ofClass.shares.size === 0) turn.classes.splice(turn.classes.indexOf(ofClass), 1);
    }
    return false;
  }

  #classOf({ classes }: PoolTurn): ClassTurn | null {
    let best: ClassTurn | null = null;
    for (const each of classes) if (best === null || this.#isBefore(each.class, best.class)) best = each;
    return best;
  }

  #isBefore(a: ShareClass, b: ShareClass): boolean {
    if (this.#rule === 'strict') return a.weight > b.weight;
    const difference = this.#times.finish(a) - this.#times.finish(b);
    return difference < 0 || (difference === 0 && a.weight > b.weight);
  }

  #headOf(turn: ShareTurn): Ticket | null {
    return this.#laneOf(turn)?.head() ?? null;
  }

  /** Of the client's lanes, the one with its oldest ticket. */
  #laneOf({ lanes }: ShareTurn): LaneReader | null {
    let best: LaneReader | null = null;
    let order = Number.POSITIVE_INFINITY;
    for (const lane of lanes) {
      const head = this.#closed.has(lane.line) ? null : lane.head();
      if (head === null || head.order >= order) continue;
      best = lane;
      order = head.order;
    }
    return best;
  }
}

function sharesByPool(lanes: Iterable<readonly [Share, LaneReader]>): Iterable<ShareTurn>[] {
  const pools = new Map<Pool, Map<Share, ShareTurn>>();
  for (const [share, lane] of lanes) {
    const { pool } = share.class;
    let shares = pools.get(pool);
    if (shares === undefined) {
      shares = new Map();
      pools.set(pool, shares);
    }
    const known = shares.get(share);
    if (known === undefined) shares.set(share, { share, lanes: [lane] });
    else known.lanes.push(lane);
  }
  return [...pools.values()].map((shares) => shares.values());
}
