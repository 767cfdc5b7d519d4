import { describe, expect, test } from 'vitest';
import { applyProbe, bookProbe, type ProbeVerdict } from '../../src/scheduler/apply-probe.ts';
import type { SchedulerEvent } from '../../src/scheduler/events.ts';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { Office } from './office.ts';

const rpm = (capacity: number): NamedPlan => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: 60_000, capacity, algorithm: 'sliding-window', isGuess: false, burst: 1 },
});

const FAILED = { charged: 'unsent', report: { kind: 'failed' } } as const;

interface Terms {
  readonly isCertain?: boolean;
  readonly mayReopenKey?: boolean;
  readonly restMs?: number;
}

/** An office of two keys, the first of which is probed. */
function setUp() {
  const office = new Office({ a: { limits: [] }, b: { limits: [] } }, { maxWaitMs: 3_600_000 });
  office.clock.advance(1);
  const events: SchedulerEvent[] = [];
  const probe = (
    verdict: ProbeVerdict,
    { isCertain = false, mayReopenKey = false, restMs = 30_000 }: Terms = {},
  ): boolean =>
    applyProbe([office.route('a')], verdict, {
      now: office.clock.now(),
      emit: (event) => events.push(event),
      restMs,
      isCertain,
      mayReopenKey,
    });
  const state = () => office.route('a').status(office.clock.now());
  const open = (): void => {
    for (const name of ['1', '2']) {
      office.ask(name);
      office.end(name, FAILED);
    }
  };
  return { office, events, probe, state, open };
}

describe('a route that kept failing', () => {
  test('is tried by one request as soon as its server answers', () => {
    const { probe, state, open, events, office } = setUp();
    open();
    expect(probe('alive')).toBe(true);
    expect(state().kind).toBe('half-open');
    expect(events).toMatchObject([{ from: 'open', status: { kind: 'half-open' }, reason: 'probe' }]);
    for (const name of ['3', '4']) office.ask(name);
    expect(office.log.slice(2)).toEqual(['3 on a', '4 on b']);
  });

  test.each(['silent', 'failing'] as const)('stays closed while its server is %s, but not for ever', (verdict) => {
    const { probe, state, open, office } = setUp();
    open();
    expect(probe(verdict)).toBe(false);
    expect(state()).toEqual({ kind: 'open', until: 30_001 });
    for (let probes = 0; probes < 20; probes += 1) {
      office.clock.advance(20_000);
      probe(verdict);
    }
    expect(state().kind).toBe('half-open');
  });

  test('never rests shorter for a probe', () => {
    const { probe, state, open } = setUp();
    open();
    probe('silent');
    expect(probe('failing', { restMs: 10 })).toBe(false);
    expect(state()).toEqual({ kind: 'open', until: 30_001 });
  });
});

describe('a route that nobody uses', () => {
  test('is closed when its server is silent, once that is certain', () => {
    const { probe, state } = setUp();
    expect(probe('silent')).toBe(false);
    expect(probe('silent', { isCertain: true })).toBe(true);
    expect(state()).toEqual({ kind: 'open', until: 30_001 });
  });

  test.each(['failing', 'alive'] as const)('is left as it is when its server is %s', (verdict) => {
    const { probe, state } = setUp();
    expect(probe(verdict, { isCertain: true })).toBe(false);
    expect(state().kind).toBe('ready');
  });

  test('is not closed while somebody uses it after all', () => {
    const { probe, state, office } = setUp();
    office.ask('1');
    expect(probe('silent', { isCertain: true })).toBe(false);
    expect(state().kind).toBe('ready');
  });
});

describe('a key that was refused', () => {
  test('may try again when its vendor takes it for something else', () => {
    const { probe, state, office } = setUp();
    office.key('a').disabled = 'credentials';
    expect(probe('alive', { mayReopenKey: true })).toBe(true);
    expect(state().kind).toBe('open');
    office.clock.advance(10);
    expect(state().kind).toBe('half-open');
  });

  test.each([
    ['credentials', false],
    ['billing', true],
  ] as const)('for %s stays so otherwise', (reason, mayReopenKey) => {
    const { probe, state, office } = setUp();
    office.key('a').disabled = reason;
    expect(probe('alive', { mayReopenKey })).toBe(false);
    expect(state()).toEqual({ kind: 'disabled', reason });
  });
});

describe('a probe that counts', () => {
  test('is booked as one request, as long as there is room', () => {
    const office = new Office({ a: { limits: [rpm(2)] } });
    const route = office.route('a');
    expect([bookProbe(route, 0), bookProbe(route, 0), bookProbe(route, 0)]).toEqual([true, true, false]);
    expect(office.level('a')).toBeLessThan(1);
  });

  test('costs nothing where requests are not limited', () => {
    expect(bookProbe(new Office({ a: { limits: [] } }).route('a'), 0)).toBe(true);
  });
});
