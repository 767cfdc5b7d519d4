import { expect, test } from 'vitest';
import { createStrategy } from '../../../src/scheduler/strategies/registry.ts';
import type { Strategy } from '../../../src/scheduler/strategies/strategy.ts';
import { Office } from '../office.ts';

const rpm = (capacity: number) =>
  [
    {
      name: 'rpm',
      plan: {
        unit: 'requests',
        capacity,
        windowMs: 60_000,
        algorithm: 'sliding-window',
        burst: 1,
        isGuess: false,
        skewMs: 0,
      },
    },
  ] as const;

function office(strategy: string, limits: Readonly<Record<string, number>>): Office {
  const keys = Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, { limits: rpm(limit) }]));
  return new Office(keys, { strategy: createStrategy(strategy, () => 0) as Strategy });
}

test.each([['headroom'], ['failover'], ['round-robin'], ['weighted'], ['least-usage'], ['least-busy']])(
  'with %s, a turn goes where the one before it was served',
  (strategy) => {
    const desk = office(strategy, { a: 100, b: 100, c: 100 });
    for (const turn of ['1', '2', '3']) desk.ask(turn, { prefers: 'b' });
    expect(desk.log).toEqual(['1 on b', '2 on b', '3 on b']);
  },
);

test('nobody waits for a route: what another can start now, it starts', () => {
  const desk = office('headroom', { a: 100, b: 1 });
  for (const turn of ['1', '2']) desk.ask(turn, { prefers: 'b' });
  expect(desk.log).toEqual(['1 on b', '2 on a']);
});

test('a route that is gone is nobody to prefer', () => {
  const desk = office('headroom', { a: 100, b: 100 });
  desk.ask('1', { prefers: 'z' });
  expect(desk.log).toEqual(['1 on a']);
});

test('turns that stay take no turn from those who are new', () => {
  const desk = office('round-robin', { a: 100, b: 100 });
  desk.ask('new 1');
  for (const turn of ['old 1', 'old 2', 'old 3']) desk.ask(turn, { prefers: 'a' });
  desk.ask('new 2');
  expect(desk.log.filter((line) => line.startsWith('new'))).toEqual(['new 1 on a', 'new 2 on b']);
});
