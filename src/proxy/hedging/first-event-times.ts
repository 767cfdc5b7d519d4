/** How long first events have taken lately, in ms: of one upstream model, the newest 256 of them. */
export class FirstEventTimes {
  readonly #times: number[] = [];
  #next = 0;
  #p95: number | null = null;
  #staleFor = 0;

  add(tookMs: number): void {
    this.#times[this.#next] = tookMs;
    this.#next = (this.#next + 1) % MOST;
    this.#staleFor += 1;
  }

  /** What one in twenty exceeds; null: too few are known. Sorted anew after every sixteenth. */
  get p95(): number | null {
    if (this.#times.length < ENOUGH) return null;
    if (this.#p95 === null || this.#staleFor >= FRESH) {
      const sorted = this.#times.toSorted((a, b) => a - b);
      this.#p95 = sorted[Math.floor(sorted.length * 0.95)] as number;
      this.#staleFor = 0;
    }
    return this.#p95;
  }
}

const MOST = 256;
const ENOUGH = 40;
const FRESH = 16;
