import { FairLevel, type FairMember } from './fair-level.ts';

/** Classes of requests, the most urgent first. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** `weighted`: each class has its share while it wants it. `strict`: a class waits as long as one above it has work. */
export type ClassRule = 'weighted' | 'strict';

/** What a request's client is entitled to. */
export interface ShareTerms {
  readonly priority: Priority;
  readonly weight: number;
}

/** For requests of which nothing is said. */
export const USUAL_SHARE: ShareTerms = { priority: 'normal', weight: 1 };

const CLASS_WEIGHTS: Readonly<Record<Priority, number>> = { high: 100, normal: 20, low: 5 };

/** One client's requests of one class, wherever they compete with others for the same limits. */
export interface Share extends FairMember {
  readonly client: string;
  weight: number;
  class: ShareClass;
  /** How many of it wait. */
  waiting: number;
}

/** Whether others waited when it was granted something: other clients of its class, other classes. */
export interface Passed {
  readonly clients: boolean;
  readonly classes: boolean;
}

const BOTH: Passed = { clients: true, classes: true };

/** The clients of one priority in one pool. */
export class ShareClass implements FairMember {
  readonly priority: Priority;
  readonly weight: number;
  readonly pool: Pool;
  readonly clients = new FairLevel();
  finish = 0;
  waiting = 0;

  constructor(priority: Priority, pool: Pool) {
    this.priority = priority;
    this.weight = CLASS_WEIGHTS[priority];
    this.pool = pool;
  }
}

/**
 * Those who compete: the clients of all models whose routes share limits, directly or by way of others. Where nothing is
 * shared, what somebody gets is nobody else's loss.
 */
export class Pool {
  readonly classes = new FairLevel();
  readonly #byPriority = new Map<Priority, ShareClass>(
    PRIORITIES.map((priority) => [priority, new ShareClass(priority, this)]),
  );
  readonly #shares: Readonly<Record<Priority, Map<string, Share>>> = {
    high: new Map(),
    normal: new Map(),
    low: new Map(),
  };
  /** Of clients that had one here as well when another pool came in. */
  readonly #twins: Share[] = [];
  /** Whose request came last, and until when those of others make this pool one of many. */
  #waitingShares = 0;
  #lastShare: Share | null = null;
  #contestedUntil = Number.NEGATIVE_INFINITY;
  #lapsesAt = Number.NEGATIVE_INFINITY;

  share(client: string, { priority, weight }: ShareTerms): Share {
    const ofPriority = this.#shares[priority];
    let share = ofPriority.get(client);
    if (share === undefined) {
      const ofClass = this.#class(priority);
      share = { client, weight, class: ofClass, finish: ofClass.clients.time, waiting: 0 };
      ofPriority.set(client, share);
    }
    share.weight = weight;
    return share;
  }

  /** A request has come: several clients compete as long as each of two was here lately. */
  came(share: Share, now: number): void {
    if (this.#lastShare !== null && this.#lastShare !== share) this.#contestedUntil = now + LATELY_MS;
    this.#lastShare = share;
  }

  /** Whether more than one client has been here lately: then the end of the queue is not where a newcomer stands. */
  isContested(now: number): boolean {
    return now < this.#contestedUntil;
  }

  /** Whether a client other than this one waits: whoever comes may have its turn before those of others. */
  hasOthers(share: Share): boolean {
    return this.#waitingShares > (share.waiting > 0 ? 1 : 0);
  }

  /** @param lowest where the others begin that wait in the same line */
  waits(share: Share, lowest: number): void {
    const { class: ofClass } = share;
    if (ofClass.waiting === 0) this.classes.join(ofClass);
    if (share.waiting === 0) {
      ofClass.clients.join(share, lowest);
      this.#waitingShares += 1;
    }
    share.waiting += 1;
    ofClass.waiting += 1;
  }

  waitsNoMore(share: Share): void {
    share.waiting -= 1;
    if (share.waiting === 0) this.#waitingShares -= 1;
    share.class.waiting -= 1;
  }

  /** Now and then: forgets turns that somebody has saved up for too long. Returns whether that changes whose turn it is. */
  lapse(now: number): boolean {
    if (now < this.#lapsesAt) return false;
    this.#lapsesAt = now + SAVED_MS;
    let hasChanged = false;
    const raise = (member: FairMember, earliest: number): void => {
      hasChanged ||= member.finish < earliest;
      member.finish = Math.max(member.finish, earliest);
    };
    const ofClasses = this.classes.lapse();
    const ofClients = new Map<ShareClass, number>();
    for (const each of this.#byPriority.values()) {
      raise(each, ofClasses);
      ofClients.set(each, each.clients.lapse());
    }
    for (const share of this.#allShares()) raise(share, ofClients.get(share.class) as number);
    return hasChanged;
  }

  /** So much was granted to it, in tokens. */
  served(share: Share, tokens: number): Passed {
    const { class: ofClass } = share;
    this.classes.served(ofClass, tokens);
    ofClass.clients.served(share, tokens);
    return {
      clients: ofClass.waiting > share.waiting,
      classes: PRIORITIES.some((each) => each !== ofClass.priority && this.#class(each).waiting > 0),
    };
  }

  /** What was granted came to so much more, or less: it counts for the client's next. */
  corrected(share: Share, tokens: number, passed: Passed = BOTH): void {
    share.class.clients.corrected(share, tokens, passed.clients);
    this.classes.corrected(share.class, tokens, passed.classes);
  }

  /** How much of its own it got ahead of its time, in tokens: so much others have before its next turn comes. */
  leadTokens(share: Share): number {
    const { class: ofClass } = share;
    const isAlone = ofClass.waiting === share.waiting;
    const own = isAlone ? 0 : (share.finish - ofClass.clients.time) * share.weight;
    const isOnlyClass = PRIORITIES.every((each) => each === ofClass.priority || this.#class(each).waiting === 0);
    const ofAll = isOnlyClass ? 0 : (ofClass.finish - this.classes.time) * ofClass.weight;
    return Math.max(0, own) + Math.max(0, ofAll);
  }

  /**
   * A model has turned up that shares limits with both pools. A client that waits in both has two shares until those that
   * wait now are served.
   */
  absorb(other: Pool): void {
    for (const [priority, theirs] of other.#byPriority) {
      const ours = this.#class(priority);
      if (ours.waiting === 0) this.classes.join(ours);
      ours.waiting += theirs.waiting;
    }
    for (const share of other.#allShares()) this.#adopt(share);
    this.#waitingShares += other.#waitingShares;
    this.#contestedUntil = Math.max(this.#contestedUntil, other.#contestedUntil);
  }

  #adopt(share: Share): void {
    const { priority, clients } = share.class;
    const ours = this.#class(priority);
    ours.clients.adopt(share, clients);
    share.class = ours;
    if (this.#shares[priority].has(share.client)) this.#twins.push(share);
    else this.#shares[priority].set(share.client, share);
  }

  *#allShares(): Generator<Share> {
    for (const priority of PRIORITIES) yield* this.#shares[priority].values();
    yield* this.#twins;
  }

  #class(priority: Priority): ShareClass {
    return this.#byPriority.get(priority) as ShareClass;
  }
}

/** So long a client's turns are saved for it, and up to twice as long. */
const SAVED_MS = 60_000;
/** Whoever was here so long ago is expected again. */
const LATELY_MS = 20_000;
