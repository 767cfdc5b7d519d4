/**
 * How far predicted waits are off, learned from those that came true. A ticket is turned away when its prediction lies
 * later than its deadline less this margin; without one, an overloaded queue sits exactly at the deadline and every error
 * makes a ticket wait its whole time for nothing.
 */
export class PredictionError {
  #lateness: number[] = [];
  #next = 0;
  #margin = INITIAL_MARGIN;

  /** Share of a wait to keep in reserve. */
  get margin(): number {
    return this.#margin;
  }

  /** A foretold wait of more than a second came to its end. */
  learn(foretoldMs: number, realMs: number): void {
    if (foretoldMs < MIN_WAIT_MS) return;
    this.#lateness[this.#next] = (realMs - foretoldMs) / foretoldMs;
    this.#next = (this.#next + 1) % MEMORY;
    if (this.#lateness.length < MIN_SAMPLES || this.#next % RECOMPUTE_EVERY !== 0) return;
    const sorted = [...this.#lateness].sort((a, b) => a - b);
    const p99 = sorted[Math.floor(sorted.length * 0.99)] as number;
    this.#margin = Math.min(MAX_MARGIN, Math.max(MIN_MARGIN, p99));
  }
}

const INITIAL_MARGIN = 0.1;
const MIN_MARGIN = 0.05;
const MAX_MARGIN = 0.25;
const MIN_WAIT_MS = 1_000;
const MIN_SAMPLES = 100;
const RECOMPUTE_EVERY = 32;
const MEMORY = 512;
