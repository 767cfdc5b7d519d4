import { describe, expect, test } from 'vitest';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { Office } from './office.ts';

const MINUTE_MS = 60_000;

const rpm = (capacity: number): NamedPlan => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false },
});

const tpm = (capacity: number): NamedPlan => ({ name: 'tpm', plan: { ...rpm(capacity).plan, unit: 'tokens' } });

/** So many that they are foretold anew in slices of two hundred: first the patient ones, behind them the late ones. */
function longQueue(options: { readonly maxWaitMs: number; readonly maxQueueSize?: number }): Office {
  const office = new Office({ a: { limits: [rpm(60)] } }, options);
  for (let i = 0; i < 60; i += 1) office.ask(`first ${i}`);
  office.clock.advance(600);
  for (let i = 0; i < 150; i += 1) office.ask(`patient ${i}`);
  for (let i = 0; i < 150; i += 1) office.ask(`late ${i}`);
  return office;
}

function slowDown(office: Office, toRpm: number): void {
  office.quota('a').limits[0]?.seeCapacity(toRpm, office.clock.now());
  office.scheduler.changed();
}

describe('a long queue', () => {
  test('hears bad news to its end: all for whom it has become hopeless are turned away', () => {
    const office = longQueue({ maxWaitMs: 340_000 });
    expect(office.scheduler.waiting).toBe(300);
    slowDown(office, 45);
    expect(office.rejectedNames).toEqual([]);
    office.clock.advance(1_000);
    expect(office.rejectedNames.length).toBeGreaterThan(20);
    expect(office.rejected('late 100')).toBeUndefined();
    expect(office.rejected('late 149')).toMatchObject({ kind: 'wait_exceeded', hasWaited: false });
  });

  // It was pushed into the backlog that was being built, found hopeless there, and left the queue that it was never in.
  test('a newcomer for whom there is no room meanwhile is told once, and counted never', () => {
    const office = longQueue({ maxWaitMs: 340_000, maxQueueSize: 300 });
    slowDown(office, 45);
    for (let i = 0; i < 400 && office.scheduler.door.nextRefreshAt > 0; i += 1) office.clock.advance(1);
    office.ask('one too many');
    expect(office.rejected('one too many')).toMatchObject({ kind: 'queue_full' });
    office.clock.advance(1_000);
    expect(office.rejected('one too many')).toMatchObject({ kind: 'queue_full' });
    expect(office.rejectedNames.filter((name) => name === 'one too many')).toHaveLength(1);
    expect(office.scheduler.door.waitingTickets()).toHaveLength(office.scheduler.waiting);
  });
});

test('a long queue that nobody has looked at for a while is foretold anew when somebody joins it', () => {
  const office = longQueue({ maxWaitMs: 500_000 });
  office.clock.advance(2_000);
  expect(office.scheduler.door.nextRefreshAt).toBe(Number.POSITIVE_INFINITY);
  office.ask('newcomer');
  expect(office.scheduler.door.nextRefreshAt).toBeLessThanOrEqual(office.clock.now());
  office.clock.advance(100);
  expect(office.scheduler.door.nextRefreshAt).toBe(Number.POSITIVE_INFINITY);
  const newest = office.scheduler.door.waitingTickets().at(-1);
  expect(newest?.predictedAt).toBeGreaterThan(295_000);
  expect(newest?.predictedAt).toBeLessThan(310_000);
});

test('news has a long queue foretold anew after a pause in which somebody joining has not', () => {
  const office = longQueue({ maxWaitMs: 500_000 });
  office.clock.advance(2_000);
  office.ask('newcomer');
  office.clock.advance(600);
  office.ask('another');
  expect(office.scheduler.door.nextRefreshAt).toBe(Number.POSITIVE_INFINITY);
  slowDown(office, 45);
  office.clock.advance(100);
  expect(office.scheduler.door.nextRefreshAt).toBe(Number.POSITIVE_INFINITY);
  expect(office.scheduler.door.waitingTickets().at(-1)?.predictedAt).toBeGreaterThan(380_000);
});

// Infinity less Infinity: it was told to come back in NaN ms, and a place was kept for it.
test.each([
  ['behind others', 1_000, 'wait_exceeded'],
  ['in a full queue', 12, 'queue_full'],
] as const)('whom only a key could serve that is closed is told no time to come back, %s', (_, maxQueueSize, kind) => {
  const office = new Office({ small: { limits: [tpm(60)] }, large: { limits: [tpm(600)] } }, { maxQueueSize });
  office.key('large').disabled = 'credentials';
  for (let i = 0; i < 13; i += 1) office.ask(`of use ${i}`, { tokens: 60, maxWaitMs: 60 * MINUTE_MS });
  const keptPlaces = office.scheduler.door.keptPlaces;
  office.ask('too large', { tokens: 100 });
  const nobodyKnows = { predictedWaitMs: Number.POSITIVE_INFINITY, retryAfterMs: null };
  expect(office.rejected('too large')).toMatchObject({ kind, ...nobodyKnows });
  expect(office.scheduler.door.keptPlaces).toBe(keptPlaces);
});

describe('a place that is kept', () => {
  const told = () => {
    const office = new Office({ a: { limits: [rpm(6)] } }, { maxWaitMs: 24_000 });
    for (let i = 0; i < 6; i += 1) office.ask(`served ${i}`);
    office.clock.advance(300);
    office.ask('waits');
    office.ask('waits too');
    office.ask('told to return');
    expect(office.rejected('told to return')).toMatchObject({ retryAfterMs: expect.closeTo(17_950, -2) });
    return office;
  };

  test('counts as work ahead of a newcomer while its owner may come', () => {
    const office = told();
    office.clock.advance(17_900);
    office.ask('newcomer');
    office.ask('another');
    expect(office.rejected('another')).toMatchObject({ kind: 'wait_exceeded' });
  });

  test('counts no more a second after its owner was expected', () => {
    const office = told();
    office.clock.advance(19_100);
    office.ask('newcomer');
    office.ask('another');
    expect(office.rejected('another')).toBeUndefined();
  });
});

describe('a request that may go elsewhere', () => {
  /** Of 60 a minute, as many served and let in as there is room and time for. */
  function busy(options: { readonly maxWaitMs: number; readonly maxQueueSize?: number }): Office {
    const office = new Office({ a: { limits: [rpm(60)] } }, options);
    for (let i = 0; i < 60 + 5; i += 1) office.ask(`r${i}`);
    return office;
  }

  function turnOf(office: Office, name: string) {
    const rejection = office.rejected(name);
    if (!(rejection && 'retryAfterMs' in rejection)) throw new Error(`${name} was not turned away`);
    return rejection;
  }

  test.each([
    ['would wait too long', 'wait_exceeded', { maxWaitMs: 5_600 }],
    ['finds the queue full', 'queue_full', { maxWaitMs: 30_000, maxQueueSize: 5 }],
  ] as const)('and %s keeps no place until it has gone nowhere', (_name, kind, options) => {
    const office = busy(options);
    const before = office.scheduler.door.keptPlaces;
    office.ask('wanderer', { mayGoElsewhere: true });
    const { keepPlace, ...rejection } = turnOf(office, 'wanderer');
    expect(rejection).toMatchObject({ kind, retryAfterMs: null, hasWaited: false });
    expect(rejection.predictedWaitMs).toBeCloseTo(5_250, 0);
    expect(office.scheduler.door.keptPlaces).toBe(before);
    const others = busy(options);
    others.ask('resident');
    const retryAfterMs = keepPlace?.(office.clock.now());
    expect(retryAfterMs).toBeCloseTo(turnOf(others, 'resident').retryAfterMs as number, 3);
    expect(office.scheduler.door.keptPlaces).toBe(before + 1);
  });

  test('comes back as told, and is served, though it was told late', () => {
    const office = busy({ maxWaitMs: 5_600 });
    office.ask('wanderer', { mayGoElsewhere: true });
    office.clock.advance(1_000);
    const retryAfterMs = turnOf(office, 'wanderer').keepPlace?.(office.clock.now()) as number;
    for (let i = 0; i < 20; i += 1) office.ask(`newcomer ${i}`);
    office.clock.advance(retryAfterMs);
    office.ask('wanderer');
    office.clock.advance(5_600);
    expect(office.log).toContain('wanderer on a');
  });

  test('is let in where it can start in time', () => {
    const office = busy({ maxWaitMs: 30_000 });
    office.ask('wanderer', { mayGoElsewhere: true });
    office.clock.advance(7_000);
    expect(office.log).toContain('wanderer on a');
  });
});

describe('an impatient request', () => {
  const REST = { kind: 'out_of_service' };

  function fails(office: Office, key: string): void {
    for (let nth = 0; nth < 3; nth += 1) office.route(key).circuit.failed(office.clock.now(), office.clock.now());
  }

  test('does not wait for routes that are out of service, as others do', () => {
    const office = new Office({ a: { limits: [rpm(60)] } });
    fails(office, 'a');
    office.ask('impatient', { isImpatient: true });
    office.ask('patient');
    expect(office.rejected('impatient')).toEqual(REST);
    expect(office.rejected('patient')).toBeUndefined();
  });

  test('takes a route that is in service, however long it waits for its limits', () => {
    const office = new Office({ a: { limits: [rpm(60)] }, b: { limits: [rpm(6)] } });
    for (let nth = 0; nth < 6; nth += 1) office.ask(`b${nth}`, { onLease: () => {} });
    fails(office, 'a');
    office.ask('impatient', { isImpatient: true });
    office.clock.advance(20_000);
    expect(office.log).toContain('impatient on b');
  });

  test('that cannot use the routes that are left is as badly off', () => {
    const office = new Office({ a: { limits: [rpm(60)] }, b: { limits: [rpm(60)] } }, { after: [0, 0] });
    fails(office, 'a');
    office.ask('impatient', { isImpatient: true, notOn: [1] });
    expect(office.rejected('impatient')).toEqual(REST);
  });

  test('is told while it waits when the last route goes out of service', () => {
    const office = new Office({ a: { limits: [rpm(1)] } }, { maxWaitMs: 600_000 });
    for (let nth = 0; nth < 3; nth += 1) office.ask(`failing ${nth}`);
    office.ask('impatient', { isImpatient: true });
    office.ask('patient');
    expect(office.rejectedNames).toEqual([]);
    fails(office, 'a');
    office.end('failing 0', { report: { kind: 'failed' } });
    office.clock.advance(2_000);
    expect(office.rejected('impatient')).toEqual(REST);
    expect(office.rejected('patient')).toBeUndefined();
  });

  test('leaves it to one other to find out whether a route works again', () => {
    const office = new Office({ a: { limits: [rpm(60)] } });
    fails(office, 'a');
    office.clock.advance(2_000);
    office.ask('probe', { isImpatient: true });
    office.ask('impatient', { isImpatient: true });
    expect(office.log).toEqual(['probe on a']);
    expect(office.rejected('impatient')).toEqual(REST);
  });

  test('is told once the only route that it has not failed on goes', () => {
    const office = new Office({ a: { limits: [rpm(60)] }, b: { limits: [rpm(60)] } });
    office.ask('impatient', { isImpatient: true });
    fails(office, 'b');
    const { ticket, route } = office.lease('impatient');
    office.end('impatient', { report: { kind: 'failed' } });
    office.scheduler.again(ticket, { exclude: [route], notBeforeMs: 0 });
    office.clock.advance(100);
    expect(office.rejected('impatient')).toEqual(REST);
  });
});
