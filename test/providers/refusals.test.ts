import { describe, expect, it } from 'vitest';
import type { FailedAnswer, Outcome } from '../../src/providers/provider.ts';
import { provider, readFixtures } from './read-fixtures.ts';

interface RefusalFixture {
  readonly provider: string;
  readonly status: number;
  readonly headers: FailedAnswer['headers'];
  readonly body: unknown;
  readonly outcome: Outcome;
}

describe('what a failed answer comes to', () => {
  it.each(readFixtures<RefusalFixture>('refusals'))('$name', ({ status, headers, body, outcome, ...fixture }) => {
    expect(provider(fixture.provider).classify({ status, headers, json: body })).toEqual(outcome);
  });
});

describe('a hint about when to come back', () => {
  const hint = (headers: FailedAnswer['headers'], message = 'Slow.') => {
    const json = { error: { message, type: null, param: null, code: null } };
    const outcome = provider('openai').classify({ status: 429, headers, json });
    return outcome.kind === 'wait' ? outcome.retryAfterMs : outcome.kind;
  };

  it.each([
    ['fractional seconds', { 'retry-after': '2.5' }, 2_500],
    ['an HTTP date', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, 30_000],
    ['an HTTP date without a clock to compare it to', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, null],
    [
      'an HTTP date in the past',
      { 'retry-after': 'Thu, 01 Jan 2026 00:00:00 GMT', date: 'Thu, 01 Jan 2026 00:00:30 GMT' },
      null,
    ],
    ['milliseconds', { 'retry-after-ms': '250', 'retry-after': '1' }, 250],
    ['nothing readable', { 'retry-after-ms': 'x', 'retry-after': 'later' }, null],
    ['zero, which is no hint', { 'retry-after': '0', 'retry-after-ms': '0' }, null],
    ['a year, which is cut to a month', { 'retry-after': '31536000' }, 31 * 86_400_000],
    ['negative seconds', { 'retry-after': '-3' }, null],
  ])('may be %s', (_name, headers, ms) => {
    expect(hint(headers)).toBe(ms);
  });

  it.each([
    ['Please try again in 20ms.', 20],
    ['Please try again in 6m0s.', 360_000],
    ['Please try again in 1h2m3.5s, or never.', 3_723_500],
    ['Please retry after 26 seconds.', 26_000],
    ['Please try again in 500 milliseconds', 500],
    ['Please retry in 2 minutes', 120_000],
    ['Please try again in 1 hour', 3_600_000],
    ['Please try again in a while', null],
  ])('may be in the sentence "%s"', (message, ms) => {
    expect(hint({}, message)).toBe(ms);
  });
});
