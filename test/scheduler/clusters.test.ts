import { expect, test } from 'vitest';
import { Clusters } from '../../src/scheduler/clusters.ts';
import type { RouteOption } from '../../src/scheduler/model-routes.ts';
import { Quota } from '../../src/scheduler/quota.ts';

function quota(id: string): Quota {
  return new Quota({ id, name: id, limits: [], learns: false, skewMs: 0 });
}

/** One option a list of quotas. */
function optionsOver(...lists: Quota[][]): RouteOption[] {
  return lists.map((quotas, index) => ({ route: { quotas }, target: 0, index, weight: 1 }) as unknown as RouteOption);
}

test('routes that share a quota are together, also through a third one, and all others apart', () => {
  const [a, b, c, d] = [quota('a'), quota('b'), quota('c'), quota('d')];
  const [first, second, third, fourth, fifth] = optionsOver([a], [b], [c], [a, b], [a]) as [
    RouteOption,
    RouteOption,
    RouteOption,
    RouteOption,
    RouteOption,
  ];
  const clusters = new Clusters([first, second, third, fourth, fifth]);
  expect(new Set(clusters.of(first).options)).toEqual(new Set([first, second, fourth, fifth]));
  for (const each of [second, fourth, fifth]) expect(clusters.of(each)).toBe(clusters.of(first));
  expect(clusters.of(third).options).toEqual([third]);
  expect(clusters.drawingOn(b)).toBe(clusters.of(first));
  expect(clusters.drawingOn(d)).toBeUndefined();
});
