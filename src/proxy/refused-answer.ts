import type { Cancel, Clock } from '../clock.ts';
import type { FailedAnswer, Provider } from '../providers/provider.ts';
import type { UpstreamHeaders } from '../upstream/transport.ts';
import { type AnswerReader, type AttemptEnd, failureOf } from './attempt-end.ts';

/** Errors are short; what is longer is not one that a vendor wrote. */
const MAX_BYTES = 64 * 1024;
const MAX_MS = 5_000;

interface RefusedParts {
  readonly clock: Clock;
  readonly provider: Provider;
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** Why a success is taken for a failure; null: its status says so. */
  readonly suspicion: string | null;
  finish(end: AttemptEnd): void;
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
    const answer: FailedAnswer = { status, headers, json: parse(Buffer.concat(this.#pieces)) };
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

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}
