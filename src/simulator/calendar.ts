const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

interface CivilTime {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
  readonly weekday: string;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** An instant as RFC 3339 writes it, in whole seconds, rounded up: nobody comes early. */
export function rfc3339(ms: number): string {
  const { year, month, day, hour, minute, second } = civilTime(Math.ceil(ms / 1000) * 1000, 'UTC');
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

/** An instant as the header `date` says it. */
export function httpDate(ms: number): string {
  const { year, month, day, hour, minute, second, weekday } = civilTime(ms, 'UTC');
  return `${weekday}, ${day} ${MONTHS[Number(month) - 1]} ${year} ${hour}:${minute}:${second} GMT`;
}

/** The midnight of California that a day began with: 07:00 or 08:00 of UTC, by the season. */
export function pacificMidnight(ms: number): number {
  const { hour, minute, second } = civilTime(ms, 'America/Los_Angeles');
  const guess = ms - Number(hour) * HOUR_MS - Number(minute) * 60_000 - Number(second) * 1000 - (ms % 1000);
  // On the two days on which clocks are changed, the day has begun an hour earlier or later than they say.
  const off = Number(civilTime(guess, 'America/Los_Angeles').hour);
  if (off === 0) return guess;
  return off > 12 ? guess + (24 - off) * HOUR_MS : guess - off * HOUR_MS;
}

/** The midnight of California that a day ends with. */
export function nextPacificMidnight(ms: number): number {
  return pacificMidnight(pacificMidnight(ms) + DAY_MS + 2 * HOUR_MS);
}

function civilTime(ms: number, timeZone: string): CivilTime {
  const parts = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', weekday: 'short', year: 'numeric' },
    ...{ month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  }).formatToParts(ms);
  return Object.fromEntries(parts.map(({ type, value }) => [type, value])) as unknown as CivilTime;
}
