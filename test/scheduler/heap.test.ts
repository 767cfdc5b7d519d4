import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../src/scheduler/heap.ts';

test('gives back whatever was pushed, lowest first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((number) => number);
      for (const number of numbers) heap.push(number);
      expect(heap.size).toBe(numbers.length);
      expect(heap.peek()).toBe(numbers.length === 0 ? undefined : Math.min(...numbers));
      const popped = numbers.map(() => heap.pop());
      expect(popped).toEqual([...numbers].sort((a, b) => a - b));
      expect(heap.pop()).toBeUndefined();
    }),
  );
});

test('keeps only what is wanted, in order', () => {
  const heap = new Heap<number>((number) => number);
  for (const number of [5, 2, 8, 1, 9, 4]) heap.push(number);
  heap.retain((number) => number % 2 === 0);
  expect([heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([2, 4, 8, undefined]);
});
