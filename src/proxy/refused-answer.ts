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
  /** Not every server has this endpoint. */
  readonly isRareEndpoint?: boolean;
}

/** How servers say that they have nothing at a path. */
const NOT_THERE = new Set([404, 405, 501]);

/** In our words: what a server says of a path is of no use to a client, who has not chosen it. */
const NO_SUCH_ENDPOINT = {
  error: {
    message: 'The upstream behind this model does not have this endpoint. Choose another model, or ask for a chat.',
    type: 'invalid_request_error',
    param: 'model',
    code: 'unsupported_value',
  },
};

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
    const { provider, status, headers, suspicion, isRareEndpoint, finish } = this.#parts;
    const answer: FailedAnswer = { status, headers, json: parseBody(Buffer.concat(this.#pieces)) };
    const reason = suspicion ?? `the upstream answered ${status}`;
    const outcome = provider.classify(answer);
    const isMissing = isRareEndpoint && outcome.kind === 'failed' && NOT_THERE.has(status);
    // That speaks against nothing but this request: its route is as good for chats as before.
    const known = isMissing
      ? { answer: { ...answer, json: NO_SUCH_ENDPOINT }, outcome: { kind: 'client' as const } }
      : { answer, outcome };
    finish({ kind: 'failed', failure: failureOf(reason, known) });
  }

  fail(): void {
    this.end();
  }

  close(): void {
    this.#stopTimer();
  }
}
