import { expect, test } from 'vitest';
import { KeptPlace, KeptPlaces } from '../../src/scheduler/kept-places.ts';
import type { Ticket } from '../../src/scheduler/ticket.ts';

function place(key: string, arrival: number, from: number): KeptPlace {
  const ticket = { arrival, line: {}, request: { costs: [] } } as unknown as Ticket;
  return new KeptPlace(key, ticket, { from, weight: 1 });
}

function keeping(...places: KeptPlace[]): KeptPlaces {
  const kept = new KeptPlaces();
  for (const each of places) kept.keep(each);
  return kept;
}

test('requests alike keep several places, and get them back oldest first', () => {
  const places = keeping(place('a', 1, 1_000), place('a', 2, 1_000), place('b', 3, 1_000));
  expect(places.take('a', 1_000)?.arrival).toBe(1);
  expect(places.take('a', 1_000)?.arrival).toBe(2);
  expect(places.take('a', 1_000)).toBeNull();
  expect(places.size).toBe(1);
});

test('whoever comes too early finds none, and may come again', () => {
  const places = keeping(place('a', 1, 1_000));
  expect(places.take('a', 749)).toBeNull();
  expect(places.take('a', 750)?.arrival).toBe(1);
});

test('a place that was missed by five seconds is gone, though the next of the same key is not', () => {
  const places = keeping(place('a', 1, 1_000), place('a', 2, 3_000));
  expect(places.take('a', 6_001)?.arrival).toBe(2);
  expect(places.size).toBe(0);
});

test('those that nobody came back for lapse, about once a second, and the others stay', () => {
  const places = keeping(place('a', 1, 1_000), place('a', 2, 9_000), place('b', 3, 1_000), place('c', 4, 9_000));
  expect(places.lapse(500)).toBe(false);
  expect(places.lapse(6_001)).toBe(true);
  expect([...places].map(({ arrival }) => arrival)).toEqual([2, 4]);
  expect(places.lapse(6_500)).toBe(false);
  expect(places.lapse(7_100)).toBe(false);
  expect(places.size).toBe(2);
});

test('the next return is the earliest of those that may still come in time', () => {
  const places = keeping(place('a', 1, 4_000), place('b', 2, 2_000));
  expect(places.nextReturnAt).toBe(2_000);
  places.lapse(3_500);
  expect(places.nextReturnAt).toBe(4_000);
  places.lapse(20_000);
  expect(places.nextReturnAt).toBe(Number.POSITIVE_INFINITY);
});

test('how many come back is learned from those who do and those who do not', () => {
  const places = keeping();
  expect(places.returnShare).toBe(1);
  for (let i = 0; i < 200; i += 1) places.keep(place('a', i, 0));
  places.lapse(10_000);
  expect(places.returnShare).toBeLessThan(0.01);
  for (let i = 0; i < 200; i += 1) {
    places.keep(place('a', i, 10_000));
    places.take('a', 10_000);
  }
  expect(places.returnShare).toBeGreaterThan(0.99);
});
