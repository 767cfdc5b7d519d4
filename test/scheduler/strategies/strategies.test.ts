import { expect, test } from 'vitest';
import { chargeOf } from '../../../src/charge.ts';
import type { Cost } from '../../../src/scheduler/cost.ts';
import { createStrategy } from '../../../src/scheduler/strategies/registry.ts';
import type { Candidate, Strategy } from '../../../src/scheduler/strategies/strategy.ts';
import type { Ticket } from '../../../src/scheduler/ticket.ts';

interface Shape {
  readonly id: string;
  readonly weight?: number;
  readonly inFlight?: number;
  readonly usedTokens?: number;
  /** Level and capacity of each limit, in requests. */
  readonly limits?: readonly (readonly [level: number, capacity: number])[];
}

const cost: Cost = { reserved: chargeOf(0, 0), expected: chargeOf(0, 0), certain: chargeOf(0, 0) };
const ticket = { request: { costs: [cost] } } as unknown as Ticket;

function candidates(shapes: readonly Shape[]): Candidate[] {
  return shapes.map(({ id, weight = 1, inFlight = 0, usedTokens = 0, limits = [] }, index) => {
    const meters = limits.map(([level, capacity]) => ({ limit: { level: () => level, capacity }, reserved: () => 1 }));
    const route = { id, inFlight, usage: { lastHour: () => usedTokens }, meters };
    return { route, target: 0, index, weight } as unknown as Candidate;
  });
}

function picks(strategy: Strategy, shapes: readonly Shape[], times = 1): string {
  return Array.from({ length: times }, () => strategy(candidates(shapes), ticket, 0).route.id).join('');
}

const cases: readonly [name: string, strategy: string, shapes: readonly Shape[], expected: string][] = [
  [
    'headroom takes the larger free share',
    'headroom',
    [
      { id: 'a', limits: [[50, 100]] },
      { id: 'b', limits: [[8, 10]] },
    ],
    'b',
  ],
  [
    'headroom looks at the tightest limit',
    'headroom',
    [
      {
        id: 'a',
        limits: [
          [9, 10],
          [1, 10],
        ],
      },
      { id: 'b', limits: [[5, 10]] },
    ],
    'b',
  ],
  [
    'headroom likes a route without known limits',
    'headroom',
    [
      { id: 'a', limits: [[9, 10]] },
      { id: 'b', limits: [[1, Number.POSITIVE_INFINITY]] },
    ],
    'b',
  ],
  [
    'equals go to the one with fewer in flight',
    'headroom',
    [
      { id: 'a', inFlight: 2 },
      { id: 'b', inFlight: 1 },
    ],
    'b',
  ],
  ['and then by file order', 'headroom', [{ id: 'a' }, { id: 'b' }], 'a'],
  ['failover takes the first in the file', 'failover', [{ id: 'a', inFlight: 9 }, { id: 'b' }], 'a'],
  [
    'least-busy divides by weight',
    'least-busy',
    [
      { id: 'a', inFlight: 3, weight: 2 },
      { id: 'b', inFlight: 1, weight: 1 },
    ],
    'b',
  ],
  [
    'least-usage divides by weight',
    'least-usage',
    [
      { id: 'a', usedTokens: 300, weight: 4 },
      { id: 'b', usedTokens: 100, weight: 1 },
    ],
    'a',
  ],
];

test.each(cases)('%s', (...[, strategy, shapes, expected]) => {
  expect(picks(createStrategy(strategy, () => 0) as Strategy, shapes)).toBe(expected);
});

test('round-robin takes each in turn, and goes on behind one that was missing', () => {
  const strategy = createStrategy('round-robin', () => 0) as Strategy;
  expect(picks(strategy, [{ id: 'a' }, { id: 'b' }, { id: 'c' }], 5)).toBe('abcab');
});

test('weighted spreads turns smoothly', () => {
  const strategy = createStrategy('weighted', () => 0) as Strategy;
  const shapes = [
    { id: 'a', weight: 5 },
    { id: 'b', weight: 1 },
    { id: 'c', weight: 1 },
  ];
  expect(picks(strategy, shapes, 7)).toBe('aabacaa');
});

test('lowest-price takes the target where this request costs least, then whoever has fewer in flight', () => {
  const strategy = createStrategy('lowest-price', () => 0) as Strategy;
  const shapes = ['dear', 'busy', 'idle', 'unknown'].map((id) => ({ id, inFlight: id === 'busy' ? 1 : 0 }));
  const priced = candidates(shapes).map((candidate, target) => ({ ...candidate, target }));
  const pick = (request: object) => strategy(priced, { request } as Ticket, 0).route.id;
  expect(pick({ prices: [300, 200, 200, null] })).toBe('idle');
  expect(pick({ prices: [0, 200, 200, null] })).toBe('dear');
  expect(pick({ prices: [null, null, null, 500] })).toBe('unknown');
  expect(pick({})).toBe('dear');
});

test('a name that nobody knows is no strategy', () => {
  expect(createStrategy('psychic', () => 0)).toBeNull();
});

test('two models do not share a turn', () => {
  const shapes = [{ id: 'a' }, { id: 'b' }];
  const first = createStrategy('round-robin', () => 0) as Strategy;
  picks(first, shapes);
  expect(picks(createStrategy('round-robin', () => 0) as Strategy, shapes)).toBe('a');
});

test('with lowest-price a conversation stays where it was while nothing costs less', () => {
  const strategy = createStrategy('lowest-price', () => 0) as Strategy;
  const routes = ['a', 'b', 'c'].map((id, target) => ({
    route: { id, inFlight: 0 },
    target,
    index: target,
    weight: 1,
  }));
  const picked = (prefers: string) =>
    strategy(routes as unknown as Candidate[], { request: { prefers, prices: [5, 5, 9] } } as unknown as Ticket, 0);
  expect(picked('b').route.id).toBe('b');
  expect(picked('c').route.id).toBe('a');
});
