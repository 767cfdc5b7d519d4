import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/providers/gemini/gemini.ts';
import { learningFacts, limitPlans } from '../../../src/setup/limit-plans.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The day of requests that holds an instant. */
function dayOf(instant: string): readonly string[] {
  const clock = new FakeClock(0, Date.parse(instant));
  const [rpd] = limitPlans({ rpd: { limit: 20 } }, gemini.limits, clock);
  const { startMs = 0, endMs = 0 } = rpd?.plan.boundaries?.(clock.now()) ?? {};
  return [startMs, endMs].map((ms) => new Date(clock.wallNow() + ms).toISOString());
}

describe('a day', () => {
  test.each([
    ['in winter', '2026-01-15T20:00:00Z', ['2026-01-15T08:00:00.000Z', '2026-01-16T08:00:00.000Z']],
    ['in summer', '2026-07-15T19:00:00Z', ['2026-07-15T07:00:00.000Z', '2026-07-16T07:00:00.000Z']],
    ['that loses an hour', '2026-03-08T20:00:00Z', ['2026-03-08T08:00:00.000Z', '2026-03-09T07:00:00.000Z']],
    ['that gains one', '2026-11-01T19:00:00Z', ['2026-11-01T07:00:00.000Z', '2026-11-02T08:00:00.000Z']],
  ])('%s begins and ends at midnight in California', (_when, instant, day) => {
    expect(dayOf(instant)).toEqual(day);
  });

  test('that a refusal teaches is the same one', () => {
    const clock = new FakeClock(0, Date.parse('2026-01-15T20:00:00Z'));
    const { learned, dayOf } = learningFacts(gemini.limits, clock);
    const rpd = learned?.({ unit: 'requests', windowMs: DAY_MS, capacity: 20 });
    expect(rpd?.plan.boundaries?.(clock.now()).endMs).toBe(clock.now() + 12 * HOUR_MS);
    expect(dayOf?.(clock.now()).endMs).toBe(clock.now() + 12 * HOUR_MS);
  });
});

test('a minute is booked as one that may begin at any time', () => {
  const [rpm, tpm] = limitPlans({ rpm: { limit: 5 }, tpm: { limit: 1_000 } }, gemini.limits, new FakeClock());
  expect([rpm?.plan.algorithm, tpm?.plan.algorithm]).toEqual(['sliding-window', 'sliding-window']);
});

describe('the charge', () => {
  const size = { inputTokens: 100, outputCapTokens: 50, predictedOutputTokens: 20 };
  const usage = { inputTokens: 90, cachedInputTokens: 30, outputTokens: 40, reasoningTokens: 10 };

  test('of tokens is the input alone, the cached part of it too', () => {
    expect(gemini.reservedCharge(size)).toEqual([1, 100, 100, 50, 1]);
    expect(gemini.reservedCharge({ ...size, outputCapTokens: null })).toEqual([1, 100, 100, 20, 1]);
    expect(gemini.settledCharge(usage, gemini.reservedCharge(size))).toEqual([1, 90, 90, 40, 1]);
    expect(gemini.settledCharge(null, [1, 5, 5, 5, 1])).toEqual([1, 5, 5, 5, 1]);
  });
});

describe('usage', () => {
  const NONE = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };

  test.each([
    [
      { promptTokenCount: 7, candidatesTokenCount: 3, thoughtsTokenCount: 2 },
      { inputTokens: 7, outputTokens: 5, reasoningTokens: 2 },
    ],
    [{ promptTokenCount: 7, toolUsePromptTokenCount: 5 }, { inputTokens: 12 }],
    [
      { promptTokenCount: 7, cachedContentTokenCount: 9 },
      { inputTokens: 7, cachedInputTokens: 7 },
    ],
    [{ candidatesTokenCount: 3 }, { outputTokens: 3 }],
    [{ thoughtsTokenCount: 3 }, { outputTokens: 3, reasoningTokens: 3 }],
    [{ promptTokenCount: 7, candidatesTokenCount: -1, thoughtsTokenCount: 1e12 }, { inputTokens: 7 }],
  ])('is read from %j', (usageMetadata, read) => {
    expect(gemini.readUsage({ usageMetadata }, null)).toEqual({ ...NONE, ...read });
  });

  test('of a stream is what its last event says, and what only an earlier one did', () => {
    const first = gemini.readUsage(
      { usageMetadata: { promptTokenCount: 7, cachedContentTokenCount: 4, thoughtsTokenCount: 5 } },
      null,
    );
    const last = gemini.readUsage({ usageMetadata: { candidatesTokenCount: 3 } }, first);
    expect(last).toEqual({ inputTokens: 7, cachedInputTokens: 4, outputTokens: 8, reasoningTokens: 5 });
    expect(gemini.readUsage({ usageMetadata: { thoughtsTokenCount: 9 } }, last)?.outputTokens).toBe(12);
  });

  test.each([null, {}, { usageMetadata: null }, { usageMetadata: {} }, { usageMetadata: { totalTokenCount: 5 } }])(
    'is not there in %j',
    (json) => {
      expect(gemini.readUsage(json, null)).toBeNull();
    },
  );
});

test('heads say nothing of limits', () => {
  expect(gemini.readLimits({ 'server-timing': 'gfet4t7; dur=9' })).toEqual([]);
});
