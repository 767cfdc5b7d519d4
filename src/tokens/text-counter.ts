import { CUT, classAfter, classOf, isLowSurrogate } from './char-class.ts';
import { ChunkCounts, HASH_SEED_A, HASH_SEED_B, hashA, hashB } from './chunk-counts.ts';
import type { Encoding } from './encoding.ts';
import { spreadStep } from './spread.ts';
import { TextCache } from './text-cache.ts';

/** The unit of work between two looks at the clock. */
const SLICE_CHARS = 256;
/**
 * Done whatever the clock says, so that a guess at the rest never rests on chance when the machine is busy: at least three
 * slices, and about a millisecond of work. Merging a chunk that is not one token costs by its length, and the square of
 * it; one unit is about 20 ns.
 */
const MIN_SLICES = 3;
const MIN_EFFORT = 50_000;
const SLICE_EFFORT = 300;
const ENCODE_EFFORT = 50;
const MERGE_EFFORT_PER_CHAR = 64;
/** How far a slice is shortened to end where a cut changes nothing. */
const CUT_SEARCH_CHARS = 64;
/** A run without a place to cut is cut anyway: encoding a run takes time by the square of its length. */
const MAX_RUN_CHARS = 128;
/** Longer chunks are seldom words; they have a small table of their own and cannot turn the words out. */
const WORD_CHARS = 32;
const WORD_TABLE_BITS = 16;
const RUN_TABLE_BITS = 9;
/** Below this a text is counted faster than it is found. */
const CACHE_FROM_CHARS = 256;
const CACHE_CHARS = 16 * 2 ** 20;
/** From so many sampled characters on a text is extrapolated from itself, below from all texts. */
const OWN_RATIO_CHARS = 8 * SLICE_CHARS;
/** What looking at one text costs, in characters of counting. */
const TEXT_OVERHEAD_CHARS = 16;

/** One count a text, in the order given. */
export interface TextCounts {
  readonly tokens: number[];
  /** False where the clock ran out, now or earlier, and the rest of the text was extrapolated. */
  readonly isExact: boolean[];
}

export interface CountedTexts extends TextCounts {
  /** Texts for which the clock ran out just now, by index. */
  readonly unfinished: readonly number[];
}

interface Work extends TextCounts {
  readonly texts: readonly string[];
  /** Texts to count, by index. */
  readonly open: number[];
  /** Characters counted so far, by text. */
  readonly chars: number[];
}

/**
 * Counts texts in one encoding, for as long as it may. A text is cut into slices of 256 characters, at places where a cut
 * changes nothing if there are any; slices are counted in an order that is evenly spread at every moment, so that
 * wherever the time is up, what was counted stands for the rest.
 */
export class TextCounter {
  readonly #encoding: Encoding;
  readonly #cache: TextCache;
  readonly #words = new ChunkCounts(WORD_TABLE_BITS);
  readonly #runs = new ChunkCounts(RUN_TABLE_BITS);

  /** Of the count under way. */
  #effort = 0;

  constructor(encoding: Encoding, cacheChars: number = CACHE_CHARS) {
    this.#encoding = encoding;
    this.#cache = new TextCache(cacheChars);
  }

  /** `isOver` is asked about every 256 characters, but not before a least amount of work is done. */
  count(texts: readonly string[], isOver: () => boolean): CountedTexts {
    const work: Work = { texts, tokens: [], isExact: [], open: [], chars: [] };
    this.#lookUp(work);
    const unfinished = this.#countSlices(work, isOver) ? [] : extrapolate(work);
    for (const index of unfinished) work.isExact[index] = false;
    for (const index of work.open) {
      if (work.isExact[index]) this.#offer(texts[index] as string, work.tokens[index] as number);
    }
    return { tokens: work.tokens, isExact: work.isExact, unfinished };
  }

  /** Remembers what was counted elsewhere. */
  learn(text: string, tokens: number, isExact: boolean): void {
    if (text.length >= CACHE_FROM_CHARS) this.#cache.set({ text, tokens, isExact });
  }

  #offer(text: string, tokens: number): void {
    if (text.length >= CACHE_FROM_CHARS) this.#cache.offer({ text, tokens, isExact: true });
  }

  #lookUp({ texts, tokens, isExact, open, chars }: Work): void {
    for (let index = 0; index < texts.length; index++) {
      const text = texts[index] as string;
      const known = text.length < CACHE_FROM_CHARS ? undefined : this.#cache.get(text);
      tokens.push(known?.tokens ?? 0);
      isExact.push(known?.isExact ?? true);
      chars.push(0);
      if (known === undefined) open.push(index);
    }
  }

  /** True when all slices were counted. */
  #countSlices({ texts, tokens, open, chars }: Work, isOver: () => boolean): boolean {
    const { owners, starts } = slicesOf(texts, open);
    const step = spreadStep(owners.length);
    let sinceAsked = 0;
    this.#effort = 0;
    for (let done = 0, at = 0; done < owners.length; done++, at = (at + step) % owners.length) {
      if (sinceAsked >= SLICE_CHARS && done >= MIN_SLICES && this.#effort >= MIN_EFFORT) {
        if (isOver()) return false;
        sinceAsked = 0;
      }
      const owner = owners[at] as number;
      const text = texts[owner] as string;
      const from = cutNear(text, starts[at] as number);
      const to = cutNear(text, (starts[at] as number) + SLICE_CHARS);
      tokens[owner] = (tokens[owner] as number) + this.#countSlice(text, from, to);
      chars[owner] = (chars[owner] as number) + to - from;
      sinceAsked += to - from + TEXT_OVERHEAD_CHARS;
    }
    return true;
  }

  /** Chunk by chunk: hashing a chunk and finding its count is far cheaper than encoding it. */
  #countSlice(text: string, from: number, to: number): number {
    let tokens = 0;
    let start = from;
    let before = 0;
    let a = HASH_SEED_A;
    let b = HASH_SEED_B;
    for (let at = from; at < to; at++) {
      const code = text.charCodeAt(at);
      const after = classAfter(before, code);
      if ((after >= CUT || at - start >= MAX_RUN_CHARS) && at > start && (after >= CUT || !isLowSurrogate(code))) {
        const table = this.#tableFor(at - start);
        tokens += table.get(a, b) || this.#encode(table, text.slice(start, at), [a, b]);
        start = at;
        a = HASH_SEED_A;
        b = HASH_SEED_B;
      }
      a = hashA(a, code);
      b = hashB(b, code);
      before = after & ~CUT;
    }
    this.#effort += SLICE_EFFORT;
    const table = this.#tableFor(to - start);
    return tokens + (table.get(a, b) || this.#encode(table, text.slice(start, to), [a, b]));
  }

  #tableFor(chars: number): ChunkCounts {
    return chars <= WORD_CHARS ? this.#words : this.#runs;
  }

  #encode(table: ChunkCounts, chunk: string, [a, b]: readonly [number, number]): number {
    const count = this.#encoding.count(chunk);
    this.#effort += count === 1 ? ENCODE_EFFORT : chunk.length * (chunk.length + MERGE_EFFORT_PER_CHAR);
    table.set(a, b, count);
    return count;
  }
}

/** Every slice's text and nominal start. */
function slicesOf(texts: readonly string[], open: readonly number[]): { owners: number[]; starts: number[] } {
  const owners: number[] = [];
  const starts: number[] = [];
  for (const index of open) {
    const { length } = texts[index] as string;
    for (let start = 0; start < length; start += SLICE_CHARS) {
      owners.push(index);
      starts.push(start);
    }
  }
  return { owners, starts };
}

/** The cut that belongs to a nominal position: at it, or up to 64 characters before. Depends on nothing else. */
function cutNear(text: string, position: number): number {
  if (position <= 0) return 0;
  if (position >= text.length) return text.length;
  for (let at = position; at > position - CUT_SEARCH_CHARS; at--) {
    if (classAfter(classOf(text.charCodeAt(at - 1)), text.charCodeAt(at)) >= CUT) return at;
  }
  return isLowSurrogate(text.charCodeAt(position)) ? position - 1 : position;
}

/** Adds what the uncounted characters of every open text are likely to count; gives those texts. */
function extrapolate({ texts, tokens, open, chars }: Work): number[] {
  let allTokens = 0;
  let allChars = 0;
  for (const index of open) {
    allTokens += tokens[index] as number;
    allChars += chars[index] as number;
  }
  return open.filter((index) => {
    const counted = chars[index] as number;
    const rest = (texts[index] as string).length - counted;
    const own = tokens[index] as number;
    tokens[index] = own + rest * (counted >= OWN_RATIO_CHARS ? own / counted : allTokens / allChars);
    return rest > 0;
  });
}
