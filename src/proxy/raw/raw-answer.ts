import { PacedSink } from '../../streaming/paced-sink.ts';
import type { FailureKind } from '../../upstream/transport.ts';
import { type AnswerParts, type AnswerReader, parseBody } from '../answer-reader.ts';
import { transportFailure } from '../attempt-end.ts';

/** Answers that name what is kept are short. */
const MAX_SEEN_BYTES = 256 * 1024;

/**
 * A success that passes byte for byte, at the pace at which the client reads.
 *
 *     waiting ──first byte, or none at all──▶ relaying ──▶ served, or broken
 *        └──failure──▶ failed
 */
export class RawAnswer implements AnswerReader {
  readonly usage = null;
  readonly producedTokens = null;
  readonly #parts: AnswerParts;
  #relay: PacedSink | null = null;
  /** What may be JSON that tells an id; null: too long for that, or something else. */
  #copy: Buffer[] | null;
  #bytes = 0;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    const isJson = /^\s*application\/json\b/i.test(String(parts.headers['content-type'] ?? ''));
    this.#copy = parts.seen && isJson ? [] : null;
  }

  push(chunk: Buffer): void {
    this.#begun().write(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_SEEN_BYTES) this.#copy = null;
    this.#copy?.push(chunk);
  }

  end(): void {
    this.#begun();
    // Before its end goes out: the client may come back with the id at once.
    if (this.#copy) this.#parts.seen?.(parseBody(Buffer.concat(this.#copy)));
    this.#parts.answer.end();
    this.#parts.finish({ kind: 'served' });
  }

  fail(kind: FailureKind): void {
    this.#parts.finish({ kind: this.#relay ? 'broken' : 'failed', failure: transportFailure(kind) });
  }

  close(): void {
    // Nothing is held, and no timer runs.
  }

  #begun(): PacedSink {
    if (this.#relay) return this.#relay;
    const { answer, call, begin } = this.#parts;
    call.firstEventSeen();
    begin();
    this.#relay = new PacedSink(answer, call);
    return this.#relay;
  }
}
