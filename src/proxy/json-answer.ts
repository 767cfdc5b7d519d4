import type { Provider, Usage } from '../providers/provider.ts';
import { MAX_UNSENT_BYTES } from '../streaming/relay.ts';
import type { FailureKind, UpstreamCall, UpstreamHeaders } from '../upstream/transport.ts';
import { type AnswerReader, type AttemptEnd, failureOf, transportFailure } from './attempt-end.ts';
import type { ClientAnswer } from './client-answer.ts';

/** What is longer is passed on as it comes: better a rare broken answer than memory without bounds. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

interface JsonParts {
  readonly provider: Provider;
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly answer: ClientAnswer;
  readonly call: Pick<UpstreamCall, 'pause' | 'resume' | 'firstEventSeen'>;
  /** The answer goes out: the head must be out when this returns, and no other attempt will follow. */
  begin(): void;
  finish(end: AttemptEnd): void;
}

/**
 * An answer that is not streamed: read completely before its head goes out, so that a broken one can be tried elsewhere.
 *
 *     holding ──end of the body──▶ served, or failed
 *        └──over 8 MiB──▶ relaying ──▶ served, or broken
 */
export class JsonAnswer implements AnswerReader {
  readonly producedTokens = null;
  usage: Usage | null = null;
  readonly #parts: JsonParts;
  #held: Buffer[] = [];
  #bytes = 0;
  #isRelaying = false;
  #isPaused = false;

  constructor(parts: JsonParts) {
    this.#parts = parts;
  }

  push(chunk: Buffer): void {
    if (this.#bytes === 0) this.#parts.call.firstEventSeen();
    this.#bytes += chunk.length;
    if (this.#isRelaying) {
      this.#write(chunk);
      return;
    }
    this.#held.push(chunk);
    if (this.#bytes > MAX_HELD_BYTES) this.#relay();
  }

  end(): void {
    const { finish, answer } = this.#parts;
    if (this.#isRelaying) {
      answer.end();
      finish({ kind: 'served' });
      return;
    }
    const bytes = Buffer.concat(this.#held);
    const json = parse(bytes);
    if (isObject(json) && this.#parts.provider.readError(json) === null) this.#serve(bytes, json);
    else this.#refuse(json);
  }

  fail(transport: FailureKind): void {
    const kind = this.#isRelaying ? 'broken' : 'failed';
    this.#parts.finish({ kind, failure: transportFailure(transport) });
  }

  close(): void {
    this.#held = [];
  }

  #serve(bytes: Buffer, json: object): void {
    const { provider, answer, begin, finish } = this.#parts;
    this.usage = provider.readUsage(json);
    begin();
    answer.end(bytes);
    finish({ kind: 'served' });
  }

  #refuse(json: unknown): void {
    const { provider, status, headers, finish } = this.#parts;
    if (!isObject(json)) {
      finish({ kind: 'failed', failure: failureOf('the upstream answered with what is no JSON object') });
      return;
    }
    const answer = { status, headers, json };
    const outcome = provider.classify(answer);
    finish({ kind: 'failed', failure: failureOf('the upstream put an error into a success', { answer, outcome }) });
  }

  #relay(): void {
    const { answer, begin } = this.#parts;
    this.#isRelaying = true;
    begin();
    answer.onDrain(() => this.#drained());
    for (const piece of this.#held) this.#write(piece);
    this.#held = [];
  }

  #write(piece: Buffer): void {
    const { answer, call } = this.#parts;
    if (answer.write(piece) || this.#isPaused || answer.unsentBytes <= MAX_UNSENT_BYTES) return;
    this.#isPaused = true;
    call.pause();
  }

  #drained(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#parts.call.resume();
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
