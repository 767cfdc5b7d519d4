import { isWithin, type Recharge, type Twin } from './twin.ts';

/** No more than `capacity` in any window that ends now. */
export class ExactLog implements Twin {
  readonly #capacity: number;
  readonly #windowMs: number;
  #entries: { at: number; amount: number }[] = [];

  constructor({ capacity, windowMs }: { capacity: number; windowMs: number }) {
    this.#capacity = capacity;
    this.#windowMs = windowMs;
  }

  admit(amount: number, at: number): Recharge | null {
    this.#entries = this.#entries.filter((entry) => entry.at > at - this.#windowMs);
    const used = this.#entries.reduce((sum, entry) => sum + entry.amount, 0);
    if (!isWithin(used + amount, this.#capacity)) return null;
    const entry = { at, amount };
    this.#entries.push(entry);
    return (charged) => {
      entry.amount = charged;
    };
  }
}
