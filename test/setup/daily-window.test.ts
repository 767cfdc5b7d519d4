import { expect, test } from 'vitest';
import { dailyWindow } from '../../src/setup/daily-window.ts';
import { FakeClock } from '../support/fake-clock.ts';

const HOUR_MS = 3_600_000;

function windowAt(wall: string, minuteOfDay: number, timeZone: string) {
  const clock = new FakeClock(5000, Date.parse(wall));
  const { startMs, endMs } = dailyWindow({ minuteOfDay, timeZone }, clock)(clock.now());
  const toWall = (at: number) => new Date(Date.parse(wall) + at - clock.now()).toISOString();
  return { start: toWall(startMs), end: toWall(endMs), hours: (endMs - startMs) / HOUR_MS };
}

const cases = [
  ['2026-06-01T12:00:00.000Z', 0, 'UTC', '2026-06-01T00:00:00.000Z', 24],
  ['2026-06-01T12:00:00.500Z', 0, 'America/Los_Angeles', '2026-06-01T07:00:00.000Z', 24],
  ['2026-06-01T06:59:59.000Z', 0, 'America/Los_Angeles', '2026-05-31T07:00:00.000Z', 24],
  ['2026-12-01T09:00:00.000Z', 0, 'America/Los_Angeles', '2026-12-01T08:00:00.000Z', 24],
  ['2026-03-08T12:00:00.000Z', 0, 'America/Los_Angeles', '2026-03-08T08:00:00.000Z', 23],
  ['2026-11-01T12:00:00.000Z', 0, 'America/Los_Angeles', '2026-11-01T07:00:00.000Z', 25],
  ['2026-06-01T01:00:00.000Z', 330, 'Asia/Kolkata', '2026-06-01T00:00:00.000Z', 24],
] as const;

test.each(cases)('at %s the day from minute %i in %s began at %s', (...[wall, minute, zone, start, hours]) => {
  const window = windowAt(wall, minute, zone);
  expect(window.start).toBe(start);
  expect(window.hours).toBe(hours);
});

test('the next window follows the last without a gap', () => {
  const clock = new FakeClock(0, Date.parse('2026-11-01T06:00:00Z'));
  const at = dailyWindow({ minuteOfDay: 0, timeZone: 'America/Los_Angeles' }, clock);
  const first = at(clock.now());
  clock.advance(2 * HOUR_MS);
  const second = at(clock.now());
  expect(second.startMs).toBe(first.endMs);
  expect(at(clock.now())).toBe(second);
});
