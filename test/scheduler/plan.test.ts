import { describe, expect, test } from 'vitest';
import { chargeOf } from '../../src/charge.ts';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Office } from './office.ts';

const MINUTE_MS = 60_000;

const tpm = (capacity: number): NamedPlan => ({
  name: 'tpm',
  plan: { unit: 'tokens', windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false },
});
const rpm = (capacity: number): NamedPlan => ({ name: 'rpm', plan: { ...tpm(capacity).plan, unit: 'requests' } });

test('tickets of several lines are listed in the order of their arrival', () => {
  const office = new Office({ a: { limits: [rpm(1)] } }, { maxWaitMs: 60 * MINUTE_MS });
  office.limitClient('c', [rpm(100)]);
  office.ask('served');
  for (const name of '135') {
    office.ask(name);
    office.ask(String(Number(name) + 1), { client: 'c' });
  }
  expect(office.scheduler.door.waitingTickets().map(({ request }) => request.id)).toEqual([...'123456']);
});

describe('a ticket that reserves far more than it is likely to use', () => {
  // Each small one took what the large one was waiting for, so it waited until its deadline.
  test.each([
    ['token-bucket', [6_000]],
    ['sliding-window', [1_000, 1_000, 1_000, 1_000, 1_000, 1_000]],
  ] as const)('is not overtaken for ever by small ones that come later (%s)', (algorithm, served) => {
    const limit: NamedPlan = { name: 'tpm', plan: { ...tpm(6_000).plan, algorithm, burst: 1 } };
    const office = new Office({ a: { limits: [limit] } }, { maxWaitMs: 10 * MINUTE_MS });
    for (const tokens of served) {
      office.ask('served', { tokens });
      office.clock.advance(9_000);
    }
    office.ask('careful', { tokens: 1_000, reservedTokens: 4_000 });
    const foretold = office.scheduler.door.waitingTickets()[0]?.predictedAt as number;
    for (let i = 0; i < 10; i += 1) {
      office.ask(`small ${i}`, { tokens: 1_000 });
      office.clock.advance(9_000);
    }
    expect(office.log).toContain('careful on a');
    expect(office.lease('careful').grantedAt).toBeLessThanOrEqual(foretold + 10);
  });

  test('takes from those behind it, when it starts, what it may yet use', () => {
    const office = new Office({ a: { limits: [tpm(6_000)] } }, { maxWaitMs: 10 * MINUTE_MS });
    office.ask('served', { tokens: 6_000 });
    office.ask('careful', { tokens: 1_000, reservedTokens: 3_000 });
    office.ask('next', { tokens: 1_000 });
    office.clock.advance(30_300);
    expect(office.log).toEqual(['served on a', 'careful on a']);
    office.clock.advance(9_000);
    expect(office.log).toHaveLength(2);
    office.clock.advance(1_200);
    expect(office.log).toEqual(['served on a', 'careful on a', 'next on a']);
  });
});

describe('a plan that is large', () => {
  test('is made anew at intervals, and nobody is forgotten in between', () => {
    const keys = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, { limits: [rpm(1)] }]));
    const office = new Office(keys, { maxWaitMs: 60 * MINUTE_MS });
    for (let i = 0; i < 80; i += 1) office.ask(`${i}`);
    expect(office.log).toHaveLength(20);
    for (let i = 0; i < 20; i += 1) office.end(`${i}`, { charged: 'unsent', report: { kind: 'nothing' } });
    office.clock.advance(1_000);
    expect(office.log).toHaveLength(40);
    office.clock.advance(2 * MINUTE_MS);
    expect(office.log).toHaveLength(80);
  });
});

describe('a circuit that was open', () => {
  test('lets the next one go as soon as the one before has a good head', () => {
    const office = new Office({ a: { limits: [rpm(1_000)] } });
    office.ask('1');
    office.ask('2');
    for (const name of '12') office.end(name, { report: { kind: 'failed' } });
    office.ask('3');
    office.ask('4');
    office.clock.advance(1_010);
    expect(office.log.slice(2)).toEqual(['3 on a']);
    office.answer('3');
    expect(office.log.slice(2)).toEqual(['3 on a', '4 on a']);
  });
});

test('an answer while everything is open is no news', () => {
  const office = new Office({ a: { limits: [rpm(1)] } }, { maxWaitMs: 10 * MINUTE_MS });
  office.ask('1');
  office.ask('2');
  const starts = office.scheduler.door.waitingTickets()[0]?.predictedAt;
  office.answer('1');
  expect(office.scheduler.door.waitingTickets()[0]?.predictedAt).toBe(starts);
});

test('deadlines of those that have left are let go while others wait', () => {
  const office = new Office({ a: { limits: [rpm(1)] } }, { maxWaitMs: 600 * MINUTE_MS });
  office.ask('served');
  office.ask('waits');
  for (let i = 0; i < 5_000; i += 1) {
    const ticket = office.ask(`leaves ${i}`);
    if (ticket) office.scheduler.cancel(ticket);
  }
  expect(office.scheduler.watchedDeadlines).toBeLessThan(500);
});

test('a scheduler to which nobody listens works all the same', () => {
  const office = new Office({ a: { limits: [rpm(9)] } });
  const quiet = new Scheduler({ clock: new FakeClock(), random: () => 0 });
  const served: string[] = [];
  const cost = { reserved: chargeOf(1, 0), expected: chargeOf(1, 0), certain: chargeOf(1, 0) };
  const ask = () =>
    quiet.submit({
      id: 'x',
      client: 'anybody',
      model: office.model,
      costs: [cost],
      clientQuota: null,
      rejectsOnClientLimit: false,
      maxWaitMs: 1_000,
      maxQueueSize: 10,
      placeKey: () => 'x',
      onLease: (lease) => {
        served.push(lease.route.id);
        lease.end({ charged: 'unsent', report: { kind: 'disabled', reason: 'billing', scope: 'key' } });
      },
      onRejection: ({ kind }) => served.push(kind),
    });
  ask();
  ask();
  expect(served).toEqual(['a', 'no_usable_route']);
});
