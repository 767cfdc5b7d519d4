import type { Cancel } from '../clock.ts';
import type { FailedAnswer } from '../providers/provider.ts';
import { type AnswerParts, type AnswerReader, parseBody } from './answer-reader.ts';
import { failureOf } from './attempt-end.ts';

/** Errors are short; what is longer is not one that a vendor wrote. */
const MAX_BYTES = 64 * 1024;
const MAX_MS = 5_000;

interface RefusedParts extends Pick<AnswerParts, 'clock' | 'provider' | 'status' | 'headers' | 'finish'> {
  /** Why a success is taken for a failure; null: its status says so. */
  readonly suspicion: string | null;
}

/** An answer that is not a success, or not the kind that was asked for: read as far as it can explain itself. */
export class RefusedAnswer implements AnswerReader {
  readonly usage = null;
  readonly producedTokens = null;
  readonly #parts: RefusedParts;
  readonly #pieces: Buffer[] = [];
  readonly #stopTimer: Cancel;
  #bytes = 0;

  constructor(parts: RefusedParts) {
    this.#parts = parts;
    this.#stopTimer = parts.clock.schedule(MAX_MS, () => this.end());
  }

  push(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_BYTES) this.end();
  }

  /** Whatever has come has to do: a part of a body is no JSON, and then the status alone speaks. */
  end(): void {
    const { provider, status, headers, suspicion, finish } = this.#parts;
    const answer: FailedAnswer = { status, headers, json: parseBody(Buffer.concat(this.#pieces)) };
    const reason = suspicion ?? `the upstream answered ${status}`;
    finish({ kind: 'failed', failure: failureOf(reason, { answer, outcome: provider.classify(answer) }) });
  }

  fail(): void {
    this.end();
  }

  close(): void {
    this.#stopTimer();
  }
}
