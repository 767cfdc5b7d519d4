import { expect, test } from 'vitest';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { viewModel, viewQuota, viewRoute, viewTicket } from '../../src/scheduler/view.ts';
import { Office } from './office.ts';

const rpm: NamedPlan = {
  name: 'rpm',
  plan: { unit: 'requests', windowMs: 60_000, capacity: 6, algorithm: 'token-bucket', isGuess: false },
};

/** Six are under way, twelve wait: eight of them are planned, and four behind those. */
function busyOffice(): Office {
  const office = new Office({ a: { limits: [rpm] } }, { maxWaitMs: 600_000 });
  for (let i = 0; i < 6; i += 1) office.ask(`served ${i}`);
  office.clock.advance(300);
  for (let i = 0; i < 12; i += 1) office.ask(`waits ${i}`);
  office.clock.advance(1_000);
  return office;
}

test('a model shows who waits, for how long, and what a newcomer should expect', () => {
  const office = busyOffice();
  expect(viewModel(office.model, office.scheduler.door.waitingTickets(), office.clock.now())).toEqual({
    model: 'm',
    waiting: 12,
    oldestWaitMs: 1_000,
    predictedWaitMs: expect.closeTo(119_000, -3),
    inFlight: 6,
  });
});

test('a model nobody waits for shows noughts, and so does one whose turn is overdue', () => {
  const office = busyOffice();
  expect(viewModel(office.model, [], 0)).toMatchObject({ waiting: 0, oldestWaitMs: 0, predictedWaitMs: 0 });
  const tickets = office.scheduler.door.waitingTickets();
  expect(viewModel(office.model, tickets, 1_000_000).predictedWaitMs).toBe(0);
});

test('a ticket shows its planned start and key, and which limit it waits for', () => {
  const office = busyOffice();
  const [first, ...others] = office.scheduler.door.waitingTickets().map((each) => viewTicket(each, office.clock.now()));
  expect(first).toEqual({
    request: 'waits 0',
    model: 'm',
    priority: 'normal',
    waitedMs: 1_000,
    startsInMs: expect.closeTo(8_950, -2),
    route: { provider: 'p', key: 'a' },
    waitsFor: 'a rpm',
  });
  expect(others.at(-1)).toMatchObject({ request: 'waits 11', route: null });
});

test('a ticket shows the class that it has its turn in', () => {
  const office = busyOffice();
  office.ask('can wait', { share: { priority: 'low', weight: 1 } });
  const views = office.scheduler.door.waitingTickets().map((each) => viewTicket(each, office.clock.now()));
  expect(views.find(({ request }) => request === 'can wait')?.priority).toBe('low');
  expect(views.find(({ request }) => request === 'waits 0')?.priority).toBe('normal');
});

test('a ticket that waits for no limit names none', () => {
  const office = new Office({ a: { limits: [], learns: true, hasClosedGate: true } });
  office.ask('probe');
  office.ask('waits');
  const [ticket] = office.scheduler.door.waitingTickets();
  expect(ticket && viewTicket(ticket, 0).waitsFor).toBeNull();
});

test('a quota shows each limit, and whether it is still being probed', () => {
  const office = busyOffice();
  expect(viewQuota(office.quota('a'), office.clock.now())).toEqual({
    quota: 'a',
    limits: [
      {
        limit: 'rpm',
        unit: 'requests',
        windowMs: 60_000,
        level: 0,
        capacity: 6,
        resetMs: expect.closeTo(58_950, -2),
        source: 'config',
      },
    ],
    isProbing: false,
  });
});

test('a route shows its state, why, and for how long', () => {
  const office = busyOffice();
  const now = office.clock.now();
  const view = () => viewRoute(office.route('a'), now);
  expect(view()).toEqual({
    provider: 'p',
    model: 'm',
    key: 'a',
    state: 'ready',
    reason: null,
    untilMs: null,
    failuresInRow: 0,
    inFlight: 6,
  });
  office.quota('a').rest(now + 5_000, 'throttled');
  expect(view()).toMatchObject({ state: 'throttled', reason: null, untilMs: 5_000 });
  office.key('a').disabled = 'billing';
  expect(view()).toMatchObject({ state: 'disabled', reason: 'billing', untilMs: null });
});
