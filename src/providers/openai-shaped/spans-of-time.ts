export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** A time from now, as a header or a sentence gives it. */
export interface TimeSpan {
  readonly ms: number;
  /** The smallest step that its spelling can tell. */
  readonly stepMs: number;
}

/** Go's units, longest spelling first where one begins another. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: 3_600_000,
};
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|h|m|s)/g;
const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|h|m|s))+$/;
const NUMBER = /^\d+(?:\.\d+)?$/;

/** A bare number beyond these is an instant: seconds, or milliseconds, since the epoch. */
const LEAST_EPOCH_S = 1e9;
const LEAST_EPOCH_MS = 1e12;

/** A Go duration such as `6m0s`, `1m26.4s` or `12ms`; null when the text is none. */
export function parseDuration(text: string): TimeSpan | null {
  if (!DURATION.test(text)) return null;
  let ms = 0;
  let stepMs = 1;
  for (const [, amount = '', unit = ''] of text.matchAll(PART)) {
    ms += Number(amount) * (UNIT_MS[unit] ?? 0);
    const isWholeSeconds = !amount.includes('.') && (UNIT_MS[unit] ?? 0) >= SECOND_MS;
    stepMs = isWholeSeconds ? SECOND_MS : 1;
  }
  return { ms, stepMs };
}

/**
 * Any spelling of "when": a Go duration, bare seconds, seconds or milliseconds since the epoch, RFC 3339, an HTTP date.
 * Instants are measured from the answer's own `date` header, so no clock of ours takes part. Null: unreadable, negative, or
 * an instant without a `date`.
 */
export function parseWhen(text: string, date: string | null): TimeSpan | null {
  const trimmed = text.trim();
  const duration = parseDuration(trimmed);
  if (duration !== null) return duration;
  if (!NUMBER.test(trimmed)) return since(parseInstant(trimmed), date);
  const value = Number(trimmed);
  if (value > LEAST_EPOCH_MS) return since(value, date);
  if (value > LEAST_EPOCH_S) return since(value * SECOND_MS, date);
  return { ms: value * SECOND_MS, stepMs: trimmed.includes('.') ? 1 : SECOND_MS };
}

function since(instantMs: number | null, date: string | null): TimeSpan | null {
  const fromMs = date === null ? null : parseInstant(date);
  if (instantMs === null || fromMs === null || instantMs < fromMs) return null;
  return { ms: instantMs - fromMs, stepMs: SECOND_MS };
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d(?:\.\d+)?)(?:Z|([+-])(\d\d):(\d\d))$/i;
const HTTP_DATE = /^[a-z]{3}, (\d\d) ([a-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Milliseconds since the epoch of an RFC 3339 timestamp or an HTTP date (RFC 9110, 5.6.7); null when it is neither. */
export function parseInstant(text: string): number | null {
  const stamp = RFC_3339.exec(text);
  if (stamp) {
    const [, year, month, day, hour, minute, second, sign, offsetHours, offsetMinutes] = stamp;
    const offsetMs = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * MINUTE_MS * (sign === '-' ? -1 : 1);
    const days = daysSinceEpoch(Number(year), Number(month), Number(day));
    return days * DAY_MS + clockMs(hour, minute, second) - offsetMs;
  }
  const date = HTTP_DATE.exec(text);
  if (!date) return null;
  const [, day, month = '', year, hour, minute, second] = date;
  const days = daysSinceEpoch(Number(year), MONTHS.indexOf(month.toLowerCase()) + 1, Number(day));
  return days * DAY_MS + clockMs(hour, minute, second);
}

function clockMs(hour: string | undefined, minute: string | undefined, second: string | undefined): number {
  return (Number(hour) * 60 + Number(minute)) * MINUTE_MS + Number(second) * SECOND_MS;
}

/** Days from 1970-01-01 in the Gregorian calendar. Years begin in March here, which puts the leap day last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return shifted * 365 + leapDays + dayOfYear - 719_468;
}
