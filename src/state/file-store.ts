import { readFile, rename, writeFile } from 'node:fs/promises';
import type { LimitStore, SavedBooks } from '../scheduler/limit-store.ts';
import { isSavedBooks } from './is-saved-books.ts';

/** A file that was written by another version, or by nobody we know. */
const FORMAT = 1;

export interface FileStoreOptions {
  readonly path: string;
  /** Called when the file can't be read, and when it can't be written any more; the program goes on without. */
  readonly onProblem: (problem: string) => void;
}

/**
 * Books in one JSON file. A write goes to a file beside it, which then takes its name, so that a crash leaves the old
 * books or the new ones and never half of either. Writes follow each other; while one runs, only the newest waits.
 */
export class FileStore implements LimitStore {
  readonly #options: FileStoreOptions;
  #writing: Promise<void> = Promise.resolve();
  #next: SavedBooks | null = null;
  /** Books are written every few seconds: a full disk is news once. */
  #isFailing = false;

  constructor(options: FileStoreOptions) {
    this.#options = options;
  }

  async load(): Promise<SavedBooks | null> {
    const { path, onProblem } = this.#options;
    try {
      const saved: { format?: unknown; books?: unknown } | null = JSON.parse(await readFile(path, 'utf8'));
      if (saved?.format === FORMAT && isSavedBooks(saved.books)) return saved.books;
      onProblem(`${path} is no state file of this version: starting without`);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') onProblem(`${path} can't be read (${codeOf(error)}): starting without`);
    }
    return null;
  }

  save(books: SavedBooks): Promise<void> {
    const isWaiting = this.#next !== null;
    this.#next = books;
    if (!isWaiting) this.#writing = this.#writing.then(() => this.#writeNext());
    return this.#writing;
  }

  async #writeNext(): Promise<void> {
    const { path, onProblem } = this.#options;
    const books = this.#next;
    this.#next = null;
    try {
      await writeFile(`${path}.new`, JSON.stringify({ format: FORMAT, books }), { mode: 0o600 });
      await rename(`${path}.new`, path);
      this.#isFailing = false;
    } catch (error) {
      if (this.#isFailing) return;
      this.#isFailing = true;
      onProblem(`${path} can't be written (${codeOf(error)}): books will not outlive this process`);
    }
  }
}

/** A failed call of the system has a code; a failed parse has none. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'not JSON';
}
