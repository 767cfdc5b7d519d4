import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAmount, parseBytes, parseDailyReset, parseDurationMs, parseShare } from '../../src/config/units.ts';

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0', 0],
    ['0s', 0],
    [' 5 s ', 5_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each(['', '30', '-1s', '1 minute', 's', '1e3s', '1s2s', '__1s'])('%j is none', (text) => {
    expect(parseDurationMs(text)).toBeNull();
  });
});

describe('sizes', () => {
  it.each([
    ['32MiB', 33_554_432],
    ['1KiB', 1024],
    ['2GiB', 2_147_483_648],
    ['500kB', 500_000],
    ['1.5MB', 1_500_000],
    ['1GB', 1_000_000_000],
    ['100', 100],
    ['100B', 100],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['0', '0.5B', '32Mib', '32mb', '99999999GiB'])('%j is none', (text) => {
    expect(parseBytes(text)).toBeNull();
  });
});

describe('amounts', () => {
  it.each([
    ['500', 500],
    ['200k', 200_000],
    ['10K', 10_000],
    ['2M', 2_000_000],
    ['1.1M', 1_100_000],
    ['1G', 1_000_000_000],
    ['200_000', 200_000],
  ])('%s is %d', (text, amount) => {
    expect(parseAmount(text)).toBe(amount);
  });

  it.each(['0', '1.5', '-3', '2 million', '_1', '1__0', '9007199254740993'])('%j is none', (text) => {
    expect(parseAmount(text)).toBeNull();
  });

  it('is what was written, with or without underscores', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e12 }), (amount) => {
        expect(parseAmount(String(amount))).toBe(amount);
        expect(parseAmount(amount.toLocaleString('en-US').replaceAll(',', '_'))).toBe(amount);
      }),
    );
  });
});

describe('shares', () => {
  it.each([
    ['20%', 0.2],
    ['100%', 1],
    ['0%', 0],
    ['0.25', 0.25],
    ['1', 1],
    ['12.5%', 0.125],
  ])('%s is %d', (text, share) => {
    expect(parseShare(text)).toBe(share);
  });

  it.each(['120%', '1.5', '-5%', '%', '5 percent'])('%j is none', (text) => {
    expect(parseShare(text)).toBeNull();
  });
});

describe('the beginning of a day', () => {
  it.each([
    ['00:00 America/Los_Angeles', { minuteOfDay: 0, timeZone: 'America/Los_Angeles' }],
    ['23:59 Asia/Shanghai', { minuteOfDay: 1439, timeZone: 'Asia/Shanghai' }],
    ['08:30', { minuteOfDay: 510, timeZone: 'UTC' }],
  ])('%s is understood', (text, reset) => {
    expect(parseDailyReset(text)).toEqual(reset);
  });

  it.each(['24:00 UTC', '8:30', '00:60', '00:00 Mars/Olympus', 'midnight'])('%j is none', (text) => {
    expect(parseDailyReset(text)).toBeNull();
  });
});
