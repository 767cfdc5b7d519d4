import type { Cancel, Clock } from '../clock.ts';
import type { LimitStore, SavedBooks, SavedBudget } from '../scheduler/limit-store.ts';
import type { Quota } from '../scheduler/quota.ts';
import { foundBooks, restoreBooks, saveBooks } from '../scheduler/saved-books.ts';

export interface KeptBooksOptions {
  readonly store: LimitStore;
  readonly clock: Clock;
  /** Called when the process before this one has crashed: its keys will seem slow for a while. */
  readonly onProblem: (problem: string) => void;
}

/** What clients have spent, for the same file. */
export interface KeptBudgets {
  save(isFinal: boolean): readonly SavedBudget[];
}

/**
 * Writes the books at the start, every few seconds and at the end, and gives each quota back what was written of it. The
 * first write takes the mark of an orderly end off them: from then on a crash is told from one.
 */
export class KeptBooks {
  readonly #options: KeptBooksOptions;
  readonly #quotas = new Set<Quota>();
  #saved: SavedBooks | null = null;
  #budgets: KeptBudgets | null = null;
  #timer: Cancel = () => {};
  #writtenAt = 0;
  #isClosed = false;
  #isWritingSoon = false;

  constructor(options: KeptBooksOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { store, onProblem } = this.#options;
    const saved = await store.load();
    if (saved?.isFinal === false && saved.quotas.length > 0) onProblem(AFTER_A_CRASH);
    this.#saved = saved && foundBooks(saved, LONGEST_UNWRITTEN_MS);
    await this.#write(false);
    this.#writeIn(WRITE_EVERY_MS);
  }

  /** From here on this quota is written; what was written of it before is taken over. */
  adopt(quota: Quota): void {
    this.#quotas.add(quota);
    if (this.#saved === null) return;
    restoreBooks([quota], this.#saved, this.#options.clock);
  }

  /** Nothing draws on it any more, and nothing is booked on it. */
  release(quota: Quota): void {
    this.#quotas.delete(quota);
  }

  /** What was written of budgets before. */
  get savedBudgets(): readonly SavedBudget[] {
    return this.#saved?.budgets ?? [];
  }

  /** From here on these are written in place of what was found. */
  adoptBudgets(budgets: KeptBudgets): void {
    this.#budgets = budgets;
  }

  /** Writes what cannot wait for the next turn, but no more often than a disk should be bothered. */
  writeSoon(): void {
    if (this.#isClosed || this.#isWritingSoon) return;
    this.#isWritingSoon = true;
    const sinceMs = this.#options.clock.now() - this.#writtenAt;
    this.#writeIn(Math.max(0, SOON_MS - sinceMs));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer();
    await this.#write(true);
  }

  #writeIn(delayMs: number): void {
    this.#timer();
    this.#timer = this.#options.clock.schedule(delayMs, () => {
      this.#isWritingSoon = false;
      void this.#write(false).then(() => {
        if (!(this.#isClosed || this.#isWritingSoon)) this.#writeIn(WRITE_EVERY_MS);
      });
    });
  }

  #write(isFinal: boolean): Promise<void> {
    const { store, clock } = this.#options;
    this.#writtenAt = clock.now();
    const books = saveBooks({ quotas: this.#quotas, before: this.#saved }, clock, isFinal);
    const budgets = this.#budgets?.save(isFinal) ?? this.savedBudgets;
    return store.save({ ...books, ...(budgets.length > 0 ? { budgets } : {}) });
  }
}

const AFTER_A_CRASH =
  'the process before this one did not end in good order: what it could have granted after its last write counts as used, so requests may wait at first';

const WRITE_EVERY_MS = 2_000;
/** From one write to the next, with what the disk takes for it. */
const LONGEST_UNWRITTEN_MS = WRITE_EVERY_MS + 500;
/** Between two writes that do not wait for their turn. */
const SOON_MS = 100;
