import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowLog } from '../../src/scheduler/flow-log.ts';
import { levelBounds, type Snapshot } from '../../src/scheduler/level-bounds.ts';

const RATE_PER_MS = 1;

describe('a head about a bucket of 60,000 a minute, sent at 10,000 with a skew of 250 ms', () => {
  test('alone says the level, but for the refill within the skew', () => {
    const bounds = levelBounds(snapshot({ now: 11_000 }));
    expect(bounds).toEqual({ now: 11_000, lowest: 30_750, highest: 31_000, mayRaise: true });
  });

  test('is not yet sure of any refill within the skew', () => {
    expect(levelBounds(snapshot({ now: 10_100 }))).toMatchObject({ lowest: 30_000, highest: 30_100 });
  });

  test('surely lacks what was sent later, and surely holds what was sent before', () => {
    const flow = flowOf([9_749, 500], [10_251, 700]);
    expect(levelBounds(snapshot({ now: 11_000, flow }))).toMatchObject({ lowest: 30_050, highest: 30_300 });
  });

  test('may hold or lack what was sent within a skew on either side', () => {
    const flow = flowOf([9_750, 500], [10_250, 700]);
    expect(levelBounds(snapshot({ now: 11_000, flow }))).toMatchObject({ lowest: 29_550, highest: 31_000 });
  });

  test('holds the request that it answers', () => {
    const flow = flowOf([10_000, 900]);
    expect(levelBounds(snapshot({ now: 11_000, flow, ownAmount: 900 }))).toMatchObject({
      lowest: 30_750,
      highest: 31_000,
    });
  });

  test('may lack whatever of the answers under way is charged at their end only, its own included', () => {
    const flow = new FlowLog();
    flow.record(9_000, 500, 300);
    flow.record(9_500, 0, -300);
    flow.record(9_600, 200, 150);
    flow.record(10_000, 900, 400);
    const own = { ownAmount: 900, ownUnsure: 400 };
    expect(levelBounds(snapshot({ now: 11_000, flow, ...own }))).toMatchObject({
      lowest: 30_750 - 150 - 400,
      highest: 31_000,
    });
  });

  test('may lack a refund that was booked since, and surely lacks one that was booked long after', () => {
    const flow = flowOf([10_001, -100], [10_749, -5], [10_750, -10]);
    expect(levelBounds(snapshot({ now: 11_000, flow }))).toMatchObject({ lowest: 30_760, highest: 31_115 });
  });

  test('never proves more than the limit, or less than what it lost by being full', () => {
    const flow = flowOf([10_251, 700]);
    const full = snapshot({ remaining: 60_000, now: 11_000, flow });
    expect(levelBounds(full)).toMatchObject({ lowest: 59_300, highest: 60_000 });
  });

  test('was rounded down', () => {
    expect(levelBounds(snapshot({ now: 11_000, roundingUp: 1_000 }))).toMatchObject({
      lowest: 30_750,
      highest: 32_000,
    });
  });

  test('raises only if it may', () => {
    expect(levelBounds(snapshot({ now: 11_000, mayRaise: false }))?.mayRaise).toBe(false);
  });

  test('proves nothing when it is older than the log, or when the limit is unknown', () => {
    const flow = new FlowLog({ keepMs: 1_000 });
    flow.record(9_800, 1);
    flow.record(12_000, 1);
    expect(levelBounds(snapshot({ now: 12_000, flow }))).toBe(null);
    expect(levelBounds(snapshot({ now: 11_000, limit: Number.POSITIVE_INFINITY }))).toBe(null);
  });
});

describe('a head about a window of a minute', () => {
  const window = { ratePerMs: 0, windowMs: 60_000, sentAt: 100_000, now: 101_000 };

  test('may lack what left the window since', () => {
    const flow = flowOf([39_749, 100], [39_750, 200], [41_000, 400], [41_001, 800]);
    expect(levelBounds(snapshot({ ...window, flow }))).toMatchObject({ lowest: 30_000, highest: 30_600 });
  });

  test('may lack an even share of the limit where the log is too short to tell', () => {
    const flow = new FlowLog({ keepMs: 10_000 });
    flow.record(50_000, 1);
    flow.record(99_000, 1);
    expect(levelBounds(snapshot({ ...window, flow }))).toMatchObject({ lowest: 30_000, highest: 31_250 });
  });

  test('lacks nothing where nobody says how long the window is', () => {
    const { windowMs: _, ...unknown } = window;
    expect(levelBounds(snapshot(unknown))).toMatchObject({ lowest: 30_000, highest: 30_000 });
  });
});

test('bounds hold the true level of a bucket, whatever arrives when within the skew', () => {
  const sends = fc.array(
    fc.record({
      gapMs: fc.double({ min: 0, max: 400, noNaN: true }),
      amount: fc.integer({ min: 1, max: 2_000 }),
      delayMs: fc.double({ min: 0, max: 249, noNaN: true }),
    }),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(
    fc.property(sends, fc.nat({ max: 19 }), (list, pick) => {
      const flow = new FlowLog();
      let at = 1_000;
      const sent = list.map(({ gapMs, amount, delayMs }) => {
        at += gapMs;
        flow.record(at, amount);
        return { sentAt: at, amount, arrivesAt: at + delayMs };
      });
      const own = sent[pick % sent.length] as (typeof sent)[number];
      const now = at + 250;
      const levelAt = (end: number) => {
        let level = 60_000;
        let time = 0;
        for (const { amount, arrivesAt } of sent.toSorted((a, b) => a.arrivesAt - b.arrivesAt)) {
          if (arrivesAt > end) break;
          level = Math.min(60_000, level + (arrivesAt - time) * RATE_PER_MS) - amount;
          time = arrivesAt;
        }
        return Math.min(60_000, level + (end - time) * RATE_PER_MS);
      };
      const remaining = levelAt(own.arrivesAt);
      const bounds = levelBounds(snapshot({ remaining, sentAt: own.sentAt, now, flow, ownAmount: own.amount }));
      expect(bounds?.lowest).toBeLessThanOrEqual(levelAt(now) + 1e-6);
      expect(bounds?.highest).toBeGreaterThanOrEqual(levelAt(now) - 1e-6);
    }),
  );
});

function snapshot(given: Partial<Snapshot>): Snapshot {
  return {
    remaining: 30_000,
    limit: 60_000,
    sentAt: 10_000,
    now: 10_000,
    skewMs: 250,
    ratePerMs: RATE_PER_MS,
    flow: new FlowLog(),
    mayRaise: true,
    ...given,
  };
}

function flowOf(...entries: readonly (readonly [at: number, amount: number])[]): FlowLog {
  const flow = new FlowLog();
  for (const [at, amount] of entries) flow.record(at, amount);
  return flow;
}
