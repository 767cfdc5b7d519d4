import { describe, expect, test } from 'vitest';
import type { ModelRoutes } from '../../../src/scheduler/model-routes.ts';
import { Pools } from '../../../src/scheduler/shares/pools.ts';
import { Pool, USUAL_SHARE } from '../../../src/scheduler/shares/share.ts';

const ALONE = Number.POSITIVE_INFINITY;

describe('virtual time', () => {
  test('begins for a newcomer where the others are: nobody saves up for later', () => {
    const pool = new Pool();
    const [busy, idle] = [pool.share('busy', USUAL_SHARE), pool.share('idle', USUAL_SHARE)];
    for (let i = 0; i < 10; i += 1) {
      pool.waits(busy, ALONE);
      pool.waitsNoMore(busy);
      pool.served(busy, 1_000);
    }
    expect(idle.finish).toBe(0);
    pool.waits(idle, ALONE);
    expect(idle.finish).toBe(9_000);
  });

  test('begins where those are who wait for the same, though elsewhere others are further', () => {
    const pool = new Pool();
    const share = pool.share('late', USUAL_SHARE);
    pool.waits(pool.share('busy', USUAL_SHARE), ALONE);
    for (let i = 0; i < 10; i += 1) pool.served(pool.share('busy', USUAL_SHARE), 1_000);
    pool.waits(share, 2_000);
    expect(share.finish).toBe(2_000);
  });

  describe('that was saved up', () => {
    const PERIOD_MS = 60_000;

    /** One waits while the other is served so much in each of some periods. Returns how far it is behind, in tokens. */
    function behindAfter(periods: number, served: readonly number[]): number {
      const pool = new Pool();
      const [busy, saves] = [pool.share('busy', USUAL_SHARE), pool.share('saves', USUAL_SHARE)];
      pool.waits(saves, ALONE);
      for (let period = 0; period <= periods; period += 1) {
        const before = saves.finish;
        expect(pool.lapse(period * PERIOD_MS)).toBe(saves.finish > before);
        expect(pool.lapse(period * PERIOD_MS + 1)).toBe(false);
        for (const tokens of served) pool.served(busy, tokens);
      }
      return busy.finish - saves.finish;
    }

    test('is forgotten when it is older than two periods', () => {
      const minute = Array.from({ length: 60 }, () => 100);
      expect(behindAfter(1, minute)).toBe(12_000);
      expect(behindAfter(20, minute)).toBeLessThanOrEqual(18_000);
    });

    test('is kept where one turn alone takes longer', () => {
      expect(behindAfter(1, [50_000])).toBe(100_000);
      expect(behindAfter(20, [50_000])).toBe(200_000);
    });
  });

  test('of a client moves with what its requests really came to', () => {
    const pool = new Pool();
    const share = pool.share('c', { priority: 'normal', weight: 2 });
    pool.served(share, 1_000);
    expect(share.finish).toBe(500);
    pool.corrected(share, 400);
    expect(share.finish).toBe(700);
    pool.corrected(share, -1_400);
    expect(share.finish).toBe(0);
  });

  test('goes back for a refund only as far as nobody loses by it who came since', () => {
    const pool = new Pool();
    const [low, high] = [
      pool.share('l', { priority: 'low', weight: 1 }),
      pool.share('h', { priority: 'high', weight: 1 }),
    ];
    pool.waits(low, ALONE);
    const alone = [0, 1, 2].map(() => pool.served(low, 500));
    expect(alone.at(-1)).toEqual({ clients: false, classes: false });
    pool.waits(high, ALONE);
    for (const passed of alone) pool.corrected(low, -490, passed);
    expect(low.class.finish).toBe(pool.classes.time);
    const contested = pool.served(low, 500);
    expect(contested).toEqual({ clients: false, classes: true });
    pool.corrected(low, -490, contested);
    expect(low.class.finish).toBe(pool.classes.time + 10 / low.class.weight);
  });

  test('keeps a new weight of a client from the next request on', () => {
    const pool = new Pool();
    pool.share('c', USUAL_SHARE);
    expect(pool.share('c', { priority: 'normal', weight: 5 }).weight).toBe(5);
  });
});

describe('a lead', () => {
  test('is what a client was served before its time, while others wait', () => {
    const pool = new Pool();
    const [ahead, behind] = [pool.share('ahead', USUAL_SHARE), pool.share('behind', USUAL_SHARE)];
    pool.waits(ahead, ALONE);
    pool.served(ahead, 3_000);
    expect(pool.leadTokens(ahead)).toBe(0);
    pool.waits(behind, ALONE);
    expect(pool.leadTokens(ahead)).toBe(3_000);
    expect(pool.leadTokens(behind)).toBe(0);
  });

  test('is that of a class as well', () => {
    const pool = new Pool();
    const [low, high] = [
      pool.share('l', { priority: 'low', weight: 1 }),
      pool.share('h', { priority: 'high', weight: 1 }),
    ];
    pool.waits(low, ALONE);
    pool.served(low, 3_000);
    pool.waits(high, ALONE);
    expect(pool.leadTokens(low)).toBe(3_000);
    expect(pool.leadTokens(high)).toBe(0);
  });
});

test('several clients compete as long as each of two was there lately', () => {
  const pool = new Pool();
  const [one, other] = [pool.share('one', USUAL_SHARE), pool.share('other', USUAL_SHARE)];
  pool.came(one, 0);
  pool.came(one, 1_000);
  expect(pool.isContested(1_000)).toBe(false);
  pool.came(other, 2_000);
  expect(pool.isContested(2_000)).toBe(true);
  pool.came(other, 21_000);
  expect(pool.isContested(21_000)).toBe(true);
  expect(pool.isContested(22_000)).toBe(false);
});

describe('pools', () => {
  const route = (...quotas: object[]) => ({ route: { quotas } });
  const modelOf = (...routes: object[]) => ({ options: routes }) as unknown as ModelRoutes;
  const [a, b, c] = [{}, {}, {}];

  test('are one for models whose routes share a quota, and each its own where they do not', () => {
    const pools = new Pools();
    const first = modelOf(route(a), route(b));
    expect(pools.of(modelOf(route(b)))).toBe(pools.of(first));
    expect(pools.of(modelOf(route(c)))).not.toBe(pools.of(first));
    expect(pools.of(first)).toBe(pools.of(first));
    expect(pools.of(modelOf())).not.toBe(pools.of(first));
  });

  test('become one when a model turns up that joins them; those who wait keep their distance to the others', () => {
    const pools = new Pools();
    const [one, two] = [modelOf(route(a)), modelOf(route(b))];
    const [left, right] = [pools.of(one), pools.of(two)];
    left.waits(left.share('c', USUAL_SHARE), ALONE);
    left.waits(left.share('both', USUAL_SHARE), ALONE);
    for (let i = 0; i < 3; i += 1) left.served(left.share('c', USUAL_SHARE), 1_000);
    const [moved, twin] = [right.share('d', USUAL_SHARE), right.share('both', USUAL_SHARE)];
    right.waits(moved, ALONE);
    right.waits(twin, ALONE);
    for (let i = 0; i < 5; i += 1) right.served(moved, 1_000);
    const joined = pools.of(modelOf(route(a), route(b), route(c)));
    expect([one, two].map((model) => pools.of(model))).toEqual([joined, joined]);
    expect(pools.of(modelOf(route(c)))).toBe(joined);
    expect(moved.class.pool).toBe(joined);
    // A thousand beyond the one that was served last, as before.
    expect(moved.finish - moved.class.clients.time).toBe(1_000);
    expect(joined.share('d', USUAL_SHARE)).toBe(moved);
    expect(joined.share('both', USUAL_SHARE)).not.toBe(twin);
    expect(joined.hasOthers(moved)).toBe(true);
    for (const share of [moved, twin]) joined.waitsNoMore(share);
    joined.waitsNoMore(joined.share('both', USUAL_SHARE));
    joined.waitsNoMore(joined.share('c', USUAL_SHARE));
    expect(joined.hasOthers(moved)).toBe(false);
  });

  test('that are joined twice take everybody with them, a second share of a client too', () => {
    const pools = new Pools();
    const [one, two, three] = [a, b, c].map((quota) => pools.of(modelOf(route(quota)))) as [Pool, Pool, Pool];
    for (const pool of [one, two]) pool.waits(pool.share('both', USUAL_SHARE), ALONE);
    const twins = [one, two].map((pool) => pool.share('both', USUAL_SHARE));
    pools.of(modelOf(route(a), route(b)));
    const joined = pools.of(modelOf(route(c), route(a)));
    expect(joined).toBe(three);
    expect(twins.map((share) => share.class.pool)).toEqual([joined, joined]);
    for (const share of twins) share.class.pool.waitsNoMore(share);
    expect(joined.share('both', USUAL_SHARE).class.waiting).toBe(0);
    expect(joined.hasOthers(joined.share('new', USUAL_SHARE))).toBe(false);
  });

  test('that are joined twice are found where they are now', () => {
    const pools = new Pools();
    const lone = modelOf(route(c));
    pools.of(lone);
    pools.of(modelOf(route(b)));
    pools.of(modelOf(route(b), route(c)));
    pools.of(modelOf(route(a)));
    expect(pools.of(modelOf(route(a), route(b)))).toBe(pools.of(lone));
  });
});
