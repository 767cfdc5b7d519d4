/** A binary heap: the lowest key first, and of equal keys the lowest tie. */
export class Heap<Item> {
  #items: Item[] = [];
  readonly #keyOf: (item: Item) => number;
  readonly #tieOf: ((item: Item) => number) | null;

  constructor(keyOf: (item: Item) => number, tieOf: ((item: Item) => number) | null = null) {
    this.#keyOf = keyOf;
    this.#tieOf = tieOf;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(item, items[parent] as Item)) break;
      items[at] = items[parent] as Item;
      at = parent;
    }
    items[at] = item;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) this.#sink(last);
    return top;
  }

  /** Drops whatever is not wanted any more. */
  retain(isWanted: (item: Item) => boolean): void {
    const kept = this.#items.filter(isWanted);
    this.#items = [];
    for (const item of kept) this.push(item);
  }

  #sink(item: Item): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#isBefore(items[child + 1] as Item, items[child] as Item)) child += 1;
      if (!this.#isBefore(items[child] as Item, item)) break;
      items[at] = items[child] as Item;
      at = child;
    }
    items[at] = item;
  }

  #isBefore(a: Item, b: Item): boolean {
    const difference = this.#keyOf(a) - this.#keyOf(b);
    if (difference !== 0 || this.#tieOf === null) return difference < 0;
    return this.#tieOf(a) < this.#tieOf(b);
  }
}
