import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chargeOf } from '../../src/charge.ts';
import type { Line } from '../../src/scheduler/line.ts';
import type { RouteOption } from '../../src/scheduler/model-routes.ts';
import { Pool, USUAL_SHARE } from '../../src/scheduler/shares/share.ts';
import { Ticket, type TicketRequest } from '../../src/scheduler/ticket.ts';
import { TicketQueue } from '../../src/scheduler/ticket-queue.ts';

const charge = chargeOf(1, 1);
const cost = { reserved: charge, expected: charge, certain: charge };
const share = new Pool().share('c', USUAL_SHARE);

function ticket(order: number, maxWaitMs = 1000): Ticket {
  const request = { maxWaitMs, costs: [cost] } as unknown as TicketRequest;
  return new Ticket(request, {} as Line, { share, order, now: 0, hasPromise: false });
}

function leave(queue: TicketQueue, leaving: Ticket): void {
  leaving.state = 'done';
  queue.remove(leaving);
}

const booking = { option: {} as RouteOption, at: 0, waitsFor: null };

test('gives tickets in their order of arrival, whichever way they come and go', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), order: fc.integer({ min: 0, max: 1000 }) }),
    fc.record({ do: fc.constant('leave' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('return' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('book' as const) }),
    fc.record({ do: fc.constant('unbook' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new TicketQueue();
      const model: Ticket[] = [];
      const gone: Ticket[] = [];
      for (const each of steps) {
        if (each.do === 'add' && ![...model, ...gone].some(({ order }) => order === each.order)) {
          const added = ticket(each.order);
          model.push(added);
          model.sort((a, b) => a.order - b.order);
          queue.add(added);
        } else if (each.do === 'leave' && model.length > 0) {
          const leaving = model.splice(each.which % model.length, 1)[0] as Ticket;
          leave(queue, leaving);
          gone.push(leaving);
        } else if (each.do === 'return' && gone.length > 0) {
          const back = gone.splice(each.which % gone.length, 1)[0] as Ticket;
          back.state = 'waiting';
          model.push(back);
          model.sort((a, b) => a.order - b.order);
          queue.add(back);
        } else if (each.do === 'book') {
          const next = queue.nextUnbooked();
          expect(next).toBe(model.find((waiting) => waiting.booking === null) ?? null);
          if (next) queue.book(next, booking);
        } else if (each.do === 'unbook') {
          queue.unbookAll();
          expect(model.every((waiting) => waiting.booking === null)).toBe(true);
        }
        expect([...queue]).toEqual(model);
        expect([...queue.booked()]).toEqual(model.filter((waiting) => waiting.booking !== null));
        expect(queue.size).toBe(model.length);
        expect(queue.bookedCount).toBe(model.filter((waiting) => waiting.booking !== null).length);
      }
    }),
    { numRuns: 300 },
  );
});

test('says when a ticket comes back before those that are booked', () => {
  const queue = new TicketQueue();
  const first = ticket(1);
  queue.add(first);
  queue.book(queue.nextUnbooked() as Ticket, booking);
  expect(queue.add(ticket(2))).toBe(false);
  expect(queue.add(ticket(0))).toBe(true);
});

test('one that comes back while the gap that it left is still there waits once', () => {
  const queue = new TicketQueue();
  const [first, second] = [ticket(0), ticket(1)];
  for (const each of [first, second]) queue.add(each);
  queue.book(queue.nextUnbooked() as Ticket, booking);
  queue.book(queue.nextUnbooked() as Ticket, booking);
  leave(queue, second);
  second.state = 'waiting';
  expect(queue.add(second)).toBe(true);
  expect([...queue]).toEqual([first, second]);
  queue.book(queue.nextUnbooked() as Ticket, booking);
  expect([...queue.booked()]).toEqual([first, second]);
});

test('does not keep the places of ten thousand that have left', () => {
  const queue = new TicketQueue();
  const tickets = Array.from({ length: 10_000 }, (_, order) => ticket(order));
  for (const each of tickets) queue.add(each);
  const last = tickets.pop() as Ticket;
  for (let i = 0; i < 10; i += 1) queue.book(queue.nextUnbooked() as Ticket, booking);
  for (const each of tickets) leave(queue, each);
  expect([...queue]).toEqual([last]);
  expect(queue.nextUnbooked()).toBe(last);
});

test('whoever comes after all places were booked and most have left is the next to be booked', () => {
  const queue = new TicketQueue();
  const tickets = Array.from({ length: 200 }, (_, order) => ticket(order));
  for (const each of tickets) queue.add(each);
  for (let next = queue.nextUnbooked(); next; next = queue.nextUnbooked()) queue.book(next, booking);
  for (const each of tickets.slice(1)) leave(queue, each);
  expect(queue.nextUnbooked()).toBeNull();
  const late = ticket(1_000);
  expect(queue.add(late)).toBe(false);
  expect(queue.nextUnbooked()).toBe(late);
});

test('knows that an older one waits beside those that are booked, until it is put in order', () => {
  const queue = new TicketQueue();
  const [oldest, first, second, last] = [ticket(0), ticket(1), ticket(2), ticket(3)];
  for (const each of [first, second, last]) queue.add(each);
  queue.book(queue.nextUnbooked() as Ticket, booking);
  queue.book(queue.nextUnbooked() as Ticket, booking);
  expect(queue.isInOrder).toBe(true);
  queue.add(oldest);
  expect(queue.isInOrder).toBe(false);
  expect(queue.upToLastBooked()).toEqual([oldest, first, second]);
  queue.rebook(oldest, booking);
  queue.rebook(first, { ...booking, at: 9 });
  queue.putInOrder();
  expect(queue.isInOrder).toBe(true);
  expect([queue.bookedCount, first.booking?.at, queue.nextUnbooked()]).toEqual([3, 9, last]);
});

test('one that loses its booking is the next to be booked, and loses it once', () => {
  const queue = new TicketQueue();
  const [first, second, gone] = [ticket(0), ticket(1), ticket(2)];
  for (const each of [first, gone, second]) queue.add(each);
  leave(queue, gone);
  queue.book(queue.nextUnbooked() as Ticket, booking);
  queue.book(queue.nextUnbooked() as Ticket, booking);
  expect(queue.upToLastBooked()).toEqual([first, second]);
  queue.unbook(second);
  queue.unbook(second);
  expect([queue.bookedCount, queue.nextUnbooked()]).toEqual([1, second]);
});

describe('making way', () => {
  const queued = (...tickets: Ticket[]) => {
    const queue = new TicketQueue();
    for (const each of tickets) queue.add(each);
    return queue;
  };
  const all = () => true;

  test('puts an urgent one before those at the end that may be passed, over gaps, and says who they are', () => {
    const [first, second, third, gone, last] = [1, 2, 3, 4, 5].map((order) => ticket(order)) as [
      Ticket,
      Ticket,
      Ticket,
      Ticket,
      Ticket,
    ];
    const queue = queued(first, second, third, gone, last);
    leave(queue, gone);
    const urgent = ticket(6);
    expect(queue.makeWay(urgent, (older) => older !== second)).toEqual([last, third]);
    queue.add(urgent);
    expect([...queue]).toEqual([first, second, urgent, third, last]);
    expect(queue.youngest()).toBe(last);
    expect(queue.youngest(last)).toBe(third);
  });

  test('may put it before everybody, and leaves it where it is if nobody may be passed', () => {
    const queue = queued(ticket(1), ticket(2));
    const [urgent, other] = [ticket(3), ticket(4)];
    expect(queue.makeWay(urgent, all)).toHaveLength(2);
    expect(urgent.order).toBeLessThan(1);
    expect(queue.makeWay(other, () => false)).toEqual([]);
    expect(other.order).toBe(4);
  });

  test('leaves the gap between two others to the one that it belongs to', () => {
    const [first, leased, last] = [ticket(1), ticket(2), ticket(3)];
    const queue = queued(first, leased, last);
    leave(queue, leased);
    const urgent = ticket(4);
    expect(queue.makeWay(urgent, (older) => older !== first)).toEqual([last]);
    queue.add(urgent);
    leased.state = 'waiting';
    queue.add(leased);
    expect([...queue]).toHaveLength(4);
    expect(new Set(queue)).toEqual(new Set([first, leased, urgent, last]));
  });

  test('is refused where there is no number left between two', () => {
    const queue = queued(ticket(1), ticket(1 + Number.EPSILON));
    const urgent = ticket(2);
    expect(queue.makeWay(urgent, (older) => older.order > 1)).toEqual([]);
    expect(urgent.order).toBe(2);
  });

  test('finds nobody in a queue of those who have left', () => {
    const left = ticket(1);
    const queue = queued(left, ticket(2));
    leave(queue, left);
    expect(queue.youngest(queue.youngest())).toBeNull();
  });
});
