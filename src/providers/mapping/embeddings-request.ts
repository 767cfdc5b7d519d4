import type { JsonObject, Unsupported } from '../wire.ts';

/** The texts to be turned into vectors, for vendors that take no token ids. */
export function textsToEmbed({ input }: JsonObject): readonly string[] {
  if (typeof input === 'string') return [input];
  return Array.isArray(input) ? input.filter((item): item is string => typeof item === 'string') : [];
}

/** What such a vendor can't be asked: anything but texts, or more than `mostTexts` of them. Null: all is well. */
export function refusesInput({ input }: JsonObject, mostTexts: number): Unsupported | null {
  const texts = Array.isArray(input) ? input : [input];
  if (texts.length > mostTexts) return { param: 'input', message: `it takes ${mostTexts} texts at once: send fewer.` };
  if (texts.every((item) => typeof item === 'string')) return null;
  return { param: 'input', message: 'it takes texts, not token ids: send `input` as a string or a list of strings.' };
}
