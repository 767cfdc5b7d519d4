/** Shorter "secrets" are placeholders such as `none` or `ollama`, and would be found inside ordinary words. */
const SHORTEST_SECRET = 8;

/**
 * What keys look like when nobody registered them. Lengths keep model names such as `pplx-70b-online` readable, and none
 * of these matches across a quote, so that a JSON line stays JSON.
 */
const KEY_PATTERNS = [
  String.raw`\bsk[-_][\w-]{8,}`,
  String.raw`\b(?:rk|pk|gsk|xai|csk|nvapi|pplx|hf|r8|tgp)[-_][\w-]{20,}`,
  String.raw`\bAIza[\w-]{20,}`,
  String.raw`\b[Bb]earer\s+[\w.~+/=-]+`,
];

const MASK = '[secret]';

/**
 * Removes secrets from finished log lines of JSON, wherever in them they are: message, fields, error text or stack.
 * @param secrets every configured key, in clear
 */
export function lineScrubber(secrets: readonly string[]): (line: string) => string {
  const known = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    // As it stands within a string of JSON, and within a URL.
    .map((secret) => secret.toWellFormed())
    .flatMap((secret) => [JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
    // Longest first: an alternative that is the beginning of another one would leave the rest standing.
    .sort((a, b) => b.length - a.length)
    .map(escapeForRegExp);
  const pattern = new RegExp([...new Set(known), ...KEY_PATTERNS].join('|'), 'g');
  return (line) => line.replace(pattern, MASK);
}

/** Every character by its code, so that none means anything to the expression. */
function escapeForRegExp(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
