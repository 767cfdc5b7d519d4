import { describe, expect, test } from 'vitest';
import type { NamedPlan } from '../../../src/scheduler/quota.ts';
import { Office } from '../office.ts';

const rpm = (capacity: number): NamedPlan => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: 60_000, capacity, algorithm: 'token-bucket', isGuess: false },
});

/** One a second; two clients that have waited for three seconds. */
function contested(options: ConstructorParameters<typeof Office>[1]): Office {
  const office = new Office({ a: { limits: [rpm(60)] } }, options);
  for (let i = 0; i < 60; i += 1) office.ask('first');
  for (let i = 0; i < 8; i += 1) for (const client of ['a', 'b']) office.ask(`${client}${i}`, { client });
  office.clock.advance(3_500);
  return office;
}

describe('where clients compete', () => {
  test('one that finds its part of the queue full is told when its turn would be', () => {
    const office = contested({ maxWaitMs: 40_000, maxQueueSize: 8 });
    for (let i = 0; i < 8; i += 1) office.ask(`more ${i}`, { client: 'a' });
    office.ask('too many', { client: 'a' });
    const rejection = office.rejected('too many');
    expect(rejection).toMatchObject({ kind: 'queue_full', limit: { name: 'rpm' } });
    // Its own that wait are ahead, at every other turn, and its own that were told to come back.
    expect((rejection as { predictedWaitMs: number }).predictedWaitMs).toBeGreaterThan(12_000);
    expect((rejection as { predictedWaitMs: number }).predictedWaitMs).toBeLessThan(60_000);
  });

  test('one that something else could not serve either has its place behind those of its own client', () => {
    const office = contested({ maxWaitMs: 10_000 });
    for (let i = 0; i < 20; i += 1) office.ask(`a more ${i}`, { client: 'a', mayGoElsewhere: true });
    const told = office.rejectedNames.map((name) => office.rejected(name)).find((each) => each && 'keepPlace' in each);
    const retryAfterMs = (told as { keepPlace: (now: number) => number | null }).keepPlace(office.clock.now());
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThan(60_000);
  });

  // Whoever was foretold behind the one that waits for a closed key was foretold to wait for ever, and turned away.
  test('one whom only a closed key could serve makes nobody else wait for it', () => {
    const tpm = (capacity: number): NamedPlan => ({ name: 'tpm', plan: { ...rpm(capacity).plan, unit: 'tokens' } });
    const keys = { small: { limits: [tpm(6_000)] }, large: { limits: [tpm(100_000)] } };
    const office = new Office(keys, { maxWaitMs: 3_600_000 });
    office.key('large').disabled = 'credentials';
    for (let i = 0; i < 100; i += 1)
      for (const client of ['a', 'b']) office.ask(`${client}${i}`, { client, tokens: 100 });
    office.clock.advance(5_000);
    office.ask('too large', { client: 'a', tokens: 50_000 });
    for (let i = 0; i < 200 && !office.rejected('too large'); i += 1) office.clock.advance(1);
    const next = office.ask('next', { client: 'b', tokens: 100 });
    expect(office.rejectedNames).toEqual(['too large']);
    expect((next?.predictedAt ?? 0) - office.clock.now()).toBeLessThan(200_000);
  });

  // Ten minutes of turns were saved up by one request for a key that rested, and then taken from the other all at once.
  test('one that has waited long for a key that rests saves up two minutes of turns at most', () => {
    const office = new Office({ a: { limits: [rpm(60)] }, b: { limits: [rpm(60)] } }, { after: [0, 0] });
    office.quota('b').rest(1_800_000, 'throttled');
    const onA = { notOn: [1], maxWaitMs: 3_600_000 };
    for (let i = 0; i < 60; i += 1) office.ask('first', onA);
    office.ask('saves', { client: 'saves', notOn: [0], maxWaitMs: 3_600_000 });
    for (let second = 0; second < 600; second += 1) {
      for (let i = 0; i < (second === 0 ? 10 : 1); i += 1) office.ask('busy', { ...onA, client: 'busy' });
      office.clock.advance(1_000);
    }
    for (let i = 0; i < 300; i += 1) office.ask('saves', { ...onA, client: 'saves' });
    const from = office.log.length;
    for (let second = 0; second < 300; second += 1) {
      office.ask('busy', { ...onA, client: 'busy' });
      office.clock.advance(1_000);
    }
    const starts = office.log.slice(from);
    const busyIn = (some: readonly string[]) => some.filter((start) => start === 'busy on a').length;
    expect(starts).toHaveLength(300);
    expect(busyIn(starts)).toBeGreaterThan(80);
    expect(busyIn(starts.slice(150))).toBeGreaterThan(70);
  });

  describe('and one of them has forty waiting for a limit of its own, of six a minute', () => {
    function limitedAmongOthers(maxWaitMs: number): Office {
      const office = new Office({ a: { limits: [rpm(60)] } }, { maxWaitMs });
      office.limitClient('slow', [rpm(6)]);
      for (let i = 0; i < 60; i += 1) office.ask('first');
      for (let i = 0; i < 40; i += 1) office.ask(`slow ${i}`, { client: 'slow', maxWaitMs: 3_600_000 });
      for (let second = 0; second < 120; second += 1) {
        for (const client of ['a', 'b', 'c']) office.ask(`${client} ${second}`, { client });
        office.clock.advance(1_000);
      }
      return office;
    }

    const waitingOf = (office: Office, isSlow: boolean) =>
      office.scheduler.door.waitingTickets().filter(({ request }) => (request.client === 'slow') === isSlow);

    // They were foretold to wait until the last of it had started, five minutes later, and turned away.
    test('the others do not wait for that: they could for half a minute, and some of them do', () => {
      expect(waitingOf(limitedAmongOthers(30_000), false).length).toBeGreaterThan(12);
    });

    test('its next one is foretold to start behind them, ten seconds after the last', () => {
      const office = limitedAmongOthers(600_000);
      const last = waitingOf(office, true).at(-1);
      const next = office.ask('slow next', { client: 'slow', maxWaitMs: 3_600_000 });
      const gapMs = (next?.predictedAt ?? 0) - (last?.predictedAt ?? 0);
      expect(gapMs).toBeGreaterThan(9_000);
      expect(gapMs).toBeLessThan(15_000);
    });
  });
});
