import type { LimitStore, SavedBooks } from '../scheduler/limit-store.ts';

/** Books that end with the process: `state.file: none`. */
export class MemoryStore implements LimitStore {
  #books: SavedBooks | null = null;

  load(): Promise<SavedBooks | null> {
    return Promise.resolve(this.#books);
  }

  save(books: SavedBooks): Promise<void> {
    this.#books = books;
    return Promise.resolve();
  }
}
