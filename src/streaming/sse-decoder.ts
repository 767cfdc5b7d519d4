const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DATA_FIELD = Buffer.from('data:');

const LINE_ENDS = /\r\n|\r|\n/;

export interface SseDecoderOptions {
  /** Longest event that is waited for. OpenAI's are some hundred bytes; a chunk with a picture has megabytes. */
  readonly maxEventBytes: number;
}

const DEFAULT_MAX_EVENT_BYTES = 8 * 1024 * 1024;

/** An event did not end within the limit: the stream is not SSE, or not one that can be held. */
export class SseEventTooLargeError extends Error {
  override readonly name = 'SseEventTooLargeError';

  constructor(maxEventBytes: number) {
    super(`An event of the stream is longer than ${maxEventBytes} bytes.`);
  }
}

/**
 * One whole event, with the blank line that ends it: the bytes `start` to `end` of `source`. Nothing is copied or decoded
 * before somebody asks, because most events are only passed on.
 */
export class SseEvent {
  readonly source: Buffer;
  readonly start: number;
  readonly end: number;

  constructor(source: Buffer, start: number, end: number) {
    this.source = source;
    this.start = start;
    this.end = end;
  }

  /** The bytes as they came; a view, not a copy. */
  get raw(): Buffer {
    return this.source.subarray(this.start, this.end);
  }

  /** The values of its `data` lines, joined by line feeds; null when it has none: a comment, a blank line, an id. */
  get data(): string | null {
    return this.#singleLine() ?? this.#fields().data;
  }

  /** The value of its last `event` line; null for the default, `message`. */
  get event(): string | null {
    return this.#fields().event;
  }

  /** The event every vendor sends: one `data` line and a blank one. Null for anything else, that having no data included. */
  #singleLine(): string | null {
    const { source, start, end } = this;
    const fieldEnd = start + DATA_FIELD.length;
    const lineEnd = source.indexOf(LF, start);
    if (lineEnd !== end - 2 || lineEnd < fieldEnd) return null;
    if (source.compare(DATA_FIELD, 0, DATA_FIELD.length, start, fieldEnd) !== 0) return null;
    const text = source.toString('utf8', source[fieldEnd] === SPACE ? fieldEnd + 1 : fieldEnd, lineEnd);
    return text.includes('\r') ? null : text;
  }

  /** By the rules of the HTML standard, 9.2.6, so far as they concern `data` and `event`. */
  #fields(): { data: string | null; event: string | null } {
    const text = this.source.toString('utf8', this.start, this.end);
    const lines: string[] = [];
    let event: string | null = null;
    // A byte order mark belongs to the first event only; a later one would be harmless to drop too.
    for (const line of text.replace(/^\ufeff/, '').split(LINE_ENDS)) {
      const [name, value] = splitField(line);
      if (name === 'data') lines.push(value);
      else if (name === 'event') event = value;
    }
    return { data: lines.length === 0 ? null : lines.join('\n'), event };
  }
}

function splitField(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  const valueStart = line[colon + 1] === ' ' ? colon + 2 : colon + 1;
  return [line.slice(0, colon), line.slice(valueStart)];
}

/**
 * Cuts a byte stream into whole events and loses no byte: all `raw` joined, and what `finish` returns, are the stream.
 * How the stream was split into chunks never shows. Lines end with LF, CRLF or CR.
 *
 * States: in a line -> at the start of a line -> event ended (a blank line) -> in a line. An event that ends with a lone
 * CR is complete at once where its lines end so; after other line ends it waits for the next byte, which may be the LF of
 * a CRLF.
 */
export class SseDecoder {
  readonly #maxEventBytes: number;
  /** The unfinished event, as it came; joined once, when it ends. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Nothing of the current line has come yet. */
  #isLineStart = true;
  /** The byte before was a CR: an LF now belongs to it. */
  #isAfterCr = false;
  /** A line of the current event ended with a CR alone. */
  #hasBareCr = false;
  /** The blank line has ended with a CR, and an LF may follow. */
  #isEnding = false;

  constructor({ maxEventBytes }: SseDecoderOptions = { maxEventBytes: DEFAULT_MAX_EVENT_BYTES }) {
    this.#maxEventBytes = maxEventBytes;
  }

  /** Bytes held back because their event has not ended. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * The events that `chunk` completes: views of it or, when the first began before it, of one joined copy.
   * Throws SseEventTooLargeError when the unfinished event outgrows the limit.
   */
  push(chunk: Buffer): SseEvent[] {
    const events: SseEvent[] = [];
    const hasCr = this.#isAfterCr || chunk.includes(CR);
    let source = chunk;
    let shift = 0;
    let start = 0;
    for (let end = this.#next(chunk, 0, hasCr); end >= 0; end = this.#next(chunk, end, hasCr)) {
      if (this.#heldBytes > 0) {
        shift = this.#heldBytes;
        start = -shift;
        source = this.#join(chunk);
      }
      events.push(new SseEvent(source, start + shift, end + shift));
      start = end;
    }
    if (start < chunk.length) this.#hold(start === 0 ? chunk : chunk.subarray(start));
    return events;
  }

  /** The stream has ended: what is left of it, an event without its blank line or a piece of one; null when nothing is. */
  finish(): SseEvent | null {
    if (this.#heldBytes === 0) return null;
    const tail = this.#join(Buffer.alloc(0));
    return new SseEvent(tail, 0, tail.length);
  }

  /** Where the event that is under way at `from` ends in `chunk`, 0 included: before its first byte; -1: not in it. */
  #next(chunk: Buffer, from: number, hasCr: boolean): number {
    return hasCr ? this.#nextOfAnyEnd(chunk, from) : this.#nextOfLf(chunk, from);
  }

  /** No CR in sight: from LF to LF, without looking at the bytes between. */
  #nextOfLf(chunk: Buffer, from: number): number {
    let position = from;
    for (let lf = chunk.indexOf(LF, position); lf >= 0; lf = chunk.indexOf(LF, position)) {
      const isBlank = this.#isLineStart && lf === position;
      this.#isLineStart = true;
      position = lf + 1;
      if (isBlank) return this.#ended(position);
    }
    if (position < chunk.length) this.#isLineStart = false;
    return -1;
  }

  #nextOfAnyEnd(chunk: Buffer, from: number): number {
    for (let position = from; position < chunk.length; position++) {
      const byte = chunk[position];
      if (this.#isEnding) return this.#ended(byte === LF ? position + 1 : position);
      if (this.#take(byte)) return this.#ended(position + 1);
    }
    return -1;
  }

  /** True when the event ends with this byte. */
  #take(byte: number | undefined): boolean {
    if (byte === CR) return this.#takeCr();
    if (byte === LF) return this.#takeLf();
    this.#takeOther();
    return false;
  }

  #takeCr(): boolean {
    if (this.#isAfterCr) this.#hasBareCr = true;
    this.#isAfterCr = true;
    if (!this.#isLineStart) {
      this.#isLineStart = true;
      return false;
    }
    this.#isEnding = true;
    return this.#hasBareCr;
  }

  #takeLf(): boolean {
    if (this.#isAfterCr) {
      this.#isAfterCr = false;
      return false;
    }
    const isBlank = this.#isLineStart;
    this.#isLineStart = true;
    return isBlank;
  }

  #takeOther(): void {
    if (this.#isAfterCr) this.#hasBareCr = true;
    this.#isAfterCr = false;
    this.#isLineStart = false;
  }

  #ended(end: number): number {
    this.#isEnding = false;
    this.#isAfterCr = false;
    this.#hasBareCr = false;
    this.#isLineStart = true;
    return end;
  }

  #hold(piece: Buffer): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes > this.#maxEventBytes) throw new SseEventTooLargeError(this.#maxEventBytes);
  }

  #join(chunk: Buffer): Buffer {
    const whole = Buffer.concat([...this.#held, chunk]);
    this.#held = [];
    this.#heldBytes = 0;
    return whole;
  }
}
