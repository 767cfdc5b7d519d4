import { describe, expect, it } from 'vitest';
import type { RequestSummary } from '../../src/proxy/events.ts';
import type { ServedModel } from '../../src/proxy/served-model.ts';
import type { LimitPlan } from '../../src/scheduler/limits/create-limits.ts';
import { Quota } from '../../src/scheduler/quota.ts';
import { queueView } from '../../src/setup/queue-view.ts';
import { Traffic } from '../../src/setup/traffic.ts';
import { Office } from '../scheduler/office.ts';

/** One request a second, one at a time. */
const ONE_A_SECOND: LimitPlan = {
  ...{ unit: 'requests', windowMs: 60_000, capacity: 60 },
  ...{ algorithm: 'token-bucket', isGuess: false, burst: 1 / 60 },
};

function office(): Office {
  return new Office({ a: { limits: [{ name: 'rpm', plan: ONE_A_SECOND }] } });
}

function viewOf({ model, scheduler, clock }: Office, clientQuota: Quota | null = null, traffic = new Traffic()) {
  const served = { routes: model } as ServedModel;
  const tickets = scheduler.door.waitingTickets();
  return queueView({ models: [served], tickets, clientQuota, budget: null, traffic, now: clock.now() });
}

describe('what /queue shows', () => {
  it('of a queue that is empty', () => {
    const { models, tickets, quotas, routes } = viewOf(office());
    expect(models).toEqual([{ model: 'm', waiting: 0, oldestWaitMs: 0, predictedWaitMs: 0, inFlight: 0 }]);
    expect(tickets).toEqual([]);
    expect(quotas).toMatchObject([
      { quota: 'a', limits: [{ limit: 'rpm', level: 1, capacity: 60, source: 'config' }] },
    ]);
    expect(routes).toMatchObject([
      { provider: 'p', model: 'm', key: 'a', state: 'ready', reason: null, untilMs: null },
    ]);
  });

  it('of those that wait: since when, for which key and limit, until when', () => {
    const full = office();
    for (let number = 1; number <= 12; number += 1) full.ask(`r${number}`);
    full.clock.advance(400);
    const { models, tickets } = viewOf(full);
    expect(models).toMatchObject([{ waiting: 11, oldestWaitMs: 400, inFlight: 1 }]);
    expect(tickets.map(({ request }) => request)).toEqual(Array.from({ length: 11 }, (_, index) => `r${index + 2}`));
    expect(tickets[0]).toMatchObject({ model: 'm', waitedMs: 400, waitsFor: 'a rpm' });
    expect(tickets[0]?.route).toEqual({ provider: 'p', key: 'a' });
    expect(tickets[0]?.startsInMs).toBeGreaterThan(500);
    expect(tickets[0]?.startsInMs).toBeLessThan(900);
  });

  it('leaves open which key those behind the planned ones will get', () => {
    const full = office();
    for (let number = 1; number <= 12; number += 1) full.ask(`r${number}`);
    const { tickets } = viewOf(full);
    expect(tickets.at(-1)).toMatchObject({ request: 'r12', route: null });
    expect(tickets.at(-1)?.startsInMs).toBeGreaterThan(10_000);
  });

  it('lists no more than a hundred, however many wait', () => {
    const full = new Office({ a: { limits: [{ name: 'rpm', plan: ONE_A_SECOND }] } }, { maxWaitMs: 1_000_000 });
    for (let number = 1; number <= 150; number += 1) full.ask(`r${number}`);
    const { models, tickets } = viewOf(full);
    expect(models[0]?.waiting).toBe(149);
    expect(tickets).toHaveLength(100);
  });

  it('of a route that rests: why and until when', () => {
    const resting = office();
    resting.quota('a').rest(5_000, 'throttled');
    expect(viewOf(resting).routes).toMatchObject([{ state: 'throttled', untilMs: 5_000 }]);
    resting.key('a').disabled = 'credentials';
    expect(viewOf(resting).routes).toMatchObject([{ state: 'disabled', reason: 'credentials', untilMs: null }]);
  });

  it("of a client's own limits: them too", () => {
    const limits = [{ name: 'rpm', plan: ONE_A_SECOND }];
    const own = new Quota({ id: 'c', name: 'client c', limits, learns: false, skewMs: 0 });
    expect(viewOf(office(), own).quotas.map(({ quota }) => quota)).toEqual(['a', 'client c']);
  });

  it('of quotas: those that limit something, or may learn to', () => {
    const limited = new Office({ a: { limits: [{ name: 'rpm', plan: ONE_A_SECOND }], ownLimits: [] } });
    expect(limited.route('a').quotas.map(({ name }) => name)).toEqual(['a', 'key a']);
    expect(viewOf(limited).quotas.map(({ quota }) => quota)).toEqual(['a']);
    const learning = new Office({ a: { limits: [], learns: true } });
    expect(viewOf(learning).quotas.map(({ quota }) => quota)).toEqual(['a']);
  });

  it('of traffic: only what went where this client may go', () => {
    const traffic = new Traffic();
    const summary = { key: 'a', status: 200, totalMs: 300, queueMs: 100, tokens: { input: 5, output: 7 } };
    traffic.add({ ...summary, provider: 'p', modelServed: 'm' } as RequestSummary);
    traffic.add({ ...summary, provider: 'p', modelServed: 'm', key: 'a', status: 500 } as RequestSummary);
    traffic.add({ ...summary, provider: 'p', modelServed: 'other', key: null } as RequestSummary);
    traffic.add({ ...summary, provider: null, modelServed: null } as RequestSummary);
    expect(viewOf(office(), null, traffic).traffic).toEqual([
      {
        ...{ provider: 'p', key: 'a', model: 'm', requests: 2, errors: 1 },
        ...{ inputTokens: 10, outputTokens: 14, meanLatencyMs: 200 },
      },
    ]);
  });
});
