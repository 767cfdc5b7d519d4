import type { BucketShape } from './bucket-shape.ts';
import { SAME_INSTANT_MS, type Tail, type Timeline } from './limit.ts';
import { firstIndex } from './sorted.ts';

interface Step {
  readonly at: number;
  readonly amount: number;
  /** What must be there before it, some of which comes back. */
  readonly needed: number;
  /** The bucket's zero after it. */
  zero: number;
  /** Delay that would be absorbed before and at it, because the bucket is full there anyway; summed from the first. */
  absorbed: number;
  /** How far zero may move at the first booking for this one to stay in time. */
  margin: number;
  /** The least margin of this booking and all later ones. */
  room: number;
}

/**
 * A bucket with bookings of the future. Taking something before a booking moves its zero on, which the booking bears as
 * long as its level is still reached in time; moments at which the bucket overflows absorb part of it. Both add up from
 * booking to booking, so one number each, `room`, says what all the later ones together can bear, and since it only grows
 * with time the gap in which something fits is found by halving.
 */
export class BucketTimeline implements Timeline {
  readonly #shape: BucketShape;
  readonly #zero: number;
  readonly #steps: Step[] = [];

  constructor(shape: BucketShape, zero: number, now: number) {
    this.#shape = shape;
    this.#zero = Math.max(zero, now - shape.fullMs);
  }

  earliest(amount: number, from: number): number {
    if (amount <= 0) return from;
    if (amount > this.#shape.capacity) return Number.POSITIVE_INFINITY;
    const work = amount * this.#shape.msPerUnit - SAME_INSTANT_MS;
    const steps = this.#steps;
    let index = this.#firstAfter(from);
    if (index < steps.length) index = this.#firstWithRoom(index, work);
    for (; index < steps.length; index += 1) {
      const start = this.#startBefore(index, amount, from);
      const lost = Math.max(0, this.#shape.floor(start) - this.#zeroBefore(index));
      if (work + lost <= (steps[index] as Step).room - this.#absorbedBefore(index)) return start;
    }
    return this.#startBefore(index, amount, from);
  }

  book(amount: number, at: number, needed = amount): void {
    if (needed <= 0 || this.#shape.isUnlimited) return;
    const index = this.#firstAfter(at);
    this.#steps.splice(index, 0, { at, amount, needed, zero: 0, absorbed: 0, margin: 0, room: 0 });
    this.#recount(index);
  }

  /** The first instant in the gap before booking `index` at which the level is there. */
  #startBefore(index: number, amount: number, from: number): number {
    const ready = this.#shape.ready(this.#zeroBefore(index), amount);
    return Math.max(from, ready, this.#steps[index - 1]?.at ?? from);
  }

  #recount(from: number): void {
    const steps = this.#steps;
    const shape = this.#shape;
    for (let index = from; index < steps.length; index += 1) {
      const step = steps[index] as Step;
      const before = this.#zeroBefore(index);
      const absorbedBefore = this.#absorbedBefore(index);
      step.margin = step.at - shape.ready(before, step.needed) + absorbedBefore;
      step.absorbed = absorbedBefore + Math.max(0, shape.floor(step.at) - before);
      step.zero = shape.spend(before, step.amount, step.at);
    }
    let room = Number.POSITIVE_INFINITY;
    for (let index = steps.length - 1; index >= 0; index -= 1) {
      const step = steps[index] as Step;
      room = Math.min(room, step.margin);
      if (index < from && step.room === room) return;
      step.room = room;
    }
  }

  #zeroBefore(index: number): number {
    return this.#steps[index - 1]?.zero ?? this.#zero;
  }

  #absorbedBefore(index: number): number {
    return this.#steps[index - 1]?.absorbed ?? 0;
  }

  #firstAfter(at: number): number {
    const steps = this.#steps;
    if (steps.length === 0 || (steps.at(-1) as Step).at <= at) return steps.length;
    return firstIndex(steps.length, (index) => (steps[index] as Step).at > at);
  }

  /** Gaps before it surely have no room for so much; later absorption may still take away what this promises. */
  #firstWithRoom(from: number, work: number): number {
    const needed = work + this.#absorbedBefore(from);
    const steps = this.#steps;
    return firstIndex(steps.length, (index) => index >= from && (steps[index] as Step).room >= needed);
  }
}

/** The end of the queue is one number here too: when the level was zero after all that waits. */
export class BucketTail implements Tail {
  readonly #shape: BucketShape;
  #zero: number;

  constructor(shape: BucketShape, zero: number) {
    this.#shape = shape;
    this.#zero = zero;
  }

  earliest(amount: number, from: number): number {
    if (amount <= 0) return from;
    if (amount > this.#shape.capacity) return Number.POSITIVE_INFINITY;
    return Math.max(from, this.#shape.ready(this.#zero, amount));
  }

  append(amount: number, at: number): void {
    if (amount > 0) this.#zero = this.#shape.spend(this.#zero, amount, at);
  }

  release(amount: number): void {
    this.#zero -= amount * this.#shape.msPerUnit;
  }
}
