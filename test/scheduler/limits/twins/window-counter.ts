import { isWithin, type Recharge, type Twin } from './twin.ts';

/** One counter that falls to zero at `phase`, and every window after it. */
export class WindowCounter implements Twin {
  readonly #capacity: number;
  readonly #windowMs: number;
  readonly #phase: number;
  #window = Number.NaN;
  #used = 0;

  constructor({ capacity, windowMs, phase }: { capacity: number; windowMs: number; phase: number }) {
    this.#capacity = capacity;
    this.#windowMs = windowMs;
    this.#phase = phase;
  }

  admit(amount: number, at: number): Recharge | null {
    this.#enter(at);
    if (!isWithin(this.#used + amount, this.#capacity)) return null;
    this.#used += amount;
    const window = this.#window;
    let booked = amount;
    return (charged, when) => {
      this.#enter(when);
      if (this.#window !== window) return;
      this.#used += charged - booked;
      booked = charged;
    };
  }

  #enter(at: number): void {
    const window = Math.floor((at - this.#phase) / this.#windowMs);
    if (window === this.#window) return;
    this.#window = window;
    this.#used = 0;
  }
}
