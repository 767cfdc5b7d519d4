import type { Clock } from '../clock.ts';
import type { DailyReset } from '../config/units.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * The window of a day that holds an instant, on the monotonic clock, for a limit that begins anew at a time of day in a
 * time zone. A day is 23 or 25 hours long where clocks are moved. The wall clock is read once a window.
 */
export function dailyWindow(reset: DailyReset, clock: Clock): (now: number) => { startMs: number; endMs: number } {
  const localTime = localTimeIn(reset.timeZone);
  let window = { startMs: 0, endMs: Number.NEGATIVE_INFINITY };
  return (now) => {
    if (now >= window.startMs && now < window.endMs) return window;
    const wall = clock.wallNow() + (now - clock.now());
    const offset = wall - now;
    const start = lastReset(wall, reset.minuteOfDay, localTime);
    const end = lastReset(start + 1.5 * DAY_MS, reset.minuteOfDay, localTime);
    window = { startMs: start - offset, endMs: end - offset };
    return window;
  };
}

/** The newest instant, not after `wall`, at which local clocks showed that minute of the day. */
function lastReset(wall: number, minuteOfDay: number, localTime: (wall: number) => number): number {
  const local = localTime(wall);
  const intoDay = (((local - minuteOfDay * MINUTE_MS) % DAY_MS) + DAY_MS) % DAY_MS;
  const localReset = local - intoDay;
  const guess = wall - intoDay;
  const start = guess + (localReset - localTime(guess));
  return start <= wall ? start : lastReset(guess - 1, minuteOfDay, localTime);
}

/** Local time as if it were UTC, in ms. */
function localTimeIn(timeZone: string): (wall: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (wall) => {
    const parts = new Map(format.formatToParts(wall).map(({ type, value }) => [type, Number(value)]));
    const part = (name: string) => parts.get(name as Intl.DateTimeFormatPartTypes) ?? 0;
    const seconds = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
    return seconds + (((wall % 1000) + 1000) % 1000);
  };
}
