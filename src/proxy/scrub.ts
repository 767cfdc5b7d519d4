import type { ErrorBody } from '../errors.ts';
import type { UpstreamError } from '../providers/provider.ts';

/** Takes out of a text what must not leave the process. */
export type Scrub = (text: string) => string;

/** Shorter "secrets" are placeholders such as `none`, and would be found inside ordinary words. */
const SHORTEST_SECRET = 8;
/** More is no message. */
const MAX_MESSAGE_CHARACTERS = 2_000;
const MAX_CLIENT_CHARACTERS = 100;

/** What keys, and the ids of organisations, projects and teams look like. Vendors mask keys with stars or dots in between. */
const PATTERNS: readonly (readonly [pattern: RegExp, mask: string])[] = [
  [/\bbearer\s+[\w.~+/=*-]+/gi, '[secret]'],
  [/\bsk[-_][\w*.…-]*[\w*]/g, '[secret]'],
  [/\b(?:rk|pk|gsk|xai|csk|nvapi|pplx|hf|r8|tgp|fw)[-_][\w*-]{20,}/g, '[secret]'],
  [/\bAIza[\w*-]{20,}/g, '[secret]'],
  [/\borg[-_](?=[a-zA-Z]*[A-Z0-9])[\w-]{6,}/g, '[organization]'],
  [/\bproj_(?=[a-zA-Z]*[A-Z0-9])[\w-]{6,}/g, '[project]'],
  [/\bteam [0-9a-f]{8}-[0-9a-f-]{27}\b/gi, 'team [id]'],
];

/** @param secrets every configured key, upstream and client, in clear */
export function createScrub(secrets: Iterable<string>): Scrub {
  const known = [...new Set(secrets)]
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, encodeURIComponent(secret.toWellFormed())])
    // Longest first: one that begins another would leave the rest of it standing.
    .sort((one, other) => other.length - one.length);
  return (text) => {
    const withoutKnown = known.reduce((left, secret) => left.replaceAll(secret, '[secret]'), text);
    return PATTERNS.reduce((left, [pattern, mask]) => left.replace(pattern, mask), withoutKnown);
  };
}

/** Text of a client, such as a model's name, short enough to stand in a message. */
export function cutClientText(text: string): string {
  return text.length <= MAX_CLIENT_CHARACTERS ? text : `${text.slice(0, MAX_CLIENT_CHARACTERS).toWellFormed()}…`;
}

/** An upstream's error with OpenAI's four keys and no more, scrubbed, for a client to see. */
export function upstreamErrorBody(error: UpstreamError | null, scrub: Scrub): ErrorBody {
  const clean = (text: string | null | undefined) =>
    text ? scrub(text).slice(0, MAX_MESSAGE_CHARACTERS).toWellFormed() : null;
  return {
    error: {
      message: clean(error?.message) ?? 'The upstream refused the request and did not say why.',
      type: clean(error?.type) ?? 'invalid_request_error',
      param: clean(error?.param),
      code: clean(error?.code),
    },
  };
}
