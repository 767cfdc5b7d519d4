import { describe, expect, it } from 'vitest';
import { httpDate, nextPacificMidnight, pacificMidnight, rfc3339 } from '../../src/simulator/calendar.ts';
import { cacheId, PromptCache } from '../../src/simulator/prompt-cache.ts';
import { StoredThings } from '../../src/simulator/stored-things.ts';

describe('instants', () => {
  it('are rounded up in whole seconds', () => {
    expect(rfc3339(Date.UTC(2026, 0, 31, 23, 59, 59, 1))).toBe('2026-02-01T00:00:00Z');
    expect(rfc3339(Date.UTC(2026, 0, 31, 23, 59, 59))).toBe('2026-01-31T23:59:59Z');
  });

  it('are said in headers as everywhere', () => {
    const ms = Date.UTC(2026, 10, 20, 4, 5, 6);
    expect(httpDate(ms)).toBe(new Date(ms).toUTCString());
  });
});

describe('a day in California', () => {
  it.each([
    ['winter', Date.UTC(2026, 0, 15, 12), Date.UTC(2026, 0, 15, 8), Date.UTC(2026, 0, 16, 8)],
    ['summer', Date.UTC(2026, 6, 15, 3), Date.UTC(2026, 6, 14, 7), Date.UTC(2026, 6, 15, 7)],
    ['spring, an hour short', Date.UTC(2026, 2, 8, 20), Date.UTC(2026, 2, 8, 8), Date.UTC(2026, 2, 9, 7)],
    ['autumn, an hour long', Date.UTC(2026, 10, 1, 20), Date.UTC(2026, 10, 1, 7), Date.UTC(2026, 10, 2, 8)],
    ['the very start', Date.UTC(2026, 0, 15, 8), Date.UTC(2026, 0, 15, 8), Date.UTC(2026, 0, 16, 8)],
  ])('begins and ends at midnight there: %s', (_, ...[nowMs, start, end]) => {
    expect(pacificMidnight(nowMs)).toBe(start);
    expect(nextPacificMidnight(nowMs)).toBe(end);
  });
});

describe('beginnings of prompts', () => {
  it('are remembered until nobody has asked for five minutes', () => {
    const cache = new PromptCache();
    const id = cacheId('org', 'model', 'text');
    cache.put(id, 0);
    cache.put(id, 200_000);
    expect([cache.has(id, 499_999), cache.has(id, 500_000)]).toEqual([true, false]);
    expect(cache.has(cacheId('other', 'model', 'text'), 0)).toBe(false);
    cache.clear();
    expect(cache.has(id, 200_000)).toBe(false);
  });

  it('are forgotten when there are too many, the oldest first', () => {
    const cache = new PromptCache();
    for (let index = 0; index <= 10_000; index++) cache.put(String(index), 0);
    expect([cache.has('0', 0), cache.has('1', 0)]).toEqual([false, true]);
  });
});

it('of what is stored, the oldest goes when there is too much', () => {
  const things = new StoredThings();
  for (let index = 0; index <= 10_000; index++) things.set(String(index), index);
  expect([things.has('0'), things.get('1'), things.all().length]).toEqual([false, 1, 10_000]);
  expect([things.delete('1'), things.delete('1')]).toEqual([true, false]);
});
