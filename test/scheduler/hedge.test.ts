import { describe, expect, test } from 'vitest';
import type { Lease } from '../../src/scheduler/lease.ts';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { Office } from './office.ts';

const rpm = (capacity: number): NamedPlan => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: 60_000, capacity, algorithm: 'token-bucket', isGuess: false },
});

/** Each name asks once and is served by the first key that can; then a second lease is wanted for the first name. */
function hedged(office: Office, names: readonly string[] = ['slow']): Lease | null {
  for (const name of names) office.ask(name);
  return office.scheduler.hedge(office.lease(names[0] as string));
}

function twoKeys(second = 100): Office {
  return new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(second)] } });
}

describe('a request under way', () => {
  test('may have a second lease on another route, booked as any other and ended once', () => {
    const office = twoKeys();
    const second = hedged(office) as Lease;
    expect(second.route.id).toBe('b');
    expect(office.scheduler.openLeases).toBe(2);
    expect(office.level('b')).toBeLessThan(99.01);
    expect(office.route('b').inFlight).toBe(1);
    second.end({ charged: 'unsent', report: { kind: 'nothing' } });
    second[Symbol.dispose]();
    office.end('slow');
    expect(office.scheduler.openLeases).toBe(0);
    expect(office.route('b').inFlight).toBe(0);
    expect(office.level('b')).toBeGreaterThan(99.5);
  });

  test('has it where most is left', () => {
    const office = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(4)] }, c: { limits: [rpm(50)] } });
    expect(hedged(office)?.route.id).toBe('c');
    const sorted = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(50)] }, c: { limits: [rpm(4)] } });
    expect(hedged(sorted)?.route.id).toBe('b');
  });

  test('has it where nothing is limited', () => {
    const office = new Office({ a: { limits: [] }, b: { limits: [] } });
    expect(hedged(office)?.route.id).toBe('b');
  });

  test('has none where a limit would be left with under 30 % of its capacity', () => {
    const office = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(10)] } });
    const leases: (Lease | null)[] = [];
    for (let nth = 0; nth < 8; nth += 1) leases.push(hedged(office, [`slow ${nth}`]));
    expect(leases.map((lease) => lease !== null)).toEqual([true, true, true, true, true, true, false, false]);
    expect(office.level('b')).toBeGreaterThanOrEqual(3);
  });

  test('has none where it could not start at once', () => {
    const office = twoKeys();
    office.quota('b').limits[0]?.primary.take(100, office.clock.now());
    expect(hedged(office)).toBeNull();
  });

  test('has none on a route that is out of service, unproved, or held back', () => {
    const down = twoKeys();
    for (let nth = 0; nth < 3; nth += 1) down.route('b').circuit.failed(down.clock.now(), down.clock.now());
    expect(hedged(down)).toBeNull();
    const unproved = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(100)] } });
    unproved.quota('b').gate.close();
    expect(hedged(unproved)).toBeNull();
    const spare = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(100)] } }, { after: [0, 'down'] });
    expect(hedged(spare)).toBeNull();
  });

  test('has none where it has failed already, or where it cannot be served', () => {
    const failed = twoKeys();
    failed.ask('slow');
    const { ticket } = failed.lease('slow');
    ticket.excluded = new Set([failed.route('b')]);
    expect(failed.scheduler.hedge(failed.lease('slow'))).toBeNull();
    const unable = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(100)] } }, { after: [0, 0] });
    unable.ask('slow', { notOn: [1] });
    expect(unable.scheduler.hedge(unable.lease('slow'))).toBeNull();
  });

  test('has it on another target that is in play', () => {
    const office = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(100)] } }, { after: [0, 0] });
    expect(hedged(office)?.route.id).toBe('b');
  });

  test('has none where something else speaks against it, however much is left there', () => {
    const office = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(90)] }, c: { limits: [rpm(50)] } });
    office.ask('slow');
    const second = office.scheduler.hedge(office.lease('slow'), ({ route }) => route.id !== 'b');
    expect(second?.route.id).toBe('c');
    expect(office.scheduler.hedge(office.lease('slow'), () => false)).toBeNull();
  });

  test('has none while somebody waits for a limit that it would draw on', () => {
    const office = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(100)] } }, { after: [0, 0] });
    office.ask('slow');
    office.limitClient('poor', [rpm(4)]);
    for (let nth = 0; nth < 5; nth += 1) office.ask(`poor ${nth}`, { client: 'poor' });
    expect(office.scheduler.waiting).toBe(1);
    expect(office.scheduler.hedge(office.lease('slow'))).toBeNull();
  });

  test("has none beyond what its client's own limits have to spare", () => {
    const office = twoKeys();
    office.limitClient('web', [rpm(3)]);
    office.ask('slow', { client: 'web' });
    expect(office.scheduler.hedge(office.lease('slow'))?.route.id).toBe('b');
    expect(office.scheduler.hedge(office.lease('slow'))).toBeNull();
  });
});

describe('what a client is served', () => {
  test('counts its second lease as any other, and what came to nothing not at all', () => {
    const office = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(100)] } });
    office.ask('slow', { tokens: 1_000 });
    const first = office.lease('slow');
    const { share } = first.ticket;
    const second = office.scheduler.hedge(first) as Lease;
    expect(share.finish).toBe(2_000);
    second.end({ charged: 'unsent', report: { kind: 'nothing' } });
    expect(share.finish).toBe(1_000);
    expect(share.class.finish * share.class.weight).toBe(1_000);
    first.end({ charged: [1, 400, 400, 0, 0], report: { kind: 'ok' } });
    // Nobody waited for it: what comes back puts the client before nobody who comes later.
    expect(share.finish).toBe(1_000);
  });
});
