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
  return () => {
    let content = '';
    // Whole pieces would make the same prompt twice before long.
    while (content.length < bytes) {
      const piece = pieces[Math.floor(random() * PIECES)] ?? '';
      content += piece.slice(Math.floor((random() * PIECE_CHARS) / 2));
    }
    return frame(content.slice(0, bytes));
  };
}
