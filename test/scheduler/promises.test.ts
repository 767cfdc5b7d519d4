import { describe, expect, test } from 'vitest';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import { Office } from './office.ts';

const rpm = (capacity: number): NamedPlan => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: 60_000, capacity, algorithm: 'token-bucket', isGuess: false },
});

function told(office: Office, name: string): number {
  const rejection = office.rejected(name);
  if (!rejection || !('retryAfterMs' in rejection) || rejection.retryAfterMs === null)
    throw new Error(`${name} was not told`);
  return rejection.retryAfterMs;
}

/** Sixty served at once and as many let in as may wait; those after them are told to come back. */
function overloaded(more: number): { office: Office; refused: string[] } {
  const office = new Office({ a: { limits: [rpm(60)] } });
  for (let i = 0; i < 60 + 27 + more; i += 1) office.ask(`r${i}`);
  return { office, refused: [...office.rejectedNames] };
}

describe('returns', () => {
  test('are told apart by a little more than it takes to serve them', () => {
    const { office, refused } = overloaded(10);
    const times = refused.map((name) => told(office, name));
    expect(refused.length).toBeGreaterThanOrEqual(9);
    for (let i = 1; i < times.length; i += 1) {
      expect((times[i] as number) - (times[i - 1] as number)).toBeCloseTo(1_200, 0);
    }
  });

  test('are served when all come at once as told, though newcomers take whatever is left', () => {
    const { office, refused } = overloaded(30);
    for (const name of refused) office.clock.schedule(told(office, name), () => office.ask(name));
    for (let i = 0; i < 120; i += 1) {
      office.clock.advance(500);
      office.ask(`newcomer ${i}`);
    }
    office.clock.advance(30_000);
    const served = new Set(office.log);
    expect(refused.filter((name) => !served.has(`${name} on a`))).toEqual([]);
    expect(office.rejectedNames.filter((name) => refused.includes(name))).toEqual(refused);
  });

  test('push nobody back who was let in', () => {
    const { office, refused } = overloaded(5);
    office.clock.advance(told(office, refused[0] as string));
    const before = office.scheduler.door.waitingTickets().map(({ request }) => request.id);
    for (const name of refused) office.ask(name);
    const after = office.scheduler.door.waitingTickets().map(({ request }) => request.id);
    const still = before.filter((name) => after.includes(name));
    expect(still.length).toBeGreaterThan(10);
    expect(after.slice(0, still.length)).toEqual(still);
    expect(after[still.length]).toBe(refused[0]);
  });
});

test('a promise made while another backlog is being built is not forgotten', () => {
  const office = new Office({ a: { limits: [rpm(600)] } });
  for (let i = 0; i < 600 + 270 + 100; i += 1) office.ask(`r${i}`);
  const { door } = office.scheduler;
  expect(door.keptPlaces).toBeGreaterThan(50);
  office.scheduler.changed();
  for (let i = 0; i < 5_000 && door.nextRefreshAt > 0; i += 1) {
    office.clock.advance(1);
    if (i % 20 === 0) office.ask(`in what room there is ${i}`);
  }
  office.ask('while building');
  const before = office.clock.now();
  for (let i = 0; i < 100 && door.nextRefreshAt < 0; i += 1) office.clock.advance(1);
  for (let i = 0; i < 10; i += 1) office.ask(`afterwards ${i}`);
  const next = office.rejectedNames.find((name) => name.startsWith('afterwards')) ?? 'nobody';
  const laterMs = told(office, next) + office.clock.now() - before - told(office, 'while building');
  expect(laterMs).toBeGreaterThan(90);
});

test('whoever does not draw on the limit that returns wait for is not kept out by them', () => {
  const office = new Office({ a: { limits: [rpm(600)] } }, { maxWaitMs: 24_000 });
  office.limitClient('slow', [rpm(6)]);
  for (let i = 0; i < 12; i += 1) office.ask(`slow ${i}`, { client: 'slow' });
  expect(office.rejectedNames.length).toBeGreaterThan(2);
  office.clock.advance(17_900);
  for (let i = 0; i < 780; i += 1) office.ask(`other ${i}`);
  expect(office.rejectedNames.every((name) => name.startsWith('slow'))).toBe(true);
  expect(office.scheduler.waiting).toBeGreaterThan(100);
});
