import { describe, expect, test } from 'vitest';
import { chargeOf } from '../../src/charge.ts';
import type { Report } from '../../src/scheduler/lease.ts';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { Office } from './office.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const rpm = (capacity: number): NamedPlan => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false },
});
const tpm = (capacity: number): NamedPlan => ({
  name: 'tpm',
  plan: { unit: 'tokens', windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false },
});

const wait = (changes: Partial<Extract<Report, { kind: 'wait' }>> = {}): Report => {
  return { kind: 'wait', retryAfterMs: null, spent: [], ...changes };
};

/** One that was refused was not charged. */
function refuse(office: Office, name: string, report: Report): void {
  office.lease(name).end({ charged: chargeOf(0, 0), report });
}

function stateOf(office: Office, name = 'a'): string {
  return office.route(name).status(office.clock.now()).kind;
}

/** How long the route rests from now on. */
function restMs(office: Office, name = 'a'): number {
  return office.route(name).availableAt(office.clock.now()) - office.clock.now();
}

function askMany(office: Office, names: string, tokens = 1): void {
  for (const name of names) office.ask(name, { tokens });
}

describe('a served request, or one that says nothing', () => {
  test('changes no state and is no event', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    askMany(office, '12');
    office.end('1', { report: { kind: 'ok' } });
    office.end('2', { report: { kind: 'nothing' } });
    expect(stateOf(office)).toBe('ready');
    expect(office.events).toEqual([]);
  });
});

describe('a refusal that passes with time', () => {
  test('with numbers it measures the books, and nobody rests', () => {
    const office = new Office({ a: { limits: [tpm(10_000)] } });
    office.ask('1', { tokens: 100 });
    refuse(office, '1', wait({ spent: [{ unit: 'tokens', windowMs: MINUTE_MS, limit: 10_000, used: 9_950 }] }));
    expect(office.level('a')).toBeCloseTo(50);
    expect(stateOf(office)).toBe('ready');
  });

  test('with a number for the limit alone, it was spent', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    office.ask('1');
    refuse(office, '1', wait({ spent: [{ unit: 'requests', windowMs: MINUTE_MS, limit: 50, used: null }] }));
    expect(office.level('a')).toBeCloseTo(0);
    expect(office.quota('a').limits[0]?.primary.capacity).toBe(50);
  });

  test('with a hint the route rests as long, and is then tried by one request at a time', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    office.ask('1');
    refuse(office, '1', wait({ retryAfterMs: 4_000 }));
    expect(office.events).toContainEqual(
      expect.objectContaining({
        kind: 'route',
        from: 'ready',
        reason: 'wait',
        status: { kind: 'throttled', until: 4_000 },
      }),
    );
    askMany(office, '23');
    office.clock.advance(3_999);
    expect(office.log).toEqual(['1 on a']);
    office.clock.advance(1_010);
    expect(office.log).toEqual(['1 on a', '2 on a']);
    office.answer('2', [{ unit: 'requests', windowMs: MINUTE_MS, limit: 100, remaining: 80 }]);
    expect(office.log).toEqual(['1 on a', '2 on a', '3 on a']);
    expect(stateOf(office)).toBe('ready');
  });

  test('with nothing, a limit that is known is asked again soon, an unknown one after a minute', () => {
    const known = new Office({ a: { limits: [rpm(100)] } });
    known.ask('1');
    refuse(known, '1', wait());
    expect(restMs(known)).toBe(1_000);
    const unknown = new Office({ a: { limits: [], learns: true } });
    unknown.ask('1');
    refuse(unknown, '1', wait());
    expect(restMs(unknown)).toBe(MINUTE_MS);
  });

  test('several at once say it once', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    askMany(office, '12345');
    office.clock.advance(300);
    for (const name of '12345') refuse(office, name, wait());
    expect(restMs(office)).toBe(1_000);
    expect(office.events.filter(({ kind }) => kind === 'unexplained_refusal')).toHaveLength(1);
  });

  test('the longest hint of several at once counts', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    askMany(office, '123');
    refuse(office, '1', wait({ retryAfterMs: 2_000 }));
    refuse(office, '2', wait({ retryAfterMs: 9_000 }));
    refuse(office, '3', wait({ retryAfterMs: 5_000 }));
    expect(restMs(office)).toBe(9_000);
  });

  test('a rest that proves too short is doubled, up to ten minutes', () => {
    const office = new Office({ a: { limits: [rpm(100)] } }, { maxWaitMs: 10 * HOUR_MS });
    const rests: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      office.ask(String(round));
      office.clock.advance(restMs(office) + 10);
      refuse(office, String(round), wait());
      rests.push(restMs(office));
    }
    expect(rests.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(rests.at(-1)).toBe(600_000);
  });

  test('after quiet time the next one is the first again', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    office.ask('1');
    refuse(office, '1', wait());
    office.clock.advance(10_000);
    office.ask('2');
    refuse(office, '2', wait());
    expect(restMs(office)).toBe(1_000);
  });

  test('numbers that lead to the same refusal again and again are not believed: the route rests', () => {
    const office = new Office({ a: { limits: [tpm(10_000)] } });
    const spent = [{ unit: 'tokens', windowMs: MINUTE_MS, limit: 10_000, used: 1_000 }] as const;
    for (const name of '123') {
      office.ask(name, { tokens: 10 });
      refuse(office, name, wait({ spent }));
    }
    expect(stateOf(office)).toBe('throttled');
  });

  test('one that the books can explain raises no alarm', () => {
    const office = new Office({ a: { limits: [rpm(2)] } });
    askMany(office, '1');
    office.quota('a').limits[0]?.primary.take(1.5, office.clock.now());
    refuse(office, '1', wait());
    expect(office.events.some(({ kind }) => kind === 'unexplained_refusal')).toBe(false);
  });

  test('one that they can not explain makes refunds wait longer', () => {
    const office = new Office({ a: { limits: [tpm(100_000)] } });
    askMany(office, '0', 50_000);
    askMany(office, '12', 1_000);
    refuse(office, '1', wait());
    office.end('2', { charged: chargeOf(0, 0), report: { kind: 'ok' } });
    const level = office.level('a');
    office.clock.advance(150);
    expect(office.level('a')).toBeLessThan(level + 500);
    office.clock.advance(100);
    expect(office.level('a')).toBeGreaterThan(level + 900);
  });

  test('an answer that comes after the rest ends it for good', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    askMany(office, '1');
    refuse(office, '1', wait());
    office.clock.advance(3_100);
    office.ask('2');
    office.answer('2');
    expect(office.quota('a').restReason).toBeNull();
  });
});

describe('a request that was too large', () => {
  test('teaches the limit, and whoever waits for as much is told so', () => {
    const office = new Office({ a: { limits: [tpm(10_000)] } }, { maxWaitMs: 10 * MINUTE_MS });
    askMany(office, '1', 8_000);
    askMany(office, '2', 8_000);
    refuse(office, '1', { kind: 'never_fits', unit: 'tokens', limit: 5_000 });
    office.scheduler.changed();
    expect(office.rejected('2')).toMatchObject({
      kind: 'exceeds_limit',
      limit: { name: 'tpm', capacity: 5_000, asked: 8_000 },
    });
  });

  test('teaches nothing of other units, and nothing without a number', () => {
    const office = new Office({ a: { limits: [tpm(10_000), rpm(10)] } });
    askMany(office, '12');
    refuse(office, '1', { kind: 'never_fits', unit: 'tokens', limit: null });
    refuse(office, '2', { kind: 'never_fits', unit: 'requests', limit: 4 });
    expect(office.quota('a').limits.map(({ primary }) => primary.capacity)).toEqual([10_000, 4]);
  });

  test('a number higher than configured changes nothing, and the configured one comes back with it', () => {
    const office = new Office({ a: { limits: [rpm(10)] } });
    askMany(office, '123');
    const limit = office.quota('a').limits[0];
    refuse(office, '1', { kind: 'never_fits', unit: 'requests', limit: 4 });
    expect(limit).toMatchObject({ source: 'refusal', primary: { capacity: 4 } });
    refuse(office, '2', { kind: 'never_fits', unit: 'requests', limit: 400 });
    expect(limit).toMatchObject({ source: 'config', primary: { capacity: 10 } });
    refuse(office, '3', { kind: 'never_fits', unit: 'requests', limit: 0 });
    expect(limit?.primary.capacity).toBe(10);
  });
});

describe('a day that is gone', () => {
  test('rests until the hint, or for an hour without one', () => {
    for (const [retryAfterMs, rest] of [
      [7 * HOUR_MS, 7 * HOUR_MS],
      [null, HOUR_MS],
    ] as const) {
      const office = new Office({ a: { limits: [rpm(100)] } });
      office.ask('1');
      refuse(office, '1', { kind: 'exhausted', retryAfterMs });
      expect(stateOf(office)).toBe('exhausted');
      expect(restMs(office)).toBe(rest);
    }
  });

  // They all went at once, and each was refused.
  test('is then asked for by one request at a time', () => {
    const office = new Office({ a: { limits: [rpm(100)] } }, { maxWaitMs: 2 * HOUR_MS });
    office.ask('1');
    refuse(office, '1', { kind: 'exhausted', retryAfterMs: null });
    askMany(office, '234');
    office.clock.advance(HOUR_MS + 10);
    expect(office.log).toEqual(['1 on a', '2 on a']);
    office.answer('2');
    expect(office.log).toEqual(['1 on a', '2 on a', '3 on a', '4 on a']);
  });
});

describe('a credential that is no good', () => {
  test('is disabled with all its models, by name of the reason', () => {
    const office = new Office({ a: { limits: [rpm(100)] }, b: { limits: [rpm(100)] } });
    office.ask('1');
    refuse(office, '1', { kind: 'disabled', reason: 'billing', scope: 'key' });
    expect(office.route('a').status(0)).toEqual({ kind: 'disabled', reason: 'billing' });
    office.ask('2');
    expect(office.log).toEqual(['1 on a', '2 on b']);
    expect(office.events).toHaveLength(1);
  });

  test('is closed to one model where that is all it may not use', () => {
    for (const report of [
      { kind: 'disabled', reason: 'credentials', scope: 'key_model' },
      { kind: 'disabled', reason: 'model', scope: 'key' },
    ] as const) {
      const office = new Office({ a: { limits: [rpm(100)] } });
      office.ask('1');
      refuse(office, '1', report);
      expect(office.key('a').disabled).toBeNull();
      expect(office.route('a').status(0)).toEqual({ kind: 'disabled', reason: 'model' });
      office.ask('2');
      expect(office.rejected('2')).toEqual({ kind: 'no_usable_route' });
    }
  });
});

describe('a vendor without capacity', () => {
  test('rests twice as long each time, up to half a minute', () => {
    const office = new Office({ a: { limits: [rpm(1_000)] } }, { maxWaitMs: HOUR_MS });
    const rests: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      office.ask(String(round));
      office.clock.advance(restMs(office) + 10);
      refuse(office, String(round), { kind: 'capacity', retryAfterMs: null });
      rests.push(restMs(office));
    }
    expect(rests).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    office.ask('last');
    office.clock.advance(30_010);
    office.end('last');
    office.ask('again');
    refuse(office, 'again', { kind: 'capacity', retryAfterMs: null });
    expect(restMs(office)).toBe(1_000);
  });

  test('rests at least as long as it says', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    office.ask('1');
    refuse(office, '1', { kind: 'capacity', retryAfterMs: 12_000 });
    expect(restMs(office)).toBe(12_000);
  });

  // Eight requests that were under way together made it rest for half a minute.
  test('several at once say it once', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    askMany(office, '12345678');
    office.clock.advance(300);
    for (const name of '12345678') refuse(office, name, { kind: 'capacity', retryAfterMs: null });
    expect(restMs(office)).toBe(1_000);
  });

  test('one that asks for a slower ramp rests a moment, and goes on with one request at a time', () => {
    const office = new Office({ a: { limits: [rpm(100)] } });
    office.ask('1');
    refuse(office, '1', { kind: 'ramp' });
    expect(restMs(office)).toBe(5_000);
    askMany(office, '23');
    office.clock.advance(5_010);
    expect(office.log).toEqual(['1 on a', '2 on a']);
  });
});

describe('a route that fails', () => {
  test('is left alone after two in a row, tried by one, then by more, until it is ready again', () => {
    const office = new Office({ a: { limits: [rpm(1_000)] } }, { maxWaitMs: HOUR_MS });
    askMany(office, '12');
    office.clock.advance(255);
    for (const name of '12') refuse(office, name, { kind: 'failed' });
    expect(stateOf(office)).toBe('open');
    askMany(office, '345');
    office.clock.advance(1_010);
    expect(stateOf(office)).toBe('half-open');
    expect(office.log.slice(2)).toEqual(['3 on a']);
    office.answer('3');
    office.end('3');
    expect(stateOf(office)).toBe('slow-start');
    expect(office.log.slice(2)).toEqual(['3 on a', '4 on a', '5 on a']);
    for (const name of '45') office.end(name);
    for (let round = 0; round < 64; round += 1) {
      office.ask(`good ${round}`);
      office.clock.advance(100);
      office.end(`good ${round}`);
    }
    expect(stateOf(office)).toBe('ready');
    expect(office.events.map((event) => (event.kind === 'route' ? event.status.kind : event.kind))).toEqual([
      'open',
      'slow-start',
      'ready',
    ]);
  });
});

describe('whoever waits for a gate', () => {
  const probing = () => new Office({ a: { limits: [], learns: true, hasClosedGate: true } });

  // It waited for a second, the time by which a closed gate is looked at again.
  test.each([
    ['was left by its client', { kind: 'nothing' }],
    ['failed', { kind: 'failed' }],
  ] as const)('goes at once when the request that went before it %s', (_how, report) => {
    const office = probing();
    askMany(office, '12');
    expect(office.log).toEqual(['1 on a']);
    office.end('1', { report });
    expect(office.log).toEqual(['1 on a', '2 on a']);
  });

  test('goes at once when that request was answered, though its stream goes on', () => {
    const office = probing();
    askMany(office, '123');
    office.answer('1');
    expect(office.log).toEqual(['1 on a', '2 on a', '3 on a']);
  });

  test('does not go on the head of a refusal: what it means is in its body', () => {
    const office = probing();
    askMany(office, '12');
    office.answer('1', [], false);
    expect(office.log).toEqual(['1 on a']);
    refuse(office, '1', wait({ retryAfterMs: 5_000 }));
    expect(office.log).toEqual(['1 on a']);
    office.clock.advance(5_010);
    expect(office.log).toEqual(['1 on a', '2 on a']);
  });
});
