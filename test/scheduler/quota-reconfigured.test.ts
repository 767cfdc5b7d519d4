import { describe, expect, test } from 'vitest';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import { type NamedPlan, Quota } from '../../src/scheduler/quota.ts';
import { Office } from './office.ts';

const MINUTE_MS = 60_000;
const ONE = [1, 0, 0, 0, 1] as const;
const COST = { reserved: ONE, expected: ONE, certain: ONE };

function rpm(capacity: number, more: Partial<LimitPlan> = {}): NamedPlan {
  const plan = { unit: 'requests', windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false } as const;
  return { name: 'rpm', plan: { ...plan, ...more } };
}

function slots(capacity: number): NamedPlan {
  return {
    name: 'concurrency',
    plan: { unit: 'in_flight', windowMs: 0, capacity, algorithm: 'in-flight', isGuess: false },
  };
}

function quotaWith(...limits: NamedPlan[]): Quota {
  return new Quota({ id: 'q', name: 'q', limits, learns: true, skewMs: 250 });
}

function reconfigure(quota: Quota, ...limits: NamedPlan[]): void {
  quota.reconfigure({ name: 'q', learns: true, limits }, 0);
}

/** Level and capacity of its first limit at the instant 0. */
function firstOf({ limits: [limit] }: Quota): readonly (number | undefined)[] {
  return [limit?.primary.level(0), limit?.primary.capacity];
}

function seen(quota: Quota, limit: number, remaining: number | null = null): void {
  const reading = { unit: 'requests', windowMs: MINUTE_MS, limit, remaining } as const;
  quota.observe([reading], { sentAt: 0, now: 0, cost: COST });
}

describe('a limit with another number', () => {
  test('has what it had, if it is a bucket: one that is larger fills at its own pace, and a smaller one is full at most', () => {
    const quota = quotaWith(rpm(100));
    quota.limits[0]?.primary.take(40, 0);
    const [level] = firstOf(quota);
    reconfigure(quota, rpm(300));
    expect(firstOf(quota)).toEqual([expect.closeTo(level as number, 6), 300]);
    reconfigure(quota, rpm(30));
    expect(firstOf(quota)).toEqual([30, 30]);
  });

  // With what was missing in the smaller one alone, each way down and up gave a burst that the upstream did not have.
  test('gives no burst for having been lowered and raised again', () => {
    const quota = quotaWith(rpm(100));
    quota.limits[0]?.primary.take(100, 0);
    const [level] = firstOf(quota);
    reconfigure(quota, rpm(10));
    reconfigure(quota, rpm(100));
    expect(firstOf(quota)).toEqual([expect.closeTo(level as number, 6), 100]);
  });

  test('keeps what is booked on it, if it is a window', () => {
    const quota = quotaWith(rpm(100, { algorithm: 'sliding-window', burst: 1 }));
    quota.limits[0]?.primary.take(40, 0);
    reconfigure(quota, rpm(300, { algorithm: 'sliding-window', burst: 1 }));
    expect(firstOf(quota)).toEqual([260, 300]);
    reconfigure(quota, rpm(30, { algorithm: 'sliding-window', burst: 1 }));
    expect(firstOf(quota)).toEqual([-10, 30]);
  });

  test('is the same limit to whoever holds a part of it', () => {
    const quota = quotaWith(rpm(100), slots(4));
    const booking = quota.limits[1]?.primary.take(1, 0);
    const { version, meters } = quota;
    reconfigure(quota, rpm(100), slots(2));
    expect(quota.meters).toEqual(meters);
    expect(quota.version).toBeGreaterThan(version);
    expect(quota.limits[1]?.primary.level(0)).toBe(1);
    if (booking) quota.limits[1]?.primary.settle(booking, 0, 0);
    expect(quota.limits[1]?.primary.level(0)).toBe(2);
  });

  test('paces and slices as if it had always had it', () => {
    const sliced = { algorithm: 'sliding-window', sliceMs: 1_000 } as const;
    const quota = quotaWith(rpm(100, sliced));
    expect(quota.meters.map(({ limit }) => limit.capacity)).toEqual([100, 100, 1]);
    reconfigure(quota, rpm(600, sliced));
    expect(quota.meters.map(({ limit }) => limit.capacity)).toEqual([600, 600, 10]);
  });

  test('that is above what answers say stays at what they say, and comes down to what is configured', () => {
    const quota = quotaWith(rpm(100));
    seen(quota, 200);
    expect(firstOf(quota)[1]).toBe(100);
    reconfigure(quota, rpm(500));
    expect([firstOf(quota)[1], quota.limits[0]?.source]).toEqual([200, 'header']);
    reconfigure(quota, rpm(150));
    expect([firstOf(quota)[1], quota.limits[0]?.source]).toEqual([150, 'config']);
  });

  test('that is new stands over what only a refusal told, which may be old, until the next one', () => {
    const spent = [{ unit: 'requests', windowMs: MINUTE_MS, limit: 15, used: 15 }] as const;
    const refusal = { now: 0, sentAt: 0, cost: COST, retryAfterMs: null, isExplained: true, spent };
    const quota = quotaWith(rpm(100));
    quota.refused(refusal);
    expect([firstOf(quota)[1], quota.limits[0]?.source]).toEqual([15, 'refusal']);
    reconfigure(quota, rpm(100));
    expect(firstOf(quota)[1]).toBe(15);
    reconfigure(quota, rpm(300));
    expect([firstOf(quota)[1], quota.limits[0]?.source]).toEqual([300, 'config']);
    quota.refused(refusal);
    expect([firstOf(quota)[1], quota.limits[0]?.source]).toEqual([15, 'refusal']);
  });

  test('and is enforced in another way stands over what only a refusal told, too', () => {
    const spent = [{ unit: 'requests', windowMs: MINUTE_MS, limit: 15, used: 15 }] as const;
    const quota = quotaWith(rpm(100));
    quota.refused({ now: 0, sentAt: 0, cost: COST, retryAfterMs: null, isExplained: true, spent });
    reconfigure(quota, rpm(100, { algorithm: 'sliding-window' }));
    expect([firstOf(quota)[1], quota.limits[0]?.source]).toEqual([15, 'refusal']);
    reconfigure(quota, rpm(300));
    expect([firstOf(quota)[1], quota.limits[0]?.source]).toEqual([300, 'config']);
  });

  test('a head that says nothing of a number, or nonsense, teaches none', () => {
    const quota = quotaWith(rpm(100));
    seen(quota, 0);
    reconfigure(quota, rpm(500));
    expect(firstOf(quota)[1]).toBe(500);
  });
});

describe('a limit that is configured no more', () => {
  test('is none', () => {
    const quota = quotaWith(rpm(100));
    reconfigure(quota);
    expect(quota.meters).toEqual([]);
  });

  test('is what answers said of it, where they did', () => {
    const quota = quotaWith(rpm(100));
    seen(quota, 200);
    reconfigure(quota);
    expect([firstOf(quota)[1], quota.limits[0]?.source]).toEqual([200, 'header']);
  });

  test('and one that answers taught is configured when somebody writes it down', () => {
    const quota = quotaWith();
    seen(quota, 200, 120);
    reconfigure(quota, rpm(80));
    expect([...firstOf(quota), quota.limits[0]?.source]).toEqual([80, 80, 'config']);
    reconfigure(quota);
    expect([firstOf(quota)[1], quota.limits[0]?.source]).toEqual([200, 'header']);
  });

  test('one that answers taught is none where heads speak of another quota now', () => {
    const quota = quotaWith();
    seen(quota, 200, 120);
    quota.reconfigure({ name: 'q', learns: false, limits: [] }, 0);
    expect(quota.meters).toEqual([]);
    expect([quota.learns, quota.gate.isOpen]).toEqual([false, true]);
  });
});

describe('a limit that is enforced in another way', () => {
  test('takes over what a window held, as one debt of a bucket that is empty at worst', () => {
    const quota = quotaWith(rpm(100, { algorithm: 'sliding-window', burst: 1 }));
    const window = quota.limits[0]?.primary;
    window?.take(30, -20_000);
    window?.take(40, -10_000);
    reconfigure(quota, rpm(100));
    expect(firstOf(quota)).toEqual([30, 100]);
    const full = quotaWith(rpm(100, { algorithm: 'sliding-window', burst: 1 }));
    full.limits[0]?.primary.take(100, 0);
    reconfigure(full, rpm(50));
    expect(firstOf(full)).toEqual([0, 50]);
  });

  test('takes over what a bucket lacked, and what answers said of it', () => {
    const quota = quotaWith(rpm(100));
    quota.limits[0]?.primary.take(40, 0);
    seen(quota, 90);
    const used = 90 - (quota.limits[0]?.primary.level(0) as number);
    reconfigure(quota, rpm(100, { algorithm: 'sliding-window', burst: 1 }));
    expect(firstOf(quota)).toEqual([90 - used, 90]);
  });

  test('another day is another limit, and so is another moment of charging', () => {
    const day = { startMs: 0, endMs: 86_400_000 };
    const rpd = (anchor: string) => {
      const more = { windowMs: 86_400_000, algorithm: 'fixed-window', boundaries: () => day, anchor } as const;
      return rpm(1_000, more);
    };
    const quota = quotaWith(rpd('00:00 UTC'));
    const [before] = quota.limits;
    before?.primary.take(10, 0);
    reconfigure(quota, rpd('00:00 UTC'));
    expect(quota.limits[0]).toBe(before);
    reconfigure(quota, rpd('08:00 UTC'));
    expect(quota.limits[0]).not.toBe(before);
    expect(firstOf(quota)).toEqual([990, 1_000]);
    const [atOnce] = quota.limits;
    reconfigure(quota, { ...rpd('08:00 UTC'), isChargedAtEnd: true });
    expect(quota.limits[0]).not.toBe(atOnce);
  });
});

describe('a limit that is new', () => {
  test('counts what is under way, and gives it back when that ends', () => {
    const office = new Office({ a: { limits: [rpm(10)] } });
    office.ask('1');
    office.ask('2');
    const quota = office.quota('a');
    quota.reconfigure({ name: 'a', learns: false, limits: [rpm(10), slots(2)] }, 0);
    office.scheduler.changed();
    office.ask('3');
    expect(office.log).toEqual(['1 on a', '2 on a']);
    office.end('1');
    office.clock.advance(200);
    expect(office.log).toEqual(['1 on a', '2 on a', '3 on a']);
    for (const name of ['2', '3']) office.end(name);
    office.clock.advance(200);
    expect(quota.limits[1]?.primary.level(office.clock.now())).toBe(2);
    expect(quota.underWay.size).toBe(0);
  });

  test('is of unknown level where answers teach: one request finds out', () => {
    const office = new Office({ a: { limits: [rpm(10)], learns: true } });
    const quota = office.quota('a');
    expect(quota.gate.isOpen).toBe(true);
    quota.reconfigure({ name: 'a', learns: true, limits: [rpm(10), slots(5)] }, 0);
    for (const name of ['1', '2', '3']) office.ask(name);
    expect(office.log).toEqual(['1 on a']);
    office.answer('1', [{ unit: 'requests', windowMs: MINUTE_MS, limit: 10, remaining: 9 }]);
    expect(office.log).toEqual(['1 on a', '2 on a', '3 on a']);
  });
});

test('a quota is unused when nothing is under way, nothing booked, and it does not rest', () => {
  const office = new Office({ a: { limits: [rpm(60)] } });
  const quota = office.quota('a');
  expect(quota.isUnused(0)).toBe(true);
  office.ask('1');
  expect(quota.isUnused(0)).toBe(false);
  office.end('1');
  office.clock.advance(500);
  expect(quota.isUnused(office.clock.now())).toBe(false);
  office.clock.advance(2_000);
  expect(quota.isUnused(office.clock.now())).toBe(true);
  quota.rest(60_000, 'throttled');
  expect(quota.isUnused(office.clock.now())).toBe(false);
});

test('a window that is lowered is paced from then on, and not stopped for what went before', () => {
  const windowed = (capacity: number) => rpm(capacity, { algorithm: 'sliding-window' });
  const quota = quotaWith(windowed(600));
  for (const { limit } of quota.meters) limit.take(150, 0);
  reconfigure(quota, windowed(60));
  const [window, pace] = quota.meters;
  expect(window?.limit.level(0)).toBe(-90);
  expect(pace?.limit.level(0)).toBe(0);
});
