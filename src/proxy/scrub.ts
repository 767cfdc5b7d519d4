import type { ErrorBody } from '../errors.ts';
import type { UpstreamError } from '../providers/provider.ts';
import { inPlainText, type Scrub, secretScrub } from '../scrub.ts';

/** More is no message. */
const MAX_MESSAGE_CHARACTERS = 2_000;
const MAX_CLIENT_CHARACTERS = 100;

/** What the ids of organisations, projects and teams look like: they are nobody's business but the operator's. */
const IDS: readonly (readonly [pattern: RegExp, mask: string])[] = [
  [/\borg[-_](?=[a-zA-Z]*[A-Z0-9])[\w-]{6,}/g, '[organization]'],
  [/\bproj_(?=[a-zA-Z]*[A-Z0-9])[\w-]{6,}/g, '[project]'],
  [/\bteam [0-9a-f]{8}-[0-9a-f-]{27}\b/gi, 'team [id]'],
];

/**
 * For words of an upstream that a client may see.
 * @param secrets every configured key, in clear
 */
export function createScrub(secrets: Iterable<string>): Scrub {
  const withoutSecrets = secretScrub(secrets, inPlainText);
  return (text) => IDS.reduce((left, [pattern, mask]) => left.replace(pattern, mask), withoutSecrets(text));
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
      // Many repeat the status here, which is no code that a client could know.
      code: /^\d+$/.test(error?.code ?? '') ? null : clean(error?.code),
    },
  };
}
