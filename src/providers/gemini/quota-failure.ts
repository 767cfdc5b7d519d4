import { listAt, textAt } from '../mapping/json.ts';
import { readRetryHint } from '../openai-shaped/retry-hint.ts';
import { DAY_MS, MINUTE_MS, parseDuration, SECOND_MS } from '../openai-shaped/spans-of-time.ts';
import type { FailedAnswer, Outcome, Spent } from '../provider.ts';
import type { JsonObject } from '../wire.ts';

/** What a refusal says beside its details. */
interface Surroundings {
  readonly message: string;
  readonly headers: FailedAnswer['headers'];
}

/** Without details it may be the limit on what is spent in ten minutes, or the vendor's own capacity: it passes, but not at once. */
const BARE_REST_MS = 5_000;

const DEPLETED = /credits? (?:are|is|have been|has been) depleted|prepa(?:id|yment) credits?/i;
const SPEND_CAP = /spend(?:ing)? cap|spending limit/i;

/**
 * A 429 of a quota (ai.google.dev/gemini-api/docs/rate-limits). Its violations name the limit and how much it admits, which is
 * all that this vendor ever tells of its limits. Of several the longest counts: a day that is gone brings a delay of
 * seconds as well. A limit of nothing is a model that is not in the plan.
 */
export function quotaOutcome(error: JsonObject, { message, headers }: Surroundings): Outcome {
  const violations = listAt(error, 'details').flatMap((detail) => listAt(detail, 'violations'));
  const ids = violations.map((violation) => textAt(violation, 'quotaId') ?? '');
  const readings = violations.flatMap(readingOf);
  if (DEPLETED.test(message)) return { kind: 'disabled', reason: 'billing', scope: 'key' };
  if (violations.some((violation) => textAt(violation, 'quotaValue') === '0')) {
    return { kind: 'disabled', reason: 'model', scope: 'key_model' };
  }
  if (SPEND_CAP.test(message)) return { kind: 'exhausted', retryAfterMs: null, readings: [] };
  if (ids.some((id) => /PerDay/i.test(id))) {
    return { kind: 'exhausted', retryAfterMs: null, readings: readings.filter(({ windowMs }) => windowMs === DAY_MS) };
  }
  const delayMs = delayOf(error) ?? readRetryHint(headers, message);
  return { kind: 'wait', retryAfterMs: delayMs ?? (violations.length === 0 ? BARE_REST_MS : null), readings };
}

/** `RetryInfo`; null: none, or a delay of nothing. */
function delayOf(error: JsonObject): number | null {
  const delays = listAt(error, 'details').flatMap((detail) => textAt(detail, 'retryDelay') ?? []);
  const spans = delays.map((delay) => parseDuration(delay)?.ms ?? 0);
  const longest = Math.max(0, ...spans);
  return longest > 0 ? longest : null;
}

/** Tokens are input only, and are booked so. */
function readingOf(violation: unknown): Spent[] {
  const id = `${textAt(violation, 'quotaId') ?? ''} ${textAt(violation, 'quotaMetric') ?? ''}`;
  const windowMs = windowOf(id);
  const limit = Number(textAt(violation, 'quotaValue') ?? Number.NaN);
  if (windowMs === null || !(limit > 0)) return [];
  return [{ unit: unitOf(id), windowMs, limit, used: null, requested: null }];
}

function unitOf(id: string): Spent['unit'] {
  if (!/token/i.test(id)) return 'requests';
  return /output/i.test(id) ? 'output_tokens' : 'tokens';
}

function windowOf(id: string): number | null {
  if (/PerDay/i.test(id)) return DAY_MS;
  if (/PerMinute/i.test(id)) return MINUTE_MS;
  return /PerSecond/i.test(id) ? SECOND_MS : null;
}
