import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chargeOf } from '../../../src/charge.ts';
import { Line } from '../../../src/scheduler/line.ts';
import type { ModelRoutes, RouteOption } from '../../../src/scheduler/model-routes.ts';
import { FairWalk, inFairOrder, PlannedTimes, plannedLanes } from '../../../src/scheduler/shares/fair-walk.ts';
import { ModelFlow } from '../../../src/scheduler/shares/model-flow.ts';
import { type ClassRule, Pool, PRIORITIES, type Priority } from '../../../src/scheduler/shares/share.ts';
import { Ticket, type TicketRequest } from '../../../src/scheduler/ticket.ts';

const model = { name: 'm', options: [], after: [] } as unknown as ModelRoutes;

const flow = new ModelFlow('weighted');

/** Lines of one pool, or of several, in which clients' tickets wait. */
class Queues {
  readonly pools = [new Pool(), new Pool()];
  readonly lines = [0, 1, 2, 3].map(() => new Line(model, [], { clientQuota: null, flow }));
  readonly tickets: Ticket[] = [];

  /** Of two lines a pool, `line` 0 and 1 are of the first. */
  add(client: string, given: { priority?: Priority; weight?: number; tokens?: number; line?: number } = {}): Ticket {
    const { priority = 'normal', weight = 1, tokens = 1_000, line = 0 } = given;
    const pool = this.pools[line >> 1] as Pool;
    const share = pool.share(client, { priority, weight });
    const cost = { reserved: chargeOf(tokens, 0), expected: chargeOf(tokens, 0), certain: chargeOf(tokens, 0) };
    const request = { id: `${client}${this.tickets.length}`, client, costs: [cost], maxWaitMs: 1_000 };
    const entry = { share, order: this.tickets.length, now: 0, hasPromise: false };
    const into = this.lines[line] as Line;
    const ticket = new Ticket(request as unknown as TicketRequest, into, entry);
    pool.waits(share, into.queue.lowestFinish(share));
    into.queue.add(ticket);
    this.tickets.push(ticket);
    return ticket;
  }

  order(rule: ClassRule = 'weighted'): string {
    return inFairOrder(this.lines, rule)
      .map(({ request }) => request.client)
      .join('');
  }
}

describe('the order in which tickets have their turns', () => {
  test('is that of arrival for one client alone, over all lines', () => {
    const queues = new Queues();
    for (const line of [0, 1, 0, 2, 1, 3]) queues.add('a', { line });
    expect(inFairOrder(queues.lines, 'weighted')).toEqual(queues.tickets);
  });

  test('alternates between clients of equal weight, whoever came first', () => {
    const queues = new Queues();
    for (let i = 0; i < 4; i += 1) queues.add('a');
    queues.add('b');
    queues.add('b');
    expect(queues.order()).toBe('abab' + 'aa');
  });

  test('counts tokens, not requests', () => {
    const queues = new Queues();
    for (let i = 0; i < 2; i += 1) queues.add('a', { tokens: 3_000 });
    for (let i = 0; i < 6; i += 1) queues.add('b');
    expect(queues.order()).toBe('abbb' + 'abbb');
  });

  test('counts a tiny request for more than nothing', () => {
    const queues = new Queues();
    for (let i = 0; i < 3; i += 1) queues.add('a', { tokens: 1 });
    queues.add('b', { tokens: 90 });
    expect(queues.order()).toBe('abaa');
  });

  test('gives one of thrice the weight three turns for one', () => {
    const queues = new Queues();
    for (let i = 0; i < 6; i += 1) queues.add('a', { weight: 3 });
    for (let i = 0; i < 3; i += 1) queues.add('b');
    expect(queues.order()).toBe('abaaabaab');
  });

  test('lets a class have its share, and a strict one all of it', () => {
    const queues = new Queues();
    for (let i = 0; i < 3; i += 1) queues.add('l', { priority: 'low' });
    for (let i = 0; i < 3; i += 1) queues.add('n');
    for (let i = 0; i < 3; i += 1) queues.add('h', { priority: 'high' });
    expect(queues.order()).toBe('hnlhhnnll');
    expect(queues.order('strict')).toBe('hhhnnnlll');
  });

  test('is of no concern to those who share no limit: there whoever came first goes first', () => {
    const queues = new Queues();
    for (let i = 0; i < 3; i += 1) queues.add('a', { line: 0 });
    for (let i = 0; i < 3; i += 1) queues.add('b', { line: 2 });
    expect(queues.order()).toBe('aaabbb');
  });
});

test('one that starts in its turn counts once for the turns that are planned behind it', () => {
  const queues = new Queues();
  for (const client of ['a', 'a', 'b', 'b', 'a', 'b']) queues.add(client);
  const walk = new FairWalk(plannedLanes(queues.lines), new PlannedTimes(), 'weighted');
  const turns: string[] = [];
  for (let ticket = walk.next(); ticket !== null; ticket = walk.next()) {
    const { queue } = ticket.line;
    if (turns.length === 0) {
      ticket.state = 'leased';
      queue.remove(ticket);
      ticket.share.class.pool.served(ticket.share, ticket.shareTokens);
    } else {
      queue.book(ticket, { option: {} as RouteOption, at: 0, waitsFor: null });
    }
    walk.served(ticket);
    turns.push(ticket.request.client);
  }
  expect(turns.join('')).toBe('ababab');
});

test('everybody has a turn, each client in its own order, and no client gets ahead by more than one request', () => {
  const step = fc.record({
    client: fc.constantFrom('a', 'b', 'c'),
    tokens: fc.integer({ min: 100, max: 5_000 }),
    line: fc.integer({ min: 0, max: 1 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queues = new Queues();
      for (const each of steps) queues.add(each.client, each);
      const order = inFairOrder(queues.lines, 'weighted');
      expect(new Set(order)).toEqual(new Set(queues.tickets));
      const got = new Map<string, number>();
      for (const [index, ticket] of order.entries()) {
        const { client } = ticket.request;
        const ofClient = (each: Ticket) => each.request.client === client;
        expect(
          order
            .slice(index + 1)
            .filter(ofClient)
            .every((later) => later.order > ticket.order),
        ).toBe(true);
        // Whoever still waits has had no less than the one whose turn it is, but for one request.
        for (const other of order.slice(index + 1)) {
          expect(got.get(client) ?? 0).toBeLessThanOrEqual(
            (got.get(other.request.client) ?? 0) + 1e-6 + largest(order),
          );
        }
        got.set(client, (got.get(client) ?? 0) + ticket.shareTokens);
      }
    }),
  );
});

test('priorities stand in the order of their urgency', () => {
  expect(PRIORITIES).toEqual(['high', 'normal', 'low']);
});

function largest(tickets: readonly Ticket[]): number {
  return Math.max(0, ...tickets.map(({ shareTokens }) => shareTokens));
}
