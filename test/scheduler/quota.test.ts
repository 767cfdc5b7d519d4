import { describe, expect, test } from 'vitest';
import { chargeOf } from '../../src/charge.ts';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import type { Limit } from '../../src/scheduler/limits/limit.ts';
import { type NamedPlan, Quota, type Refusal, type TaughtLimit } from '../../src/scheduler/quota.ts';
import type { QuotaLimit, Reading } from '../../src/scheduler/quota-limit.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const charge = chargeOf(0, 0);
const cost = { reserved: charge, expected: charge, certain: charge };

function rpm(changes: Partial<LimitPlan> = {}): NamedPlan {
  const plan = {
    unit: 'requests',
    windowMs: MINUTE_MS,
    capacity: 100,
    algorithm: 'token-bucket',
    isGuess: false,
  } as const;
  return { name: 'rpm', plan: { ...plan, ...changes } };
}

const guessed = rpm({ isGuess: true, algorithm: 'sliding-window' });

function quotaWith(limits: readonly NamedPlan[], learns = true): Quota {
  return new Quota({ id: 'q', name: 'q', limits, learns, skewMs: 250 });
}

function head(remaining: number | null, changes: Partial<Reading> = {}): Reading {
  return { unit: 'requests', windowMs: MINUTE_MS, limit: 100, remaining, ...changes };
}

function refusal(now: number, changes: Partial<Refusal> = {}): Refusal {
  return { now, sentAt: now, cost, retryAfterMs: null, isExplained: false, spent: [], ...changes };
}

describe('limits that nobody configured', () => {
  test('are learned from heads, under the names that people know, with their levels', () => {
    const quota = quotaWith([]);
    const readings: Reading[] = [
      head(90),
      head(null, { windowMs: DAY_MS, limit: 5_000 }),
      head(700, { unit: 'tokens', limit: 1_000 }),
      head(7, { unit: 'input_tokens', limit: 10 }),
      head(8, { unit: 'output_tokens', limit: 10 }),
    ];
    expect(quota.observe(readings, { sentAt: 0, now: 100, cost })).toBe(false);
    expect(quota.limits.map(({ name, primary }) => [name, Math.round(primary.level(100))])).toEqual([
      ['rpm', 90],
      ['rpd', 5_000],
      ['tpm', 700],
      ['itpm', 7],
      ['otpm', 8],
    ]);
    expect(quota.limits.every(({ source }) => source === 'header')).toBe(true);
  });

  test('are learned from refusals too, and count as spent', () => {
    const quota = quotaWith([]);
    quota.refused(refusal(0, { spent: [{ unit: 'requests', windowMs: MINUTE_MS, limit: 3, used: 3 }] }));
    expect(quota.limits[0]).toMatchObject({ name: 'rpm', source: 'refusal', primary: { capacity: 3 } });
    expect(quota.limits[0]?.primary.level(0)).toBeCloseTo(0);
  });

  test('are not learned without a number, from a nought, or where answers speak of another quota', () => {
    const quota = quotaWith([]);
    quota.observe([head(5, { limit: null }), head(0, { limit: 0 })], { sentAt: 0, now: 0, cost });
    expect(quota.limits).toEqual([]);
    const keys = quotaWith([], false);
    keys.observe([head(5)], { sentAt: 0, now: 0, cost });
    expect(keys.limits).toEqual([]);
  });
});

describe('heads', () => {
  test('that state the level open the gate once their answer is known to be good, but not while the quota rests', () => {
    const quota = quotaWith([rpm()]);
    quota.observe([head(null)], { sentAt: 0, now: 0, cost });
    quota.succeeded(0);
    expect(quota.gate.isOpen).toBe(false);
    quota.rest(5_000, 'throttled');
    quota.observe([head(50)], { sentAt: 0, now: 0, cost });
    quota.succeeded(0);
    expect(quota.gate.isOpen).toBe(false);
    quota.observe([head(50)], { sentAt: 5_000, now: 5_000, cost });
    expect(quota.gate.isOpen).toBe(false);
    quota.succeeded(5_000);
    expect(quota.gate.isOpen).toBe(true);
  });

  test('tell that less is left than the books say, and say so', () => {
    const quota = quotaWith([rpm()]);
    expect(quota.observe([head(20)], { sentAt: 0, now: 0, cost })).toBe(true);
    expect(quota.limits[0]?.primary.level(0)).toBeLessThanOrEqual(21);
  });

  test('that tell too much at times lower the books, and never raise them', () => {
    const level = (isAtMost: boolean): number => {
      const quota = quotaWith([rpm({ algorithm: 'sliding-window' })]);
      quota.observe([head(20)], { sentAt: 0, now: 0, cost });
      for (let now = 1_000; now <= 20_000; now += 1_000) {
        quota.observe([head(90, { isAtMost })], { sentAt: now, now, cost });
      }
      return quota.limits[0]?.primary.level(20_000) as number;
    };
    expect(level(true)).toBeLessThanOrEqual(21);
    expect(level(false)).toBeGreaterThan(50);
  });

  test('tell of a lower limit, and of the configured one when it is back', () => {
    const quota = quotaWith([rpm()]);
    expect(quota.observe([head(null, { limit: 40 })], { sentAt: 0, now: 0, cost })).toBe(true);
    expect(quota.limits[0]).toMatchObject({ source: 'header', primary: { capacity: 40 } });
    expect(quota.observe([head(null, { limit: 900 })], { sentAt: 1, now: 1, cost })).toBe(true);
    expect(quota.limits[0]).toMatchObject({ source: 'config', primary: { capacity: 100 } });
    expect(quota.observe([head(null, { limit: 900 })], { sentAt: 2, now: 2, cost })).toBe(false);
  });

  test.each(['token-bucket', 'sliding-window'] as const)(
    'of a larger limit than the cap, a %s, never raise the level, and lower it where less is left',
    (algorithm) => {
      const quota = quotaWith([rpm({ algorithm })]);
      const capped = quota.limits[0]?.primary as Limit;
      capped.take(100, 0);
      const hear = (remaining: number, now: number) =>
        quota.observe([head(remaining, { limit: 1_000 })], { sentAt: now, now, cost });
      for (let now = 1_000; now <= 20_000; now += 1_000) hear(900, now);
      expect(capped.level(20_000)).toBeLessThan(34);
      expect(capped.level(MINUTE_MS + 1_000)).toBeGreaterThan(90);
      hear(5, MINUTE_MS + 1_000);
      expect(capped.level(MINUTE_MS + 1_000)).toBeLessThan(7);
    },
  );

  test('of a larger limit than the cap refill by that one', () => {
    const quota = quotaWith([rpm()]);
    // The vendor had 20 half a second ago, and fills ten times as fast as the cap.
    quota.observe([head(20, { limit: 1_000 })], { sentAt: 0, now: 600, cost });
    expect(quota.limits[0]?.primary.level(600)).toBeCloseTo(31);
  });

  test('of older requests may lower the level and never raise it', () => {
    const quota = quotaWith([rpm()]);
    quota.observe([head(30)], { sentAt: 1_000, now: 1_100, cost });
    const level = quota.limits[0]?.primary.level(1_200) as number;
    expect(quota.observe([head(90)], { sentAt: 500, now: 1_200, cost })).toBe(false);
    expect(quota.observe([head(1)], { sentAt: 600, now: 1_200, cost })).toBe(true);
    expect(quota.limits[0]?.primary.level(1_200)).toBeLessThan(level);
  });

  test('of windows are believed the same way', () => {
    const quota = quotaWith([rpm({ algorithm: 'sliding-window', burst: 1 })]);
    expect(quota.observe([head(20)], { sentAt: 0, now: 0, cost })).toBe(true);
    expect(quota.limits[0]?.primary.level(0)).toBe(20);
  });

  test('that come so late that nobody knows what was sent meanwhile prove nothing', () => {
    const quota = quotaWith([rpm()]);
    const limit = quota.limits[0];
    for (let at = 0; at <= 400_000; at += 50_000) limit?.flow.record(at, 1);
    expect(quota.observe([head(1)], { sentAt: 1_000, now: 400_000, cost })).toBe(false);
    expect(limit?.primary.level(400_000)).toBe(100);
  });
});

describe('what others take from the same limit', () => {
  test('leaves a guard untouched, which is gone a minute after they have stopped', () => {
    const quota = quotaWith([rpm()]);
    quota.limits[0]?.primary.take(70, 0);
    quota.observe([head(10)], { sentAt: 0, now: 500, cost });
    const guard = quota.meters[0]?.guard as number;
    expect(guard).toBeGreaterThan(0);
    expect(guard).toBeLessThan(10);
    quota.observe([head(99)], { sentAt: 61_000, now: 61_200, cost });
    expect(quota.meters[0]?.guard).toBe(0);
  });
});

describe('a guessed burst', () => {
  const burstOf = (quota: Quota) => [...(quota.limits[0]?.paces() ?? [])].map(({ burst }) => burst);

  test('is halved by each refusal that the books cannot explain, down to one request', () => {
    const quota = quotaWith([guessed]);
    expect(burstOf(quota)).toEqual([0.25]);
    quota.refused(refusal(0));
    expect(burstOf(quota)).toEqual([0.125]);
    for (let i = 1; i < 10; i += 1) quota.refused(refusal(i * MINUTE_MS));
    expect(burstOf(quota)).toEqual([0.01]);
  });

  test('is left alone by those that they can explain', () => {
    const quota = quotaWith([guessed]);
    quota.refused(refusal(0, { isExplained: true }));
    expect(burstOf(quota)).toEqual([0.25]);
  });

  test('grows again by a quarter in each ten minutes without a refusal, and no higher than at first', () => {
    const quota = quotaWith([guessed]);
    quota.refused(refusal(0));
    quota.succeeded(599_999);
    expect(burstOf(quota)).toEqual([0.125]);
    quota.succeeded(600_000);
    quota.succeeded(600_001);
    expect(burstOf(quota)).toEqual([0.15625]);
    for (let i = 2; i < 12; i += 1) quota.succeeded(i * 600_000);
    expect(burstOf(quota)).toEqual([0.25]);
  });
});

describe('the skew', () => {
  const DRAINED_AT = 600_000;

  function take(quota: Quota, amount: number, now: number): void {
    for (const limit of quota.limits) {
      limit.primary.take(amount, now);
      limit.flow.record(now, amount);
    }
  }

  /** For how long after all of it was taken nothing refills, in ms. */
  function skewOf(quota: Quota, capacity = 100): number {
    const { primary, refills } = quota.limits[0] as QuotaLimit;
    take(quota, capacity, DRAINED_AT);
    const usualMs = refills ? MINUTE_MS / 100 : MINUTE_MS;
    return Math.round(primary.readyAt(1, DRAINED_AT) - DRAINED_AT - usualMs);
  }

  test.each([
    ['a bucket', rpm()],
    ['a window', rpm({ algorithm: 'sliding-window' })],
  ])('of %s grows where a late request explains a refusal', (_, limit) => {
    const quota = quotaWith([limit]);
    take(quota, 100, 0);
    quota.refused(refusal(100));
    expect(skewOf(quota)).toBe(375);
  });

  test.each([
    ['a bucket', rpm()],
    ['a window', rpm({ algorithm: 'sliding-window' })],
  ])('of %s stays where nothing that is late could', (_, limit) => {
    const quota = quotaWith([limit]);
    take(quota, 50, 0);
    quota.refused(refusal(100));
    expect(skewOf(quota)).toBe(250);
  });

  test('grows where a refund that the upstream lost explains it', () => {
    const quota = quotaWith([rpm()]);
    take(quota, 98, 0);
    quota.limits[0]?.primary.settle({ at: 0, amount: 95 }, 0, 50);
    quota.limits[0]?.flow.record(50, -95);
    quota.refused(refusal(100));
    expect(skewOf(quota)).toBe(375);
  });

  test('grows where what fell out of a window explains it', () => {
    const quota = quotaWith([rpm({ algorithm: 'sliding-window' })]);
    take(quota, 99, 0);
    take(quota, 1, MINUTE_MS + 1_000);
    quota.refused(refusal(MINUTE_MS + 1_500));
    expect(skewOf(quota)).toBe(375);
  });

  test('grows where a window admits more than is remembered of it', () => {
    const quota = quotaWith([rpm({ capacity: 60_000, algorithm: 'sliding-window' })]);
    for (let now = 0; now <= 2 * MINUTE_MS; now += 1) take(quota, 1, now);
    quota.refused(refusal(2 * MINUTE_MS + 50));
    expect(skewOf(quota, 60_000)).toBe(375);
  });

  test('grows where answers that were charged at their end explain it', () => {
    const quota = quotaWith([{ ...rpm({ algorithm: 'sliding-window' }), isChargedAtEnd: true }]);
    const { primary, flow } = quota.limits[0] as QuotaLimit;
    const booking = primary.take(100, 0);
    flow.record(0, 100);
    primary.settle(booking, 0, 30_000);
    primary.take(100, 30_000);
    quota.refused(refusal(30_000 + MINUTE_MS + 300));
    expect(skewOf(quota)).toBe(375);
  });

  test('stays where the limit is of a day, which two seconds do not fill', () => {
    const quota = quotaWith([rpm(), rpm({ windowMs: DAY_MS, algorithm: 'sliding-window' })]);
    take(quota, 1, 0);
    for (let now = 1_000; now < 600_000; now += 1_000) quota.limits[1]?.flow.record(now, 0);
    quota.refused(refusal(500_000));
    expect(skewOf(quota)).toBe(250);
  });

  test('stays where slots are full, which come free whenever answers end', () => {
    const slots = { unit: 'in_flight', windowMs: 0, capacity: 10, algorithm: 'in-flight' } as const;
    const quota = quotaWith([rpm(), { ...rpm(slots), name: 'concurrency' }]);
    take(quota, 10, 0);
    quota.refused(refusal(100));
    expect(skewOf(quota)).toBe(250);
  });

  test('shrinks again in five minutes of answers', () => {
    const quota = quotaWith([rpm()]);
    take(quota, 100, 0);
    quota.refused(refusal(100));
    quota.succeeded(100 + 300_000);
    expect(skewOf(quota)).toBe(250);
  });
});

describe('a rest', () => {
  test('is never cut short by another', () => {
    const quota = quotaWith([rpm()]);
    quota.rest(9_000, 'exhausted');
    quota.rest(3_000, 'throttled');
    expect(quota).toMatchObject({ restsUntil: 9_000, restReason: 'exhausted' });
  });

  test('lasts though an older request succeeds meanwhile', () => {
    const quota = quotaWith([rpm()]);
    quota.refused(refusal(0, { retryAfterMs: 9_000 }));
    quota.succeeded(1_000);
    expect(quota).toMatchObject({ restsUntil: 9_000, restReason: 'throttled' });
    quota.succeeded(10_000);
    expect(quota.restReason).toBeNull();
  });

  test('is followed by one request at a time, until twice its length has gone well', () => {
    const quota = quotaWith([rpm()]);
    quota.gate.open();
    quota.refused(refusal(0, { retryAfterMs: 2_000 }));
    quota.succeeded(3_000);
    quota.gate.enter();
    expect(quota.gate.hasRoom).toBe(false);
    quota.succeeded(6_000);
    expect(quota.gate.hasRoom).toBe(true);
  });

  test('with numbers of the limit only for something that is not known changes no books', () => {
    const quota = quotaWith([rpm()]);
    const spent = [{ unit: 'requests', windowMs: MINUTE_MS, limit: null, used: 99 }] as const;
    quota.refused(refusal(0, { spent }));
    expect(quota.limits[0]?.primary.capacity).toBe(100);
    expect(quota.limits[0]?.primary.level(0)).toBeCloseTo(0);
  });
});

describe('a day that is gone', () => {
  const HOUR_MS = 3_600_000;
  const dayOf = (instant: number) => {
    const startMs = Math.floor(instant / DAY_MS) * DAY_MS;
    return { startMs, endMs: startMs + DAY_MS };
  };
  const learned = (limit: TaughtLimit): { plan: LimitPlan } => ({
    plan: { ...limit, algorithm: 'fixed-window', isGuess: false, boundaries: dayOf },
  });
  const perDay = { unit: 'requests', windowMs: DAY_MS, limit: 20, used: null } as const;
  const quotaOfDays = () => new Quota({ id: 'q', name: 'q', limits: [], learns: true, learned, dayOf, skewMs: 250 });

  test('is over when the next one of the vendor begins, and teaches how much it holds', () => {
    const quota = quotaOfDays();
    quota.exhausted({ now: 20 * HOUR_MS, sentAt: 20 * HOUR_MS, retryAfterMs: null, spent: [perDay] });
    expect(quota).toMatchObject({ restsUntil: DAY_MS, restReason: 'exhausted' });
    const rpd = quota.limits[0]?.primary;
    expect([rpd?.capacity, rpd?.level(20 * HOUR_MS), rpd?.level(DAY_MS)]).toEqual([20, 0, 20]);
  });

  test('was the day before when it has only just begun: a clock may be wrong, or the answer late', () => {
    const quota = quotaOfDays();
    quota.exhausted({ now: DAY_MS + 500, sentAt: DAY_MS - 500, retryAfterMs: null, spent: [perDay] });
    expect(quota).toMatchObject({ restsUntil: DAY_MS + 500 + MINUTE_MS, limits: [] });
  });

  test('is asked again after an hour where nobody knows when it ends, and when the vendor says where it does', () => {
    const [mute, frank] = [quotaWith([]), quotaWith([])];
    mute.exhausted({ now: 7, sentAt: 0, retryAfterMs: null, spent: [] });
    frank.exhausted({ now: 7, sentAt: 0, retryAfterMs: 100, spent: [] });
    expect([mute.restsUntil, frank.restsUntil]).toEqual([7 + HOUR_MS, 107]);
  });
});
