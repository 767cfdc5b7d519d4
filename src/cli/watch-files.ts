import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Cancel, Clock } from '../clock.ts';

export interface FileWatchOptions {
  readonly clock: Clock;
  /** Absolute. */
  readonly path: string;
  /** What else counts, as it is then: absolute paths. */
  readonly others: () => readonly string[];
  /** The contents are not what they were when this was called last, or when the watch began. */
  readonly onChange: () => void;
}

/**
 * Tells when a file, or one of those that belong to it, has another content.
 *
 *     event in its directory ──▶ 200 ms without another ──▶ compare contents ──▶ onChange
 *                                      every 5 s ──▶
 *
 * The directory is watched and not the file: a file that is replaced by a rename, or by a link to another directory as
 * Kubernetes does it, is heard of once and never again. The look every few seconds is for file systems that tell nothing, and
 * for what lies elsewhere.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watcher: FSWatcher | null;
  #contents: string;
  #cancelPoll: Cancel = () => {};
  #cancelLook: Cancel = () => {};
  /** The first event since it was looked at last. */
  #stirredAt: number | null = null;
  #isClosed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#contents = this.#read();
    this.#watcher = this.#watchDirectory();
    this.#poll();
  }

  /** What is there now is known: only what comes after it is a change. */
  seen(): void {
    this.#contents = this.#read();
  }

  close(): void {
    this.#isClosed = true;
    this.#watcher?.close();
    this.#cancelPoll();
    this.#cancelLook();
  }

  /** Null where nothing can be watched: then the look every few seconds is all there is. */
  #watchDirectory(): FSWatcher | null {
    try {
      const watcher = watch(dirname(this.#options.path), { persistent: false }, () => this.#lookSoon());
      // The directory itself may go, and handles may run out.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return null;
    }
  }

  #poll(): void {
    this.#cancelPoll = this.#options.clock.schedule(POLL_MS, () => {
      this.#look();
      if (!this.#isClosed) this.#poll();
    });
  }

  /** Editors and tools change a file in several steps. A directory that is never quiet must not put it off for ever. */
  #lookSoon(): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    this.#stirredAt ??= clock.now();
    if (clock.now() > this.#stirredAt + LONGEST_STIR_MS) return;
    this.#cancelLook();
    this.#cancelLook = clock.schedule(QUIET_MS, () => this.#look());
  }

  #look(): void {
    this.#stirredAt = null;
    const contents = this.#read();
    if (contents === this.#contents) return;
    this.#contents = contents;
    this.#options.onChange();
  }

  #read(): string {
    return contentsOf([this.#options.path, ...this.#options.others()]);
  }
}

/** Equal for equal contents of these files. One that cannot be read is one more content. */
export function contentsOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of new Set(paths)) hash.update(`${path}\n`).update(readOr(path)).update('\n');
  return hash.digest('hex');
}

function readOr(path: string): Buffer | string {
  try {
    return readFileSync(path);
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  }
}

const QUIET_MS = 200;
/** Sluice itself may write its state file beside the configuration, several times a second. */
const LONGEST_STIR_MS = 800;
const POLL_MS = 5_000;
