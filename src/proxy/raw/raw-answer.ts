import { PacedSink } from '../../streaming/paced-sink.ts';
import type { FailureKind } from '../../upstream/transport.ts';
import type { AnswerParts, AnswerReader } from '../answer-reader.ts';
import { transportFailure } from '../attempt-end.ts';

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

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  push(chunk: Buffer): void {
    this.#begun().write(chunk);
  }

  end(): void {
    this.#begun();
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
