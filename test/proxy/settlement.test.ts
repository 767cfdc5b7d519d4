import { describe, expect, test } from 'vitest';
import { openai } from '../../src/providers/openai.ts';
import type { Outcome } from '../../src/providers/provider.ts';
import { failureOf, transportFailure } from '../../src/proxy/attempt-end.ts';
import { endingOf } from '../../src/proxy/settlement.ts';

const SIZE = {
  estimatedTokens: 10,
  isWhole: true,
  inputTokens: 10,
  predictedOutputTokens: 20,
  cost: { reserved: [1, 111, 11, 100, 1], expected: [1, 30, 10, 20, 1], certain: [1, 105, 5, 100, 1] },
  price: null,
  predictedNanoUsd: null,
} as const;

const NOTHING = { usage: null, producedTokens: null };
const USAGE = { inputTokens: 12, cachedInputTokens: 0, outputTokens: 3, reasoningTokens: 0 };

function ended(end: Parameters<typeof endingOf>[0], figures: Parameters<typeof endingOf>[1]['figures'] = NOTHING) {
  return endingOf(end, { provider: openai, size: SIZE, isSent: true, figures });
}

function refused(outcome: Outcome) {
  const answer = { status: 429, headers: {}, json: null };
  return ended({ kind: 'failed', failure: failureOf('refused', { outcome, answer }) });
}

describe('what an attempt is charged', () => {
  test('is its usage when it was served', () => {
    expect(ended({ kind: 'served' }, { usage: USAGE, producedTokens: null })).toEqual({
      charged: [1, 15, 12, 3, 1],
      report: { kind: 'ok' },
    });
  });

  test('is its reservation when no usage was told', () => {
    expect(ended({ kind: 'served' }).charged).toEqual(SIZE.cost.reserved);
  });

  test('is its usage when it was told before the break', () => {
    const failure = transportFailure('broken');
    expect(ended({ kind: 'broken', failure }, { usage: USAGE, producedTokens: 1 }).charged).toEqual([1, 15, 12, 3, 1]);
  });

  test('is nothing when nothing was sent', () => {
    const failure = transportFailure('connect', { isSent: false });
    const account = { provider: openai, size: SIZE, isSent: false, figures: NOTHING };
    expect(endingOf({ kind: 'failed', failure }, account)).toEqual({ charged: 'unsent', report: { kind: 'failed' } });
  });
});

describe('what an attempt says of its route', () => {
  const readings = [{ unit: 'tokens', windowMs: 60_000, limit: 10, used: 9, requested: 5 }] as const;

  test.each<[Outcome, unknown]>([
    [
      { kind: 'wait', retryAfterMs: 5, readings },
      { kind: 'wait', retryAfterMs: 5, spent: readings },
    ],
    [
      { kind: 'never_fits', unit: 'tokens', limit: 5 },
      { kind: 'never_fits', unit: 'tokens', limit: 5 },
    ],
    [
      { kind: 'exhausted', retryAfterMs: null },
      { kind: 'exhausted', retryAfterMs: null, spent: [] },
    ],
    [
      { kind: 'disabled', reason: 'billing', scope: 'key' },
      { kind: 'disabled', reason: 'billing', scope: 'key' },
    ],
    [
      { kind: 'capacity', retryAfterMs: 7 },
      { kind: 'capacity', retryAfterMs: 7 },
    ],
    [{ kind: 'capacity', retryAfterMs: 7, isTierOnly: true }, { kind: 'nothing' }],
    [{ kind: 'ramp' }, { kind: 'ramp' }],
    [{ kind: 'context' }, { kind: 'nothing' }],
    [{ kind: 'client' }, { kind: 'nothing' }],
  ])('after %o is %o, and only the request itself stays charged', (outcome, report) => {
    expect(refused(outcome)).toEqual({ charged: [1, 0, 0, 0, 0], report });
  });

  test('is nothing when the client left or we are shutting down', () => {
    expect(ended({ kind: 'gone' }).report).toEqual({ kind: 'nothing' });
    expect(ended({ kind: 'failed', failure: transportFailure('aborted') }).report).toEqual({ kind: 'nothing' });
  });
});
