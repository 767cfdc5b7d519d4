import { describe, expect, test } from 'vitest';
import type { NamedPlan } from '../../../src/scheduler/quota.ts';
import { Office } from '../office.ts';

const rpm = (capacity: number): NamedPlan => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: 60_000, capacity, algorithm: 'token-bucket', isGuess: false },
});

/** One a second, and ten that wait for it already, each of which may wait a minute. */
function queue(): Office {
  const office = new Office({ a: { limits: [rpm(60)] } }, { maxWaitMs: 60_000 });
  for (let i = 0; i < 60; i += 1) office.ask('first');
  for (let i = 0; i < 13; i += 1) office.ask(`patient ${i}`);
  office.clock.advance(3_500);
  return office;
}

const waiting = (office: Office) => office.scheduler.door.waitingTickets().map(({ request }) => request.id);

describe('one that gives up soon', () => {
  test('goes before others of its client that have the time, and is let in for that', () => {
    const office = queue();
    const ticket = office.ask('urgent', { maxWaitMs: 3_000 });
    expect(waiting(office)[0]).toBe('urgent');
    expect(ticket?.isWaiting).toBe(true);
    office.clock.advance(1_500);
    expect(office.log.slice(-2)).toContain('urgent on a');
  });

  test('passes nobody who would become too late by it', () => {
    const office = new Office({ a: { limits: [rpm(60)] } }, { maxWaitMs: 12_000 });
    for (let i = 0; i < 60; i += 1) office.ask('first');
    for (let i = 0; i < 10; i += 1) office.ask(`hurried ${i}`);
    office.clock.advance(3_500);
    office.ask('urgent', { maxWaitMs: 6_000 });
    office.clock.advance(30_000);
    expect(office.rejectedNames.filter((name) => name.startsWith('hurried'))).toEqual([]);
  });

  test('passes those of no other client', () => {
    const office = queue();
    office.ask('urgent', { maxWaitMs: 30_000, client: 'other' });
    office.ask('urgent too', { maxWaitMs: 30_000, client: 'other' });
    office.ask('very urgent', { maxWaitMs: 20_000, client: 'other' });
    expect(waiting(office).filter((name) => name.includes('urgent'))).toEqual(['very urgent', 'urgent', 'urgent too']);
    expect(waiting(office)[0]).toMatch(/^patient/);
  });

  test('waits its turn while nobody knows how fast the queue moves', () => {
    const office = new Office({ a: { limits: [rpm(60)] } }, { maxWaitMs: 60_000 });
    for (let i = 0; i < 60; i += 1) office.ask('first');
    office.ask('patient');
    office.ask('urgent', { maxWaitMs: 5_000 });
    expect(waiting(office).slice(-2)).toEqual(['patient', 'urgent']);
  });
});

test('plain first in, first out, where all of a client may wait equally long', () => {
  const office = queue();
  office.ask('last');
  expect(waiting(office).at(-1)).toBe('last');
});
