import { ProxyError } from '../../errors.ts';
import { jsonErrorOffset } from './json-error.ts';

/** A run of bytes: offsets from the start of the body, the end exclusive. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A top-level member: its value, and what leaves with it when it is taken out. */
export interface MemberSpan extends Span {
  /** Which one it is, from 0. */
  readonly index: number;
  /** The comma before it; for the first member the quote that opens its name. */
  readonly from: number;
  readonly nameStart: number;
  /** Behind the comma that follows it; for the last member where its value ends. */
  readonly next: number;
}

/** What one pass over the bytes of a JSON object found. It has looked at structure only: `JSON.parse` judges the rest. */
export interface BodyScan {
  /** Just behind the opening brace, where a missing member is put in. */
  readonly insertAt: number;
  /** How many top-level members there are. */
  readonly memberCount: number;
  /** The values of the top-level members that were asked for; white space lies outside. */
  readonly members: ReadonlyMap<string, MemberSpan>;
  /** Middles of long `data:` strings that may be left out of a copy for parsing, in order. */
  readonly cuts: readonly Span[];
}

/** Recursive readers overflow the stack from some 10,000 levels on; real requests have fewer than 20. */
const MAX_DEPTH = 128;

/** Strings, brackets and commas. `JSON.parse` takes 30 times the bytes of `{},{},...` as heap. */
const MAX_VALUES = 250_000;

/** A `data:` string longer than this is cut in the copy that is parsed ... */
const LONG_STRING_BYTES = 64 * 1024;
/** ... to this much, which holds the dimensions of a picture. */
const KEPT_BYTES = 4 * 1024;
/** The longest escape, `\uXXXX`: none of its bytes may lie on both sides of a cut. */
const ESCAPE_BYTES = 6;

/** Bytes of a string that are looked at one by one; a native search pays only beyond them. */
const NEAR_BYTES = 64;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const DATA_PREFIX = Buffer.from('data:');

const IS_STRUCTURE = new Uint8Array(256);
for (const byte of [QUOTE, COMMA, COLON, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET]) IS_STRUCTURE[byte] = 1;

/** Names that are not all in lower case, by how they look when they are. */
export type OtherNames = ReadonlyMap<string, string>;

/**
 * Scans one JSON object and notes where the values of `names`, which are in lower case, and of `others` lie.
 * @throws ProxyError `invalid_json`: not an object, too deep, too many values, or one of the names given twice.
 * @throws ProxyError `bad_request`: one of the names in other letters
 */
export function scanObject(bytes: Buffer, names: ReadonlySet<string>, others: OtherNames = NO_NAMES): BodyScan {
  return new ObjectScan(bytes, names, others).run();
}

const NO_NAMES: OtherNames = new Map();

/** The error for a body that is not JSON: where it breaks, and never a piece of it. */
export function syntaxError(bytes: Buffer): ProxyError {
  const offset = jsonErrorOffset(bytes) ?? bytes.length;
  if (offset >= bytes.length) return invalidJson('it ends too early');
  const before = bytes.subarray(0, offset);
  const line = countOf(before, 0x0a) + 1;
  const column = offset - before.lastIndexOf(0x0a);
  return invalidJson(`unexpected character at byte ${offset} (line ${line}, column ${column})`);
}

export function invalidJson(reason: string): ProxyError {
  return new ProxyError('invalid_json', `The request body must be one JSON object in UTF-8: ${reason}.`);
}

class ObjectScan {
  readonly #bytes: Buffer;
  readonly #names: ReadonlySet<string>;
  readonly #others: OtherNames;
  readonly #members = new Map<string, MemberSpan>();
  readonly #cuts: Span[] = [];
  #depth = 1;
  #values = 0;
  #isNameNext = true;
  #memberCount = 0;
  /** The comma before the member being read, or the quote that opens its name. */
  #from = -1;
  #nameStart = -1;
  /** The member being read, when it is one of the names; its value starts behind the colon. */
  #name: string | null = null;
  #valueStart = -1;

  constructor(bytes: Buffer, names: ReadonlySet<string>, others: OtherNames) {
    this.#bytes = bytes;
    this.#names = names;
    this.#others = others;
  }

  run(): BodyScan {
    const bytes = this.#bytes;
    const start = skipBlank(bytes, 0);
    if (start === bytes.length) throw invalidJson('it is empty');
    if (bytes[start] !== OPEN_BRACE) throw invalidJson('it does not start with "{"');
    let at = start + 1;
    while (this.#depth > 0) {
      while (at < bytes.length && IS_STRUCTURE[bytes[at] ?? 0] === 0) at += 1;
      if (at === bytes.length) throw syntaxError(bytes);
      at = this.#structure(bytes[at], at);
    }
    if (skipBlank(bytes, at) < bytes.length) throw syntaxError(bytes);
    return { insertAt: start + 1, memberCount: this.#memberCount, members: this.#members, cuts: this.#cuts };
  }

  /** Takes in the structural byte at `at`; returns where to go on. */
  #structure(byte: number | undefined, at: number): number {
    if (byte === QUOTE) return this.#string(at);
    if (byte === COLON) {
      if (this.#depth === 1) this.#valueStart = at + 1;
      return at + 1;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      this.#count();
      this.#depth += 1;
      if (this.#depth > MAX_DEPTH) throw invalidJson(`it is nested deeper than ${MAX_DEPTH} levels`);
      return at + 1;
    }
    if (byte === COMMA) this.#count();
    if (this.#depth === 1) this.#endMember(at);
    if (byte !== COMMA) this.#depth -= 1;
    return at + 1;
  }

  #string(open: number): number {
    this.#count();
    const close = closingQuote(this.#bytes, open + 1);
    if (close < 0) throw syntaxError(this.#bytes);
    if (this.#depth === 1 && this.#isNameNext) this.#startMember(open, close + 1);
    else if (close - open > LONG_STRING_BYTES) this.#cut(open, close);
    return close + 1;
  }

  #count(): void {
    this.#values += 1;
    if (this.#values > MAX_VALUES) throw invalidJson(`it holds more than ${MAX_VALUES} values`);
  }

  #startMember(start: number, end: number): void {
    this.#isNameNext = false;
    this.#memberCount += 1;
    this.#nameStart = start;
    if (this.#memberCount === 1) this.#from = start;
    this.#name = null;
    const name = decodeName(this.#bytes, start, end);
    const lower = name.toLowerCase();
    const known = this.#names.has(lower) ? lower : this.#others.get(lower);
    if (known === undefined) return;
    // Some upstreams compare names without case, and parsers disagree on which of two counts: a client that is allowed
    // one model could have another served.
    if (name !== known)
      throw new ProxyError('bad_request', `Write the name of the field "${known}" ${lettersOf(known)}.`);
    if (this.#members.has(name)) throw invalidJson(`the field "${name}" is given twice`);
    this.#name = name;
  }

  #endMember(at: number): void {
    this.#isNameNext = true;
    if (this.#name !== null) this.#members.set(this.#name, this.#spanTo(at));
    this.#name = null;
    this.#from = at;
  }

  /** The member that the comma or the brace at `at` ends. */
  #spanTo(at: number): MemberSpan {
    const end = skipBlankBack(this.#bytes, at);
    return {
      start: skipBlank(this.#bytes, this.#valueStart),
      end,
      index: this.#memberCount - 1,
      from: this.#from,
      nameStart: this.#nameStart,
      next: this.#bytes[at] === COMMA ? at + 1 : end,
    };
  }

  /** Notes the middle of a long `data:` value, if leaving it out changes nothing about whether the text is JSON. */
  #cut(open: number, close: number): void {
    const bytes = this.#bytes;
    const text = open + 1;
    if (bytes[skipBlankBack(bytes, open) - 1] !== COLON) return;
    if (DATA_PREFIX.compare(bytes, text, text + DATA_PREFIX.length) !== 0) return;
    let start = text + KEPT_BYTES;
    while (isContinuation(bytes[start])) start -= 1;
    const hasEscape = bytes.subarray(start - ESCAPE_BYTES, close).includes(BACKSLASH);
    if (!hasEscape && !hasControl(bytes, start, close)) this.#cuts.push({ start, end: close });
  }
}

function lettersOf(name: string): string {
  return name === name.toLowerCase() ? 'in lower case' : 'in just these letters';
}

/** The offset of the quote that ends the string whose text begins at `from`; -1 when none does. */
function closingQuote(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const near = at + NEAR_BYTES;
    for (; at < near; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH) at += 1;
    }
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0 || !isEscaped(bytes, quote, at)) return quote;
    at = quote + 1;
  }
}

/** Whether an odd number of backslashes stands before `quote`; none of those before `from` belongs to them. */
function isEscaped(bytes: Buffer, quote: number, from: number): boolean {
  let start = quote;
  while (start > from && bytes[start - 1] === BACKSLASH) start -= 1;
  return (quote - start) % 2 === 1;
}

/** A name may be written with escapes: `"mod\u0065l"` is `model`. */
function decodeName(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (!text.includes('\\')) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    throw syntaxError(bytes);
  }
}

/** Control characters are not allowed in JSON strings. Four bytes at a time: such a string may have 20 MB. */
function hasControl(bytes: Buffer, start: number, end: number): boolean {
  const isControl = (byte: number) => byte < 0x20;
  const offset = bytes.byteOffset + start;
  const head = Math.min(start + ((4 - (offset % 4)) % 4), end);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, (end - head) >> 2);
  // A byte below 0x20 borrows its top bit when 0x20 is taken from it; bytes from 0x80 on had theirs set before.
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? 0;
    if ((((word - 0x20202020) | 0) & ~word & 0x80808080) !== 0) return true;
  }
  const tail = head + words.byteLength;
  return bytes.subarray(start, head).some(isControl) || bytes.subarray(tail, end).some(isControl);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipBlank(bytes: Buffer, from: number): number {
  let at = from;
  while (isBlank(bytes[at])) at += 1;
  return at;
}

function skipBlankBack(bytes: Buffer, from: number): number {
  let at = from;
  while (isBlank(bytes[at - 1])) at -= 1;
  return at;
}

function countOf(bytes: Buffer, wanted: number): number {
  let count = 0;
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) count += 1;
  return count;
}
