import { expect, test } from 'vitest';
import { requestShare } from '../../src/proxy/request-share.ts';
import type { Priority } from '../../src/scheduler/shares/share.ts';

const shareOf = (header: string | string[] | undefined, priority: Priority) =>
  requestShare({ headers: { 'x-sluice-priority': header } }, { priority, weight: 3 });

test('a request is as urgent as its client, and of its weight', () => {
  const ofClient = { priority: 'high', weight: 3 } as const;
  expect(requestShare({ headers: {} }, ofClient)).toBe(ofClient);
});

test.each([
  ['low', 'high', 'low'],
  [' Normal ', 'high', 'normal'],
  ['low', 'normal', 'low'],
  ['high', 'normal', 'normal'],
  ['high', 'low', 'low'],
  ['normal', 'normal', 'normal'],
] as const)('asked to be %s, one of a client that is %s is %s', (header, ofClient, expected) => {
  expect(shareOf(header, ofClient)).toEqual({ priority: expected, weight: 3 });
});

test.each(['urgent', '', 'high, low', '__proto__'])('a priority that is none is said to be: %j', (header) => {
  expect(() => shareOf(header, 'normal')).toThrow(/x-sluice-priority is none of high, normal and low/);
  expect(() => shareOf([header, 'low'], 'normal')).toThrow(/x-sluice-priority/);
});
