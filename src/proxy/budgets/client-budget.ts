import { toNanoUsd, toUsd } from '../../money.ts';
import type { SavedBudget } from '../../scheduler/limit-store.ts';

/** What a client may spend, as configured. */
export interface BudgetTerms {
  readonly usd: number;
  /** When it begins anew; `total`: never. */
  readonly per: 'day' | 'week' | 'month' | 'total';
}

/** A stretch of the calendar, in milliseconds since the epoch. */
export interface BudgetPeriod {
  readonly startMs: number;
  /** Infinity: it never ends. */
  readonly endMs: number;
  /** Its end for people and programs, such as `2026-12-01T00:00:00.000Z`; null: it never ends. */
  readonly resetsAt: string | null;
}

/** The calendar: the period that holds an instant. */
type PeriodAt = (per: BudgetTerms['per'], wallMs: number) => BudgetPeriod;

export interface BudgetView {
  readonly per: BudgetTerms['per'];
  readonly limitUsd: number;
  readonly spentUsd: number;
  /** Held for requests that have not ended. */
  readonly reservedUsd: number;
  readonly resetsAt: string | null;
}

export interface ClientBudgetOptions {
  readonly terms: BudgetTerms;
  readonly periodAt: PeriodAt;
  readonly wallNow: () => number;
  /** What was written before, if it was. */
  readonly saved: SavedBudget | null;
  /** More is taken than the file allows for: it should be written soon. */
  readonly onUnwritten: () => void;
}

/**
 * What one client has spent and reserved in the period that is now, in nano-dollars. Whoever asks reserves first, in one
 * synchronous step, so that two requests never both pass on the last dollar.
 *
 * A request that straddles the end of a period counts in the new one, with its reservation and with what it comes to: that is
 * when the vendor charges it, and the old books are closed. A clock that is set back gives nothing back.
 */
export class ClientBudget {
  readonly #options: ClientBudgetOptions;
  #terms: BudgetTerms;
  #period: BudgetPeriod;
  #spent = 0;
  #reserved = 0;
  readonly #written = { total: 0, ahead: 0 };

  constructor(options: ClientBudgetOptions) {
    const { terms, periodAt, wallNow, saved } = options;
    this.#options = options;
    this.#terms = terms;
    this.#period = periodAt(terms.per, wallNow());
    // Of an older period, or of a longer one of other terms, nobody knows what would fall into this.
    if (saved && saved.periodStartMs >= this.#period.startMs) this.#spent = toNanoUsd(saved.spentUsd + saved.aheadUsd);
  }

  /** New terms; what has been spent stays, if it is sure to have been spent in what is now the period. */
  set terms(terms: BudgetTerms) {
    this.#terms = terms;
    const period = this.#options.periodAt(terms.per, this.#options.wallNow());
    if (period.startMs > this.#period.startMs) this.#beginAnew();
    this.#period = period;
  }

  /** What is free always fits. */
  hasRoomFor(nanoUsd: number): boolean {
    this.#turn();
    return nanoUsd === 0 || this.#spent + this.#reserved + nanoUsd <= toNanoUsd(this.#terms.usd);
  }

  /** Whether it is what is spent for good, and not what others have reserved, that leaves no room. */
  isSpentFor(nanoUsd: number): boolean {
    return this.#spent + nanoUsd > toNanoUsd(this.#terms.usd);
  }

  /** Reserves or spends more, or with negative amounts less, in one step. */
  book({ reserved = 0, spent = 0 }: { readonly reserved?: number; readonly spent?: number }): void {
    this.#turn();
    this.#reserved += reserved;
    this.#spent += spent;
    if (this.#isUnwritten) this.#options.onUnwritten();
  }

  view(): BudgetView {
    this.#turn();
    return {
      per: this.#terms.per,
      limitUsd: this.#terms.usd,
      spentUsd: toUsd(this.#spent),
      reservedUsd: toUsd(this.#reserved),
      resetsAt: this.#period.resetsAt,
    };
  }

  /**
   * For the state file. What is reserved counts as spent there, for a process that is killed settles nothing; and so that what
   * is taken until the next write is not forgotten then either, the file allows for as much again as came since the last.
   * Whoever takes more asks for a write at once, which then allows for twice as much.
   * @param isFinal nothing will be taken any more
   */
  save(isFinal: boolean): Omit<SavedBudget, 'client'> {
    this.#turn();
    const total = this.#spent + this.#reserved;
    const grown = Math.max(0, total - this.#written.total);
    const least = this.#isUnwritten ? 2 * this.#written.ahead : 0;
    const left = Math.max(0, toNanoUsd(this.#terms.usd) - total);
    this.#written.ahead = isFinal ? 0 : Math.min(left, Math.max(grown, least));
    this.#written.total = total;
    return {
      periodStartMs: this.#period.startMs,
      spentUsd: toUsd(total),
      aheadUsd: toUsd(this.#written.ahead),
    };
  }

  get #isUnwritten(): boolean {
    return this.#spent + this.#reserved > this.#written.total + this.#written.ahead;
  }

  #turn(): void {
    const now = this.#options.wallNow();
    const { startMs, endMs } = this.#period;
    // A clock that is put right by a little comes to the same instant twice, and must not find a new period there again.
    if (now >= startMs - PUT_RIGHT_MS && now < endMs) return;
    if (now >= endMs) this.#beginAnew();
    this.#period = this.#options.periodAt(this.#terms.per, now);
  }

  #beginAnew(): void {
    this.#spent = 0;
    this.#written.total = 0;
    this.#written.ahead = 0;
  }
}

/** A clock that is set back by more had been wrong before: then the period is the one of the calendar again. */
const PUT_RIGHT_MS = 86_400_000;
