import type { JsonObject, Unsupported } from '../wire.ts';

/** The texts to be turned into vectors, for vendors that take no token ids. */
export function textsToEmbed({ input }: JsonObject): readonly string[] {
  if (typeof input === 'string') return [input];
  return Array.isArray(input) ? input.filter((item): item is string => typeof item === 'string') : [];
}

/** What such a vendor can't be asked: anything but texts. Null: all is well. */
export function refusesTokenIds({ input }: JsonObject): Unsupported | null {
  const isText = typeof input === 'string' || (Array.isArray(input) && input.every((item) => typeof item === 'string'));
  if (isText) return null;
  return { param: 'input', message: 'it takes texts, not token ids: send `input` as a string or a list of strings.' };
}
