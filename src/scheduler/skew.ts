/**
 * By how much the moment at which a request counts upstream may lie behind its grant. It starts with what is usual, grows
 * when a refusal shows that it was too little, and shrinks again while none does. What shrank too soon shrinks more slowly
 * the next time, so that a vendor that is always late refuses ever more seldom.
 */
export class Skew {
  /** The longest that it is ever taken for. */
  static readonly MOST_MS = 2_000;
  readonly #leastMs: number;
  #ms: number;
  #changedAt = Number.NEGATIVE_INFINITY;
  #calmMs = FIRST_CALM_MS;
  #hasShrunk = false;

  constructor(leastMs: number) {
    this.#leastMs = leastMs;
    this.#ms = leastMs;
  }

  get ms(): number {
    return this.#ms;
  }

  /** A refusal came that a longer skew explains. Returns whether it is longer now. */
  widen(now: number): boolean {
    if (this.#hasShrunk) this.#calmMs = Math.min(this.#calmMs * 2, MOST_CALM_MS);
    this.#hasShrunk = false;
    this.#changedAt = now;
    if (this.#ms >= Skew.MOST_MS) return false;
    this.#ms = Math.min(this.#ms * STEP, Skew.MOST_MS);
    return true;
  }

  /** An answer came that was no refusal. Returns whether it is shorter now. */
  calm(now: number): boolean {
    if (this.#ms <= this.#leastMs || now - this.#changedAt < this.#calmMs) return false;
    this.#hasShrunk = true;
    this.#changedAt = now;
    this.#ms = Math.max(this.#ms / STEP, this.#leastMs);
    return true;
  }
}

const STEP = 1.5;
/** Several windows of a minute: a limit that binds has been tried at its edge by then. */
const FIRST_CALM_MS = 300_000;
const MOST_CALM_MS = 86_400_000;
