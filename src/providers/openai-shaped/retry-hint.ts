import type { UpstreamHeaders } from '../../upstream/transport.ts';
import { headerOf } from './headers.ts';
import { parseDuration, parseWhen } from './spans-of-time.ts';

/** Nothing waits longer for a limit than the longest month. */
const MOST_MS = 31 * 86_400_000;

const SENTENCE = /(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?(milliseconds?|seconds?|minutes?|hours?)/i;
const COMPACT = /(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|h|m|s))+)/i;

/**
 * When an answer says a repeat makes sense, in milliseconds from now: `retry-after-ms`, else its sentence ("try again in
 * 1.2s"), else `retry-after`, which is rounded to seconds. A hint of 0 is none. Null: it does not say. A lower bound at best.
 */
export function readRetryHint(headers: UpstreamHeaders, message: string): number | null {
  const exact = Number(headerOf(headers, 'retry-after-ms') ?? Number.NaN);
  const hints = [exact, fromSentence(message), fromHeader(headers)];
  const hint = hints.find((ms) => ms !== null && ms > 0 && Number.isFinite(ms)) ?? null;
  return hint === null ? null : Math.min(hint, MOST_MS);
}

function fromHeader(headers: UpstreamHeaders): number | null {
  const text = headerOf(headers, 'retry-after');
  return text === null ? null : (parseWhen(text, headerOf(headers, 'date'))?.ms ?? null);
}

/** What a sentence says; null when it does not. */
export function fromSentence(message: string): number | null {
  const compact = COMPACT.exec(message)?.[1];
  if (compact !== undefined) return parseDuration(compact)?.ms ?? null;
  const [, amount, word = ''] = SENTENCE.exec(message) ?? [];
  if (amount === undefined) return null;
  const unit = word.startsWith('mil') ? 'ms' : word.slice(0, 1).toLowerCase();
  return parseDuration(`${amount}${unit}`)?.ms ?? null;
}
