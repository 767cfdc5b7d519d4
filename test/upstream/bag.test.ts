import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bag } from '../../src/upstream/bag.ts';

class Thing {
  place = -1;
  readonly name: number;

  constructor(name: number) {
    this.name = name;
  }
}

test('a bag holds what was added and not removed, whatever the order', () => {
  const steps = fc.array(fc.record({ name: fc.nat(7), isAdded: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (all) => {
      const things = Array.from({ length: 8 }, (_, name) => new Thing(name));
      const bag = new Bag<Thing>();
      const expected = new Set<number>();
      for (const { name, isAdded } of all) {
        const thing = things[name] as Thing;
        if (!isAdded) bag.remove(thing);
        else if (!expected.has(name)) bag.add(thing);
        if (isAdded) expected.add(name);
        else expected.delete(name);
      }
      expect(bag.size).toBe(expected.size);
      expect(new Set(bag.all().map(({ name }) => name))).toEqual(expected);
    }),
  );
});

test('what is removed while all are visited is still visited', () => {
  const bag = new Bag<Thing>();
  for (let name = 0; name < 3; name++) bag.add(new Thing(name));
  const visited: number[] = [];
  for (const thing of bag.all()) {
    visited.push(thing.name);
    bag.remove(thing);
  }
  expect(visited).toEqual([0, 1, 2]);
  expect(bag.size).toBe(0);
});
