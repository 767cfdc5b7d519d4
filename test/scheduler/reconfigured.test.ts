import { describe, expect, test } from 'vitest';
import type { ModelRoutes } from '../../src/scheduler/model-routes.ts';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { Quota } from '../../src/scheduler/quota.ts';
import { Route } from '../../src/scheduler/route.ts';
import type { TicketRequest } from '../../src/scheduler/ticket.ts';
import { Office } from './office.ts';

const SKEW_MS = 250;

function rpm(capacity: number): NamedPlan {
  return {
    name: 'rpm',
    plan: { unit: 'requests', windowMs: 60_000, capacity, algorithm: 'token-bucket', isGuess: false },
  };
}

/** The model of the office with another route, `b`, in place of its own. */
function onlyWith(office: Office, limits: readonly NamedPlan[]): ModelRoutes {
  const { model } = office;
  const id = 'b';
  const quota = new Quota({ id, name: id, limits, learns: false, skewMs: SKEW_MS });
  const upstream = { provider: 'p', model: 'm', restsUntil: 0, overloaded: null };
  const route = new Route({ id, key: { name: id, disabled: null }, upstream, quotas: [quota], random: () => 0 });
  return { ...model, options: [{ route, target: 0, index: 1, weight: 1 }] };
}

/** The model of the office with one more route. */
function alsoWith(office: Office, limits: readonly NamedPlan[]): ModelRoutes {
  return { ...office.model, options: [...office.model.options, ...onlyWith(office, limits).options] };
}

/** An office of one key and one request a minute, which somebody has; whoever is asked for in `moves` waits. */
function busyOffice(moves: Readonly<Record<string, ((request: TicketRequest) => TicketRequest | null) | undefined>>) {
  const office = new Office({ a: { limits: [rpm(1)] } }, { maxWaitMs: 300_000 });
  office.ask('first');
  office.clock.advance(SKEW_MS);
  for (const [name, renewed] of Object.entries(moves)) office.ask(name, renewed ? { renewed } : {});
  return office;
}

describe('when the configuration changes', () => {
  test('those who wait start at once on a key that is new, in their order', () => {
    let model: ModelRoutes | null = null;
    const move = (request: TicketRequest) => ({ ...request, model: model ?? request.model });
    const office = busyOffice({ '1': move, '2': move, '3': move });
    model = alsoWith(office, [rpm(2)]);
    office.scheduler.changed();
    expect(office.log).toEqual(['first on a', '1 on b']);
    office.clock.advance(SKEW_MS + 2);
    expect(office.log).toEqual(['first on a', '1 on b', '2 on b']);
    expect(office.scheduler.waiting).toBe(1);
    // It takes what comes first: its own key in a minute, the new one in half of that.
    office.clock.advance(31_000);
    expect(office.log.at(-1)).toBe('3 on b');
  });

  test('those for whom nothing changes keep their line and their order among the others', () => {
    let model: ModelRoutes | null = null;
    const move = (request: TicketRequest) => ({ ...request, model: model ?? request.model });
    const office = busyOffice({ stays: (request) => request, moves: move, 'stays too': undefined });
    model = { ...office.model };
    office.scheduler.changed();
    expect(office.scheduler.door.waitingTickets().map(({ request }) => request.id)).toEqual([
      'stays',
      'moves',
      'stays too',
    ]);
    office.clock.advance(181_000);
    expect(office.log).toEqual(['first on a', 'stays on a', 'moves on a', 'stays too on a']);
    expect(office.scheduler.waiting).toBe(0);
  });

  test('one whose last route is gone is told so at once, and others move to what is left', () => {
    let model: ModelRoutes | null = null;
    const office = busyOffice({
      moves: (request) => ({ ...request, model: model ?? request.model }),
      'is stranded': (request) => ({ ...request, model: { ...request.model, options: [] } }),
    });
    model = onlyWith(office, [rpm(1)]);
    office.scheduler.changed();
    expect(office.rejected('is stranded')).toEqual({ kind: 'no_usable_route' });
    expect(office.log).toEqual(['first on a', 'moves on b']);
  });

  test('one that costs more than a limit that was lowered is told so, and holds nobody up', () => {
    const office = new Office({ a: { limits: [tpm(1_000)] } }, { maxWaitMs: 300_000 });
    office.ask('first', { tokens: 1_000 });
    office.clock.advance(SKEW_MS);
    office.ask('large', { tokens: 900 });
    office.ask('small', { tokens: 100 });
    office.quota('a').reconfigure({ name: 'a', learns: false, limits: [tpm(500)] }, office.clock.now());
    office.scheduler.changed();
    expect(office.rejected('large')).toMatchObject({ kind: 'exceeds_limit', limit: { capacity: 500, asked: 900 } });
    office.clock.advance(13_000);
    expect(office.log).toEqual(['first on a', 'small on a']);
  });

  test('one that must be looked at anew leaves the queue, and comes back to its place', () => {
    const office = busyOffice({ looked: () => null, younger: undefined });
    const [ticket] = office.scheduler.door.waitingTickets();
    office.scheduler.changed();
    expect(ticket?.state).toBe('withdrawn');
    expect(ticket?.hasLeft).toBe(true);
    expect(office.scheduler.waiting).toBe(1);
    if (ticket) office.scheduler.resume(ticket, { ...ticket.request, renewed: () => null });
    expect(office.scheduler.waiting).toBe(2);
    office.clock.advance(121_000);
    expect(office.log).toEqual(['first on a', 'looked on a', 'younger on a']);
  });

  test('one whose client leaves meanwhile does not come back, and neither does one that never left', () => {
    const office = busyOffice({ looked: () => null, waits: undefined });
    const [looked, waits] = office.scheduler.door.waitingTickets();
    office.scheduler.changed();
    if (looked) office.scheduler.cancel(looked);
    for (const ticket of [looked, waits]) if (ticket) office.scheduler.resume(ticket, ticket.request);
    expect(office.scheduler.waiting).toBe(1);
    expect(looked?.state).toBe('done');
  });

  test('one that was away for longer than it may wait is told so when it comes back', () => {
    const office = busyOffice({ looked: () => null });
    const [ticket] = office.scheduler.door.waitingTickets();
    office.scheduler.changed();
    office.clock.advance(301_000);
    expect(office.rejected('looked')).toBeUndefined();
    office.ask('takes what is there');
    if (ticket) office.scheduler.resume(ticket, ticket.request);
    office.clock.advance(5);
    expect(office.rejected('looked')?.kind).toBe('wait_exceeded');
  });

  test('a failed attempt is repeated as the configuration is by then', () => {
    const office = new Office({ a: { limits: [rpm(10)] } });
    let model = office.model;
    office.ask('1', { renewed: (request) => ({ ...request, model }) });
    const { ticket } = office.lease('1');
    model = onlyWith(office, [rpm(10)]);
    office.end('1', { report: { kind: 'failed' } });
    office.scheduler.again(ticket, { exclude: [], notBeforeMs: 0 });
    expect(office.log).toEqual(['1 on a', '1 on b']);
    office.end('1');
    office.clock.advance(1_000);
    expect(office.quota('a').underWay.size).toBe(0);
  });

  test('a failed attempt whose request must be looked at anew waits outside of the queue', () => {
    const office = new Office({ a: { limits: [rpm(10)] } });
    office.ask('1', { renewed: () => null });
    const { ticket } = office.lease('1');
    office.end('1', { report: { kind: 'failed' } });
    office.scheduler.again(ticket, { exclude: [], notBeforeMs: 0 });
    expect(ticket.state).toBe('withdrawn');
    office.scheduler.resume(ticket, ticket.request);
    expect(office.log).toEqual(['1 on a', '1 on a']);
  });
});

describe('a route under other quotas', () => {
  test('is the same to its upstream: faults, overloads and what was used are still known', () => {
    const office = new Office({ a: { limits: [rpm(10)] } });
    office.ask('1');
    const old = office.route('a');
    old.overloadedUntil = 5_000;
    office.clock.advance(300);
    office.answer('1');
    const quota = new Quota({ id: 'q', name: 'q', limits: [rpm(5)], learns: false, skewMs: SKEW_MS });
    const { key, upstream } = old;
    const route = new Route({ id: 'a', key, upstream, quotas: [quota], random: () => 0, successorTo: old });
    expect(route.availableAt(0)).toBe(5_000);
    expect(route.circuit).toBe(old.circuit);
    expect(route.usage.lastHour(0)).toBe(1);
    expect(route.firstByteOf({}).expectedMs(300)).toBe(300);
    expect(route.meters[0]?.limit.capacity).toBe(5);
  });
});

function tpm(capacity: number): NamedPlan {
  return { name: 'tpm', plan: { ...rpm(capacity).plan, unit: 'tokens' } };
}

describe('one that nothing can serve any more', () => {
  const unserved = (request: TicketRequest): TicketRequest => ({ ...request, costs: [null] });

  test('is told so when the configuration changes, and the others wait on', () => {
    const office = busyOffice({ '1': undefined, '2': unserved, '3': undefined });
    office.scheduler.changed();
    expect(office.rejected('2')).toEqual({ kind: 'no_usable_route' });
    expect(office.rejectedNames).toEqual(['2']);
    expect(office.scheduler.waiting).toBe(2);
  });

  test('is told so when it comes back from a failed attempt', () => {
    const office = new Office({ a: { limits: [rpm(1)] } }, { maxWaitMs: 300_000 });
    office.ask('first', { renewed: unserved });
    office.end('first', { charged: 'unsent', report: { kind: 'failed' } });
    office.scheduler.again(office.lease('first').ticket, { exclude: [], notBeforeMs: 1_000 });
    expect(office.rejected('first')).toEqual({ kind: 'no_usable_route' });
    expect(office.scheduler.waiting).toBe(0);
  });
});
