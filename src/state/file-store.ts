import { open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { LimitStore, SavedBooks } from '../scheduler/limit-store.ts';
import { isSavedBooks } from './is-saved-books.ts';

/** A file that was written by another version, or by nobody we know. */
const FORMAT = 1;

/** No write takes so long: what is older is what a crash has left. */
const LEFT_OVER_MS = 60_000;

export interface FileStoreOptions {
  readonly path: string;
  readonly clock: Pick<Clock, 'wallNow'>;
  /** Tells this process from others that may write beside the same file: letters and digits. */
  readonly instance: string;
  /** Called when the file can't be read, and when it can't be written any more; the program goes on without. */
  readonly onProblem: (problem: string) => void;
}

/**
 * Books in one JSON file. A write goes to a file beside it, down to the disk, which then takes its name, so that a crash,
 * even of the machine, leaves the old books or the new ones and never half of either. Writes follow each other; while one
 * runs, only the newest waits.
 */
export class FileStore implements LimitStore {
  readonly #options: FileStoreOptions;
  readonly #temporary: string;
  #writing: Promise<void> = Promise.resolve();
  #next: SavedBooks | null = null;
  /** Books are written every few seconds: a full disk is news once, and so is somebody else who writes here. */
  #isFailing = false;
  #isContested = false;
  /** Number of the file that stands there as far as we know; null: none. */
  #inode: number | null = null;

  constructor(options: FileStoreOptions) {
    this.#options = options;
    this.#temporary = `${options.path}.${options.instance}.new`;
  }

  async load(): Promise<SavedBooks | null> {
    const { path, onProblem } = this.#options;
    await this.#clearAway();
    try {
      const saved: { format?: unknown; books?: unknown } | null = JSON.parse(await readFile(path, 'utf8'));
      const { ino, mtimeMs } = await stat(path);
      this.#inode = ino;
      if (saved?.format === FORMAT && isSavedBooks(saved.books)) return { ...saved.books, aliveAtWallMs: mtimeMs };
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
      await this.#lookForOthers();
      this.#inode = await writeDown(this.#temporary, JSON.stringify({ format: FORMAT, books }));
      await rename(this.#temporary, path);
      await syncFolder(dirname(path));
      this.#isFailing = false;
    } catch (error) {
      await this.#showLife();
      if (this.#isFailing) return;
      this.#isFailing = true;
      onProblem(`${path} can't be written (${codeOf(error)}): books will not outlive this process`);
    }
  }

  /** Two who write by turns never tear the file, but each reckons with the whole of every limit. */
  async #lookForOthers(): Promise<void> {
    const { path, onProblem } = this.#options;
    if (this.#isContested || this.#inode === null) return;
    const found = await stat(path).catch(() => null);
    if (found === null || found.ino === this.#inode) return;
    this.#isContested = true;
    onProblem(
      `${path} is written by another process as well: both reckon with the whole of every limit. ` +
        'Give each a state.file and keys of its own',
    );
  }

  /** A full disk keeps the old books; that time went on since must show in them all the same. It takes no room. */
  async #showLife(): Promise<void> {
    const now = new Date(this.#options.clock.wallNow());
    await rm(this.#temporary, { force: true }).catch(() => {});
    const { path } = this.#options;
    await utimes(path, now, now).catch(() => {});
    this.#inode = await stat(path).then(
      ({ ino }) => ino,
      () => null,
    );
  }

  /** Removes what writes have left that never came to their end. */
  async #clearAway(): Promise<void> {
    const { path, clock } = this.#options;
    const folder = dirname(path);
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      if (!name.startsWith(`${basename(path)}.`) || !name.endsWith('.new')) continue;
      const left = join(folder, name);
      const { mtimeMs } = await stat(left).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      if (clock.wallNow() - mtimeMs > LEFT_OVER_MS) await rm(left, { force: true }).catch(() => {});
    }
  }
}

/** Writes a file that only its owner can read, and returns its number when it is on the disk. */
async function writeDown(path: string, text: string): Promise<number> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    return (await file.stat()).ino;
  } finally {
    await file.close();
  }
}

/** Makes a new name last. Some systems can't open a folder; there it lasts by itself, or nothing can be done. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** A failed call of the system has a code; a failed parse has none. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'not JSON';
}
