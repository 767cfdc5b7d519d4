/** How long first events have taken lately, in ms: of one upstream model, the newest 256 of them. */
export class FirstEventTimes {
  readonly #times: number[] = [];
  #next = 0;
  #slowMs: number | null = null;
  #staleFor = 0;

  add(tookMs: number): void {
    this.#times[this.#next] = tookMs;
    this.#next = (this.#next + 1) % MOST;
    this.#staleFor += 1;
  }

  /**
   * Longer than this is slow: what one in twenty exceeds, but at least twice and at most four times what half of them take.
   * Where as many as one in twenty are held up the first figure alone would be about those, and where all the others take
   * equally long it would be about nothing. Null: too few are known. Sorted anew after every sixteenth.
   */
  get slowMs(): number | null {
    if (this.#times.length < ENOUGH) return null;
    if (this.#slowMs === null || this.#staleFor >= FRESH) {
      const sorted = this.#times.toSorted((a, b) => a - b);
      const at = (share: number): number => sorted[Math.floor(sorted.length * share)] as number;
      this.#slowMs = Math.max(TWICE * at(0.5), Math.min(at(0.95), MANY_TIMES * at(0.5)));
      this.#staleFor = 0;
    }
    return this.#slowMs;
  }
}

const MOST = 256;
const ENOUGH = 40;
const FRESH = 16;
const TWICE = 2;
const MANY_TIMES = 4;
