import { countTokens, decode, encode } from 'gpt-tokenizer/encoding/o200k_base';

/** A longer run of like characters would take quadratic time to merge, so it is counted in pieces of this length. */
const MAX_RUN = 256;

/** Characters of cached text, over all entries; the oldest go first. */
const MAX_CACHED_CHARS = 16_000_000;

/** Short texts are cheaper counted than looked up. */
const MIN_CACHED_CHARS = 32;

/** Text that looks like a control token is counted as the text it is, not refused. */
const AS_TEXT = { disallowedSpecial: new Set<string>() };

export type TokenCounter = (text: string) => number;

/**
 * Counts as the o200k encoding does, exactly but for runs of one kind that no writer makes. Remembers repeated texts, up
 * to `maxCachedChars` of them in all.
 */
export function createTokenCounter(maxCachedChars = MAX_CACHED_CHARS): TokenCounter {
  const cache = new Map<string, number>();
  let cachedChars = 0;
  const remember = (text: string, count: number): void => {
    cache.set(text, count);
    cachedChars += text.length;
    for (const oldest of cache.keys()) {
      if (cachedChars <= maxCachedChars) break;
      cache.delete(oldest);
      cachedChars -= oldest.length;
    }
  };
  return (text) => {
    if (text.length < MIN_CACHED_CHARS) return countTokens(text, AS_TEXT);
    const known = cache.get(text);
    if (known !== undefined) return known;
    const count = countInPieces(text);
    remember(text, count);
    return count;
  };
}

function countInPieces(text: string): number {
  return safePieces(text).reduce((total, piece) => total + countTokens(piece, AS_TEXT), 0);
}

/** The tokens of an ASCII text, as text. */
export function splitTokens(text: string): string[] {
  return safePieces(text).flatMap((piece) => encode(piece, AS_TEXT).map((token) => decode([token])));
}

/** Cuts a text where a run of like characters gets too long; most texts stay whole. */
function safePieces(text: string): string[] {
  const pieces: string[] = [];
  let pieceFrom = 0;
  let runFrom = 0;
  let runKind = -1;
  for (let index = 0; index < text.length; index++) {
    const kind = kindOf(text.charCodeAt(index));
    if (kind !== runKind) {
      runKind = kind;
      runFrom = index;
    } else if (index - runFrom >= MAX_RUN && !isLowSurrogate(text.charCodeAt(index))) {
      pieces.push(text.slice(pieceFrom, index));
      pieceFrom = index;
      runFrom = index;
    }
  }
  pieces.push(text.slice(pieceFrom));
  return pieces;
}

/** The encoding never joins characters of different kinds into a run: letters and all that is not ASCII, digits, rest. */
function kindOf(code: number): number {
  if (code > 127) return 0;
  if (code === 32 || (code >= 9 && code <= 13)) return 1;
  if (code >= 48 && code <= 57) return 2;
  const isLetter = (code | 32) >= 97 && (code | 32) <= 122;
  return isLetter ? 0 : 3;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
