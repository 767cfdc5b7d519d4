/** Tokens of a text that was counted before. `isExact` is false where it was sampled. */
export interface KnownText {
  readonly text: string;
  readonly tokens: number;
  readonly isExact: boolean;
}

const PROBES = 24;
/** How many texts that came once are recognised when they come again; a newer one may take an older one's place. */
const SEEN_PLACES = 2 ** 14;

/**
 * Texts whose tokens are known, least recently used out first: of a growing conversation only the new turns are counted.
 * Found by length and a few characters, then compared whole: a comparison is a tenth of the cost of hashing every
 * character, and unlike a hash it is never wrong. Two texts with equal probes take turns in one place.
 */
export class TextCache {
  readonly #maxChars: number;
  readonly #known = new Map<number, KnownText>();
  /** Probes of texts that came once. */
  readonly #seen = new Int32Array(SEEN_PLACES);
  #chars = 0;

  /** `maxChars`: characters of all texts that are held, one or two bytes each. */
  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  get heldChars(): number {
    return this.#chars;
  }

  get(text: string): KnownText | undefined {
    const key = probe(text);
    const entry = this.#known.get(key);
    if (entry === undefined || entry.text !== text) return undefined;
    this.#known.delete(key);
    this.#known.set(key, entry);
    return entry;
  }

  /** Holds the text if this is its second time: most prompts never come again, and would turn out those that do. */
  offer(entry: KnownText): void {
    const key = probe(entry.text);
    const place = key & (SEEN_PLACES - 1);
    if (this.#seen[place] === key) this.set(entry);
    else this.#seen[place] = key;
  }

  /** Holds the text at once: it was dear to count. */
  set(entry: KnownText): void {
    // One text must not turn out all the others.
    if (entry.text.length > this.#maxChars / 4) return;
    const key = probe(entry.text);
    this.#drop(key);
    this.#known.set(key, entry);
    this.#chars += entry.text.length;
    for (const key of this.#known.keys()) {
      if (this.#chars <= this.#maxChars) break;
      this.#drop(key);
    }
  }

  #drop(key: number): void {
    const entry = this.#known.get(key);
    if (entry === undefined) return;
    this.#known.delete(key);
    this.#chars -= entry.text.length;
  }
}

function probe(text: string): number {
  let hash = text.length;
  const step = (text.length - 1) / (PROBES - 1);
  for (let index = 0; index < PROBES; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(Math.round(index * step)), 0x01000193);
    hash ^= hash >>> 13;
  }
  return hash;
}
