import type { Spent } from '../provider.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from './spans-of-time.ts';

/** The limits that vendors name in their refusals, the more particular words first. */
const LIMIT_NAMES: readonly (readonly [words: RegExp, unit: Spent['unit'], windowMs: number])[] = [
  [/\bITPM\b|\binput[ _-]tokens per min/i, 'input_tokens', MINUTE_MS],
  [/\bOTPM\b|\boutput[ _-]tokens per min/i, 'output_tokens', MINUTE_MS],
  [/\bTPD\b|\btokens per day/i, 'tokens', DAY_MS],
  [/\bTPM\b|\btokens per min/i, 'tokens', MINUTE_MS],
  [/\bRPD\b|\brequests per day|\bfree-models-per-day/i, 'requests', DAY_MS],
  [/\bRPM\b|\brequests per min|\bcalls \/ min|\bfree-models-per-min/i, 'requests', MINUTE_MS],
  [/\bRPS\b|\brequests per sec/i, 'requests', SECOND_MS],
];

const LIMIT = /\b(?:limit(?:ed to| is|:)?|of) (\d[\d,]*)/i;
const USED = /\b(?:used|current):? (\d[\d,]*)/i;
const REQUESTED = /\brequested:? (\d[\d,]*)/i;

/**
 * The numbers in a refusal such as "Rate limit reached ... on tokens per min (TPM): Limit 30000, Used 29000, Requested 1500":
 * a free measurement of the vendor's books. Null when it names no limit that we know.
 */
export function readSpent(message: string, type: string | null): Spent | null {
  const [, unit, windowMs] = LIMIT_NAMES.find(([words]) => words.test(message)) ?? [];
  const numbers = { limit: amount(LIMIT, message), used: amount(USED, message), requested: amount(REQUESTED, message) };
  if (unit !== undefined && windowMs !== undefined) return { unit, windowMs, ...numbers };
  // OpenAI's `type` alone tells the unit; without a name the window is the minute.
  const isMarked = / per |\([A-Z]{2,5}\)/.test(message);
  if ((type === 'tokens' || type === 'requests') && !isMarked) return { unit: type, windowMs: MINUTE_MS, ...numbers };
  return null;
}

function amount(pattern: RegExp, message: string): number | null {
  const digits = pattern.exec(message)?.[1];
  return digits === undefined ? null : Number(digits.replaceAll(',', ''));
}
