import { describe, expect, test } from 'vitest';
import { chargeOf } from '../../src/charge.ts';
import type { Lease } from '../../src/scheduler/lease.ts';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import { Office } from './office.ts';

const MINUTE_MS = 60_000;
/** The last of a burst waits so long: the refill of a full bucket may begin that late upstream. */
const SKEW_MS = 255;

const rpm = (capacity: number): { name: string; plan: LimitPlan } => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false },
});
const tpm = (capacity: number): { name: string; plan: LimitPlan } => ({
  name: 'tpm',
  plan: { unit: 'tokens', windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false },
});
const slots = (capacity: number): { name: string; plan: LimitPlan } => ({
  name: 'concurrency',
  plan: { unit: 'in_flight', windowMs: 0, capacity, algorithm: 'in-flight', isGuess: false },
});

describe('who goes next', () => {
  test('a request starts at once while its key can afford it', () => {
    const office = new Office({ a: { limits: [rpm(2)] } });
    office.ask('1');
    office.ask('2');
    office.clock.advance(SKEW_MS);
    expect(office.log).toEqual(['1 on a', '2 on a']);
  });

  test('one beyond the limit waits until the bucket has refilled, first come first served', () => {
    const office = new Office({ a: { limits: [rpm(6)] } });
    for (let i = 1; i <= 8; i += 1) office.ask(String(i));
    office.clock.advance(9_000);
    expect(office.log.slice(6)).toEqual([]);
    office.clock.advance(2_000);
    expect(office.log.slice(6)).toEqual(['7 on a']);
    office.clock.advance(10_000);
    expect(office.log.slice(6)).toEqual(['7 on a', '8 on a']);
  });

  test('a small request passes a large one only where the large one starts no later', () => {
    const office = new Office({ a: { limits: [tpm(60_000)] } }, { maxWaitMs: 120_000 });
    office.ask('warm', { tokens: 60_000 });
    office.ask('large', { tokens: 50_000 });
    office.ask('small', { tokens: 1_000 });
    office.clock.advance(49_000);
    expect(office.log).toEqual(['warm on a']);
    office.clock.advance(3_000);
    expect(office.log).toEqual(['warm on a', 'large on a', 'small on a']);
  });

  test('a younger request does start first on capacity that the older one can not use', () => {
    const office = new Office({ a: { limits: [tpm(60_000)] }, b: { limits: [tpm(6_000)] } }, { maxWaitMs: 120_000 });
    office.ask('warm', { tokens: 60_000 });
    office.ask('large', { tokens: 50_000 });
    office.ask('small', { tokens: 6_000 });
    expect(office.log).toEqual(['warm on a', 'small on b']);
  });

  test('a line that is blocked on its own limit holds nobody back on the one it shares', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    office.limitClient('greedy', [rpm(1)]);
    for (let i = 0; i < 20; i += 1) office.ask(`greedy-${i}`, { client: 'greedy' });
    office.ask('other');
    expect(office.log).toEqual(['greedy-0 on a', 'other on a']);
  });

  test('those who wait for limits of their own as well hold a younger one of another line back as others do', () => {
    const office = new Office({ a: { limits: [rpm(60)] } }, { maxWaitMs: 600_000 });
    office.limitClient('generous', [rpm(10_000)]);
    for (let i = 0; i < 60; i += 1) office.ask('first');
    for (let i = 0; i < 40; i += 1) office.ask(`old-${i}`, { client: 'generous' });
    office.ask('young');
    office.clock.advance(42_000);
    // Of two clients that share alike, each has every other turn.
    expect(office.log.indexOf('young on a')).toBeLessThanOrEqual(64);
    expect(office.log).toHaveLength(101);
  });

  test('two clients whose instant has come together start as they were planned', () => {
    const window = { unit: 'requests', windowMs: 60_000, capacity: 2, algorithm: 'sliding-window' } as const;
    const limits = [{ name: 'rpm', plan: { ...window, isGuess: false, burst: 1 } }];
    const office = new Office({ a: { limits } }, { maxWaitMs: 600_000 });
    for (const name of ['one', 'two']) office.ask(name);
    office.ask('third', { client: 'b' });
    office.ask('fourth', { client: 'c' });
    office.clock.advance(70_000);
    expect(office.log.slice(2)).toEqual(['third on a', 'fourth on a']);
  });

  test('older tickets of a long line go before a younger one of another line that shares their limit', () => {
    const keys = { a: { limits: [rpm(60)], quota: 'shared' }, b: { limits: [], quota: 'shared' } };
    const office = new Office(keys, { maxWaitMs: 600_000, after: [0, 0] });
    for (let i = 0; i < 60; i += 1) office.ask('first');
    for (let i = 0; i < 40; i += 1) office.ask(`old-${i}`, { notOn: [1] });
    office.ask('young', { notOn: [0] });
    office.clock.advance(42_000);
    expect(office.log.indexOf('young on b')).toBe(100);
  });

  test('a cancelled ticket leaves at once, and those behind it move up', () => {
    const office = new Office({ a: { limits: [rpm(6)] } });
    for (let i = 0; i < 6; i += 1) office.ask('first');
    const second = office.ask('second');
    office.ask('third');
    if (second) office.scheduler.cancel(second);
    office.clock.advance(11_000);
    expect(office.log.slice(6)).toEqual(['third on a']);
    if (second) office.scheduler.cancel(second);
    expect(office.scheduler.waiting).toBe(0);
  });

  test('two keys of one quota have one limit together', () => {
    const office = new Office({ a: { limits: [rpm(3)], quota: 'org' }, b: { limits: [rpm(3)], quota: 'org' } });
    for (let i = 0; i < 6; i += 1) office.ask(String(i));
    office.clock.advance(SKEW_MS);
    expect(office.log).toHaveLength(3);
  });

  test('a target that comes later is used when those before it take too long', () => {
    const office = new Office({ a: { limits: [rpm(6)] }, b: { limits: [rpm(60)] } }, { after: [0, 15_000] });
    for (let i = 0; i < 6; i += 1) office.ask('first');
    office.ask('in ten seconds');
    office.ask('in twenty seconds');
    expect(office.log).toEqual([...Array(5).fill('first on a'), 'in twenty seconds on b']);
  });

  test('a target for emergencies is used when all before it are down', () => {
    const keys = { a: { limits: [rpm(2)] }, b: { limits: [rpm(60)] } };
    const office = new Office(keys, { after: [0, 'down'], maxWaitMs: 120_000 });
    office.ask('1');
    office.ask('2');
    office.clock.advance(SKEW_MS);
    office.ask('waits');
    expect(office.log).toEqual(['1 on a', '2 on a']);
    office.key('a').disabled = 'billing';
    office.scheduler.changed();
    expect(office.log).toEqual(['1 on a', '2 on a', 'waits on b']);
  });

  test('a slot goes to the oldest ticket when it comes free, a lag after the last byte', () => {
    const office = new Office({ a: { limits: [slots(1)] } });
    office.ask('1');
    office.ask('2');
    office.clock.advance(2_000);
    office.end('1');
    office.clock.advance(99);
    expect(office.log).toEqual(['1 on a']);
    office.clock.advance(10);
    expect(office.log).toEqual(['1 on a', '2 on a']);
  });
});

describe('who is turned away', () => {
  test('a request larger than any limit could ever grant, by name of the limit that comes closest', () => {
    const office = new Office({ a: { limits: [tpm(1_000)] }, b: { limits: [tpm(2_000)] } });
    office.ask('huge', { tokens: 3_000 });
    expect(office.rejected('huge')).toEqual({
      kind: 'exceeds_limit',
      limit: { quota: 'b', name: 'tpm', unit: 'tokens', windowMs: MINUTE_MS, capacity: 2_000, asked: 3_000 },
    });
  });

  test('a guess above the limit is cut to it instead of turning the request away', () => {
    const office = new Office({ a: { limits: [tpm(1_000)] } });
    office.ask('unknown output', { tokens: 500, reservedTokens: 5_000 });
    expect(office.log).toEqual(['unknown output on a']);
    expect(office.quota('a').meters[0]?.limit.level(SKEW_MS)).toBeCloseTo(0, 0);
  });

  test('a wait longer than the client may wait, with a place that is kept', () => {
    const office = new Office({ a: { limits: [rpm(6)] } }, { maxWaitMs: 15_000 });
    for (let i = 0; i < 7; i += 1) office.ask(String(i));
    office.ask('late');
    expect(office.rejected('late')).toMatchObject({
      kind: 'wait_exceeded',
      predictedWaitMs: 20_250,
      retryAfterMs: 12_750,
      limit: { name: 'rpm' },
      hasWaited: false,
    });
  });

  test('one that comes back as told is served, although others have come meanwhile', () => {
    const office = new Office({ a: { limits: [rpm(6)] } }, { maxWaitMs: 15_000 });
    for (let i = 0; i < 7; i += 1) office.ask(String(i));
    office.ask('obedient');
    office.clock.advance(12_750);
    office.ask('newcomer');
    office.ask('obedient');
    office.clock.advance(9_000);
    expect(office.log.slice(7)).toEqual(['obedient on a']);
  });

  // It was told the instant at which it could start if only those who are here were ahead of it.
  test('one that comes with good news is told to return after those who were promised to be served before', () => {
    const slow = { name: 'rpm', plan: { ...rpm(60).plan, burst: 1 / 60 } };
    const office = new Office({ a: { limits: [slow], learns: true, hasClosedGate: true } }, { maxWaitMs: 100 });
    office.ask('served');
    office.ask('promised');
    office.clock.advance(20);
    office.answer('served');
    office.clock.advance(20);
    office.ask('newcomer');
    expect(office.rejected('promised')).toMatchObject({ predictedWaitMs: 1_250 });
    expect(office.rejected('newcomer')).toMatchObject({ predictedWaitMs: 2_460, hasWaited: false });
  });

  test('one that does not come back in time loses its place', () => {
    const office = new Office({ a: { limits: [rpm(6)] } }, { maxWaitMs: 15_000 });
    for (let i = 0; i < 7; i += 1) office.ask(String(i));
    office.ask('forgetful');
    expect(office.scheduler.door.keptPlaces).toBe(1);
    office.clock.advance(30_000);
    for (let i = 0; i < 3; i += 1) office.ask(`later-${i}`);
    office.clock.advance(2_000);
    expect(office.scheduler.door.keptPlaces).toBe(0);
  });

  test('beyond the horizon of promises there is none', () => {
    const office = new Office({ a: { limits: [rpm(1)] } }, { maxWaitMs: 15_000 });
    office.ask('1');
    for (let i = 0; i < 3; i += 1) office.ask(`late-${i}`);
    expect(office.rejected('late-0')).toMatchObject({ kind: 'wait_exceeded', retryAfterMs: expect.any(Number) });
    expect(office.rejected('late-1')).toMatchObject({ kind: 'wait_exceeded', retryAfterMs: null });
  });

  test('more than a client may have waiting', () => {
    const office = new Office({ a: { limits: [rpm(6)] } }, { maxQueueSize: 2, maxWaitMs: 60_000 });
    for (let i = 0; i < 9; i += 1) office.ask(String(i));
    expect(office.rejected('8')).toMatchObject({ kind: 'queue_full' });
    office.ask('of another', { client: 'somebody else' });
    expect(office.rejected('of another')).toBeUndefined();
  });

  test('one whose own limit would make it wait too long, by that limit', () => {
    const office = new Office({ a: { limits: [rpm(100)] } }, { maxWaitMs: 15_000 });
    office.limitClient('c', [rpm(1)]);
    office.ask('1', { client: 'c' });
    office.ask('2', { client: 'c' });
    expect(office.rejected('2')).toMatchObject({ kind: 'client_limit', limit: { quota: 'c', name: 'rpm' } });
  });

  test('one that does not want to wait for its own limit is told at once when it could start', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    office.limitClient('c', [rpm(6)]);
    for (let i = 0; i < 6; i += 1) office.ask(String(i), { client: 'c', rejectsOnClientLimit: true });
    office.ask('7', { client: 'c', rejectsOnClientLimit: true });
    expect(office.rejected('7')).toMatchObject({ kind: 'client_limit', hasWaited: false });
    expect((office.rejected('7') as { retryAfterMs: number }).retryAfterMs).toBeCloseTo(10_000, -3);
  });

  test('everybody, when every key is disabled', () => {
    const office = new Office({ a: { limits: [rpm(6)] } });
    for (let i = 0; i < 6; i += 1) office.ask(String(i));
    office.ask('waits');
    office.key('a').disabled = 'credentials';
    office.scheduler.changed();
    office.ask('comes');
    expect(office.rejected('waits')).toEqual({ kind: 'no_usable_route' });
    expect(office.rejected('comes')).toEqual({ kind: 'no_usable_route' });
  });

  test('one whose time is up, after it has waited', () => {
    const office = new Office({ a: { limits: [slots(1)] } }, { maxWaitMs: 20_000 });
    office.ask('holds the slot for ever');
    office.ask('waits');
    office.clock.advance(20_001);
    expect(office.rejected('waits')).toMatchObject({ kind: 'wait_exceeded', hasWaited: true });
    expect(office.scheduler.waiting).toBe(0);
  });

  test('while draining: newcomers, and those who could not start within the grace', () => {
    const office = new Office({ a: { limits: [rpm(6)] } }, { maxWaitMs: 60_000 });
    for (let i = 0; i < 6; i += 1) office.ask(String(i));
    office.ask('soon');
    office.ask('later');
    office.scheduler.drain(15_000);
    office.ask('new');
    expect(office.rejected('later')).toEqual({ kind: 'shutting_down' });
    expect(office.rejected('new')).toEqual({ kind: 'shutting_down' });
    office.clock.advance(11_000);
    expect(office.log.slice(6)).toEqual(['soon on a']);
  });

  test('those who wait, when a limit turns out so low that they would be too late', () => {
    const office = new Office({ a: { limits: [], learns: true, hasClosedGate: true } }, { maxWaitMs: 30_000 });
    for (let i = 0; i < 10; i += 1) office.ask(String(i));
    expect(office.log).toEqual(['0 on a']);
    office.answer('0', [{ unit: 'requests', windowMs: MINUTE_MS, limit: 3, remaining: 2 }]);
    office.clock.advance(1_000);
    expect(office.log).toEqual(['0 on a', '1 on a', '2 on a']);
    expect(office.rejected('9')).toMatchObject({ kind: 'wait_exceeded', limit: { name: 'rpm', capacity: 3 } });
  });
});

describe('leases', () => {
  test('what was not used comes back a lag after the end', () => {
    const office = new Office({ a: { limits: [tpm(1_000)] } });
    office.ask('1', { tokens: 1_000 });
    office.end('1', { charged: chargeOf(100, 0) });
    office.clock.advance(50);
    expect(office.level('a')).toBeLessThan(10);
    office.clock.advance(60);
    expect(office.level('a')).toBeGreaterThan(890);
  });

  test('what was used beyond the booking is a debt at once', () => {
    const office = new Office({ a: { limits: [tpm(1_000)] } });
    office.ask('1', { tokens: 900 });
    office.end('1', { charged: chargeOf(1_500, 0) });
    expect(office.level('a')).toBeCloseTo(-500, -1);
  });

  test('what was never sent comes back at once', () => {
    const office = new Office({ a: { limits: [tpm(1_000), rpm(2)] } });
    office.ask('1', { tokens: 900 });
    office.end('1', { charged: 'unsent' });
    expect(office.level('a')).toBeGreaterThan(990);
    office.ask('2', { tokens: 900 });
    expect(office.log).toEqual(['1 on a', '2 on a']);
  });

  test('one that nobody ends is booked as reserved when it is disposed, and only once', () => {
    const office = new Office({ a: { limits: [tpm(1_000)] } });
    office.ask('1', { tokens: 900 });
    const lease = office.lease('1');
    lease[Symbol.dispose]();
    lease.end({ charged: chargeOf(1, 0), report: { kind: 'ok' } });
    lease.headed([]);
    lease.proved();
    office.clock.advance(200);
    expect(office.level('a')).toBeCloseTo(100, -1);
    expect(office.scheduler.openLeases).toBe(0);
  });

  test('a ticket that is sent back keeps its place, and stays off the route that failed', () => {
    const office = new Office({ a: { limits: [rpm(1)] }, b: { limits: [rpm(1)] } }, { maxWaitMs: 120_000 });
    office.ask('1');
    office.ask('2');
    office.ask('3');
    const first = office.lease('1');
    office.end('1', { charged: 'unsent', report: { kind: 'nothing' } });
    office.scheduler.again(first.ticket, { exclude: [first.route], notBeforeMs: 0 });
    office.clock.advance(SKEW_MS);
    expect(office.log).toEqual(['1 on a', '2 on b', '3 on a']);
    office.end('2', { charged: 'unsent', report: { kind: 'nothing' } });
    office.clock.advance(SKEW_MS);
    expect(office.log).toEqual(['1 on a', '2 on b', '3 on a', '1 on b']);
  });

  test('a ticket that is sent back may have to wait a moment', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    office.ask('1');
    const first = office.lease('1');
    office.end('1', { report: { kind: 'nothing' } });
    office.scheduler.again(first.ticket, { exclude: [], notBeforeMs: 500 });
    office.clock.advance(499);
    expect(office.log).toEqual(['1 on a']);
    office.clock.advance(5);
    expect(office.log).toEqual(['1 on a', '1 on a']);
    office.scheduler.again(first.ticket, { exclude: [], notBeforeMs: 0 });
  });

  test('a lease that a listener ends while it is handed out upsets nothing', () => {
    const office = new Office({ a: { limits: [rpm(2)] } });
    office.ask('1', { onLease: (lease: Lease) => lease.end({ charged: 'unsent', report: { kind: 'ok' } }) });
    office.ask('2');
    office.ask('3');
    office.clock.advance(SKEW_MS);
    expect(office.log).toEqual(['2 on a', '3 on a']);
  });

  test('stopping settles whatever is still due', () => {
    const office = new Office({ a: { limits: [tpm(1_000)] } });
    office.ask('1', { tokens: 1_000 });
    office.end('1', { charged: chargeOf(100, 0) });
    office.scheduler.stop();
    expect(office.level('a')).toBeGreaterThan(890);
    expect(office.clock.pendingTimers).toBe(0);
  });
});

describe('a promise', () => {
  test('is kept for whoever was told, not for somebody alike who comes earlier', () => {
    const office = new Office({ a: { limits: [rpm(6)] } }, { maxWaitMs: 15_000 });
    for (let i = 0; i < 7; i += 1) office.ask(String(i));
    office.ask('alike');
    office.clock.advance(1_000);
    office.ask('alike');
    expect(office.scheduler.door.keptPlaces).toBe(2);
    office.clock.advance(11_750);
    office.ask('alike');
    office.clock.advance(8_000);
    expect(office.log.slice(7)).toEqual(['alike on a']);
  });

  test('that nobody comes for keeps nobody out who can start at once', () => {
    const office = new Office({ a: { limits: [rpm(60)] } }, { maxWaitMs: 4_000 });
    for (let i = 0; i < 100; i += 1) office.ask(`first-${i}`);
    expect(office.scheduler.door.keptPlaces).toBeGreaterThan(30);
    office.clock.advance(8_000);
    const served = office.log.length;
    for (let i = 0; i < 4; i += 1) office.ask(`later-${i}`);
    expect(office.log.length - served).toBe(4);
  });
});

test('somebody who throws on hearing of a lease keeps nobody else from hearing of theirs', () => {
  const office = new Office({ a: { limits: [slots(1)] } });
  office.ask('holds');
  const throws = () => {
    throw new Error('a listener with a bug');
  };
  office.ask('throws', { onLease: throws });
  office.ask('waits');
  office.key('a').disabled = 'billing';
  expect(() => office.scheduler.changed()).not.toThrow();
  expect(office.rejected('waits')).toEqual({ kind: 'no_usable_route' });
  const other = new Office({ a: { limits: [rpm(60)] } });
  expect(() => other.ask('throws', { onLease: throws })).toThrow(/could not be told/);
  other.ask('next');
  expect(other.log).toEqual(['next on a']);
});

test('tickets that have left are not held until their deadlines', () => {
  const office = new Office({ a: { limits: [slots(1)] } }, { maxWaitMs: 3_600_000, maxQueueSize: 10_000 });
  office.ask('holds');
  for (let i = 0; i < 1_000; i += 1) {
    const ticket = office.ask(String(i));
    if (ticket) office.scheduler.cancel(ticket);
  }
  expect(office.scheduler.watchedDeadlines).toBeLessThan(100);
});
