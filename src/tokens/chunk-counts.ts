/** Hash of the empty chunk; both halves together are 64 bits, so two chunks that share them do not occur by chance. */
export const HASH_SEED_A = 0x811c9dc5 | 0;
export const HASH_SEED_B = 0x9e3779b9 | 0;

export function hashA(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

export function hashB(hash: number, code: number): number {
  return Math.imul((hash ^ (hash >>> 15)) + code, 0x85ebca6b | 0);
}

/**
 * What short chunks of text count, by their hash: a fixed table in which a newer chunk may displace an older one. It
 * holds no text, allocates nothing after the start and answers in nanoseconds; a word is thus encoded once, not a
 * thousand times. A chunk counts 1 to 65,535; 0 means an empty slot.
 */
export class ChunkCounts {
  readonly #mask: number;
  readonly #first: Int32Array;
  readonly #second: Int32Array;
  readonly #counts: Uint16Array;

  /** `bits`: the table has 2^bits slots of 10 bytes. */
  constructor(bits: number) {
    const size = 1 << bits;
    this.#mask = size - 1;
    this.#first = new Int32Array(size);
    this.#second = new Int32Array(size);
    this.#counts = new Uint16Array(size);
  }

  /** 0 if it is not there. */
  get(a: number, b: number): number {
    const slot = this.#home(a);
    const place = this.#first[slot] === a && this.#second[slot] === b ? slot : slot ^ 1;
    return this.#first[place] === a && this.#second[place] === b ? (this.#counts[place] as number) : 0;
  }

  set(a: number, b: number, count: number): void {
    const home = this.#home(a);
    // Every chunk has two slots: the newer one takes the free one, else the one that its hash prefers.
    const slot = this.#counts[home] !== 0 && (this.#counts[home ^ 1] === 0 || (b & 1) === 1) ? home ^ 1 : home;
    this.#first[slot] = a;
    this.#second[slot] = b;
    this.#counts[slot] = count;
  }

  #home(a: number): number {
    return (a ^ (a >>> 15)) & this.#mask;
  }
}
