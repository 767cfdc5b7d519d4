import * as z from 'zod';
import { quote } from './mistakes.ts';
import { didYouMean } from './suggest.ts';
import { parseAmount, parseBytes, parseDailyReset, parseDurationMs, parseShare } from './units.ts';

/** Names end up in headers, logs and pages, so they hold nothing that would have to be escaped there. */
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/;

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]+$/;

/** A mapping that knows its keys: each unknown one is a mistake of its own, in a line of its own in the message. */
export function section<Shape extends z.ZodRawShape>(
  shape: Shape,
  elsewhere: Elsewhere = NOWHERE,
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `unknown key ${quote(key)}.${hint(key, known, elsewhere)}`).join('\n')
        : undefined,
  });
}

/** Keys that people write here although they are called otherwise, or belong elsewhere, and where that is. */
type Elsewhere = ReadonlyMap<string, string>;
const NOWHERE: Elsewhere = new Map();

function hint(key: string, known: readonly string[], elsewhere: Elsewhere): string {
  const place = elsewhere.get(key);
  if (place !== undefined) return ` Write \`${place}\`.`;
  return didYouMean(key, known) || ` Known here: ${known.join(', ')}.`;
}

/** Text or a number that `parse` turns into what the program works with. */
function written<T>(what: string, parse: (text: string) => T | null) {
  return z
    .union([z.string(), z.number()], {
      error: (issue) => (issue.input === undefined ? 'is missing' : `must be ${what}`),
    })
    .transform((value, context) => {
      const parsed = parse(String(value));
      if (parsed !== null) return parsed;
      context.addIssue({ code: 'custom', message: `must be ${what}` });
      return z.NEVER;
    });
}

export const duration = written('a duration such as 250ms, 30s, 10m or 1h', parseDurationMs);
export const size = written('a size such as 500kB or 32MiB', parseBytes);
export const amount = written('a whole number of 1 or more, such as 500, 200k, 2M or 200_000', parseAmount);
export const share = written('a share such as 20% or 0.2, from 0 to 100%', parseShare);
export const dailyReset = written('a time and a zone such as "00:00 America/Los_Angeles"', parseDailyReset);

/** `off`, or a duration. Null is off. */
export const offOrDuration = written('off, or a duration such as 20s', (text) =>
  text === 'off' ? { ms: null } : wrap(parseDurationMs(text)),
).transform(({ ms }) => ms);

/** `down`, or a duration. */
export const after = written('down, or a duration such as 10s', (text) =>
  text === 'down' ? ('down' as const) : parseDurationMs(text),
);

function wrap(ms: number | null): { ms: number } | null {
  return ms === null ? null : { ms };
}

export const name = z
  .string()
  .regex(NAME_PATTERN, 'must begin with a letter or digit and hold only these and . _ : / @ - (128 at most)');

/** Any text but none. */
export const text = z.string().min(1, 'must not be empty');

/** A model as the upstream calls it, or a pattern in which `*` stands for any characters. */
export const modelPattern = z.string().min(1, 'must not be empty');

/** `${NAME}` always gives text, so numbers and switches are taken as text too. */
const decimal = (value: string) => (/^\d+(\.\d+)?$/.test(value) ? Number(value) : null);

export const weight = written('a number above 0', (value) => decimal(value) || null);

/** USD. */
export const money = written('a number of 0 or more', decimal);

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  return written(`a whole number ${range}`, (value) => {
    const number = Number(value.replaceAll('_', ''));
    return /^[\d_]+$/.test(value) && number >= least && number <= most ? number : null;
  });
}

export const flag = z
  .union([z.boolean(), z.enum(['true', 'false'])], { error: () => 'must be true or false' })
  .transform((value) => value === true || value === 'true');

export const httpUrl = text.refine(
  (value) => isHttpUrl(value),
  'must be an http:// or https:// address without user name, query and fragment',
);

function isHttpUrl(value: string): boolean {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

/** An HTTP proxy may carry its credentials in its address. */
export const proxyUrl = text.refine(
  (value) => /^https?:$/.test(URL.parse(value)?.protocol ?? ''),
  'must be an http:// or https:// address',
);

export const headerName = z.string().regex(HEADER_NAME, 'must be the name of an HTTP header');

export const headers = z.record(
  z.string().regex(HEADER_NAME, 'is not the name of an HTTP header'),
  z.string().regex(HEADER_VALUE, 'must be printable ASCII, as HTTP headers are'),
);

/** Free-form JSON for the upstream: the vendor knows what it means. */
export const jsonObject = z.record(z.string(), z.unknown());
