/** Hash of the empty chunk; both halves together are 64 bits, so two chunks that share them do not occur by chance. */
export const HASH_SEED_A = 0x811c9dc5 | 0;
export const HASH_SEED_B = 0x9e3779b9 | 0;

export function hashA(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

export function hashB(hash: number, code: number): number {
  return (Math.imul(hash, 0x85ebca6b) + code) | 0;
}

/** The upper half of the first hash; its lower half is where the slot is. */
const TAG_BITS = 0xffff0000;
const COUNT_BITS = 0xffff;

/**
 * What short chunks of text count, by their hash: a fixed table in which a newer chunk may displace an older one. It
 * holds no text, allocates nothing after the start and answers in nanoseconds; a word is thus encoded once, not a
 * thousand times. A chunk counts 1 to 65,535; 0 means an empty slot.
 *
 *     slot:  second hash (32) │ tag (16) │ count (16)        side by side: a look-up costs one line of the processor's cache
 */
export class ChunkCounts {
  readonly #mask: number;
  readonly #slots: Int32Array;

  /** `bits`: the table has 2^bits slots of 8 bytes. */
  constructor(bits: number) {
    const size = 1 << bits;
    this.#mask = size - 1;
    this.#slots = new Int32Array(2 * size);
  }

  /** 0 if it is not there. */
  get(a: number, b: number): number {
    const slots = this.#slots;
    const home = this.#home(a);
    const first = slots[home + 1] as number;
    if (slots[home] === b && ((first ^ a) & TAG_BITS) === 0) return first & COUNT_BITS;
    const other = home ^ 2;
    const second = slots[other + 1] as number;
    return slots[other] === b && ((second ^ a) & TAG_BITS) === 0 ? second & COUNT_BITS : 0;
  }

  set(a: number, b: number, count: number): void {
    const home = this.#home(a);
    // Every chunk has two slots: the newer one takes the free one, else the one that its hash prefers.
    const isPushedOut = this.#isTaken(home) && (!this.#isTaken(home ^ 2) || (b & 1) === 1);
    const slot = isPushedOut ? home ^ 2 : home;
    this.#slots[slot] = b;
    this.#slots[slot + 1] = (a & TAG_BITS) | count;
  }

  #isTaken(slot: number): boolean {
    return ((this.#slots[slot + 1] as number) & COUNT_BITS) !== 0;
  }

  /** Where the pair of numbers of a slot begins. */
  #home(a: number): number {
    return ((a ^ (a >>> 15)) & this.#mask) << 1;
  }
}
