import { expect, test } from 'vitest';
import { Route } from '../../src/scheduler/route.ts';
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

/** Ends everything that was granted and has not ended, as `report` says, and returns how much that was. */
function endAll(office: Office, from: number, isGood: boolean): number {
  const names = office.log.slice(from).map((line) => line.split(' ')[0] as string);
  for (const name of names) {
    if (isGood) office.end(name);
    else office.end(name, overloaded);
  }
  return names.length;
}

test('a vendor that had no capacity for two keys is asked by one request a key, then by twice as many', () => {
  const office = new Office({ a: { limits: [] }, b: { limits: [] }, c: { limits: [] } });
  office.ask('x');
  office.end('x', overloaded);
  office.ask('y');
  office.end('y', overloaded);
  for (let waiting = 0; waiting < 60; waiting += 1) office.ask(`${waiting}`);
  office.clock.advance(1_010);
  const together: number[] = [];
  let from = 2;
  for (let round = 0; round < 4; round += 1) {
    const count = office.log.length - from;
    together.push(count);
    endAll(office, from, true);
    from += count;
  }
  expect(together).toEqual([3, 6, 12, 24]);
  expect(office.route('a').status(office.clock.now()).kind).toBe('slow-start');
});

test('one key that was refused once goes on as before, and twice in a row is asked by one first', () => {
  const office = new Office({ a: { limits: [] } });
  office.ask('x');
  office.end('x', overloaded);
  for (const name of '1234') office.ask(name);
  office.clock.advance(1_010);
  expect(office.log.slice(1)).toEqual(['1 on a', '2 on a', '3 on a', '4 on a']);
  expect(endAll(office, 1, false)).toBe(4);
  for (const name of '5678') office.ask(name);
  office.clock.advance(2_010);
  expect(office.log.slice(5)).toEqual(['5 on a']);
  office.end('5');
  expect(office.log.slice(5)).toEqual(['5 on a', '6 on a', '7 on a']);
});

test('a key that nobody looked at before the rest was over goes on after its first request', () => {
  const office = new Office({ a: { limits: [] }, b: { limits: [] } });
  for (const name of ['1', '2']) {
    office.ask(name);
    office.end(name, overloaded);
  }
  office.clock.advance(60_000);
  for (const name of ['3', '4']) {
    office.ask(name);
    office.clock.advance(10);
    office.answer(name);
    office.end(name);
  }
  expect(office.log.slice(2)).toEqual(['3 on a', '4 on a']);
  expect(office.route('a').hasRoom).toBe(true);
});

test('a route under other quotas takes no rest of its vendor twice: those under way are counted on', () => {
  const office = threeKeys();
  for (const name of ['1', '2']) {
    office.ask(name);
    office.end(name, overloaded);
  }
  office.clock.advance(60_000);
  office.ask('3');
  office.clock.advance(10);
  const { id, key, upstream, quotas } = office.route('a');
  const successor = new Route({ id, key, upstream, quotas, random: () => 0, successorTo: office.route('a') });
  expect(successor.status(office.clock.now()).kind).toBe('half-open');
  expect(successor.hasRoom).toBe(false);
  office.answer('3');
  expect(successor.status(office.clock.now()).kind).toBe('slow-start');
  for (let nth = 0; nth < 2; nth += 1) successor.enterGates();
  expect(successor.hasRoom).toBe(false);
});
