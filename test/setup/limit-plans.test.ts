import { describe, expect, test } from 'vitest';
import type { EffectiveLimits } from '../../src/config/limits.ts';
import type { LimitFacts } from '../../src/providers/provider.ts';
import { learningFacts, limitPlans } from '../../src/setup/limit-plans.ts';
import { FakeClock } from '../support/fake-clock.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const told: LimitFacts = {
  algorithm: 'token-bucket',
  burst: 1,
  isGuess: false,
  hasHeaders: true,
  requestSliceMs: null,
  isChargedAtEnd: false,
};
const guess: LimitFacts = { ...told, algorithm: 'sliding-window', isGuess: true };

function plans(limits: EffectiveLimits, facts: LimitFacts = told) {
  return limitPlans(limits, facts, new FakeClock());
}

test('every limit has its unit and window, in an order of its own', () => {
  const limits = Object.fromEntries(
    ['concurrency', 'otpm', 'itpm', 'tpd', 'tpm', 'rpd', 'rpm'].map((name) => [name, { limit: 7 }]),
  );
  expect(plans(limits).map(({ name, plan }) => [name, plan.unit, plan.windowMs, plan.algorithm])).toEqual([
    ['rpm', 'requests', MINUTE_MS, 'token-bucket'],
    ['rpd', 'requests', DAY_MS, 'token-bucket'],
    ['tpm', 'tokens', MINUTE_MS, 'token-bucket'],
    ['tpd', 'tokens', DAY_MS, 'token-bucket'],
    ['itpm', 'input_tokens', MINUTE_MS, 'token-bucket'],
    ['otpm', 'output_tokens', MINUTE_MS, 'token-bucket'],
    ['concurrency', 'in_flight', 0, 'in-flight'],
  ]);
});

test.each([
  ['what a vendor leaves open is a guess', {}, guess, { algorithm: 'sliding-window', isGuess: true }],
  [
    'a configured algorithm is none',
    { algorithm: 'token-bucket' },
    guess,
    { algorithm: 'token-bucket', isGuess: false },
  ],
  [
    'a window of unknown phase is booked as one that slides, safe for every phase',
    { algorithm: 'fixed-window' },
    told,
    { algorithm: 'sliding-window', isGuess: false },
  ],
  ['a burst is taken as configured', { burst: 0.5 }, told, { burst: 0.5 }],
  ['so is a slice', { sliceMs: 1_000 }, { ...told, requestSliceMs: 10_000 }, { sliceMs: 1_000 }],
  ["and else a vendor's own slice holds", {}, { ...told, requestSliceMs: 10_000 }, { sliceMs: 10_000 }],
] as const)('%s', (...[_what, setting, facts, expected]) => {
  expect(plans({ rpm: { limit: 60, ...setting } }, facts)[0]?.plan).toMatchObject({ capacity: 60, ...expected });
});

test('a slice that a vendor has for requests says nothing of tokens', () => {
  expect(plans({ tpm: { limit: 60 } }, { ...told, requestSliceMs: 10_000 })[0]?.plan).not.toHaveProperty('sliceMs');
});

test('a day that begins at a time of day is a window of known phase, whatever the vendor says', () => {
  const [rpd] = plans({ rpd: { limit: 60, resets: { minuteOfDay: 0, timeZone: 'UTC' } } }, guess);
  expect(rpd?.plan).toMatchObject({ algorithm: 'fixed-window', isGuess: false });
  expect(rpd?.plan.boundaries?.(5)).toEqual({ startMs: 0, endMs: DAY_MS });
});

test('what is charged at the end is tokens; a request counts when it arrives', () => {
  const late = plans({ rpm: { limit: 60 }, tpm: { limit: 60 } }, { ...told, isChargedAtEnd: true });
  expect(late.map(({ isChargedAtEnd }) => isChargedAtEnd)).toEqual([false, true]);
});

describe('a vendor whose day begins at a time that is known', () => {
  const utc = { minuteOfDay: 0, timeZone: 'UTC' };
  const daily: LimitFacts = { ...guess, isGuess: false, algorithm: 'fixed-window', dayBegins: utc };

  test('has windows of known phase for limits of a day, and for no others', () => {
    const [rpm, rpd] = plans({ rpm: { limit: 5 }, rpd: { limit: 60 } }, daily);
    expect(rpm?.plan).toMatchObject({ algorithm: 'sliding-window' });
    expect(rpd?.plan).toMatchObject({ algorithm: 'fixed-window', isGuess: false });
    expect(rpd?.plan.boundaries?.(5)).toEqual({ startMs: 0, endMs: DAY_MS });
  });

  test('is overruled by the configuration', () => {
    const noon = { minuteOfDay: 720, timeZone: 'UTC' };
    expect(plans({ rpd: { limit: 60, resets: noon } }, daily)[0]?.plan.boundaries?.(5).endMs).toBe(DAY_MS / 2);
    expect(plans({ rpd: { limit: 60, algorithm: 'token-bucket' } }, daily)[0]?.plan).not.toHaveProperty('boundaries');
  });

  test('teaches limits that are booked the same way', () => {
    const { learned, dayOf } = learningFacts(daily, new FakeClock());
    const taught = learned?.({ unit: 'requests', windowMs: DAY_MS, capacity: 20 });
    expect(taught).toMatchObject({ plan: { capacity: 20, algorithm: 'fixed-window' }, isChargedAtEnd: false });
    expect(dayOf?.(5)).toEqual({ startMs: 0, endMs: DAY_MS });
  });
});

test('where even the algorithm is a guess, limits that answers teach are booked as ever', () => {
  expect(learningFacts(guess, new FakeClock())).toEqual({});
});
