import { createHash } from 'node:crypto';
import type { AnswerWriter, Usage } from '../api/answer.ts';

const USUAL_DIMENSIONS = 64;
const MOST_DIMENSIONS = 3072;

/** As many texts as any vendor takes at once. */
export const MOST_TEXTS = 2048;

/** A vector of length 1 that is the same for the same text. */
export function vectorOf(text: string, dimensions: number | null): number[] {
  const size = Math.min(MOST_DIMENSIONS, Math.max(1, dimensions ?? USUAL_DIMENSIONS));
  const seed = createHash('sha256').update(text).digest();
  const raw = Array.from({ length: size }, (_, index) => ((seed[index % seed.length] ?? 0) - 127.5) / (index + 1));
  const norm = Math.hypot(...raw);
  return raw.map((value) => Math.fround(value / norm));
}

/** An answer that comes whole or not at all: what is asked for is no text. */
export function wholeOnly(whole: (usage: Usage) => unknown): AnswerWriter {
  const nothing = (): string => '';
  return {
    whole: (usage) => JSON.stringify(whole(usage)),
    ...{ opening: nothing, partStart: nothing, piece: nothing, partEnd: nothing, choiceEnd: nothing },
    ...{ closing: nothing, fragment: nothing },
  };
}
