import type { SseEvent } from './sse-decoder.ts';

const SPACE = ' '.charCodeAt(0);
const QUOTE = '"'.charCodeAt(0);
const COLON = ':'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const BRACE = '{'.charCodeAt(0);
const LINE_FEED = '\n'.charCodeAt(0);
const CARRIAGE_RETURN = '\r'.charCodeAt(0);
const LETTER_A = 'a'.charCodeAt(0);
const LETTER_C = 'c'.charCodeAt(0);
const LETTER_D = 'd'.charCodeAt(0);
const LETTER_E = 'e'.charCodeAt(0);
const LETTER_G = 'g'.charCodeAt(0);
const LETTER_L = 'l'.charCodeAt(0);
const LETTER_N = 'n'.charCodeAt(0);
const LETTER_P = 'p'.charCodeAt(0);
const LETTER_R = 'r'.charCodeAt(0);
const LETTER_S = 's'.charCodeAt(0);
const LETTER_T = 't'.charCodeAt(0);
const LETTER_U = 'u'.charCodeAt(0);

type KeyKind = 'error' | 'usage' | 'output' | 'other';

/** How the first line ends where events have names and this one brings output. */
const DELTA = Buffer.from('delta');
/** `event:` and a name that ends so. */
const SHORTEST_NAME_LINE = 'event:delta'.length;

/** Longer beginnings are not remembered. */
const MAX_PREFIX_BYTES = 1024;

/**
 * What can be told of an event without parsing it, by one pass over its bytes: in the middle of a stream nearly all events
 * are plain pieces of text, and parsing each would cost more than passing it on. One scan is used for all events of a
 * stream; its fields describe the last one.
 *
 * The chunks of one answer begin alike (id, model, date, ...) up to the text that each brings, so the beginning of the
 * last one is remembered: where the next has it too, the pass starts at its text.
 */
export class EventScan {
  /**
   * One `data` line, perhaps behind a name that ends in `delta`, with a JSON object that has neither an error nor usage:
   * nothing but its output can matter.
   */
  isOrdinary = false;
  /** It has a `usage` that is not null, at whatever depth: Groq's lies in `x_groq`. */
  hasUsage = false;
  /** Unicode characters of text, reasoning, refusals and arguments in it. */
  characters = 0;
  #hasError = false;
  #hasOutput = false;
  /** Of an ordinary event, from its first byte to the opening quote of its first output. */
  #prefix: Uint8Array = new Uint8Array(0);

  scan(event: SseEvent): void {
    this.hasUsage = false;
    this.characters = 0;
    this.#hasError = false;
    this.#hasOutput = this.#hasKnownPrefix(event);
    const isObject = this.#hasOutput || isDataObject(event);
    this.#members(event, this.#hasOutput ? this.#output(event, event.start + this.#prefix.length) : event.start);
    this.isOrdinary = isObject && !this.#hasError && !this.hasUsage;
  }

  #hasKnownPrefix({ source, start, end }: SseEvent): boolean {
    const { length } = this.#prefix;
    if (length === 0 || start + length > end) return false;
    return source.compare(this.#prefix, 0, length, start, start + length) === 0;
  }

  /** Looks at all keys from `from` on, which must lie outside of strings. */
  #members(event: SseEvent, from: number): void {
    const { source, end } = event;
    let at = from;
    while (at < end) {
      if (source[at] !== QUOTE) {
        at++;
        continue;
      }
      const close = closingQuote(source, at + 1, end);
      at = skipSpaces(source, close + 1);
      if (source[at] === COLON) at = this.#member(event, close, skipSpaces(source, at + 1));
    }
  }

  /** A key whose quotes end at `close`, and where its value begins. Returns where to go on. */
  #member(event: SseEvent, close: number, value: number): number {
    const { source } = event;
    const kind = keyKind(source, close);
    if (kind === 'output' && source[value] === QUOTE) {
      this.#remember(event, value + 1);
      return this.#output(event, value + 1);
    }
    // No JSON value but null begins with an n.
    if (source[value] !== LETTER_N) {
      if (kind === 'error') this.#hasError = true;
      else if (kind === 'usage') this.hasUsage = true;
    }
    return value;
  }

  /** A string of output that begins at `start`. Returns where it has ended. */
  #output({ source, end }: SseEvent, start: number): number {
    const close = closingQuote(source, start, end);
    this.characters += countCharacters(source, start, close);
    return close + 1;
  }

  #remember(event: SseEvent, prefixEnd: number): void {
    if (this.#hasOutput) return;
    this.#hasOutput = true;
    const isTelling = this.#hasError || this.hasUsage || !isDataObject(event);
    if (isTelling || prefixEnd - event.start > MAX_PREFIX_BYTES) return;
    // Not Buffer.from: its small buffers are pieces of 64 KiB, all of which would live as long as the stream.
    this.#prefix = new Uint8Array(event.source.subarray(event.start, prefixEnd));
  }
}

/** `data:` and an object, which the vendors' chunks are; formats whose events have names put the name before. */
function isDataObject(event: SseEvent): boolean {
  const { source } = event;
  const start = source[event.start] === LETTER_E ? afterDeltaName(event) : event.start;
  const isField =
    source[start] === LETTER_D &&
    source[start + 1] === LETTER_A &&
    source[start + 2] === LETTER_T &&
    source[start + 3] === LETTER_A &&
    source[start + 4] === COLON;
  return isField && source[skipSpaces(source, start + 5)] === BRACE;
}

/** Where the line behind a name such as `response.output_text.delta` begins; -1 behind any other line. */
function afterDeltaName({ source, start, end }: SseEvent): number {
  const lineEnd = source.indexOf(LINE_FEED, start);
  const nameEnd = source[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd;
  if (nameEnd - start < SHORTEST_NAME_LINE || nameEnd >= end) return -1;
  return source.compare(DELTA, 0, DELTA.length, nameEnd - DELTA.length, nameEnd) === 0 ? lineEnd + 1 : -1;
}

/**
 * Keys are told apart by last letter, length and first letter: that is enough for those that occur, and a key taken for
 * `error` or `usage` by mistake only costs the parsing that would have been saved.
 */
function keyKind(source: Buffer, close: number): KeyKind {
  switch (source[close - 1]) {
    case LETTER_R:
      return isKey(source, close - 5, LETTER_E) ? 'error' : 'other';
    case LETTER_E:
      return isKey(source, close - 5, LETTER_U) ? 'usage' : 'other';
    default:
      return isOutputKey(source, close) ? 'output' : 'other';
  }
}

/** Of the keys that end in t. */
function isTextKey(source: Buffer, close: number): boolean {
  if (isKey(source, close - 7, LETTER_C) || isKey(source, close - 4, LETTER_T)) return true;
  return isKey(source, close - 17, LETTER_R);
}

function isOutputKey(source: Buffer, close: number): boolean {
  switch (source[close - 1]) {
    case LETTER_T: // content, text, reasoning_content
      return isTextKey(source, close);
    case LETTER_G: // reasoning, thinking
      return isKey(source, close - 9, LETTER_R) || isKey(source, close - 8, LETTER_T);
    case LETTER_S: // arguments
      return isKey(source, close - 9, LETTER_A);
    case LETTER_L: // refusal
      return isKey(source, close - 7, LETTER_R);
    case LETTER_A: // delta, where it is text itself
      return isKey(source, close - 5, LETTER_D);
    case LETTER_N: // partial_json
      return isKey(source, close - 12, LETTER_P);
    default:
      return false;
  }
}

/** A key with this first letter begins at `start`. */
function isKey(source: Buffer, start: number, letter: number): boolean {
  return source[start - 1] === QUOTE && source[start] === letter;
}

/** The quote that ends the string which `from` lies in; `end` when none does. */
function closingQuote(source: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && source[at] !== QUOTE) at += source[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, end);
}

/** Unicode characters of a JSON string: an escape is one, a UTF-8 sequence is one. */
function countCharacters(source: Buffer, start: number, end: number): number {
  let characters = 0;
  for (let at = start; at < end; at++) {
    // The later bytes of a UTF-8 sequence are 10xxxxxx: as signed numbers, those below -64.
    if (source.readInt8(at) >= -64) characters++;
    if (source[at] === BACKSLASH) at += source[at + 1] === LETTER_U ? 5 : 1;
  }
  return characters;
}

function skipSpaces(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === SPACE) at++;
  return at;
}
