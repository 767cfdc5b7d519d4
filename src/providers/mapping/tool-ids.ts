/** What a vendor takes for the id of a tool call. */
export interface IdRule {
  readonly allowed: RegExp;
  /** In front of the ids that are made up. */
  readonly prefix: string;
  /** Letters and digits behind the prefix. */
  readonly length: number;
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/**
 * An id that a vendor takes, for one that may be another vendor's: clients send back whatever ids they were given, wherever
 * the next request goes. The same id always becomes the same, so that calls and their results still belong together.
 */
export function acceptableId(id: string, { allowed, prefix, length }: IdRule): string {
  if (allowed.test(id)) return id;
  let made = '';
  for (let round = 0; made.length < length; round += 1) made += digits(hash(`${round} ${id}`));
  return prefix + made.slice(0, length);
}

/** FNV-1a, 32 bits: ids only have to differ from one another. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}

/** Six digits of base 36 hold a little less than 32 bits. */
function digits(value: number): string {
  let rest = value;
  let text = '';
  for (let count = 0; count < 6; count += 1) {
    text += ALPHABET.charAt(rest % ALPHABET.length);
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}
