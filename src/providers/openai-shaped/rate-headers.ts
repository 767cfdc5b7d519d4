import type { UpstreamHeaders } from '../../upstream/transport.ts';
import type { LimitReading } from '../provider.ts';
import { headerOf } from './headers.ts';
import { DAY_MS, MINUTE_MS, parseWhen, SECOND_MS, type TimeSpan } from './spans-of-time.ts';

/** Where a vendor's headers tell of one limit. */
export interface RateHeaderRow {
  readonly unit: LimitReading['unit'];
  readonly windowMs: number;
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string | null;
  /** The same headers describe a day's limit where that is the tighter one; `reset` gives it away. */
  readonly mayBeDay: boolean;
  /** Where the length of the window is told, in seconds; `windowMs` holds where it is not. */
  readonly period?: string;
  /** What it says remains is too much at times. */
  readonly isAtMost?: boolean;
}

export function row(unit: RateHeaderRow['unit'], suffix: string, windowMs: number): RateHeaderRow {
  return {
    unit,
    windowMs,
    limit: `x-ratelimit-limit-${suffix}`,
    remaining: `x-ratelimit-remaining-${suffix}`,
    reset: `x-ratelimit-reset-${suffix}`,
    mayBeDay: false,
  };
}

/** OpenAI's six, and those of a project's own token limit; most servers that speak its format copy them. */
export const OPENAI_HEADERS: readonly RateHeaderRow[] = [
  { ...row('requests', 'requests', MINUTE_MS), mayBeDay: true },
  { ...row('tokens', 'tokens', MINUTE_MS), mayBeDay: true },
  { ...row('tokens', 'project-tokens', MINUTE_MS), mayBeDay: true },
];

/** Requests are counted by the day here, tokens by the minute (console.groq.com/docs/rate-limits). */
export const GROQ_HEADERS: readonly RateHeaderRow[] = [
  row('requests', 'requests', DAY_MS),
  row('tokens', 'tokens', MINUTE_MS),
];

/** Numbers of one second (docs.together.ai/docs/rate-limits). */
export const TOGETHER_HEADERS: readonly RateHeaderRow[] = [
  {
    unit: 'requests',
    windowMs: SECOND_MS,
    limit: 'x-ratelimit-limit',
    remaining: 'x-ratelimit-remaining',
    reset: null,
    mayBeDay: false,
  },
  {
    unit: 'tokens',
    windowMs: SECOND_MS,
    limit: 'x-tokenlimit-limit',
    remaining: 'x-tokenlimit-remaining',
    reset: null,
    mayBeDay: false,
  },
];

/** Prompt and output apart; the third one, of prompts without what was cached, has no unit of ours. */
export const FIREWORKS_HEADERS: readonly RateHeaderRow[] = [
  { ...row('requests', 'requests', MINUTE_MS), reset: null },
  { ...row('input_tokens', 'tokens-prompt', MINUTE_MS), reset: null },
  { ...row('output_tokens', 'tokens-generated', MINUTE_MS), reset: null },
];

const HOUR_MS = 60 * MINUTE_MS;

export const CEREBRAS_HEADERS: readonly RateHeaderRow[] = [
  row('requests', 'requests-minute', MINUTE_MS),
  row('requests', 'requests-hour', HOUR_MS),
  row('requests', 'requests-day', DAY_MS),
  row('tokens', 'tokens-minute', MINUTE_MS),
  row('tokens', 'tokens-hour', HOUR_MS),
  row('tokens', 'tokens-day', DAY_MS),
];

/** What the head of an answer says about limits; of two on one unit and window the one with less left. */
export function readRateHeaders(headers: UpstreamHeaders, rows: readonly RateHeaderRow[]): readonly LimitReading[] {
  const readings: LimitReading[] = [];
  for (const each of rows) {
    const reading = readRow(headers, each);
    if (reading === null) continue;
    const same = readings.findIndex((known) => known.unit === reading.unit && known.windowMs === reading.windowMs);
    if (same < 0) readings.push(reading);
    else if (leftOf(reading) < leftOf(readings[same])) readings[same] = reading;
  }
  return readings;
}

function leftOf(reading: LimitReading | undefined): number {
  return reading?.remaining ?? Number.POSITIVE_INFINITY;
}

function readRow(headers: UpstreamHeaders, { unit, ...names }: RateHeaderRow): LimitReading | null {
  // A limit of 0 or -1 stands for "unknown"; a remaining 0 beside it then says nothing either.
  const limit = readAmount(headerOf(headers, names.limit), 1);
  const isBlank = limit === null && headerOf(headers, names.limit) !== null;
  const remaining = isBlank ? null : readAmount(headerOf(headers, names.remaining), 0);
  if (limit === null && remaining === null) return null;
  const resetText = names.reset === null ? null : headerOf(headers, names.reset);
  const reset = resetText === null ? null : parseWhen(resetText, headerOf(headers, 'date'));
  const isDay = names.mayBeDay && isDayLimit({ limit, remaining, reset });
  const windowMs = isDay ? DAY_MS : periodOf(headers, names);
  return { unit, windowMs, limit, remaining, ...(names.isAtMost ? { isAtMost: true } : {}) };
}

function periodOf(headers: UpstreamHeaders, { period, windowMs }: Omit<RateHeaderRow, 'unit'>): number {
  const seconds = period === undefined ? null : readAmount(headerOf(headers, period), 1);
  return seconds === null ? windowMs : seconds * SECOND_MS;
}

function readAmount(text: string | null, least: number): number | null {
  if (text === null || !/^\s*\d+(?:\.\d+)?\s*$/.test(text)) return null;
  const amount = Number(text);
  return amount >= least && amount <= Number.MAX_SAFE_INTEGER ? amount : null;
}

interface LimitState {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly reset: TimeSpan | null;
}

/** Ten times a minute and more ... */
const LEAST_DAY_MS = 10 * MINUTE_MS;
/** ... but not so long that the numbers cannot belong together. */
const MOST_DAY_MS = 4 * DAY_MS;

/**
 * A limit refills evenly, so what is used, as a share of the limit, takes that share of the window to come back. Both ends of
 * what `reset` may stand for, given its step, have to point at a day.
 *
 * A minute's window comes back whole at its end, however little of it is used, so a reset within a minute says nothing. Of a
 * day it would mean that less than a thousandth is used: that it is a day shows soon enough, while a minute that is taken for
 * a day lays the quota still until tomorrow.
 */
function isDayLimit({ limit, remaining, reset }: LimitState): boolean {
  if (limit === null || remaining === null || reset === null || remaining >= limit) return false;
  if (reset.ms - reset.stepMs <= MINUTE_MS) return false;
  const usedShare = (limit - remaining) / limit;
  return (reset.ms - reset.stepMs) / usedShare > LEAST_DAY_MS && reset.ms / usedShare < MOST_DAY_MS;
}
