import type { JsonObject } from './json-object.ts';

/** What a file, or anything else whose content cannot be seen, is taken for: a document of three pages. */
const OPAQUE_TOKENS = 6000;
/** Callers refuse deeper JSON long before; a walk that is handed some anyway stops instead of overflowing the stack. */
const MAX_DEPTH = 200;
/** Nodes between two looks at the clock, and before the first: on fewer a guess at the rest would rest on chance. */
const NODES_PER_LOOK = 64;
const MIN_NODES = 2048;

/**
 * From so many texts on, of the small ones only every `THIN_EVERY`th is kept and stands for the others: a list of fifty
 * thousand words costs more to pass around than to count.
 */
const THIN_FROM_TEXTS = 2048;
const THIN_EVERY = 16;
const SMALL_CHARS = 256;

/**
 * Collects what a request consists of: texts, to be counted later, and LLM tokens that are known without counting. A walk
 * that takes too long is broken off, and what it did not see is taken to be like what it did.
 */
export class Tally {
  readonly texts: string[] = [];
  fixedTokens = 0;
  readonly #isOver: () => boolean;
  #seenNodes = 0;
  #missedNodes = 0;
  #isStopped = false;
  #smallTexts = 0;
  #thinnedChars = 0;

  /** `isOver` says whether the time for the walk is up. */
  constructor(isOver: () => boolean) {
    this.#isOver = isOver;
  }

  /** At least 1: by how much the whole exceeds what was seen. */
  get scale(): number {
    return 1 + this.#missedNodes / Math.max(1, this.#seenNodes);
  }

  text(value: string): void {
    if (value.length === 0) return;
    const isThinned =
      this.texts.length > THIN_FROM_TEXTS && value.length < SMALL_CHARS && ++this.#smallTexts % THIN_EVERY !== 0;
    if (isThinned) this.#thinnedChars += value.length;
    else this.texts.push(value);
  }

  /** LLM tokens of the texts that were left out, judged by those that stayed. `tokens` is by text, in order. */
  thinnedTokens(tokens: readonly number[]): number {
    if (this.#thinnedChars === 0) return 0;
    let keptTokens = 0;
    let keptChars = 0;
    for (let index = THIN_FROM_TEXTS; index < this.texts.length; index++) {
      const { length } = this.texts[index] as string;
      if (length >= SMALL_CHARS) continue;
      keptChars += length;
      keptTokens += tokens[index] as number;
    }
    return keptChars === 0 ? this.#thinnedChars : (keptTokens / keptChars) * this.#thinnedChars;
  }

  /** Visits every item, or as many as the time allows. */
  each<T>(items: readonly T[], visit: (item: T) => void): void {
    const before = this.#seenNodes;
    for (let index = 0; index < items.length; index++) {
      if (this.#stops()) {
        const nodesPerItem = Math.max(1, (this.#seenNodes - before) / Math.max(1, index));
        this.#missedNodes += (items.length - index) * nodesPerItem;
        return;
      }
      visit(items[index] as T);
    }
  }

  /** Work beyond that of an ordinary node, such as decoding the head of a picture. */
  work(nodes: number): void {
    for (let node = 0; node < nodes; node++) this.#stops();
  }

  /**
   * A value as its JSON text, without writing it: quotes, colons and commas come as one LLM token between two strings
   * (`","`, `":"`), brackets among them; so a member costs two, and an element one but for the first.
   */
  json(value: unknown, depth = 0): void {
    if (typeof value === 'string') this.#jsonString(value);
    else if (typeof value === 'number') this.text(String(value));
    else if (typeof value !== 'object' || value === null) this.fixedTokens += value === undefined ? 0 : 1;
    else if (depth < MAX_DEPTH) this.#jsonContainer(value, depth + 1);
  }

  #jsonString(value: string): void {
    if (value.startsWith('data:')) this.fixedTokens += OPAQUE_TOKENS;
    else this.text(value);
  }

  #jsonContainer(value: object, depth: number): void {
    if (Array.isArray(value)) {
      this.fixedTokens -= Math.min(1, value.length);
      this.each(value, (item) => {
        this.fixedTokens++;
        this.json(item, depth);
      });
      return;
    }
    const members = value as JsonObject;
    this.each(Object.keys(members), (name) => {
      this.fixedTokens += 2;
      this.text(name);
      this.json(members[name], depth);
    });
  }

  #stops(): boolean {
    if (this.#isStopped) return true;
    const isLook = ++this.#seenNodes % NODES_PER_LOOK === 0 && this.#seenNodes >= MIN_NODES;
    if (isLook) this.#isStopped = this.#isOver();
    return this.#isStopped;
  }
}
