/** What a bag holds knows its place in it, which is the bag's alone to change. */
export interface Bagged {
  /** -1: in none. */
  place: number;
}

/**
 * Things in no order, added and removed at once.
 *
 * Not a Set: V8 remakes the table of a set after every few dozen changes, a table that is done with still holds what it
 * held and points to its successor, and when one of them has grown old, all that follow survive with it. With calls in a
 * Set, every request of the last seconds did, and collecting them took more time than all the rest of this program.
 */
export class Bag<Item extends Bagged> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** Does nothing with what is not in it. */
  remove(item: Item): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#items[place] = last;
    last.place = place;
  }

  /** A copy: what is done with each may remove it. */
  all(): Item[] {
    return [...this.#items];
  }
}
