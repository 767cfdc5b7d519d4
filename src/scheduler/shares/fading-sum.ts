/** A sum in which what is `fadeMs` old counts for a third, and a rate that follows from it. */
export class FadingSum {
  readonly #fadeMs: number;
  #sum = 0;
  #at = 0;

  constructor(fadeMs: number) {
    this.#fadeMs = fadeMs;
  }

  /** @param at in ms, never before the last */
  add(amount: number, at: number): void {
    this.#sum = this.at(at) + amount;
    this.#at = at;
  }

  at(at: number): number {
    return this.#sum * Math.exp((this.#at - at) / this.#fadeMs);
  }

  /** A ms. @param forMs how long things have been added */
  rate(at: number, forMs: number): number {
    const lengthMs = this.#fadeMs * (1 - Math.exp(-Math.max(forMs, SHORTEST_MS) / this.#fadeMs));
    return this.at(at) / lengthMs;
  }
}

/** One amount makes no rate. */
const SHORTEST_MS = 1_000;
