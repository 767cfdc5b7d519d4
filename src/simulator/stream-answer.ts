import type { ServerResponse } from 'node:http';
import type { Cancel, Clock } from '../clock.ts';
import type { Usage } from './api/answer.ts';
import type { RoundWriter } from './api/round-writer.ts';

/** Bytes that are joined into one write, so that an instant answer does not cost a system call a token. */
const BATCH_CHARS = 16_384;

/** A faster pace comes in small groups instead of with a timer a token. */
const MIN_TICK_MS = 4;

export interface StreamPlan {
  readonly chunks: RoundWriter;
  /** Tokens of the longest choice. */
  readonly rounds: number;
  /** Rounds after which something else happens than going on; Infinity: never. */
  readonly breakAfter: number;
  /** 0: as fast as it is read. */
  readonly tokensPerSecond: number;
  /** So many rounds are out, and more will come. */
  onProgress(rounds: number): void;
  /** All rounds are out: settles the request and tells its usage. */
  finish(): Usage;
  onBreak(): void;
}

/**
 * Streams one answer: head sent -> rounds of tokens at the pace, as far as the client reads -> closed, broken by a fault,
 * or stopped because the client left.
 */
export class AnswerStream {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #plan: StreamPlan;
  readonly #startedAt: number;
  #round = 0;
  #isOver = false;
  #cancel: Cancel | null = null;

  constructor(response: ServerResponse, clock: Clock, plan: StreamPlan) {
    this.#response = response;
    this.#clock = clock;
    this.#plan = plan;
    this.#startedAt = clock.now();
  }

  /** Rounds that were generated so far. */
  get round(): number {
    return this.#round;
  }

  start(): void {
    this.#pump(this.#plan.chunks.opening());
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
  }

  /** Writes what is due. Generation stands still while the client does not read. */
  #pump(first: string): void {
    const { rounds, breakAfter, chunks } = this.#plan;
    const due = Math.min(rounds, breakAfter, this.#roundsDue());
    let batch = first;
    while (this.#round < due) {
      batch += chunks.round(this.#round);
      this.#round += 1;
      if (batch.length < BATCH_CHARS) continue;
      if (!this.#response.write(batch)) {
        this.#response.once('drain', () => this.#wake());
        return;
      }
      batch = '';
    }
    if (this.#round >= breakAfter) this.#break(batch);
    else if (this.#round >= rounds) this.#end(batch);
    else this.#waitForNext(batch);
  }

  #waitForNext(batch: string): void {
    this.#plan.onProgress(this.#round);
    if (batch !== '' && !this.#response.write(batch)) {
      this.#response.once('drain', () => this.#wake());
      return;
    }
    const nextInMs = this.#startedAt + (this.#round * 1000) / this.#plan.tokensPerSecond - this.#clock.now();
    this.#cancel = this.#clock.schedule(Math.max(MIN_TICK_MS, nextInMs), () => this.#wake());
  }

  #wake(): void {
    if (!this.#isOver) this.#pump('');
  }

  #roundsDue(): number {
    const { tokensPerSecond } = this.#plan;
    if (tokensPerSecond === 0) return Number.POSITIVE_INFINITY;
    const elapsedMs = this.#clock.now() - this.#startedAt;
    // Rounding must not make a timer that fired on time wait for another one.
    return Math.floor((elapsedMs * tokensPerSecond) / 1000 + 1e-6) + 1;
  }

  #break(batch: string): void {
    this.#isOver = true;
    if (batch !== '') this.#response.write(batch);
    this.#plan.onBreak();
  }

  #end(batch: string): void {
    this.#isOver = true;
    this.#response.end(batch + this.#plan.chunks.closing(this.#plan.finish()));
  }
}
