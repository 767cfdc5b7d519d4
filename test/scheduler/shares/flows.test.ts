import { describe, expect, test } from 'vitest';
import { chargeOf } from '../../../src/charge.ts';
import type { Cost } from '../../../src/scheduler/cost.ts';
import type { KeptPlace } from '../../../src/scheduler/kept-places.ts';
import type { Line } from '../../../src/scheduler/line.ts';
import type { Route } from '../../../src/scheduler/route.ts';
import { fairRate } from '../../../src/scheduler/shares/fair-rate.ts';
import { ModelFlow } from '../../../src/scheduler/shares/model-flow.ts';
import { Pool, type Priority, USUAL_SHARE } from '../../../src/scheduler/shares/share.ts';
import { SupplyCurves } from '../../../src/scheduler/shares/supply-curve.ts';
import type { Ticket } from '../../../src/scheduler/ticket.ts';

const SECOND_MS = 1_000;

describe('what a client gets of a supply of 12', () => {
  const pool = new Pool();
  const shareOf = (client: string, priority: Priority = 'normal', weight = 1) =>
    pool.share(client, { priority, weight });
  const rateOf = (share = shareOf('me'), others: [ReturnType<typeof shareOf>, number][] = [], rule?: 'strict') => {
    const demands = others.map(([each, rate]) => ({ share: each, rate }));
    return fairRate(share, { demands, supply: 12, rule: rule ?? 'weighted' });
  };

  test('is all of it where nobody else asks, whatever it asked for itself', () => {
    expect(rateOf()).toBe(12);
    expect(rateOf(shareOf('me'), [[shareOf('me'), 3]])).toBe(12);
  });

  test('is its part by weight where others want more than theirs, and what they leave where they do not', () => {
    expect(rateOf(shareOf('me'), [[shareOf('other'), 50]])).toBe(6);
    expect(rateOf(shareOf('me', 'normal', 3), [[shareOf('other'), 50]])).toBe(9);
    shareOf('me');
    expect(
      rateOf(shareOf('me'), [
        [shareOf('a'), 2],
        [shareOf('b'), 50],
      ]),
    ).toBe(5);
  });

  test('is that of its class first', () => {
    expect(
      rateOf(shareOf('me', 'high'), [
        [shareOf('a'), 50],
        [shareOf('b'), 50],
      ]),
    ).toBeCloseTo(10);
    expect(rateOf(shareOf('me', 'low'), [[shareOf('a'), 2]])).toBeCloseTo(10);
    expect(
      rateOf(shareOf('me', 'low'), [
        [shareOf('a', 'low'), 50],
        [shareOf('b'), 50],
      ]),
    ).toBeCloseTo(1.2);
  });

  test('is what the classes above leave where they are strict, and never nothing', () => {
    expect(rateOf(shareOf('me', 'low'), [[shareOf('a'), 4]], 'strict')).toBe(8);
    expect(rateOf(shareOf('me', 'high'), [[shareOf('a'), 50]], 'strict')).toBe(12);
    expect(rateOf(shareOf('me', 'low'), [[shareOf('a'), 50]], 'strict')).toBeGreaterThan(0);
  });
});

describe('the flow of a model', () => {
  const pool = new Pool();
  const [me, other] = [pool.share('me', USUAL_SHARE), pool.share('other', USUAL_SHARE)];

  /** Both ask for more than there is, for ten seconds in which a thousand tokens a second are granted. */
  function busyFlow(): ModelFlow {
    const flow = new ModelFlow('weighted');
    for (const share of [me, other]) for (let i = 0; i < 20; i += 1) flow.enters(share, 1_000, 0);
    for (let second = 1; second <= 10; second += 1) {
      for (const share of [me, other]) flow.asked(share, 2_000, second * SECOND_MS);
      flow.leaves(second % 2 === 0 ? me : other, 1_000, second * SECOND_MS);
      flow.granted(1_000, true);
    }
    return flow;
  }

  test('is unknown while nobody has waited, or only for a moment', () => {
    const flow = new ModelFlow('weighted');
    flow.enters(me, 1_000, 0);
    flow.leaves(me, 1_000, 0);
    flow.granted(1_000, false);
    expect(flow.supply(60 * SECOND_MS)).toBeNull();
    expect(flow.rate(me, 60 * SECOND_MS)).toBeNull();
    expect(flow.makesRoom(me, 1_000, 60 * SECOND_MS)).toBe(true);
    flow.enters(me, 1_000, 60 * SECOND_MS);
    expect(flow.supply(62 * SECOND_MS)).toBeNull();
  });

  test('is what was granted while somebody waited, and of it each client has its part', () => {
    const flow = busyFlow();
    expect(flow.supply(10 * SECOND_MS)).toBeGreaterThan(0.9);
    expect(flow.supply(10 * SECOND_MS)).toBeLessThan(1.1);
    const rate = flow.rate(me, 10 * SECOND_MS) as number;
    expect(rate / (flow.supply(10 * SECOND_MS) as number)).toBeCloseTo(0.5);
    // As it was found, until a tenth of a second later.
    expect(flow.rate(me, 10 * SECOND_MS + 50)).toBe(rate);
    expect(flow.waitingTokens(me, 10 * SECOND_MS)).toBe(15_000);
  });

  test('of one whose others have left and ask no more is all of it', () => {
    const flow = busyFlow();
    for (let i = 0; i < 15; i += 1) flow.leaves(other, 1_000, 10 * SECOND_MS);
    expect(flow.rate(me, 900 * SECOND_MS)).toBe(flow.supply(900 * SECOND_MS));
  });

  test('is mostly that of others where a client waits for what it may not have sooner', () => {
    const part = (walks: readonly number[]) => {
      const flow = busyFlow();
      const now = 120 * SECOND_MS;
      for (const share of [me, other]) flow.asked(share, 0, now);
      for (const begunAt of walks) {
        for (let i = 1; i <= 15; i += 1)
          flow.met({ share: other, shareTokens: 1_000 }, begunAt + 10_000 * i * SECOND_MS, begunAt);
      }
      return (flow.rate(me, now) as number) / (flow.supply(now) as number);
    };
    expect(part([])).toBeCloseTo(0.5);
    expect(part([119_000, 119_500])).toBeGreaterThan(0.8);
  });

  test('has room for a newcomer as long as those who were told to come back can start in time behind it', () => {
    const flow = busyFlow();
    const now = 10 * SECOND_MS;
    const place = (from: number, startBy: number, isTaken = false) =>
      ({
        tokens: 1_000,
        notBefore: from,
        startBy,
        isTaken,
        isLikely: (at: number) => at <= from + SECOND_MS,
      }) as KeptPlace;
    // Fifteen thousand wait at half a token a ms: thirty seconds.
    flow.keeps(me, place(now + 5 * SECOND_MS, now + 33 * SECOND_MS), now);
    expect(flow.promisedTokens(me, now)).toBe(1_000);
    expect(flow.makesRoom(me, 1_000, now)).toBe(true);
    expect(flow.makesRoom(me, 1_000, now)).toBe(true);
    expect(flow.makesRoom(me, 1_000, now)).toBe(false);
    expect(flow.makesRoom(other, 1_000, now)).toBe(true);
    flow.keeps(me, place(now, now, true), now);
    expect(flow.promisedTokens(me, now)).toBe(1_000);
    expect(flow.promisedTokens(me, now + 7 * SECOND_MS)).toBe(0);
  });
});

test('what was promised is forgotten in time, though one client alone asks for nothing else of a flow', () => {
  const flow = new ModelFlow('weighted');
  const me = new Pool().share('me', USUAL_SHARE);
  let asked = 0;
  const placeAt = (from: number) =>
    ({
      tokens: 1,
      notBefore: from,
      startBy: from,
      isTaken: false,
      isLikely: (now: number) => {
        asked += 1;
        return now <= from;
      },
    }) as KeptPlace;
  for (let now = 0; now < 10_000; now += 1) flow.keeps(me, placeAt(now + 10), now);
  expect(asked).toBeLessThan(50_000);
  asked = 0;
  flow.promisedTokens(me, 10_000);
  expect(asked).toBeLessThan(1_000);
});

describe('what limits let through', () => {
  const costOf = (tokens: number) => ({ certain: chargeOf(tokens, 0) }) as Cost;
  const optionOf = (index: number, capacity: number) => {
    const canEverTake = ({ certain }: Cost) => certain[1] <= capacity;
    return { index, route: { meters: [{ unit: 1, limit: { capacity }, canEverTake }] } };
  };
  const model = { name: 'm' };
  const lineOf = (...capacities: number[]) =>
    ({ model, options: capacities.map((capacity, index) => optionOf(index, capacity)) }) as unknown as Line;
  const line = lineOf(10_000, 100_000);
  const ticketOf = (changes: Partial<Ticket> = {}, cost = costOf(1_000)) => {
    const request = { costs: [cost] };
    return { line, shareTokens: 1_000, excluded: null, request, costOn: () => cost, ...changes } as unknown as Ticket;
  };
  const ticket = ticketOf();

  test('is what it was lately before anybody was met', () => {
    expect(new SupplyCurves().startOf(ticket, 600, { supply: 2, now: 100 })).toBe(400);
  });

  test('is as the walk found it, gaps included, and as fast as lately behind its end', () => {
    const curves = new SupplyCurves();
    curves.begin();
    for (const at of [100, 200, 30_000, 30_100, 25_000]) curves.next(ticket, at);
    expect(curves.startOf(ticket, 0, { supply: 1, now: 50 })).toBe(50);
    curves.end();
    expect(curves.startOf(ticket, 0, { supply: 1, now: 0 })).toBe(100);
    expect(curves.startOf(ticket, 1_000, { supply: 1, now: 0 })).toBe(200);
    expect(curves.startOf(ticket, 1_001, { supply: 1, now: 0 })).toBe(25_000);
    expect(curves.startOf(ticket, 3_000, { supply: 1, now: 0 })).toBe(30_000);
    expect(curves.startOf(ticket, 4_000, { supply: 1, now: 0 })).toBe(30_100);
    expect(curves.startOf(ticket, 5_000, { supply: 2, now: 0 })).toBe(30_600);
  });

  test.each([
    ['can go to fewer keys', ticketOf({ line: lineOf(100_000) })],
    ['is too large for all keys but one', ticketOf({}, costOf(50_000))],
    ['has failed on the others', ticketOf({ excluded: new Set([line.options[0]?.route as Route]) })],
  ])('is not told by the late start of one that %s', (_, late) => {
    const curves = new SupplyCurves();
    curves.begin();
    curves.next(ticket, 100);
    curves.next(late, 90_000);
    curves.next(ticket, 300);
    curves.end();
    expect(curves.startOf(ticket, 1_000, { supply: 1, now: 0 })).toBe(300);
    expect(curves.startOf(ticket, 2_000, { supply: 1, now: 0 })).toBe(1_300);
    expect(curves.startOf(late, 1_000, { supply: 1, now: 0 })).toBe(90_000);
  });

  test("is told by nobody who cannot start at all, and who is in nobody's way", () => {
    const curves = new SupplyCurves();
    curves.begin();
    for (const at of [100, Number.POSITIVE_INFINITY, 300]) curves.next(ticket, at);
    curves.end();
    expect(curves.startOf(ticket, 1_000, { supply: 1, now: 0 })).toBe(300);
    expect(curves.startOf(ticket, 2_000, { supply: 1, now: 0 })).toBe(1_300);
  });

  test('has moved on by what was granted since', () => {
    const curves = new SupplyCurves();
    curves.granted(ticket);
    curves.begin();
    for (const at of [100, 200, 300]) curves.next(ticket, at);
    curves.end();
    curves.granted(ticket);
    expect(curves.startOf(ticket, 0, { supply: 1, now: 0 })).toBe(200);
  });
});
