/** Takes secrets out of a text. */
export type Scrub = (text: string) => string;

/** A way in which a secret may stand in a text. */
type Spelling = (secret: string) => string;

/** Shorter "secrets" are placeholders such as `none` or `ollama`, and would be found inside ordinary words. */
const SHORTEST_SECRET = 8;

/**
 * What keys look like when nobody registered them; vendors mask them with stars or dots in between. Lengths keep model
 * names such as `pplx-70b-online` readable, and none of these matches across a quote, so that JSON stays JSON.
 */
const LIKE_A_KEY = new RegExp(
  [
    String.raw`\b(?:[Bb]earer|BEARER)\s+[\w.~+/=*-]+`,
    String.raw`\bsk[-_][\w*.…-]{5,}[\w*]`,
    String.raw`\b(?:rk|pk|gsk|xai|csk|nvapi|pplx|hf|r8|tgp|fw)[-_][\w*-]{20,}`,
    String.raw`\bAIza[\w*-]{20,}`,
  ].join('|'),
  'g',
);

const MASK = '[secret]';

export const inPlainText: Spelling = (secret) => secret;

/** Within a string of JSON, without its quotes. */
export const inJson: Spelling = (secret) => JSON.stringify(secret).slice(1, -1);

const inUrl: Spelling = (secret) => encodeURIComponent(secret.toWellFormed());

/**
 * Finds the given secrets, as they are spelled in the text and as they are in a URL, and whatever looks like a key.
 * @param secrets every configured key, in clear
 */
export function secretScrub(secrets: Iterable<string>, spelling: Spelling): Scrub {
  const known = [...secrets]
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [spelling(secret), inUrl(secret)])
    // Longest first: an alternative that is the beginning of another one would leave the rest standing.
    .sort((a, b) => b.length - a.length)
    .map(escapeForRegExp);
  if (known.length === 0) return (text) => text.replace(LIKE_A_KEY, MASK);
  const pattern = new RegExp([...new Set(known)].join('|'), 'g');
  // Known ones first: a likeness may end in the middle of one, and would leave the rest of it.
  return (text) => text.replace(pattern, MASK).replace(LIKE_A_KEY, MASK);
}

/** Every character by its code, so that none means anything to the expression. */
function escapeForRegExp(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
