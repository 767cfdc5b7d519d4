import { describe, expect, it } from 'vitest';
import type { After, ModelRoutes } from '../../src/scheduler/model-routes.ts';
import { Quota } from '../../src/scheduler/quota.ts';
import { Route } from '../../src/scheduler/route.ts';
import { failover } from '../../src/scheduler/strategies/failover.ts';
import { rateHeaders } from '../../src/setup/rate-headers.ts';

type Quotas = readonly [Quota, ...Quota[]];

function quota(name: string, limits: { readonly rpm?: number; readonly tpm?: number; readonly rpd?: number }): Quota {
  const units = { rpm: 'requests', tpm: 'tokens', rpd: 'requests' } as const;
  const names = ['rpm', 'tpm', 'rpd'] as const;
  const plans = names.flatMap((each) => {
    const capacity = limits[each];
    if (capacity === undefined) return [];
    const windowMs = each === 'rpd' ? 86_400_000 : 60_000;
    const plan = { unit: units[each], windowMs, capacity, algorithm: 'token-bucket', isGuess: false } as const;
    return [{ name: each, plan }];
  });
  return new Quota({ id: name, name, limits: plans, learns: true, skewMs: 0 });
}

/** Targets in file order, each with the quotas of its keys. */
function modelOf(targets: readonly (readonly Quotas[])[], after: readonly After[] = targets.map(() => 0)): ModelRoutes {
  const options = targets.flatMap((keys, target) =>
    keys.map((quotas, index) => {
      const id = `${target}/${index}`;
      const upstream = { provider: `p${target}`, model: 'm', restsUntil: 0, overloaded: null };
      const route = new Route({ id, key: { name: id, disabled: null }, upstream, quotas, random: () => 0.5 });
      return { route, target, index, weight: 1 };
    }),
  );
  return { name: 'm', strategy: failover, options, after };
}

describe('the rate headers of a model', () => {
  it('are the sum of its quotas, each counted once however many keys draw on it', () => {
    const a = quota('a', { rpm: 60, tpm: 1_000 });
    const b = quota('b', { rpm: 40, tpm: 500 });
    expect(rateHeaders(modelOf([[[a], [a], [b]]]), 0)).toEqual({
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '100',
      'x-ratelimit-reset-requests': '0ms',
      'x-ratelimit-limit-tokens': '1500',
      'x-ratelimit-remaining-tokens': '1500',
      'x-ratelimit-reset-tokens': '0ms',
    });
  });

  it('tell of what is spent, and when all of it is back', () => {
    const a = quota('a', { rpm: 60 });
    a.limits[0]?.primary.take(7.5, 0);
    expect(rateHeaders(modelOf([[[a]]]), 0)).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '52',
      'x-ratelimit-reset-requests': '7.5s',
    });
    a.limits[0]?.primary.take(52.5, 0);
    expect(rateHeaders(modelOf([[[a]]]), 0)['x-ratelimit-reset-requests']).toBe('1m0s');
  });

  it('leave out a unit of which one quota knows nothing', () => {
    const model = modelOf([[[quota('a', { rpm: 60, tpm: 1_000 })], [quota('b', { rpm: 40 })]]]);
    expect(Object.keys(rateHeaders(model, 0)).filter((name) => name.includes('tokens'))).toEqual([]);
  });

  it('leave out limits of a day, and a model without routes', () => {
    expect(rateHeaders(modelOf([[[quota('a', { rpd: 60 })]]]), 0)).toEqual({});
    expect(rateHeaders(modelOf([]), 0)).toEqual({});
  });

  it('know a limit that stands at a line of the quota, before any answer has told the own one', () => {
    const model = modelOf([[[quota('org m', {}), quota('org m*', { rpm: 30 })]]]);
    expect(rateHeaders(model, 0)['x-ratelimit-limit-requests']).toBe('30');
  });

  it('are those of the limit that binds, and count one that spans two upstream models once', () => {
    const org = quota('org', { rpm: 50 });
    const model = modelOf([[[quota('org x', { rpm: 500 }), org]], [[quota('org y', { rpm: 400 }), org]]]);
    expect(rateHeaders(model, 0)['x-ratelimit-limit-requests']).toBe('50');
  });

  it("do not take one key's own limit for that of all keys", () => {
    const org = quota('org', { rpm: 50 });
    const model = modelOf([[[org, quota('key', { rpm: 5 })], [org]]]);
    expect(rateHeaders(model, 0)['x-ratelimit-limit-requests']).toBe('50');
  });

  it('do not count a target that stands by until the others are down', () => {
    const first = quota('first', { rpm: 60, tpm: 1_000 });
    const standby = quota('standby', { rpm: 30 });
    const headers = rateHeaders(modelOf([[[first]], [[standby]]], [0, 'down']), 0);
    expect([headers['x-ratelimit-limit-requests'], headers['x-ratelimit-limit-tokens']]).toEqual(['60', '1000']);
  });
});
