/**
 * The offset of the first byte at which a text stops being JSON, its length when it only ends too early, null when it is
 * JSON. It runs for a text that `JSON.parse` has refused, whose messages quote the text and often omit the position.
 * The text may be nested no deeper than the stack allows.
 */
export function jsonErrorOffset(bytes: Uint8Array): number | null {
  return new JsonWalk(bytes).firstError();
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const BLANKS = bytesOf(' \t\n\r');
const DIGITS = bytesOf('0123456789');
const HEX_DIGITS = bytesOf('0123456789abcdefABCDEF');
const SHORT_ESCAPES = bytesOf('"\\/bfnrt');
const EXPONENTS = bytesOf('eE');
const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/** Strict RFC 8259. Each method leaves `#at` behind what it accepted, or at the byte that is wrong. */
class JsonWalk {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  firstError(): number | null {
    if (!this.#value()) return this.#at;
    this.#run(BLANKS);
    return this.#at === this.#bytes.length ? null : this.#at;
  }

  #value(): boolean {
    this.#run(BLANKS);
    const next = this.#bytes[this.#at];
    if (next === OPEN_BRACE) return this.#list(CLOSE_BRACE, () => this.#member());
    if (next === OPEN_BRACKET) return this.#list(CLOSE_BRACKET, () => this.#value());
    if (next === QUOTE) return this.#string();
    const literal = LITERALS.find((word) => word[0] === next);
    return literal === undefined ? this.#number() : literal.every((byte) => this.#accept(byte));
  }

  #list(close: number, item: () => boolean): boolean {
    this.#at += 1;
    this.#run(BLANKS);
    if (this.#accept(close)) return true;
    do {
      if (!item()) return false;
      this.#run(BLANKS);
    } while (this.#accept(COMMA));
    return this.#accept(close);
  }

  #member(): boolean {
    this.#run(BLANKS);
    if (!this.#string()) return false;
    this.#run(BLANKS);
    return this.#accept(COLON) && this.#value();
  }

  #string(): boolean {
    if (!this.#accept(QUOTE)) return false;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || byte < 0x20) return false;
      this.#at += 1;
      if (byte === QUOTE) return true;
      if (byte === BACKSLASH && !this.#escape()) return false;
    }
  }

  #escape(): boolean {
    return this.#accept(LOWER_U) ? this.#run(HEX_DIGITS, 4) === 4 : this.#run(SHORT_ESCAPES, 1) === 1;
  }

  #number(): boolean {
    this.#accept(MINUS);
    if (!this.#accept(ZERO) && this.#run(DIGITS) === 0) return false;
    if (this.#accept(DOT) && this.#run(DIGITS) === 0) return false;
    if (this.#run(EXPONENTS, 1) === 0) return true;
    if (!this.#accept(PLUS)) this.#accept(MINUS);
    return this.#run(DIGITS) > 0;
  }

  #accept(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  /** Goes over bytes of one kind, at most so many; says how many. */
  #run(kind: Uint8Array, most = this.#bytes.length): number {
    const start = this.#at;
    while (this.#at - start < most && kind[this.#bytes[this.#at] ?? 0] === 1) this.#at += 1;
    return this.#at - start;
  }
}

/** A table over all bytes: 1 for those of `characters`. */
function bytesOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of Buffer.from(characters)) table[byte] = 1;
  return table;
}
