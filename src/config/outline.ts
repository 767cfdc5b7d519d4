import { type Path, quote } from './mistakes.ts';

/** A name or reference as it stands in the file, and where. */
export interface Mention {
  readonly text: string;
  /** The text in quotes, or words in its place where it may be a secret. */
  readonly shown: string;
  readonly path: Path;
}

/** Whether the value at a path came from the environment or a file, so that it must not be shown. */
export type IsFromOutside = (path: Path) => boolean;

/** One entry of a list of the file, before the schema has approved of it. */
export class Entry {
  readonly path: Path;
  readonly #value: unknown;
  readonly #isFromOutside: IsFromOutside;

  private constructor(value: unknown, path: Path, isFromOutside: IsFromOutside) {
    this.#value = value;
    this.path = path;
    this.#isFromOutside = isFromOutside;
  }

  /** The file as a whole. */
  static root(tree: unknown, isFromOutside: IsFromOutside): Entry {
    return new Entry(tree, [], isFromOutside);
  }

  /** The text at `key`; null when there is none. */
  text(key: string): Mention | null {
    return this.#at(key).asText();
  }

  /** The texts in the list at `key`. */
  texts(key: string): Mention[] {
    return this.list(key).flatMap((item) => item.asText() ?? []);
  }

  /** The entries of the list at `key`. */
  list(key: string): Entry[] {
    const value = this.#read(key);
    if (!Array.isArray(value)) return [];
    return value.map((item, index) => new Entry(item, [...this.path, key, index], this.#isFromOutside));
  }

  has(key: string): boolean {
    return this.#read(key) !== undefined;
  }

  isTrue(key: string): boolean {
    return this.#read(key) === true;
  }

  /** The value itself, where it is text. */
  asText(): Mention | null {
    const text = this.#value;
    if (typeof text !== 'string' || text === '') return null;
    return { text, path: this.path, shown: this.#isFromOutside(this.path) ? 'this text' : quote(text) };
  }

  #at(key: string): Entry {
    return new Entry(this.#read(key), [...this.path, key], this.#isFromOutside);
  }

  #read(key: string): unknown {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    return Reflect.get(value, key);
  }
}
