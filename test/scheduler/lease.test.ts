import { describe, expect, test } from 'vitest';
import { chargeOf } from '../../src/charge.ts';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { Office } from './office.ts';

const MINUTE_MS = 60_000;

const tpm = (changes: Partial<NamedPlan> = {}): NamedPlan => ({
  name: 'tpm',
  plan: { unit: 'tokens', windowMs: MINUTE_MS, capacity: 1_000, algorithm: 'sliding-window', isGuess: false },
  ...changes,
});

describe('a vendor that charges when the answer ends', () => {
  const office = () => new Office({ a: { limits: [tpm({ isChargedAtEnd: true })] } }, { maxWaitMs: 10 * MINUTE_MS });

  test('has its charge dated there: a window from the end it is free again, and not before', () => {
    const late = office();
    late.ask('1', { tokens: 900 });
    late.clock.advance(30_000);
    late.end('1', { charged: chargeOf(800, 0) });
    late.clock.advance(200);
    expect(late.level('a')).toBe(200);
    late.clock.advance(59_000);
    expect(late.level('a')).toBe(200);
    late.clock.advance(2_000);
    expect(late.level('a')).toBe(1_000);
  });

  test('has no debt before it charges', () => {
    const late = office();
    late.ask('1', { tokens: 500 });
    late.end('1', { charged: chargeOf(700, 0) });
    expect(late.level('a')).toBe(500);
    late.clock.advance(200);
    expect(late.level('a')).toBe(300);
  });

  test('charges nothing for what came to nothing', () => {
    const late = office();
    late.ask('1', { tokens: 500 });
    late.end('1', { charged: 'unsent' });
    expect(late.level('a')).toBe(1_000);
  });
});

describe('what a head is compared with', () => {
  test('is what was sent on the limit that it speaks of, less what came back', () => {
    const office = new Office({ a: { limits: [tpm()], ownLimits: [tpm()], learns: true } });
    const flow = office.quota('a').limits[0]?.flow;
    office.ask('1', { tokens: 600 });
    expect(flow?.sumBetween(0, 0)).toBe(600);
    office.clock.advance(5_000);
    office.end('1', { charged: chargeOf(100, 0) });
    office.clock.advance(200);
    expect(flow?.sumBetween(0, office.clock.now())).toBe(100);
    expect(office.quota('key a').limits[0]?.flow.sumBetween(0, office.clock.now())).toBe(0);
  });

  test('of a refused request is nothing', () => {
    const office = new Office({ a: { limits: [tpm()], learns: true } });
    office.ask('1', { tokens: 600 });
    office.end('1', { charged: chargeOf(0, 0), report: { kind: 'wait', retryAfterMs: 1_000, spent: [] } });
    expect(office.quota('a').limits[0]?.flow.sumBetween(0, 0)).toBe(0);
  });
});

test("a key's own limit holds beside its quota's", () => {
  const half: NamedPlan = { name: 'tpm', plan: { ...tpm().plan, capacity: 500 } };
  const office = new Office({ a: { limits: [tpm()], ownLimits: [half] } }, { maxWaitMs: 10 * MINUTE_MS });
  office.ask('1', { tokens: 400 });
  office.ask('2', { tokens: 400 });
  expect(office.log).toEqual(['1 on a']);
  office.clock.advance(61_000);
  expect(office.log).toEqual(['1 on a', '2 on a']);
});

test('what may be charged at the end only is known until the lease has ended, though the limit may have changed meanwhile', () => {
  const office = new Office({ a: { limits: [tpm()], learns: true } });
  const unsure = () => office.quota('a').limits[0]?.flow.unsureBefore(office.clock.now() + 1);
  office.ask('1', { tokens: 100, reservedTokens: 700 });
  expect(unsure()).toBe(600);
  office.quota('a').limits[0]?.seeCapacity(500, office.clock.now());
  office.clock.advance(1_000);
  office.end('1', { charged: chargeOf(150, 0) });
  expect(unsure()).toBe(600);
  office.clock.advance(200);
  expect(unsure()).toBe(0);
});
