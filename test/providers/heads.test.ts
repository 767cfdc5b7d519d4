import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/providers/openai-shaped/spans-of-time.ts';
import type { LimitReading } from '../../src/providers/provider.ts';
import type { UpstreamHeaders } from '../../src/upstream/transport.ts';
import { provider, readFixtures } from './read-fixtures.ts';

interface HeadFixture {
  readonly provider: string;
  readonly headers: UpstreamHeaders;
  readonly readings: readonly LimitReading[];
}

describe('what the head of an answer says of limits', () => {
  it.each(readFixtures<HeadFixture>('heads'))('$name', ({ headers, readings, ...fixture }) => {
    expect(provider(fixture.provider).readLimits(headers)).toEqual(readings);
  });
});

describe('an instant in a header', () => {
  it.each([
    '1970-01-01T00:00:00Z',
    '2000-02-29T12:34:56Z',
    '2024-02-29T23:59:59.250Z',
    '2026-12-31T23:59:59+02:00',
    '2026-03-01T00:00:00-08:00',
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Thu, 29 Feb 2024 00:00:00 GMT',
  ])('%s is read as the calendar says', (text) => {
    expect(parseInstant(text)).toBe(Date.parse(text));
  });

  it('is nothing else', () => {
    expect(parseInstant('tomorrow')).toBeNull();
  });
});
