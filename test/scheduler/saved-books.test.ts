import { describe, expect, test } from 'vitest';
import type { SavedBooks } from '../../src/scheduler/limit-store.ts';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import { Quota } from '../../src/scheduler/quota.ts';
import { foundBooks, restoreBooks, saveBooks } from '../../src/scheduler/saved-books.ts';
import { FakeClock } from '../support/fake-clock.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WRITE_EVERY_MS = 2_000;
const ONE = [1, 0, 0, 0, 1] as const;

type Named = { readonly name: string; readonly plan: LimitPlan };

const bucket = (name: string, plan: Partial<LimitPlan> & Pick<LimitPlan, 'capacity'>): Named => ({
  name,
  plan: { unit: 'requests', windowMs: MINUTE_MS, algorithm: 'token-bucket', isGuess: false, ...plan },
});
const window = (name: string, plan: Partial<LimitPlan> & Pick<LimitPlan, 'capacity'>): Named =>
  bucket(name, { algorithm: 'sliding-window', burst: 1, ...plan });

function quotaWith(...limits: Named[]): Quota {
  return new Quota({ id: 'q', name: 'q', limits, learns: true, skewMs: 250 });
}

/** Reads like a process that ends: its books as text and back, so whatever JSON can't hold is lost. */
function written(quota: Quota, clock: FakeClock, isFinal = true): SavedBooks {
  return JSON.parse(JSON.stringify(saveBooks({ quotas: [quota], before: null }, clock, isFinal)));
}

/** The next process begins `awayMs` later, on a clock of its own. */
function restored(saved: SavedBooks, into: Quota, awayMs: number): { quota: Quota; level: () => number[] } {
  const clock = new FakeClock(7, saved.savedAtWallMs + awayMs);
  restoreBooks([into], foundBooks(saved, WRITE_EVERY_MS), clock);
  return { quota: into, level: () => into.limits.map(({ primary }) => Math.round(primary.level(clock.now())) + 0) };
}

function spend(quota: Quota, amount: number, clock: FakeClock): void {
  for (const { primary } of quota.limits) primary.take(amount, clock.now());
}

describe('after an orderly end', () => {
  test('levels are what they were, and what the time between has brought back', () => {
    const clock = new FakeClock(1_000);
    const quota = quotaWith(bucket('rpm', { capacity: 60 }), window('rpd', { capacity: 500, windowMs: DAY_MS }));
    spend(quota, 60, clock);
    clock.advance(250);
    const saved = written(quota, clock);
    const fresh = () => quotaWith(bucket('rpm', { capacity: 60 }), window('rpd', { capacity: 500, windowMs: DAY_MS }));
    expect(restored(saved, fresh(), 0).level()).toEqual([0, 440]);
    expect(restored(saved, fresh(), 30_000).level()).toEqual([30, 440]);
    expect(restored(saved, fresh(), 2 * DAY_MS).level()).toEqual([60, 500]);
  });

  test('what a head told of a limit holds, what a refusal told only where nobody has written a number down', () => {
    const clock = new FakeClock();
    const spent = [{ unit: 'requests', windowMs: MINUTE_MS, limit: 15, used: 15 }] as const;
    const cost = { reserved: ONE, expected: ONE, certain: ONE };
    const told = quotaWith(bucket('rpm', { capacity: 60 }));
    told.observe([{ ...spent[0], limit: 20, remaining: null }], { sentAt: 0, now: 0, cost });
    const refused = quotaWith(bucket('rpm', { capacity: 60 }));
    refused.refused({ now: 0, sentAt: 0, cost, retryAfterMs: null, isExplained: true, spent });
    const capacities = (before: Quota, ...limits: Named[]) =>
      restored(written(before, clock), quotaWith(...limits), 0).quota.limits.map(({ primary }) => primary.capacity);
    expect(capacities(told, bucket('rpm', { capacity: 60 }))).toEqual([20]);
    expect(capacities(refused, bucket('rpm', { capacity: 60 }))).toEqual([60]);
    expect(capacities(refused)).toEqual([15]);
  });

  test('a quota whose level is known begins with an open gate, any other with a closed one', () => {
    const clock = new FakeClock();
    const saved = written(quotaWith(bucket('rpm', { capacity: 60 })), clock);
    expect(restored(saved, quotaWith(bucket('rpm', { capacity: 60 })), 0).quota.gate.isOpen).toBe(true);
    expect(restored(saved, quotaWith(), 0).quota.gate.isOpen).toBe(false);
    const stranger = new Quota({ id: 'other', name: 'other', limits: [], learns: true, skewMs: 250 });
    expect(restored(saved, stranger, 0).quota.gate.isOpen).toBe(false);
  });

  test('a wall clock that was set back makes nothing younger than it was', () => {
    const clock = new FakeClock();
    const quota = quotaWith(bucket('rpm', { capacity: 60 }));
    spend(quota, 60, clock);
    clock.advance(250);
    expect(restored(written(quota, clock), quotaWith(bucket('rpm', { capacity: 60 })), -90_000).level()).toEqual([0]);
  });

  test('limits that answers taught are known again, with their level', () => {
    const clock = new FakeClock();
    const quota = quotaWith();
    quota.limitFor({ unit: 'tokens', windowMs: MINUTE_MS, limit: 9_000, remaining: 4_000 }, 'header', clock.now());
    const { quota: later, level } = restored(written(quota, clock), quotaWith(), 0);
    expect(level()).toEqual([4_000]);
    expect(later.limits[0]).toMatchObject({ name: 'tpm', source: 'header', primary: { capacity: 9_000 } });
  });

  test('a limit that an answer showed to be lower than configured stays so', () => {
    const clock = new FakeClock();
    const quota = quotaWith(bucket('rpm', { capacity: 60 }));
    quota.limits[0]?.seeCapacity(20, clock.now());
    const { quota: later } = restored(written(quota, clock), quotaWith(bucket('rpm', { capacity: 60 })), 0);
    expect(later.limits[0]).toMatchObject({ source: 'header', primary: { capacity: 20 } });
  });

  // It used to come back as a cap that nobody had configured and nothing could raise.
  test('a limit that has gone from the configuration does not come back from the file', () => {
    const clock = new FakeClock();
    const saved = written(quotaWith(bucket('rpm', { capacity: 3 })), clock);
    expect(restored(saved, quotaWith(), 0).quota.limits).toEqual([]);
  });

  test('what the configuration says now counts, not what it said', () => {
    const clock = new FakeClock();
    const quota = quotaWith(bucket('rpm', { capacity: 60 }));
    spend(quota, 60, clock);
    clock.advance(250);
    expect(restored(written(quota, clock), quotaWith(bucket('rpm', { capacity: 600 })), 0).level()).toEqual([540]);
  });

  test('a rest goes on for as long as it had left', () => {
    const clock = new FakeClock(5_000);
    const quota = quotaWith();
    quota.rest(clock.now() + 100_000, 'exhausted');
    const { quota: later } = restored(written(quota, clock), quotaWith(), 30_000);
    expect(later).toMatchObject({ restReason: 'exhausted', restsUntil: 7 + 70_000 });
  });

  test('what was in flight has ended with the process', () => {
    const clock = new FakeClock();
    const slots: Named = {
      name: 'concurrency',
      plan: { unit: 'in_flight', windowMs: 0, capacity: 2, algorithm: 'in-flight', isGuess: false },
    };
    const quota = quotaWith(slots, bucket('rpm', { capacity: 60 }));
    spend(quota, 2, clock);
    const saved = written(quota, clock);
    expect(saved.quotas[0]?.limits.map(({ unit }) => unit)).toEqual(['requests']);
    expect(restored(saved, quotaWith(slots), 0).level()).toEqual([2]);
  });

  test('a quota about which there is nothing to say is not written', () => {
    expect(written(quotaWith(), new FakeClock()).quotas).toEqual([]);
  });
});

describe('after a crash', () => {
  const crashed = (quota: Quota, clock: FakeClock) => written(quota, clock, false);

  test('whatever could have been granted until the next write counts as used', () => {
    const clock = new FakeClock();
    const quota = quotaWith(window('rpm', { capacity: 60 }));
    spend(quota, 20, clock);
    const saved = crashed(quota, clock);
    expect(restored(saved, quotaWith(window('rpm', { capacity: 60 })), 1_000).level()).toEqual([0]);
    expect(restored(saved, quotaWith(window('rpm', { capacity: 60 })), MINUTE_MS + 2_250).level()).toEqual([60]);
  });

  test('a bucket has what has flowed in since that write was due', () => {
    const clock = new FakeClock();
    const saved = crashed(quotaWith(bucket('rpm', { capacity: 60 })), clock);
    expect(restored(saved, quotaWith(bucket('rpm', { capacity: 60 })), 1_000).level()).toEqual([0]);
    expect(restored(saved, quotaWith(bucket('rpm', { capacity: 60 })), 12_250).level()).toEqual([10]);
  });

  test('a day that has begun since is whole', () => {
    const clock = new FakeClock();
    const day = (startMs: number): Named => {
      const boundaries = (at: number) => {
        const days = Math.floor((at - startMs) / DAY_MS);
        return { startMs: startMs + days * DAY_MS, endMs: startMs + (days + 1) * DAY_MS };
      };
      return window('rpd', { capacity: 500, windowMs: DAY_MS, algorithm: 'fixed-window', boundaries });
    };
    const quota = quotaWith(day(-10_000));
    spend(quota, 100, clock);
    const saved = crashed(quota, clock);
    expect(restored(saved, quotaWith(day(-10_000)), 4_000).level()).toEqual([0]);
    expect(restored(saved, quotaWith(day(5)), 4_000).level()).toEqual([500]);
  });

  test('what was in use then is in use no more', () => {
    const clock = new FakeClock();
    const limits = (): Named[] => [
      {
        name: 'concurrency',
        plan: { unit: 'in_flight', windowMs: 0, capacity: 2, algorithm: 'in-flight', isGuess: false },
      },
      bucket('rpm', { capacity: 60 }),
    ];
    expect(restored(crashed(quotaWith(...limits()), clock), quotaWith(...limits()), 2_000).level()).toEqual([2, 0]);
  });

  // A crash used to cost the whole day, though a minute's limit stood beside it.
  test('a day loses no more than a limit of the minute lets through between two writes', () => {
    const clock = new FakeClock();
    const limits = () => [window('rpm', { capacity: 60 }), window('rpd', { capacity: 10_000, windowMs: DAY_MS })];
    const quota = quotaWith(...limits());
    spend(quota, 10, clock);
    const [, day = 0] = restored(crashed(quota, clock), quotaWith(...limits()), 1_000).level();
    expect(day).toBeGreaterThanOrEqual(10_000 - 10 - 60 - 2);
    expect(day).toBeLessThanOrEqual(10_000 - 60);
  });

  test('a debt that is known already is not made larger', () => {
    const clock = new FakeClock();
    const quota = quotaWith(bucket('rpm', { capacity: 60 }));
    spend(quota, 60, clock);
    spend(quota, 30, clock);
    clock.advance(250);
    expect(restored(crashed(quota, clock), quotaWith(bucket('rpm', { capacity: 60 })), 0).level()).toEqual([-30]);
  });
});

describe('a gap in what was written', () => {
  const rpm = () => quotaWith(bucket('rpm', { capacity: 60 }));

  test('is as long as there were signs of life without a write, as on a full disk', () => {
    const clock = new FakeClock();
    const saved = written(rpm(), clock, false);
    const failing = { ...saved, aliveAtWallMs: saved.savedAtWallMs + 30_000 };
    expect(restored(failing, rpm(), 31_000).level()).toEqual([0]);
    expect(restored(failing, rpm(), 42_250).level()).toEqual([10]);
    const setBack = { ...saved, aliveAtWallMs: saved.savedAtWallMs - 30_000 };
    expect(restored(setBack, rpm(), 12_250).level()).toEqual([10]);
  });

  // A crash was forgotten when the next process ended well before anybody asked for the quota.
  test('outlives processes in which nobody asks for the quota', () => {
    const clock = new FakeClock();
    const daily = () => quotaWith(window('rpm', { capacity: 60 }), window('rpd', { capacity: 500, windowMs: DAY_MS }));
    const crashed = foundBooks(written(daily(), clock, false), WRITE_EVERY_MS);
    clock.advance(3_000);
    const second = JSON.parse(JSON.stringify(saveBooks({ quotas: [], before: crashed }, clock, true))) as SavedBooks;
    expect(restored(second, daily(), 1_000).level()).toEqual([0, 438]);
    // The minute that the crash was in is over; its day is not.
    expect(restored(second, daily(), MINUTE_MS).level()).toEqual([60, 438]);
  });

  test('joins the gap of an earlier crash', () => {
    const clock = new FakeClock();
    const crashed = foundBooks(written(rpm(), clock, false), WRITE_EVERY_MS);
    clock.advance(1_000);
    const again = foundBooks(saveBooks({ quotas: [], before: crashed }, clock, false), WRITE_EVERY_MS);
    expect(again.quotas[0]?.gap).toEqual({ endedAgoMs: -WRITE_EVERY_MS, forMs: 2 * WRITE_EVERY_MS });
  });

  test('is none after an orderly end', () => {
    const saved = written(rpm(), new FakeClock());
    expect(foundBooks(saved, WRITE_EVERY_MS)).toBe(saved);
  });
});

describe('quotas that nobody has asked for yet', () => {
  test('are written again as they were read, only older', () => {
    const clock = new FakeClock();
    const quota = quotaWith(bucket('rpm', { capacity: 60 }), window('rpd', { capacity: 500, windowMs: DAY_MS }));
    spend(quota, 60, clock);
    clock.advance(250);
    quota.rest(clock.now() + 20_000, 'throttled');
    const before = written(quota, clock);
    clock.advance(15_000);
    const again = saveBooks({ quotas: [], before }, clock, true);
    expect(again.quotas[0]).toMatchObject({ restsForMs: 5_000, restReason: 'throttled' });
    const fresh = quotaWith(bucket('rpm', { capacity: 60 }), window('rpd', { capacity: 500, windowMs: DAY_MS }));
    // A bucket used to forget the time before the second write.
    expect(restored(again, fresh, 15_000).level()).toEqual([30, 440]);
    clock.advance(10_000);
    expect(saveBooks({ quotas: [], before }, clock, true).quotas[0]?.restsForMs).toBe(0);
  });

  test('give way to what is known of them now', () => {
    const clock = new FakeClock();
    const before = written(quotaWith(bucket('rpm', { capacity: 60 })), clock);
    const now = quotaWith(bucket('rpm', { capacity: 90 }));
    const { quotas } = saveBooks({ quotas: [now], before }, clock, false);
    expect(quotas).toHaveLength(1);
    expect(quotas[0]?.limits[0]?.snapshot.capacity).toBe(90);
  });

  test('do not grow younger when the wall clock is set back', () => {
    const clock = new FakeClock();
    const quota = quotaWith();
    quota.rest(clock.now() + 20_000, 'throttled');
    const before = written(quota, clock);
    clock.jumpWall(-3_600_000);
    expect(saveBooks({ quotas: [], before }, clock, true).quotas[0]?.restsForMs).toBe(20_000);
  });
});
