import { expect, test } from 'vitest';
import { Office } from './office.ts';

const overloaded = { charged: 'unsent', report: { kind: 'capacity', retryAfterMs: null } } as const;

function threeKeys(): Office {
  return new Office({ a: { limits: [] }, b: { limits: [] }, c: { limits: [] } });
}

test('a vendor without capacity for one key is asked with another', () => {
  const office = threeKeys();
  office.ask('1');
  office.end('1', overloaded);
  office.ask('2');
  expect(office.log).toEqual(['1 on a', '2 on b']);
  expect(office.route('a').status(0)).toEqual({ kind: 'overloaded', until: 1_000 });
  expect(office.route('b').status(0).kind).toBe('ready');
});

test('when a second key hears the same, all of them rest', () => {
  const office = threeKeys();
  office.ask('1');
  office.end('1', overloaded);
  office.ask('2');
  office.clock.advance(100);
  office.end('2', overloaded);
  office.ask('3');
  expect(office.log).toEqual(['1 on a', '2 on b']);
  expect(office.route('c').status(100)).toEqual({ kind: 'overloaded', until: 1_100 });
  office.clock.advance(1_100);
  expect(office.log.at(-1)).toBe('3 on a');
});

test('a key that stays overloaded rests longer each time, whatever another key has', () => {
  const office = new Office({ a: { limits: [] }, b: { limits: [] } });
  for (const restMs of [1_000, 2_000, 4_000]) {
    const name = `rest of ${restMs}`;
    office.ask(name);
    expect(office.log.at(-1)).toBe(`${name} on a`);
    office.end(name, overloaded);
    office.ask(`beside ${name}`);
    office.end(`beside ${name}`);
    const now = office.clock.now();
    expect(office.route('a').status(now)).toEqual({ kind: 'overloaded', until: now + restMs });
    office.clock.advance(restMs);
  }
});
