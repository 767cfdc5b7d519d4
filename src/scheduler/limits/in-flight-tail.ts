import { Heap } from '../heap.ts';
import type { Tail } from './limit.ts';

export interface InFlightTailOptions {
  readonly capacity: number;
  readonly used: number;
  readonly now: number;
  /** Expected time from one freed slot to the next. */
  readonly gapMs: number;
  /** How long a request usually holds its slot. */
  readonly holdMs: number;
}

/**
 * When each slot is expected to come free; whoever joins the end takes the first. Each request holds one
 * slot, or a part of its time if it may never come.
 */
export class InFlightTail implements Tail {
  readonly #freeAt = new Heap<number>((at) => at);
  readonly #holdMs: number;

  constructor({ capacity, used, now, gapMs, holdMs }: InFlightTailOptions) {
    this.#holdMs = holdMs;
    for (let slot = 0; slot < capacity; slot += 1) {
      const inUse = slot - (capacity - used) + 1;
      this.#freeAt.push(inUse > 0 ? now + inUse * gapMs : now);
    }
  }

  earliest(amount: number, from: number): number {
    if (amount <= 0) return from;
    const first = amount <= this.#freeAt.size ? this.#freeAt.peek() : undefined;
    return first === undefined ? Number.POSITIVE_INFINITY : Math.max(from, first);
  }

  append(amount: number, at: number): void {
    if (amount <= 0) return;
    this.#freeAt.pop();
    this.#freeAt.push(at + this.#holdMs * amount);
  }

  /** Who left is forgotten with the next rebuild. */
  release(): void {}
}
