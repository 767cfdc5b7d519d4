/** A byte-pair vocabulary. Models of one family share one. */
export type EncodingName = 'o200k_base' | 'cl100k_base' | 'o200k_harmony';

export interface Encoding {
  readonly name: EncodingName;
  /**
   * LLM tokens of a piece of text; special tokens such as `<|endoftext|>` are plain text. The work grows with the square
   * of the longest unbroken run, so only `TextCounter` calls it, with short pieces.
   */
  count(piece: string): number;
}

/** How an encoding comes into memory; injected, so that tests need none of the real ones. */
export type EncodingLoader = (name: EncodingName) => Promise<Encoding>;

/** Nothing is special: without this the library throws when a user writes the name of a special token. */
const PLAIN_TEXT = { disallowedSpecial: new Set<string>() };

/**
 * Loads a vocabulary (about 160 ms and 70 MB, once per process). o200k_harmony differs from o200k_base in its special
 * tokens only, and these are plain text here: it is not loaded a second time.
 */
export async function loadEncoding(name: EncodingName): Promise<Encoding> {
  const library = await importEncoding(name);
  // The library's cache of merges keeps slices of what it saw, and a slice keeps the whole request it was cut from.
  library.setMergeCacheSize(0);
  return { name, count: (piece) => library.countTokens(piece, PLAIN_TEXT) };
}

/** By encoding, never by model: the library's entry points for models lag behind the vendors. */
function importEncoding(name: EncodingName) {
  return name === 'cl100k_base'
    ? import('gpt-tokenizer/encoding/cl100k_base')
    : import('gpt-tokenizer/encoding/o200k_base');
}
