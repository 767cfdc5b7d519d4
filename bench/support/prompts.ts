import { seeded, textOf } from '../../test/tokens/texts.ts';

const PIECE_CHARS = 256;
const PIECES = 256;

/** Makes chat requests of a size in bytes, each new to every cache, at a fraction of the price of writing new text. */
export function requestMaker(bytes: number, { isStreaming }: { readonly isStreaming: boolean }): () => string {
  const random = seeded(1);
  const pieces = Array.from({ length: PIECES }, (_, seed) =>
    textOf('english', PIECE_CHARS, seed).slice(0, PIECE_CHARS),
  );
  const frame = (content: string): string =>
    `{"model":"gpt-4o","stream":${isStreaming},"messages":[{"role":"user","content":${JSON.stringify(content)}}]}`;
  let made = 0;
  return () => {
    // Pieces alone would make the same prompt twice before long.
    let content = `${made++}: `;
    while (content.length < bytes) content += pieces[Math.floor(random() * PIECES)] ?? '';
    return frame(content.slice(0, bytes));
  };
}
