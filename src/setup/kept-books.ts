import type { Cancel, Clock } from '../clock.ts';
import type { LimitStore, SavedBooks } from '../scheduler/limit-store.ts';
import type { Quota } from '../scheduler/quota.ts';
import { foundBooks, restoreBooks, saveBooks } from '../scheduler/saved-books.ts';

export interface KeptBooksOptions {
  readonly store: LimitStore;
  readonly clock: Clock;
}

/**
 * Writes the books at the start, every few seconds and at the end, and gives each quota back what was written of it. The
 * first write takes the mark of an orderly end off them: from then on a crash is told from one.
 */
export class KeptBooks {
  readonly #options: KeptBooksOptions;
  readonly #quotas = new Set<Quota>();
  #saved: SavedBooks | null = null;
  #timer: Cancel = () => {};
  #isClosed = false;

  constructor(options: KeptBooksOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const saved = await this.#options.store.load();
    this.#saved = saved && foundBooks(saved, LONGEST_UNWRITTEN_MS);
    await this.#write(false);
    this.#writeLater();
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

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer();
    await this.#write(true);
  }

  #writeLater(): void {
    this.#timer = this.#options.clock.schedule(WRITE_EVERY_MS, () => {
      void this.#write(false).then(() => {
        if (!this.#isClosed) this.#writeLater();
      });
    });
  }

  #write(isFinal: boolean): Promise<void> {
    const { store, clock } = this.#options;
    return store.save(saveBooks({ quotas: this.#quotas, before: this.#saved }, clock, isFinal));
  }
}

const WRITE_EVERY_MS = 2_000;
/** From one write to the next, with what the disk takes for it. */
const LONGEST_UNWRITTEN_MS = WRITE_EVERY_MS + 500;
