import { Worker } from 'node:worker_threads';
import type { Cancel, Clock } from '../clock.ts';
import type { TextCounts } from '../tokens/text-counter.ts';
import type { TextJob, TextWorker } from '../tokens/token-counter.ts';

/** To the thread. */
export interface ThreadJob extends TextJob {
  readonly id: number;
}

/** From the thread. */
export interface ThreadAnswer extends TextCounts {
  readonly id: number;
}

export interface TokenWorkerOptions {
  readonly clock: Clock;
  /** The thread's entry file; the built-in one unless a test brings another. */
  readonly entry?: URL;
  /** From handing a job to the thread until its answer, a first start and the loading of a vocabulary included. */
  readonly timeoutMs?: number;
}

interface Waiting {
  readonly job: ThreadJob;
  readonly resolve: (counts: TextCounts | null) => void;
}

interface Running extends Waiting {
  readonly stopTimer: Cancel;
}

const TIMEOUT_MS = 5000;
/** More than this is not queued: its estimate by sample is better at once than an exact count much later. */
const MAX_QUEUED_CHARS = 32 * 2 ** 20;
/** A thread that dies is not started again at once, or a broken installation would start threads all day. */
const RESTART_PAUSE_MS = 1000;

/** Beside this file, in its own language: `.ts` from the sources, `.js` from the build. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './tokenize-worker.ts' : './tokenize-worker.js',
  import.meta.url,
);

/**
 * One thread that counts texts, one job at a time.
 *
 *     none --job--> started --answer--> started (next job)
 *                   started --crash, timeout--> none, resting --RESTART_PAUSE_MS--> none
 *     any  --close--> closed
 *
 * Whatever happens to the thread, a job ends in an answer or null. It keeps no process alive.
 */
export class TokenWorker implements TextWorker {
  readonly #clock: Clock;
  readonly #entry: URL;
  readonly #timeoutMs: number;
  readonly #queue: Waiting[] = [];
  #queuedChars = 0;
  #thread: Worker | null = null;
  #running: Running | null = null;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #lastId = 0;

  constructor({ clock, entry = ENTRY, timeoutMs = TIMEOUT_MS }: TokenWorkerOptions) {
    this.#clock = clock;
    this.#entry = entry;
    this.#timeoutMs = timeoutMs;
  }

  count({ encoding, texts }: TextJob): Promise<TextCounts | null> {
    const chars = charsOf(texts);
    const isResting = this.#clock.now() < this.#restsUntil;
    if (this.#isClosed || isResting || this.#queuedChars + chars > MAX_QUEUED_CHARS) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#queuedChars += chars;
      this.#queue.push({ job: { id: ++this.#lastId, encoding, texts }, resolve });
      this.#next();
    });
  }

  /** Ends the thread; jobs that wait or run get null. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#abandon(this.#thread);
  }

  #next(): void {
    if (this.#running !== null) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return;
    const thread = this.#thread ?? this.#start();
    const stopTimer = this.#clock.schedule(this.#timeoutMs, () => this.#giveUp(thread));
    this.#running = { ...waiting, stopTimer };
    thread.postMessage(waiting.job);
  }

  #start(): Worker {
    const thread = new Worker(this.#entry, { execArgv: [] });
    thread.unref();
    thread.on('message', (answer: ThreadAnswer) => this.#answered(answer));
    thread.on('error', () => this.#giveUp(thread));
    thread.on('exit', () => this.#giveUp(thread));
    this.#thread = thread;
    return thread;
  }

  #answered({ id, tokens, isExact }: ThreadAnswer): void {
    if (this.#running?.job.id !== id) return;
    this.#finish(this.#running, { tokens, isExact });
    this.#next();
  }

  /** An error is followed by an exit, and an ended thread reports once more: only the first word of the thread in use counts. */
  #giveUp(thread: Worker): void {
    if (thread !== this.#thread) return;
    this.#restsUntil = this.#clock.now() + RESTART_PAUSE_MS;
    void this.#abandon(thread);
  }

  async #abandon(thread: Worker | null): Promise<void> {
    this.#thread = null;
    if (this.#running !== null) this.#finish(this.#running, null);
    for (const { resolve } of this.#queue.splice(0)) resolve(null);
    this.#queuedChars = 0;
    await thread?.terminate();
  }

  #finish({ job, resolve, stopTimer }: Running, counts: TextCounts | null): void {
    this.#running = null;
    this.#queuedChars -= charsOf(job.texts);
    stopTimer();
    resolve(counts);
  }
}

function charsOf(texts: readonly string[]): number {
  return texts.reduce((chars, text) => chars + text.length, 0);
}
