import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import type { Finding, Path } from './mistakes.ts';

/** Both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

interface Entry {
  readonly keyOffset: number;
  readonly valueOffset: number;
}

/** Where each key and value of a YAML document stands, and which keys stand twice. */
export class PlaceIndex {
  readonly #source: string;
  readonly #events: readonly Event[];
  readonly #lineStarts: readonly number[];
  readonly #entries = new Map<string, Entry>();
  readonly #duplicates: Finding[] = [];
  #next = 0;

  constructor(source: string, events: readonly Event[]) {
    this.#source = source;
    this.#events = events;
    this.#lineStarts = [0, ...Array.from(source.matchAll(/\r\n|\n|\r/g), (match) => match.index + match[0].length)];
    if (events[0]?.type === EVENT_ID.DOCUMENT) {
      this.#next = 1;
      this.#walk([], 0);
    }
  }

  /** The parts of a parser's answer that this index knows. */
  asAnswer(): { duplicates: readonly Finding[]; placeOf: (path: Path, isAboutKey: boolean) => Place } {
    return { duplicates: this.#duplicates, placeOf: (path, isAboutKey) => this.placeOf(path, isAboutKey) };
  }

  /** The place of `path`, or of the nearest thing around it that is written down. */
  placeOf(path: Path, isAboutKey: boolean): Place {
    const entry = this.#entries.get(JSON.stringify(path));
    if (entry) return this.#placeAt(isAboutKey ? entry.keyOffset : entry.valueOffset);
    return path.length === 0 ? { line: 1, column: 1 } : this.placeOf(path.slice(0, -1), true);
  }

  #placeAt(offset: number): Place {
    let line = 1;
    while (line < this.#lineStarts.length && (this.#lineStarts[line] ?? 0) <= offset) line++;
    return { line, column: offset - (this.#lineStarts[line - 1] ?? 0) + 1 };
  }

  /** Reads one value with all that is in it; `keyOffset` is where its key begins, or the value itself in a list. */
  #walk(path: Path, keyOffset: number | null): void {
    const event = this.#events[this.#next++];
    const valueOffset = event ? startOf(event) : null;
    this.#entries.set(JSON.stringify(path), {
      keyOffset: keyOffset ?? valueOffset ?? 0,
      valueOffset: valueOffset ?? keyOffset ?? 0,
    });
    if (event?.type === EVENT_ID.MAPPING) this.#walkMapping(path);
    if (event?.type === EVENT_ID.SEQUENCE) this.#walkSequence(path);
  }

  #walkMapping(path: Path): void {
    const seen = new Set<string>();
    for (let event = this.#events[this.#next]; event && event.type !== EVENT_ID.POP; event = this.#events[this.#next]) {
      if (event.type !== EVENT_ID.SCALAR) {
        // A list or an alias as a key: the constructor refuses the first, the schema never knows the second.
        this.#walk([...path, ''], null);
        this.#walk([...path, ''], null);
        continue;
      }
      this.#next++;
      const key = this.#keyOf(event);
      const keyOffset = startOf(event) ?? 0;
      const entryPath = [...path, key];
      if (seen.has(key)) {
        const { line } = this.placeOf(entryPath, true);
        this.#duplicates.push({
          path: entryPath,
          message: `stands twice in one mapping, first on line ${line}: remove one`,
          isAboutKey: true,
        });
      }
      seen.add(key);
      this.#walk(entryPath, keyOffset);
    }
    this.#next++;
  }

  #walkSequence(path: Path): void {
    let index = 0;
    for (let event = this.#events[this.#next]; event && event.type !== EVENT_ID.POP; event = this.#events[this.#next]) {
      this.#walk([...path, index++], null);
    }
    this.#next++;
  }

  #keyOf(event: ScalarEvent): string {
    return event.valueStart < 0 ? '' : getScalarValue(this.#source, event);
  }
}

/** The offset of a value's first character, quotes included; null for a value that is not written at all. */
function startOf(event: Event): number | null {
  switch (event.type) {
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    case EVENT_ID.SCALAR: {
      if (event.valueStart < 0) return null;
      const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
      return event.valueStart - (isQuoted ? 1 : 0);
    }
    default:
      return null;
  }
}
