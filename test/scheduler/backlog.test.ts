import { describe, expect, test } from 'vitest';
import { chargeOf } from '../../src/charge.ts';
import { Backlog, type Waiter } from '../../src/scheduler/backlog.ts';
import { Line } from '../../src/scheduler/line.ts';
import type { ModelRoutes, RouteOption } from '../../src/scheduler/model-routes.ts';
import { Quota } from '../../src/scheduler/quota.ts';
import { Route } from '../../src/scheduler/route.ts';
import { ModelFlow } from '../../src/scheduler/shares/model-flow.ts';
import { failover } from '../../src/scheduler/strategies/failover.ts';

const SECOND_MS = 1_000;

function quota(name: string, rpm: number): Quota {
  const plan = {
    unit: 'requests',
    windowMs: 60_000,
    capacity: rpm,
    algorithm: 'sliding-window',
    isGuess: false,
    burst: 1,
    skewMs: 0,
  } as const;
  return new Quota({ id: name, name, limits: [{ name: 'rpm', plan }], learns: false, skewMs: 0 });
}

/** One route a figure, each of so many requests a minute; all are spent at 0. */
function spentRoutes(...rpms: number[]): Route[] {
  return rpms.map((rpm, index) => {
    const own = quota(`q${index}`, rpm);
    own.meters[0]?.limit.take(rpm, 0);
    const key = { name: `k${index}`, disabled: null };
    const upstream = { provider: 'p', model: 'm', restsUntil: 0, overloaded: null };
    return new Route({ id: `r${index}`, key, upstream, quotas: [own], random: () => 0 });
  });
}

function lineOf(routes: readonly Route[], clientQuota: Quota | null = null): Line {
  const options: RouteOption[] = routes.map((route, index) => ({ route, target: 0, index, weight: 1 }));
  const model: ModelRoutes = { name: 'm', strategy: failover, options, after: [0] };
  return new Line(model, options, { clientQuota, flow: new ModelFlow('weighted') });
}

function waiterIn(line: Line, changes: Partial<Waiter> = {}): Waiter {
  const charge = chargeOf(0, 0);
  const cost = { reserved: charge, expected: charge, certain: charge };
  return { line, notBefore: 0, weight: 1, hasLeft: false, costOn: () => cost, ...changes };
}

function manyIn(line: Line, count: number, changes: Partial<Waiter> = {}): Waiter[] {
  return Array.from({ length: count }, () => waiterIn(line, changes));
}

const nobody = () => {};

describe('whoever joins the end', () => {
  test('starts on the route that is free first, and says which limit it waits for', () => {
    const [slow, fast] = spentRoutes(1, 1) as [Route, Route];
    slow.quotas[0].meters[0]?.limit.take(1, 30 * SECOND_MS);
    const line = lineOf([slow, fast]);
    const { at, waitsFor } = new Backlog().append(waiterIn(line), 30 * SECOND_MS);
    expect(at).toBe(60 * SECOND_MS);
    expect(waitsFor).toBe(fast.meters[0]);
  });

  test("waits for its client's own limit where that takes longer", () => {
    const own = quota('client', 1);
    own.meters[0]?.limit.take(1, 50 * SECOND_MS);
    const line = lineOf(spentRoutes(5), own);
    const backlog = new Backlog();
    expect(backlog.append(waiterIn(line), 55 * SECOND_MS)).toMatchObject({
      at: 110 * SECOND_MS,
      waitsFor: own.meters[0],
    });
    expect(backlog.append(waiterIn(line), 55 * SECOND_MS).at).toBe(170 * SECOND_MS);
  });

  test('never starts while every route is disabled, and takes nothing from anybody', () => {
    const [route] = spentRoutes(1) as [Route];
    const backlog = new Backlog();
    route.isModelClosed = true;
    expect(backlog.append(waiterIn(lineOf([route])), 0)).toMatchObject({
      at: Number.POSITIVE_INFINITY,
      waitsFor: null,
    });
    route.isModelClosed = false;
    expect(backlog.append(waiterIn(lineOf([route])), 0).at).toBe(60 * SECOND_MS);
  });
});

describe("one that its client's own limit holds back", () => {
  /** It may send one a minute, the next one then. */
  function limited(routes: readonly Route[], from: number): Line {
    const own = quota('client', 1);
    own.meters[0]?.limit.take(1, from - 60 * SECOND_MS);
    return lineOf(routes, own);
  }

  // Everybody behind it was foretold to start when it does.
  test('makes nobody wait for it who can start before', () => {
    const routes = spentRoutes(60);
    routes[0]?.quotas[0].meters[0]?.limit.setCapacity(61, 0);
    const backlog = new Backlog();
    const line = limited(routes, 60 * SECOND_MS);
    const heldBack = [1, 2, 3].map(() => backlog.append(waiterIn(line), 0).at / SECOND_MS);
    expect(heldBack).toEqual([60, 120, 180]);
    expect(backlog.append(waiterIn(lineOf(routes)), 0).at).toBe(0);
  });

  test('is ahead of whoever would start later, and no more once it has left', () => {
    const startsBehind = (changes: Partial<Waiter>) => {
      const routes = spentRoutes(2);
      const others = lineOf(routes);
      const backlog = new Backlog();
      backlog.append(waiterIn(limited(routes, 70 * SECOND_MS), changes), 0);
      return [1, 2, 3, 4].map(() => backlog.append(waiterIn(others), 0).at / SECOND_MS);
    };
    expect(startsBehind({ hasLeft: true })).toEqual([60, 60, 120, 120]);
    expect(startsBehind({})).toEqual([60, 60, 120, 130]);
  });
});

describe('a backlog that is built in slices', () => {
  test('answers from the old one until the new one is complete', () => {
    const line = lineOf(spentRoutes(1));
    const backlog = new Backlog();
    backlog.append(waiterIn(line), 0);
    backlog.startRebuild(manyIn(line, 300), 0);
    backlog.continueRebuild(0, nobody);
    expect(backlog.isBuilding).toBe(true);
    expect(backlog.append(waiterIn(line), 0).at).toBe(120 * SECOND_MS);
    backlog.continueRebuild(0, nobody);
    expect(backlog.isBuilding).toBe(false);
    expect(backlog.append(waiterIn(line), 0).at).toBe(302 * 60 * SECOND_MS);
    backlog.continueRebuild(0, nobody);
  });

  test('passes over those that have left meanwhile', () => {
    const line = lineOf(spentRoutes(1));
    const backlog = new Backlog();
    const heard: Waiter[] = [];
    const stays = waiterIn(line);
    backlog.rebuild([...manyIn(line, 3, { hasLeft: true }), stays], 0, (waiter) => heard.push(waiter));
    expect(heard).toEqual([stays]);
    expect(backlog.append(waiterIn(line), 0).at).toBe(120 * SECOND_MS);
  });

  // Both went by the same epoch, so those of the first stayed booked in the second.
  test('leaves nothing behind when it is given up for a newer one', () => {
    const line = lineOf(spentRoutes(1));
    const backlog = new Backlog();
    backlog.startRebuild(manyIn(line, 300), 0);
    backlog.continueRebuild(0, nobody);
    backlog.rebuild([waiterIn(line)], 0, nobody);
    expect(backlog.append(waiterIn(line), 0).at).toBe(120 * SECOND_MS);
  });
});

describe('somebody who leaves', () => {
  /** One request a minute, which is spent. */
  function spentBucket(): Route {
    const plan = {
      unit: 'requests',
      windowMs: 60_000,
      capacity: 1,
      algorithm: 'token-bucket',
      isGuess: false,
    } as const;
    const limits = [{ name: 'rpm', plan }];
    const bucket = new Quota({ id: 'b', name: 'b', limits, learns: false, skewMs: 0 });
    bucket.meters[0]?.limit.take(1, 0);
    const key = { name: 'k', disabled: null };
    const upstream = { provider: 'p', model: 'm', restsUntil: 0, overloaded: null };
    return new Route({ id: 'r', key, upstream, quotas: [bucket], random: () => 0 });
  }

  test('makes room at once where a bucket and one route are all there is', () => {
    const line = lineOf([spentBucket()]);
    const backlog = new Backlog();
    const leaves = waiterIn(line);
    backlog.append(leaves, 0);
    const second = backlog.append(waiterIn(line), 0).at;
    backlog.drop(leaves, 0);
    expect(backlog.append(waiterIn(line), 0).at).toBe(second);
  });

  test("gives back nothing that it had not taken yet, for its client's own limit", () => {
    const routes = [spentBucket()];
    const own = quota('client', 1);
    own.meters[0]?.limit.take(1, 30 * SECOND_MS);
    const backlog = new Backlog();
    const leaves = waiterIn(lineOf(routes, own));
    expect(backlog.append(leaves, 30 * SECOND_MS).at).toBe(90 * SECOND_MS);
    backlog.drop(leaves, 30 * SECOND_MS);
    expect(backlog.append(waiterIn(lineOf(routes)), 30 * SECOND_MS).at).toBe(60 * SECOND_MS);
  });

  test('is forgotten with the next rebuild where it might have gone anywhere', () => {
    const line = lineOf(spentRoutes(1, 1));
    const backlog = new Backlog();
    const leaves = waiterIn(line);
    backlog.append(leaves, 0);
    backlog.append(waiterIn(line), 0);
    backlog.drop(leaves, 0);
    expect(backlog.append(waiterIn(line), 0).at).toBe(120 * SECOND_MS);
    backlog.rebuild([waiterIn(line)], 0, nobody);
    expect(backlog.append(waiterIn(line), 0).at).toBe(60 * SECOND_MS);
  });
});
