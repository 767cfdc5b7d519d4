import type { Usage } from '../providers/provider.ts';
import type { AnswerTranslator } from '../providers/wire.ts';
import { SseDecoder, type SseEvent } from '../streaming/sse-decoder.ts';
import type { FailureKind } from '../upstream/transport.ts';
import type { AnswerReader } from './answer-reader.ts';

export interface TranslatedParts {
  /** Understands the operation's own format. */
  readonly inner: AnswerReader;
  readonly translator: AnswerTranslator;
  /** Of the vendor's own events: `Provider.readUsage`. */
  readUsage(json: unknown, known: Usage | null): Usage | null;
}

/**
 * A stream that a vendor sends in a format of its own: each of its events goes on to the reader as the events that it
 * stands for. Bytes that come together go on together.
 */
export class TranslatedAnswer implements AnswerReader {
  readonly #parts: TranslatedParts;
  readonly #decoder = new SseDecoder();
  #usage: Usage | null = null;
  #strays = '';

  constructor(parts: TranslatedParts) {
    this.#parts = parts;
  }

  /** What the vendor has said. A format may want figures where there are none, and then those that are told are no news. */
  get usage(): Usage | null {
    return this.#usage;
  }

  get producedTokens(): number | null {
    return this.#parts.inner.producedTokens;
  }

  push(chunk: Buffer): void {
    const events = this.#decode(chunk);
    if (events) this.#pass(events.map((event) => this.#piece(event)));
    // An event without an end: no reader can make sense of that, and its reader says so.
    else this.#parts.inner.push(Buffer.from(UNREADABLE));
  }

  end(): void {
    const { translator, inner } = this.#parts;
    const tail = this.#decoder.finish();
    // What broke off within an event is none: the reader finds the end missing, and the client no syntax error.
    const last = tail === null || isCut(tail) ? NO_BYTES : this.#piece(tail);
    this.#pass([last, Buffer.from(translator.end(this.#strays))]);
    inner.end();
  }

  fail(kind: FailureKind): void {
    this.#parts.inner.fail(kind);
  }

  close(): void {
    this.#parts.inner.close();
  }

  #pass(pieces: readonly Buffer[]): void {
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    if (bytes.length > 0) this.#parts.inner.push(bytes);
  }

  #piece(event: SseEvent): Buffer {
    const { raw } = event;
    if (!this.#parts.translator.keeps?.(raw)) return Buffer.from(this.#translate(event));
    if (raw.includes(USAGE) && !raw.includes(NO_USAGE)) this.#readUsage(parse(event.data ?? ''));
    return raw;
  }

  #readUsage(json: unknown): void {
    this.#usage = this.#parts.readUsage(json, this.#usage) ?? this.#usage;
  }

  #decode(chunk: Buffer): readonly SseEvent[] | null {
    try {
      return this.#decoder.push(chunk);
    } catch {
      return null;
    }
  }

  #translate(event: SseEvent): string {
    const { data } = event;
    if (data === null || data === '') return this.#stray(event);
    const json = parse(data);
    const { translator } = this.#parts;
    if (json === undefined && data.startsWith('[DONE]')) return translator.done?.() ?? '';
    if (json === undefined) return UNREADABLE;
    this.#readUsage(json);
    return translator.event({ name: event.event, json });
  }

  /** Lines that are no event's: comments are dropped, what looks like JSON is kept for the end. */
  #stray({ raw }: SseEvent): string {
    const text = raw.toString();
    if (/^\s*[[{]/.test(text) && this.#strays.length + text.length <= MAX_STRAYS) this.#strays += text;
    return '';
  }
}

/** Characters; an error is shorter. */
const MAX_STRAYS = 65_536;
const NO_BYTES = Buffer.alloc(0);
const USAGE = Buffer.from('"usage"');
const NO_USAGE = Buffer.from('"usage":null');
/** Begins as no event does that readers pass on without looking into it. */
const UNREADABLE = 'data: not a stream of events\n\n';

function isCut({ data }: SseEvent): boolean {
  return data !== null && data !== '' && !data.startsWith('[DONE]') && parse(data) === undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
