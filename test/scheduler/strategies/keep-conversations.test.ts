import { expect, test } from 'vitest';
import { createStrategy } from '../../../src/scheduler/strategies/registry.ts';
import type { Candidate, Strategy } from '../../../src/scheduler/strategies/strategy.ts';
import type { Ticket } from '../../../src/scheduler/ticket.ts';
import { Office } from '../office.ts';
import { seededRandom } from '../simulation/random.ts';

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

test('new conversations are spread by weight, whatever stays where', () => {
  const strategy = createStrategy('weighted', () => 0) as Strategy;
  const random = seededRandom(3);
  const routes = ['a', 'b'].map((id, index) => ({ route: { id }, target: index, index, weight: index === 0 ? 3 : 1 }));
  const pick = (prefers: string | null) =>
    strategy(routes as unknown as Candidate[], { request: { prefers } } as Ticket, 0).route.id;
  let [opened, onFirst] = [0, 0];
  for (let turn = 0; turn < 10_000; turn += 1) {
    const kind = random();
    if (kind < 0.6) pick(kind < 0.3 ? 'a' : 'b');
    else {
      opened += 1;
      if (pick(null) === 'a') onFirst += 1;
    }
  }
  expect(Math.abs(onFirst / opened - 0.75)).toBeLessThan(0.02);
});
