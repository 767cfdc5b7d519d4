/**
 * Lets few requests through while nobody knows how much a quota or a route can take.
 *
 *     open ──close()──▶ probing(1) ──answer──▶ probing(2) ──▶ probing(3) ──▶ … ──▶ open
 *                          ▲                        │
 *                          └───────close()──────────┘
 *
 * While probing, as many requests as `allowed` may be under way without an answer. Each good answer allows one more, so
 * every round trip doubles what is under way. It opens when an answer states the level, or when so many are allowed that
 * it holds nobody back any more. It has no instant at which it opens: whoever waits for it is woken by the answer.
 */
export class Gate {
  #allowed: number;
  #unanswered = 0;

  constructor(isOpen: boolean) {
    this.#allowed = isOpen ? Number.POSITIVE_INFINITY : 1;
  }

  get isOpen(): boolean {
    return this.#allowed === Number.POSITIVE_INFINITY;
  }

  get hasRoom(): boolean {
    return this.#unanswered < this.#allowed;
  }

  enter(): void {
    this.#unanswered += 1;
  }

  /** Whoever entered leaves once, answered or not. */
  leave(): void {
    this.#unanswered -= 1;
  }

  /** A good answer: one more may be under way. */
  widen(): void {
    this.#allowed += 1;
    if (this.#allowed > OPEN_ABOVE) this.open();
  }

  open(): void {
    this.#allowed = Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.#allowed = 1;
  }

  /** Closes, and forgets those who are under way: they leave no more. */
  restart(): void {
    this.#unanswered = 0;
    this.close();
  }
}

/** So many good answers in a row prove enough. */
const OPEN_ABOVE = 64;
