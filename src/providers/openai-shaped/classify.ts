import type { FailedAnswer, Outcome, UpstreamError } from '../provider.ts';
import { readErrorBody } from './error-body.ts';
import { judge } from './error-rules.ts';
import { jsonText } from './json.ts';
import { readSpent } from './spent-text.ts';

/** Enough for every detail that a rule looks for, and little enough for any pattern. */
const MAX_BODY_CHARACTERS = 16_384;
const MAX_WORD_CHARACTERS = 4_096;

/** What an error inside a 200, or inside a stream, stands for when it brings no status of its own. */
const STATUS_OF_WORDS: readonly (readonly [words: RegExp, status: number])[] = [
  [/rate.?limit|too many requests|insufficient_quota/i, 429],
  [/overloaded|unavailable|capacity/i, 503],
  [/context_length|invalid_request|bad.?request/i, 400],
  [/authentication|invalid_api_key/i, 401],
];

export function classifyAnswer({ status, headers, json }: FailedAnswer): Outcome {
  const error = readErrorBody(json);
  const message = (error?.message ?? '').slice(0, MAX_WORD_CHARACTERS);
  const words = [error?.code ?? '', error?.type ?? '', message].join(' ').slice(0, MAX_WORD_CHARACTERS);
  return judge({
    status: status < 300 ? statusOf(error, words) : status,
    words,
    message,
    body: json === null ? '' : jsonText(json).slice(0, MAX_BODY_CHARACTERS),
    headers,
    spent: readSpent(message, error?.type ?? null),
  });
}

function statusOf(error: UpstreamError | null, words: string): number {
  const code = Number(error?.code ?? Number.NaN);
  if (code >= 400 && code < 600) return code;
  return STATUS_OF_WORDS.find(([mark]) => mark.test(words))?.[1] ?? 500;
}
