import { Gate } from './gate.ts';

/** What a circuit may be in; each state has what it needs and no more. */
export type CircuitState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly until: number }
  | { readonly kind: 'half-open' }
  | { readonly kind: 'slow-start' };

/**
 * Keeps requests off a route that keeps failing.
 *
 *     closed ──failures──▶ open(until) ──until──▶ half-open (one probe) ──good──▶ slow start (2, 3, …) ──▶ closed
 *                             ▲                        │ bad                          │ bad
 *                             └───────twice as long────┴──────────────────────────────┘
 *
 * It opens when two attempts in a row failed and half of the last twenty did, or three in a row: a route that fails now and
 * then stays in use, a dead one costs two attempts, or three if it was busy.
 */
export class Circuit {
  readonly gate = new Gate(true);
  #state: CircuitState = { kind: 'closed' };
  #recent: boolean[] = [];
  #failuresInRow = 0;
  #openings = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get failuresInRow(): number {
    return this.#failuresInRow;
  }

  state(now: number): CircuitState {
    if (this.#state.kind === 'open' && now >= this.#state.until) {
      this.#state = { kind: 'half-open' };
      this.gate.close();
    }
    return this.#state;
  }

  /** First instant at which a request may pass, its gate aside. */
  availableAt(now: number): number {
    const state = this.state(now);
    return state.kind === 'open' ? state.until : now;
  }

  succeeded(): void {
    this.#remember(true);
    this.#failuresInRow = 0;
    if (this.#state.kind === 'closed') return;
    this.gate.widen();
    this.#state = this.gate.isOpen ? { kind: 'closed' } : { kind: 'slow-start' };
    if (this.gate.isOpen) this.#openings = 0;
  }

  /** Returns whether it opened. */
  failed(now: number): boolean {
    this.#remember(false);
    this.#failuresInRow += 1;
    const wasProbing = this.#state.kind === 'half-open' || this.#state.kind === 'slow-start';
    if (this.#state.kind === 'open' || !(wasProbing || this.#isFailing())) return false;
    const restMs = Math.min(FIRST_REST_MS * 2 ** this.#openings, MAX_REST_MS);
    this.#openings += 1;
    this.#state = { kind: 'open', until: now + restMs * (1 + JITTER * this.#random()) };
    this.gate.close();
    return true;
  }

  #isFailing(): boolean {
    if (this.#failuresInRow < FEWEST) return false;
    if (this.#failuresInRow >= ENOUGH) return true;
    const failures = this.#recent.filter((isGood) => !isGood).length;
    return failures * 2 >= this.#recent.length;
  }

  #remember(isGood: boolean): void {
    this.#recent.push(isGood);
    if (this.#recent.length > MEMORY) this.#recent.shift();
  }
}

/** In a row, when much else failed lately; and in a row, whatever went before: a busy route dies as others do. */
const FEWEST = 2;
const ENOUGH = 3;
const MEMORY = 20;
const FIRST_REST_MS = 1_000;
const MAX_REST_MS = 60_000;
/** Routes that failed together must not come back together. */
const JITTER = 0.2;
