/**
 * A Map of bounded size that forgets what was not used for a long time: of `maxEntries` it keeps at least the half that
 * was used last.
 *
 * Two generations of at most half the size each. What is found in the elder moves to the younger; when that is full, it
 * becomes the elder, and what the elder still holds is forgotten. So the usual look-up changes nothing: to move an entry
 * within a Map, as an exact order needs, leaves garbage behind at every look-up.
 */
export class RecentMap<V> {
  readonly #maxYoung: number;
  #young = new Map<string, V>();
  #elder = new Map<string, V>();

  constructor(maxEntries: number) {
    this.#maxYoung = Math.ceil(maxEntries / 2);
  }

  get size(): number {
    return this.#young.size + this.#elder.size;
  }

  get(key: string): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const elder = this.#elder.get(key);
    if (elder === undefined) return undefined;
    this.#elder.delete(key);
    this.#add(key, elder);
    return elder;
  }

  getOrCreate(key: string, create: () => V): V {
    const known = this.get(key);
    if (known !== undefined) return known;
    const value = create();
    this.#add(key, value);
    return value;
  }

  #add(key: string, value: V): void {
    if (this.#young.size >= this.#maxYoung) {
      this.#elder = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
