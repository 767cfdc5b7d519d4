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

  get usage(): Usage | null {
    return this.#usage ?? this.#parts.inner.usage;
  }

  get producedTokens(): number | null {
    return this.#parts.inner.producedTokens;
  }

  push(chunk: Buffer): void {
    const events = this.#decode(chunk);
    if (events) this.#pass(events.map((event) => this.#translate(event)).join(''));
    // An event without an end: no reader can make sense of that, and its reader says so.
    else this.#parts.inner.push(UNREADABLE);
  }

  end(): void {
    const { translator, inner } = this.#parts;
    const tail = this.#decoder.finish();
    const last = tail === null ? '' : this.#translate(tail);
    this.#pass(last + translator.end(this.#strays));
    inner.end();
  }

  fail(kind: FailureKind): void {
    this.#parts.inner.fail(kind);
  }

  close(): void {
    this.#parts.inner.close();
  }

  #pass(text: string): void {
    if (text !== '') this.#parts.inner.push(Buffer.from(text));
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
    if (json === undefined) return data.startsWith('[DONE]') ? '' : `data: ${data.replaceAll('\n', ' ')}\n\n`;
    const { readUsage, translator } = this.#parts;
    this.#usage = readUsage(json, this.#usage) ?? this.#usage;
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
const UNREADABLE = Buffer.from('data: not a stream of events\n\n');

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
