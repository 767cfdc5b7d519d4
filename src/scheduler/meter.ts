import { type Unit, unitIndex } from '../charge.ts';
import { amountOn, type Cost } from './cost.ts';
import type { Limit, Tail, Timeline } from './limits/limit.ts';

/**
 * One limit with the views that planning makes of it. A view belongs to an epoch of the plan: it is forked from the
 * books the first time that an epoch asks for it.
 */
export class Meter {
  readonly limit: Limit;
  readonly unit: 0 | 1 | 2 | 3 | 4;
  /** As people know it: `tpm`. */
  readonly name: string;
  /** Of the quota it belongs to, for messages: `org-a gpt-4o`. */
  readonly quotaName: string;
  /** A charge is dated when the lease ends: until then it is booked without a date that could run out. */
  readonly isChargedAtEnd: boolean;
  /** What others may take, or answers under way may cost more, before we hear of it: a grant must leave so much. */
  guard = 0;
  #timeline: Timeline | null = null;
  /** Of two backlogs, each the one that answers and the one that is being built: an epoch's last two bits tell which. */
  readonly #tails: [Tail | null, Tail | null, Tail | null, Tail | null] = [null, null, null, null];
  readonly #tailEpochs: [number, number, number, number] = [-1, -1, -1, -1];
  #planEpoch = -1;
  #frontier = Number.POSITIVE_INFINITY;
  #walk = -1;

  constructor(
    limit: Limit,
    options: { readonly name: string; readonly quotaName: string; readonly isChargedAtEnd: boolean },
  ) {
    this.limit = limit;
    this.unit = unitIndex(limit.unit);
    this.name = options.name;
    this.quotaName = options.quotaName;
    this.isChargedAtEnd = options.isChargedAtEnd;
  }

  get unitName(): Unit {
    return this.limit.unit;
  }

  reserved(cost: Cost): number {
    return amountOn(this.limit.capacity, cost.reserved[this.unit], cost.certain[this.unit]);
  }

  /** What must be there before it may start. */
  required(cost: Cost): number {
    const reserved = this.reserved(cost);
    return reserved <= this.limit.capacity ? Math.min(reserved + this.guard, this.limit.capacity) : reserved;
  }

  expected(cost: Cost): number {
    return amountOn(this.limit.capacity, cost.expected[this.unit], cost.certain[this.unit]);
  }

  canEverTake(cost: Cost): boolean {
    return cost.certain[this.unit] <= this.limit.capacity;
  }

  timeline(epoch: number, now: number): Timeline {
    if (this.#timeline === null || this.#planEpoch !== epoch) {
      this.#timeline = this.limit.fork(now);
      this.#planEpoch = epoch;
    }
    return this.#timeline;
  }

  /** The books have changed, or what was booked ahead: the next look forks anew. */
  dropTimeline(): void {
    this.#timeline = null;
  }

  tail(epoch: number, now: number): Tail {
    const slot = (epoch & 3) as 0 | 1 | 2 | 3;
    let tail = this.#tails[slot];
    if (tail === null || this.#tailEpochs[slot] !== epoch) {
      tail = this.limit.tail(now);
      this.#tails[slot] = tail;
      this.#tailEpochs[slot] = epoch;
    }
    return tail;
  }

  /**
   * In this walk of the plan, older tickets without a booking will start from this instant on: a younger one may be
   * booked before it only. Infinity while every older ticket that draws on this limit is booked.
   */
  frontier(walk: number): number {
    return this.#walk === walk ? this.#frontier : Number.POSITIVE_INFINITY;
  }

  holdBack(walk: number, from: number): void {
    this.#frontier = Math.min(this.frontier(walk), from);
    this.#walk = walk;
  }
}
