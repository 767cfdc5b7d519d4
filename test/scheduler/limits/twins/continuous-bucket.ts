import { isWithin, type Recharge, type Twin } from './twin.ts';

/** Full at first; fills at `capacity` a window up to `size`. Who costs more than its size is let in when it is full. */
export class ContinuousBucket implements Twin {
  readonly #ratePerMs: number;
  readonly #size: number;
  #level: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor({ capacity, windowMs, size = capacity }: { capacity: number; windowMs: number; size?: number }) {
    this.#ratePerMs = capacity / windowMs;
    this.#size = size;
    this.#level = size;
  }

  admit(amount: number, at: number): Recharge | null {
    this.#fill(at);
    if (!isWithin(Math.min(amount, this.#size), this.#level)) return null;
    this.#level -= amount;
    let booked = amount;
    return (charged, when) => {
      this.#fill(when);
      this.#level = Math.min(this.#size, this.#level + booked - charged);
      booked = charged;
    };
  }

  #fill(at: number): void {
    if (at > this.#at) this.#level = Math.min(this.#size, this.#level + (at - this.#at) * this.#ratePerMs);
    this.#at = Math.max(this.#at, at);
  }
}
