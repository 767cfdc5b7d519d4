import type { Entry, Measure, Meter, Reading } from './meter.ts';

/** Said to whom every slot is taken: nobody knows when an answer ends. */
const GUESSED_WAIT_MS = 1000;

/** Requests at the same time (DeepSeek, local servers). A slot comes free some time after its request has ended. */
export class Slots implements Meter {
  readonly largest: number;
  readonly #freedAfterMs: number;
  /** Ascending instants at which slots of ended requests come free. */
  #freedAt: number[] = [];
  #busy = 0;
  #slotMs = 0;
  #at = 0;

  constructor(limit: number, freedAfterMs: number) {
    this.largest = limit;
    this.#freedAfterMs = freedAfterMs;
  }

  waitMs(nowMs: number, amount: number): number {
    if (amount > this.largest) return Number.POSITIVE_INFINITY;
    this.#free(nowMs);
    const missing = this.#busy + amount - this.largest;
    if (missing <= 0) return 0;
    const freedAt = this.#freedAt[missing - 1];
    return freedAt === undefined ? GUESSED_WAIT_MS : freedAt - nowMs;
  }

  take(nowMs: number, amount: number): Entry {
    this.#free(nowMs);
    this.#busy += amount;
    return { at: nowMs, amount };
  }

  adjust(nowMs: number, entry: Entry, amount: number): void {
    for (let freed = entry.amount - amount; freed > 0; freed--) this.#freedAt.push(nowMs + this.#freedAfterMs);
    entry.amount = amount;
    this.#free(nowMs);
  }

  read(nowMs: number): Reading {
    this.#free(nowMs);
    const lastFreedAt = this.#freedAt.at(-1);
    const fullInMs = lastFreedAt === undefined ? GUESSED_WAIT_MS : lastFreedAt - nowMs;
    return { level: this.largest - this.#busy, used: this.#busy, fullInMs: this.#busy === 0 ? 0 : fullInMs };
  }

  measure(fromMs: number): (untilMs: number) => Measure {
    this.#free(fromMs);
    const slotMs = this.#slotMs;
    return (untilMs) => {
      this.#free(untilMs);
      return { charged: this.#slotMs - slotMs, supply: this.largest * (untilMs - fromMs) };
    };
  }

  #free(nowMs: number): void {
    for (let at = this.#freedAt[0]; at !== undefined && at <= nowMs; at = this.#freedAt[0]) {
      this.#pass(at);
      this.#busy -= 1;
      this.#freedAt.shift();
    }
    this.#pass(nowMs);
  }

  #pass(nowMs: number): void {
    if (nowMs <= this.#at) return;
    this.#slotMs += this.#busy * (nowMs - this.#at);
    this.#at = nowMs;
  }
}
