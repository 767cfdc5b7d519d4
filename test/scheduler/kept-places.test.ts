import { expect, test } from 'vitest';
import { KeptPlace, KeptPlaces } from '../../src/scheduler/kept-places.ts';
import type { Ticket } from '../../src/scheduler/ticket.ts';

function place(key: string, tokens: number, from: number): KeptPlace {
  const ticket = { shareTokens: tokens, line: {}, request: { costs: [], maxWaitMs: 10_000 } } as unknown as Ticket;
  return new KeptPlace(key, ticket, from);
}

function keeping(...places: KeptPlace[]): KeptPlaces {
  const kept = new KeptPlaces();
  for (const each of places) kept.keep(each);
  return kept;
}

test('requests alike keep several places, and get them back oldest first', () => {
  const places = keeping(place('a', 1, 1_000), place('a', 2, 1_000), place('b', 3, 1_000));
  expect(places.take('a', 1_000)?.tokens).toBe(1);
  expect(places.take('a', 1_000)?.tokens).toBe(2);
  expect(places.take('a', 1_000)).toBeNull();
  expect(places.size).toBe(1);
});

test('whoever comes too early finds none, and may come again', () => {
  const places = keeping(place('a', 1, 1_000));
  expect(places.take('a', 749)).toBeNull();
  expect(places.take('a', 750)?.tokens).toBe(1);
});

test('a place that was missed by five seconds is gone, though the next of the same key is not', () => {
  const places = keeping(place('a', 1, 1_000), place('a', 2, 3_000));
  expect(places.take('a', 6_001)?.tokens).toBe(2);
  expect(places.size).toBe(0);
});

test('those that nobody came back for lapse, about once a second, and the others stay', () => {
  const places = keeping(place('a', 1, 1_000), place('a', 2, 9_000), place('b', 3, 1_000), place('c', 4, 9_000));
  expect(places.lapse(500)).toBe(false);
  expect(places.lapse(6_001)).toBe(true);
  expect(places.expected(6_001).map(({ tokens }) => tokens)).toEqual([2, 4]);
  expect(places.lapse(6_500)).toBe(false);
  expect(places.lapse(7_100)).toBe(false);
  expect(places.size).toBe(2);
});

test('owners are expected in the order in which they were told to come, until a second after it', () => {
  const places = keeping(place('a', 1, 4_000), place('b', 2, 2_000));
  expect(places.expected(0).map(({ tokens }) => tokens)).toEqual([2, 1]);
  expect(places.expected(3_000).map(({ tokens }) => tokens)).toEqual([2, 1]);
  expect(places.expected(3_001).map(({ tokens }) => tokens)).toEqual([1]);
  expect(places.size).toBe(2);
});

test('an owner may start so late that three tenths of the longest wait are left for errors', () => {
  expect(place('a', 1, 4_000).startBy).toBe(11_000);
});
