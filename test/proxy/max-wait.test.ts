import { describe, expect, test } from 'vitest';
import { maxWaitMs } from '../../src/proxy/max-wait.ts';

function waitOf(headers: Readonly<Record<string, string | string[]>>, now = 1_000): number {
  const request = {
    id: 'r',
    client: { name: 'web' },
    ...({ operation: 'chat', modelInPath: null } as const),
    receivedAt: 1_000,
    body: Buffer.alloc(0),
    releaseBody: () => undefined,
  };
  return maxWaitMs({ ...request, headers }, { configuredMs: 60_000, now });
}

describe('the longest wait of a request', () => {
  test.each([
    ['5s', 5_000],
    ['250ms', 250],
    [' 0.5 m ', 30_000],
    ['0s', 1],
    ['1h', 60_000],
  ])('is what x-sluice-max-wait: %s says, at most what is configured', (value, expected) => {
    expect(waitOf({ 'x-sluice-max-wait': value })).toBe(expected);
  });

  test.each(['soon', '5', '-5s', '5 days', '', '1e3s', '5s, 6s'])('cannot be "%s"', (value) => {
    expect(() => waitOf({ 'x-sluice-max-wait': value })).toThrow(/500ms, 5s or 1m/);
  });

  test('cannot be said twice', () => {
    expect(() => waitOf({ 'x-sluice-max-wait': ['5s', '6s'] })).toThrow(/500ms/);
  });

  test.each([
    ['10', 9_000],
    ['0.5', 1],
    ['600', 60_000],
    ['', 60_000],
    ['never', 60_000],
    ['-1', 60_000],
    ['Infinity', 60_000],
  ])('ends when an SDK with a timeout of "%s" s would give up, counted from its request', (value, expected) => {
    expect(waitOf({ 'x-stainless-timeout': value }, 2_000)).toBe(expected);
  });

  test('is as configured when nobody says anything', () => {
    expect(waitOf({ 'x-stainless-timeout': ['1', '2'] })).toBe(60_000);
  });
});
