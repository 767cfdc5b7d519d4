import type { SseEvent } from './sse-decoder.ts';

const SPACE = 0x20;
const COLON = 0x3a;
/** `n`: no JSON value but null begins with it. */
const LETTER_N = 0x6e;

/**
 * Finds one JSON key in events by its bytes. A key in quotes cannot occur inside a JSON string, where its quotes would be
 * escaped, so what is found is a key or a whole string value; the colon tells which.
 *
 * Events of one chunk share their bytes, so the last find is kept: a key that is nowhere in the chunk is looked for once.
 */
export class Needle {
  readonly #bytes: Buffer;
  #source: Buffer | null = null;
  /** The first find at or after `#from`; infinite when there is none. */
  #found = 0;
  #from = 0;

  constructor(key: string) {
    this.#bytes = Buffer.from(`"${key}"`);
  }

  /** Where the value of the key's next occurrence in `event` begins, from `from` on; -1 when the key does not occur. */
  valueIn(event: SseEvent, from: number): number {
    for (let at = this.#find(event.source, from); at < event.end; at = this.#find(event.source, at + 1)) {
      const colon = skipSpaces(event.source, at + this.#bytes.length);
      if (event.source[colon] === COLON) return skipSpaces(event.source, colon + 1);
    }
    return -1;
  }

  /** The key occurs with a value other than null. */
  isSetIn(event: SseEvent): boolean {
    for (let at = this.valueIn(event, event.start); at >= 0; at = this.valueIn(event, at)) {
      if (event.source[at] !== LETTER_N) return true;
    }
    return false;
  }

  #find(source: Buffer, from: number): number {
    const isKnown = source === this.#source && from >= this.#from && from <= this.#found;
    if (isKnown) return this.#found;
    const at = source.indexOf(this.#bytes, from);
    this.#source = source;
    this.#from = from;
    this.#found = at < 0 ? Number.POSITIVE_INFINITY : at;
    return this.#found;
  }
}

function skipSpaces(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === SPACE) at++;
  return at;
}
