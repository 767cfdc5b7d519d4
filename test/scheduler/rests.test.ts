import { describe, expect, test } from 'vitest';
import type { Reading } from '../../src/scheduler/quota-limit.ts';
import { Office } from './office.ts';

const RPM = {
  name: 'rpm',
  plan: { unit: 'requests', windowMs: 60_000, capacity: 6, algorithm: 'token-bucket', isGuess: false },
} as const;

const refused = (retryAfterMs: number) => ({
  charged: 'unsent' as const,
  report: { kind: 'wait', retryAfterMs, spent: [] } as const,
});

function restMs(office: Office, name: string): number {
  return office.quota(name).restsUntil - office.clock.now();
}

describe('a hint without numbers', () => {
  test('is taken at its word once, and proved wrong it counts for no less than none', () => {
    const office = new Office({ a: { limits: [] } });
    const rests = ['1', '2', '3', '4'].map((name) => {
      office.ask(name);
      office.end(name, refused(20));
      const rest = restMs(office, 'a');
      office.clock.advance(rest + 50);
      return rest;
    });
    expect(rests).toEqual([20, 1_000, 2_000, 4_000]);
  });

  test('is believed again when something was admitted since', () => {
    const office = new Office({ a: { limits: [] } });
    office.ask('1');
    office.end('1', refused(20));
    office.clock.advance(20 + 2 * 20);
    office.ask('2');
    office.answer('2');
    office.end('2');
    office.ask('3');
    office.end('3', refused(20));
    expect(restMs(office, 'a')).toBe(20);
  });
});

describe('whoever is turned away', () => {
  test('hears that everything rests, where it does', () => {
    const office = new Office({ a: { limits: [] } }, { maxWaitMs: 5_000 });
    office.ask('1');
    office.end('1', refused(60_000));
    office.ask('waits');
    office.clock.advance(5_001);
    expect(office.rejected('waits')).toMatchObject({ kind: 'wait_exceeded', isResting: true });
  });

  test('hears of the limit, where one key of two is at it', () => {
    const office = new Office({ a: { limits: [] }, b: { limits: [RPM] } }, { after: [0, 0], maxWaitMs: 5_000 });
    office.ask('1');
    office.end('1', refused(60_000));
    for (let index = 2; index < 12; index += 1) office.ask(String(index));
    office.clock.advance(5_001);
    const last = office.rejected('11');
    expect(last).toMatchObject({ kind: 'wait_exceeded', isResting: false, limit: { name: 'rpm' } });
  });
});

describe('behind a gate', () => {
  const reading: Reading = { unit: 'requests', windowMs: 60_000, limit: 60, remaining: 50 };

  function cold(): Office {
    return new Office({ a: { limits: [], learns: true, hasClosedGate: true } });
  }

  test('a head alone lets nobody follow: what it promises may never come', () => {
    const office = cold();
    for (const name of ['1', '2', '3']) office.ask(name);
    office.answer('1', [reading], false);
    expect(office.log).toEqual(['1 on a']);
    expect(office.level('a')).toBe(50);
    office.end('1', { charged: 'reserved', report: { kind: 'failed' } });
    expect(office.log).toEqual(['1 on a', '2 on a']);
  });

  test('the first output opens it, when the head has told the level', () => {
    const office = cold();
    for (const name of ['1', '2', '3', '4']) office.ask(name);
    office.answer('1', [reading]);
    expect(office.log).toHaveLength(4);
  });

  test('the first output lets two follow, when the head has told nothing', () => {
    const office = cold();
    for (const name of ['1', '2', '3', '4']) office.ask(name);
    office.answer('1');
    expect(office.log).toEqual(['1 on a', '2 on a', '3 on a']);
  });
});
