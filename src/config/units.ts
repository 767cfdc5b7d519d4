/** Text of the file into numbers. Each reader gives null for what it does not understand; the schema says it in words. */

const DURATION_MS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const SIZE_BYTES = new Map([
  ['', 1],
  ['B', 1],
  ['kB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
]);

const MULTIPLES = new Map([
  ['', 1],
  ['k', 1e3],
  ['K', 1e3],
  ['M', 1e6],
  ['G', 1e9],
]);

const QUANTITY = /^(\d+(?:_\d+)*(?:\.\d+)?)\s*([A-Za-z]*)$/;
const TIME_OF_DAY = /^([01]\d|2[0-3]):([0-5]\d)(?:\s+(\S+))?$/;

function readQuantity(text: string, units: ReadonlyMap<string, number>): number | null {
  const [, digits = '', unit = ''] = QUANTITY.exec(text.trim()) ?? [];
  const factor = units.get(unit);
  if (digits === '' || factor === undefined) return null;
  const value = Number(digits.replaceAll('_', '')) * factor;
  // 1.1M is 1100000.0000000002 in binary fractions.
  return Math.abs(value - Math.round(value)) < 1e-6 ? Math.round(value) : value;
}

/** `250ms`, `30s`, `10m`, `1h`, `1d` into milliseconds. A number without a unit is refused, except 0. */
export function parseDurationMs(text: string): number | null {
  return text.trim() === '0' ? 0 : readQuantity(text, DURATION_MS);
}

/** `32MiB`, `500kB`, `1024` into bytes: whole, above 0. */
export function parseBytes(text: string): number | null {
  const bytes = readQuantity(text, SIZE_BYTES);
  return bytes !== null && Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
}

/** `200k`, `2M`, `1.5M`, `200_000`, `500` into a whole number of 1 or more. */
export function parseAmount(text: string): number | null {
  const amount = readQuantity(text, MULTIPLES);
  return amount !== null && Number.isSafeInteger(amount) && amount > 0 ? amount : null;
}

/** `20%` or `0.2` into a share from 0 to 1. */
export function parseShare(text: string): number | null {
  const trimmed = text.trim();
  const isPercent = trimmed.endsWith('%');
  const value = readQuantity(isPercent ? trimmed.slice(0, -1) : trimmed, new Map([['', 1]]));
  const share = value === null || !isPercent ? value : value / 100;
  return share !== null && share <= 1 ? share : null;
}

/** When a fixed window begins: minutes after midnight in a time zone of the IANA database. */
export interface DailyReset {
  readonly minuteOfDay: number;
  readonly timeZone: string;
}

/** `00:00 America/Los_Angeles`; without a zone it is UTC. */
export function parseDailyReset(text: string): DailyReset | null {
  const [, hours, minutes, timeZone = 'UTC'] = TIME_OF_DAY.exec(text.trim()) ?? [];
  if (hours === undefined || !isTimeZone(timeZone)) return null;
  return { minuteOfDay: Number(hours) * 60 + Number(minutes), timeZone };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
