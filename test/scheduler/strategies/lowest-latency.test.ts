import { expect, test } from 'vitest';
import { FirstByte } from '../../../src/scheduler/first-byte.ts';
import { createStrategy } from '../../../src/scheduler/strategies/registry.ts';
import type { Candidate, Strategy } from '../../../src/scheduler/strategies/strategy.ts';
import type { Ticket } from '../../../src/scheduler/ticket.ts';
import { seededRandom } from '../simulation/random.ts';

/** Routes by name: mean ms of the first byte (null: never measured), requests in flight that are not answered yet. */
type Shapes = Readonly<Record<string, { readonly ms: number | null; readonly unanswered?: number }>>;

function candidates(shapes: Shapes): Candidate[] {
  return Object.entries(shapes).map(([id, { ms, unanswered = 0 }], index) => {
    const measure = new FirstByte();
    if (ms !== null) {
      measure.sent(0);
      measure.ended('answered', { tookMs: ms, now: index });
    }
    for (let i = 0; i < unanswered; i += 1) measure.sent(NOW);
    return { route: { id, inFlight: unanswered, firstByteOf: () => measure }, target: 0, index, weight: 1 };
  }) as unknown as Candidate[];
}

const NOW = 10;
const strategy = () => createStrategy('lowest-latency', seededRandom(1)) as Strategy;

function ticket(prefers: string | null = null): Ticket {
  return { request: { prefers } } as Ticket;
}

function picks(shapes: Shapes, times: number, prefers: string | null = null): string {
  const [picked, routes] = [strategy(), candidates(shapes)];
  return Array.from({ length: times }, () => picked(routes, ticket(prefers), NOW).route.id).join('');
}

test('a route that was never measured goes first', () => {
  expect(picks({ a: { ms: 100 }, b: { ms: null }, c: { ms: null } }, 1)).toBe('b');
});

test('while its first answer is awaited, the others serve', () => {
  expect(picks({ a: { ms: 100 }, b: { ms: null, unanswered: 1 } }, 3)).toBe('aaa');
});

test('where nothing is known and all are awaited, the one with fewer in flight is taken', () => {
  expect(picks({ a: { ms: null, unanswered: 2 }, b: { ms: null, unanswered: 1 } }, 3)).toBe('bbb');
});

test('the fastest of four serves 19 of 20, and the 20th looks at the one that was measured longest ago', () => {
  const shapes = { a: { ms: 900 }, b: { ms: 300 }, c: { ms: 800 }, d: { ms: 900 } };
  expect(picks(shapes, 20)).toBe(`${'b'.repeat(19)}a`);
});

test('a slow route is not looked at twice at a time', () => {
  expect(picks({ a: { ms: 900, unanswered: 1 }, b: { ms: 300 } }, 20)).toBe('b'.repeat(20));
});

test('those about as fast as the fastest share, by what they have in flight', () => {
  expect(picks({ a: { ms: 300, unanswered: 3 }, b: { ms: 340, unanswered: 1 } }, 10)).toBe('b'.repeat(10));
  const even = picks({ a: { ms: 300 }, b: { ms: 340 }, c: { ms: 360 } }, 300);
  for (const id of ['a', 'b']) expect(even.split(id).length - 1).toBeGreaterThan(60);
});

test('a conversation stays with a route that is not much slower, and leaves one that is', () => {
  const shapes = { a: { ms: 300 }, b: { ms: 420 }, c: { ms: 600 } };
  expect(picks(shapes, 3, 'b')).toBe('bbb');
  expect(picks(shapes, 3, 'c')).toBe('aaa');
});
