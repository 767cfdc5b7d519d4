import type { Usage } from '../providers/provider.ts';
import type { AnswerTranslator, JsonObject } from '../providers/wire.ts';
import { PacedSink } from '../streaming/paced-sink.ts';
import type { FailureKind } from '../upstream/transport.ts';
import { type AnswerParts, type AnswerReader, parseBody } from './answer-reader.ts';
import { failureOf, transportFailure } from './attempt-end.ts';

/** What is longer is passed on as it comes: better a rare broken answer than memory without bounds. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

interface JsonParts extends AnswerParts {
  /** Null: it comes in the client's format, and passes as it is. */
  readonly translator: AnswerTranslator | null;
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
  #relay: PacedSink | null = null;

  constructor(parts: JsonParts) {
    this.#parts = parts;
  }

  push(chunk: Buffer): void {
    if (this.#bytes === 0) this.#parts.call.firstEventSeen();
    this.#bytes += chunk.length;
    if (this.#relay) {
      this.#relay.write(chunk);
      return;
    }
    this.#held.push(chunk);
    if (this.#bytes > MAX_HELD_BYTES) this.#tooLong();
  }

  end(): void {
    const { finish, answer } = this.#parts;
    if (this.#relay) {
      answer.end();
      finish({ kind: 'served' });
      return;
    }
    const bytes = Buffer.concat(this.#held);
    const json = parseBody(bytes);
    if (isJsonObject(json) && this.#parts.provider.readError(json) === null) this.#serve(bytes, json);
    else this.#refuse(json);
  }

  fail(transport: FailureKind): void {
    const kind = this.#relay ? 'broken' : 'failed';
    this.#parts.finish({ kind, failure: transportFailure(transport) });
  }

  close(): void {
    this.#held = [];
  }

  #serve(bytes: Buffer, json: JsonObject): void {
    const { provider, translator, answer, seen, begin, finish } = this.#parts;
    this.usage = provider.readUsage(json, null);
    seen?.(json);
    const whole = translator ? translator.whole(json) : json;
    begin();
    answer.end(whole === json ? bytes : Buffer.from(JSON.stringify(whole)));
    finish({ kind: 'served' });
  }

  #refuse(json: unknown): void {
    const { provider, status, headers, finish } = this.#parts;
    if (!isJsonObject(json)) {
      finish({ kind: 'failed', failure: failureOf('the upstream answered with what is no JSON object') });
      return;
    }
    const answer = { status, headers, json };
    const outcome = provider.classify(answer);
    finish({ kind: 'failed', failure: failureOf('the upstream put an error into a success', { answer, outcome }) });
  }

  #tooLong(): void {
    const { translator, finish } = this.#parts;
    // What is only put right here and there may as well pass as it is.
    const isForeign = translator !== null && translator.keeps === undefined;
    if (isForeign) finish({ kind: 'failed', failure: failureOf('the upstream answered more than can be translated') });
    else this.#passOn();
  }

  #passOn(): void {
    const { answer, call, begin } = this.#parts;
    this.#relay = new PacedSink(answer, call);
    begin();
    for (const piece of this.#held) this.#relay.write(piece);
    this.#held = [];
  }
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
