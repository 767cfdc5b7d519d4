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
 *
 * What was granted before it opened is the past: it holds no probe back, however long it hangs, and its end, good or bad,
 * says nothing of the route as it is now.
 */
export class Circuit {
  readonly #gate = new Gate(true);
  #openedAt = Number.NEGATIVE_INFINITY;
  #state: CircuitState = { kind: 'closed' };
  #recent: boolean[] = [];
  #heardAt = Number.NEGATIVE_INFINITY;
  #failuresInRow = 0;
  #openings = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get failuresInRow(): number {
    return this.#failuresInRow;
  }

  /** Whether one more may pass, in a state that lets any pass. */
  get hasRoom(): boolean {
    return this.#gate.hasRoom;
  }

  /** Nobody is held back. */
  get isWide(): boolean {
    return this.#gate.isOpen;
  }

  enter(): void {
    this.#gate.enter();
  }

  /** Whoever was granted the route at `grantedAt` is answered, or over. Once. */
  leave(grantedAt: number): void {
    if (this.#isOfNow(grantedAt)) this.#gate.leave();
  }

  /** When the latest of those was granted whose end told something of the route as it is now. */
  get heardAt(): number {
    return this.#heardAt;
  }

  state(now: number): CircuitState {
    if (this.#state.kind === 'open' && now >= this.#state.until) {
      this.#state = { kind: 'half-open' };
    }
    return this.#state;
  }

  /** First instant at which a request may pass, its gate aside. */
  availableAt(now: number): number {
    const state = this.state(now);
    return state.kind === 'open' ? state.until : now;
  }

  /** Output has come for whoever was granted the route at `grantedAt`: more may follow. Once. */
  proved(grantedAt: number): void {
    if (this.#state.kind === 'closed' || !this.#isOfNow(grantedAt)) return;
    this.#gate.widen();
    this.#state = this.isWide ? { kind: 'closed' } : { kind: 'slow-start' };
    if (this.isWide) this.#openings = 0;
  }

  /** An answer is complete. */
  succeeded(grantedAt: number): void {
    if (!this.#isOfNow(grantedAt)) return;
    this.#remember(true);
    this.#heardAt = grantedAt;
    this.#failuresInRow = 0;
  }

  /** Returns whether it opened. */
  failed(now: number, grantedAt: number): boolean {
    if (!this.#isOfNow(grantedAt)) return false;
    this.#remember(false);
    this.#heardAt = grantedAt;
    this.#failuresInRow += 1;
    if (this.#state.kind === 'closed' && !this.#isFailing()) return false;
    const restMs = Math.min(FIRST_REST_MS * 2 ** this.#openings, MAX_REST_MS);
    this.#openings += 1;
    this.#open(now, now + restMs * (1 + JITTER * this.#random()));
    return true;
  }

  /**
   * It is known from elsewhere that nothing will come before `until`: then one goes first, as after failures. Nobody may have
   * looked before that was over; who is granted the route at once then is not of the past.
   */
  rest(now: number, until: number): void {
    if (this.#state.kind !== 'open' || this.#state.until < until) this.#open(Math.min(now, until - 1), until);
  }

  /** Something has answered: one request may try at once. */
  tryNow(): void {
    if (this.#state.kind === 'open') this.#state = { kind: 'half-open' };
  }

  /** Nothing answers as yet: no request tries before `until`, as long as one has tried lately. */
  extend(until: number): void {
    if (this.#state.kind !== 'open') return;
    const latest = Math.min(until, this.#openedAt + LONGEST_EXTENDED_MS);
    this.#state = { kind: 'open', until: Math.max(this.#state.until, latest) };
  }

  #open(now: number, until: number): void {
    this.#state = { kind: 'open', until };
    this.#openedAt = now;
    this.#gate.restart();
  }

  #isOfNow(grantedAt: number): boolean {
    return grantedAt > this.#openedAt;
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
/** What is asked in place of requests may fail where they would not: so often one of them finds out. */
const LONGEST_EXTENDED_MS = 300_000;
/** Routes that failed together must not come back together. */
const JITTER = 0.2;
