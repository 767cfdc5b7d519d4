import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';

export type ContentCoding = 'gzip' | 'deflate' | 'br' | 'zstd';

const CODINGS: ReadonlyMap<string, ContentCoding> = new Map([
  ['gzip', 'gzip'],
  // RFC 9110, 8.4.1.3: a recipient treats x-gzip as gzip.
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
]);

export interface DecoderEvents {
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: Error): void;
  /** After a `write` that said false: more may come. */
  onDrain(): void;
}

/**
 * The coding of a `content-encoding` header; null for none, for `identity`, and for what cannot be undone here: such a
 * body passes as it is and then fails as not being JSON or SSE, with its status intact.
 */
export function contentCodingOf(header: string | string[] | undefined): ContentCoding | null {
  if (typeof header !== 'string') return null;
  return CODINGS.get(header.trim().toLowerCase()) ?? null;
}

/**
 * Undoes the coding of an answer that came encoded although `identity` was asked for. A stream inside zlib stays one:
 * each piece is decoded as far as it goes, so events of a compressed stream are not held back.
 *
 * States: untouched (no byte yet) -> decoding -> ended | failed | destroyed.
 */
export class ContentDecoder {
  readonly #coding: ContentCoding;
  readonly #events: DecoderEvents;
  #stream: Transform | null = null;
  #isPaused = false;

  constructor(coding: ContentCoding, events: DecoderEvents) {
    this.#coding = coding;
    this.#events = events;
  }

  /** True while `write` has said false and `onDrain` has not come. */
  get isCongested(): boolean {
    return this.#stream?.writableNeedDrain ?? false;
  }

  write(chunk: Buffer): boolean {
    this.#stream ??= this.#open(chunk);
    return this.#stream.write(chunk);
  }

  /** The encoded body is complete. An answer without a body has nothing to decode, whatever its header says. */
  end(): void {
    if (this.#stream) this.#stream.end();
    else this.#events.onEnd();
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#stream?.resume();
  }

  destroy(): void {
    this.#stream?.removeAllListeners('data').destroy();
  }

  #open(first: Buffer): Transform {
    const stream = createDecoder(this.#coding, first);
    stream.on('data', (chunk: Buffer) => this.#events.onData(chunk));
    stream.on('end', () => this.#events.onEnd());
    stream.on('error', (error: Error) => this.#events.onError(error));
    stream.on('drain', () => this.#events.onDrain());
    if (this.#isPaused) stream.pause();
    return stream;
  }
}

function createDecoder(coding: ContentCoding, first: Buffer): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    case 'deflate':
      // RFC 9110, 8.4.1.2: deflate has a zlib wrapper (method 8 in the low nibble), but some servers leave it out.
      return ((first[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw();
  }
}
