import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dollars, FREE, nanoUsdFor, type Price, type PricedTokens, toNanoUsd, toUsd } from '../src/money.ts';

const GPT: Price = { input: 2.5, cachedInput: 1.25, output: 10 };

const tokens: fc.Arbitrary<PricedTokens> = fc.record({
  inputTokens: fc.nat(2_000_000),
  cachedInputTokens: fc.nat(2_000_000),
  outputTokens: fc.nat(200_000),
});
const rate = fc.nat(200_000).map((thousandths) => thousandths / 1_000);
const prices = fc.record({ input: rate, cachedInput: rate, output: rate });

describe('what tokens cost', () => {
  test.each<[string, PricedTokens, Price, number]>([
    ['a million of each', { inputTokens: 1e6, cachedInputTokens: 0, outputTokens: 1e6 }, GPT, 12.5],
    ['a prompt that is half in the cache', { inputTokens: 1e6, cachedInputTokens: 5e5, outputTokens: 0 }, GPT, 1.875],
    ['one token', { inputTokens: 1, cachedInputTokens: 0, outputTokens: 0 }, GPT, 0.000_002_5],
    [
      'more from the cache than there was',
      { inputTokens: 10, cachedInputTokens: 20, outputTokens: 0 },
      GPT,
      0.000_012_5,
    ],
    ['anything that is free', { inputTokens: 1e9, cachedInputTokens: 0, outputTokens: 1e9 }, FREE, 0],
  ])('%s', (...[, used, price, usd]) => {
    expect(toUsd(nanoUsdFor(used, price))).toBe(usd);
  });

  test('is a whole amount, never below nothing, and never less for more tokens', () => {
    fc.assert(
      fc.property(tokens, prices, fc.nat(1_000), (used, price, more) => {
        const cost = nanoUsdFor(used, price);
        expect(Number.isSafeInteger(cost)).toBe(true);
        expect(cost).toBeGreaterThanOrEqual(0);
        expect(nanoUsdFor({ ...used, outputTokens: used.outputTokens + more }, price)).toBeGreaterThanOrEqual(cost);
      }),
    );
  });

  test('comes back from dollars as it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e15 }), (nano) => {
        expect(toNanoUsd(toUsd(nano))).toBe(nano);
      }),
    );
  });
});

test.each([
  [0, '$0.00'],
  [200, '$200.00'],
  [0.1, '$0.10'],
  [0.0999, '$0.100'],
  [0.004_249, '$0.0042'],
  [0.000_000_012, '$0.000000012'],
])('%d dollars are written %s', (usd, text) => {
  expect(dollars(toNanoUsd(usd))).toBe(text);
});
