/** More are forgotten, the oldest first. */
const MOST_THINGS = 10_000;

/** What answers to one key have left behind, by id. */
export class StoredThings {
  readonly #things = new Map<string, unknown>();

  has(id: string): boolean {
    return this.#things.has(id);
  }

  /** Undefined where there is nothing under that id. */
  get(id: string): unknown {
    return this.#things.get(id);
  }

  set(id: string, thing: unknown): void {
    this.#things.set(id, thing);
    const [oldest] = this.#things.keys();
    if (this.#things.size > MOST_THINGS && oldest !== undefined) this.#things.delete(oldest);
  }

  /** Whether there was something. */
  delete(id: string): boolean {
    return this.#things.delete(id);
  }

  /** Oldest first. */
  all(): unknown[] {
    return [...this.#things.values()];
  }
}
