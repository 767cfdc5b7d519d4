import { describe, expect, test } from 'vitest';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { Office } from './office.ts';

const MINUTE_MS = 60_000;

const tpm = (capacity: number): NamedPlan => ({
  name: 'tpm',
  plan: { unit: 'tokens', windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false },
});
const rpm = (capacity: number): NamedPlan => ({ name: 'rpm', plan: { ...tpm(capacity).plan, unit: 'requests' } });

describe('a request that no limit could ever grant', () => {
  test.each([
    [2_000, 1_000, 'a'],
    [1_000, 2_000, 'b'],
  ])('is told the limit that comes closest: of %i and %i that of %s', (first, second, nearest) => {
    const office = new Office({ a: { limits: [tpm(first)] }, b: { limits: [tpm(second)] } });
    office.ask('huge', { tokens: 3_000 });
    expect(office.rejected('huge')).toMatchObject({
      kind: 'exceeds_limit',
      limit: { quota: nearest, capacity: 2_000 },
    });
  });

  test('is told of targets that could serve it, not of those that could not', () => {
    const office = new Office({ a: { limits: [tpm(2_000)] }, b: { limits: [tpm(1_000)] } }, { after: [0, 0] });
    office.ask('huge', { tokens: 3_000, notOn: [0] });
    expect(office.rejected('huge')).toMatchObject({ kind: 'exceeds_limit', limit: { quota: 'b' } });
  });

  test("is told of its client's own limit where that is in the way", () => {
    const office = new Office({ a: { limits: [tpm(9_000)] } });
    office.limitClient('c', [tpm(100)]);
    office.ask('huge', { tokens: 3_000, client: 'c' });
    expect(office.rejected('huge')).toMatchObject({ kind: 'exceeds_limit', limit: { quota: 'c', asked: 3_000 } });
  });
});

describe('a request that some targets can not serve', () => {
  test('goes to the others', () => {
    const office = new Office({ a: { limits: [rpm(9)] }, b: { limits: [rpm(9)] } }, { after: [0, 0] });
    const ticket = office.ask('picky', { notOn: [0] });
    office.ask('easy');
    expect(office.log).toEqual(['picky on b', 'easy on a']);
    const [first] = office.model.options;
    expect(first && ticket?.costOn(first)).toBeNull();
  });

  test('is turned away when those are disabled', () => {
    const office = new Office({ a: { limits: [rpm(9)] }, b: { limits: [rpm(9)] } }, { after: [0, 0] });
    office.key('b').disabled = 'billing';
    office.ask('picky', { notOn: [0] });
    expect(office.rejected('picky')).toEqual({ kind: 'no_usable_route' });
  });
});

describe('a retry', () => {
  test('for which no other route is left is turned away', () => {
    const office = new Office({ a: { limits: [rpm(9)] } });
    office.ask('1');
    const { ticket, route } = office.lease('1');
    office.end('1', { charged: 'unsent', report: { kind: 'failed' } });
    office.scheduler.again(ticket, { exclude: [route], notBeforeMs: 0 });
    expect(office.rejected('1')).toEqual({ kind: 'no_usable_route' });
  });

  test('of one that has not been served, or has been turned away, changes nothing', () => {
    const office = new Office({ a: { limits: [rpm(1)] } }, { maxWaitMs: 10 * MINUTE_MS });
    office.ask('1');
    const waits = office.ask('2');
    for (let round = 0; round < 2; round += 1) {
      if (waits) office.scheduler.again(waits, { exclude: [], notBeforeMs: 0 });
      if (waits) office.scheduler.cancel(waits);
    }
    expect(office.scheduler.waiting).toBe(0);
    office.clock.advance(2 * MINUTE_MS);
    expect(office.log).toEqual(['1 on a']);
  });
});
