import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InFlight } from '../../../src/scheduler/limits/in-flight.ts';
import { seededRandom } from '../simulation/random.ts';
import { saturate, sendInOrder, type Trip } from './traffic.ts';
import { Slots } from './twins/slots.ts';

const SLOTS = { capacity: 8 };

test('slots are never refused by an upstream that frees them before we do', () => {
  const trips: fc.Arbitrary<Trip> = fc.record({
    gapMs: fc.double({ min: 0, max: 2_000, noNaN: true }),
    amount: fc.constant(1),
    delayMs: fc.double({ min: 0, max: 250, noNaN: true }),
    servedMs: fc.double({ min: 0, max: 20_000, noNaN: true }),
    charged: fc.constant(0),
    lagMs: fc.double({ min: 1, max: 200, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(trips, { maxLength: 60 }), (program) => {
      const books = { limits: [new InFlight(SLOTS)], twin: new Slots(SLOTS), skewMs: 250 };
      const { refusals, sentAt } = sendInOrder(books, program);
      expect({ refusals, sent: sentAt.length }).toEqual({ refusals: 0, sent: program.length });
    }),
  );
});

test('slots are in use for all but the way there and back and the lag', () => {
  const random = seededRandom(3);
  const books = { limits: [new InFlight(SLOTS)], twin: new Slots(SLOTS), skewMs: 250 };
  const trip = () => ({ gapMs: 0, amount: 1, delayMs: 80 * random(), servedMs: 500, charged: 0, lagMs: 140 });
  const { admitted, refusals } = saturate(books, trip, { fromMs: 10_000, toMs: 610_000 });
  expect(refusals).toBe(0);
  expect((admitted * 500) / (600_000 * 8)).toBeGreaterThanOrEqual((0.97 * 500) / (500 + 80 + 140));
});

test('a full house is asked again later, never at once, and at the pace at which slots were freed', () => {
  const limit = new InFlight({ capacity: 2 });
  limit.settle(limit.take(1, 0), 0, 300);
  limit.take(1, 1_000);
  expect(limit.readyAt(1, 1_000)).toBe(1_000);
  limit.take(1, 1_000);
  expect(limit.readyAt(1, 1_000)).toBe(1_100);
  expect(limit.readyAt(2, 1_000)).toBe(1_200);
  expect(limit.readyAt(3, 1_000)).toBe(Number.POSITIVE_INFINITY);
  expect(limit.readyAt(0, 1_000)).toBe(1_000);
  const hasty = new InFlight({ capacity: 1 });
  hasty.settle(hasty.take(1, 0), 0, 0);
  hasty.take(1, 0);
  expect(hasty.readyAt(1, 5)).toBe(6);
});

test('until a slot has come free it is hoped that one soon will, and no sooner than they have been held already', () => {
  const limit = new InFlight({ capacity: 1 });
  limit.take(1, 10_000);
  expect(limit.fullInMs(10_000)).toBe(1_000);
  expect(limit.fullInMs(14_000)).toBe(4_000);
  expect(limit.fork(14_000).earliest(1, 14_000)).toBe(16_000);
  const idle = new InFlight({ capacity: 1 });
  expect(idle.fullInMs(90_000)).toBe(0);
  idle.take(1, 90_000);
  expect(idle.fullInMs(90_000)).toBe(1_000);
});

test('booked starts are spread over the slots as these come free, and hold nothing ahead', () => {
  const limit = new InFlight({ capacity: 2 });
  limit.settle(limit.take(1, 0), 0, 300);
  limit.take(1, 0);
  limit.take(1, 0);
  const timeline = limit.fork(0);
  const tail = limit.tail(0);
  for (const expected of [100, 200, 400, 500, 700]) {
    expect(timeline.earliest(1, 0)).toBeCloseTo(expected, 6);
    expect(tail.earliest(1, 0)).toBeCloseTo(expected, 6);
    timeline.book(1, timeline.earliest(1, 0));
    tail.append(1, tail.earliest(1, 0));
  }
  expect(timeline.earliest(1, 5_000)).toBe(5_000);
  const idle = new InFlight({ capacity: 1 }).fork(0);
  idle.book(1, 1_000);
  expect(idle.earliest(1, 0)).toBe(0);
  expect(idle.earliest(1, 1_000)).toBe(2_000);
});

test('views book nothing for nothing, and more than there are slots never starts', () => {
  const limit = new InFlight({ capacity: 1 });
  for (const view of [limit.fork(0), limit.tail(0)]) {
    expect(view.earliest(0, 7)).toBe(7);
    expect(view.earliest(2, 7)).toBe(Number.POSITIVE_INFINITY);
  }
  const tail = limit.tail(0);
  tail.append(0, 0);
  tail.release(1);
  expect(tail.earliest(1, 0)).toBe(0);
});

test('levels follow what is in flight; nothing outlives the process, and no head or refusal changes it', () => {
  const limit = new InFlight({ capacity: 3 });
  expect(limit.fullInMs(0)).toBe(0);
  const booking = limit.take(1, 0);
  expect(limit.level()).toBe(2);
  expect(limit.fullInMs(0)).toBe(1_000);
  expect(limit.observe()).toBe(false);
  limit.refused();
  limit.setSkew();
  limit.setCapacity(2);
  expect(limit.capacity).toBe(2);
  expect(limit.level()).toBe(1);
  expect(limit.snapshot()).toEqual({ capacity: 2, used: [] });
  limit.restore();
  expect(limit.settle(booking, 1, 10)).toBe(false);
  expect(limit.settle(booking, 0, 10)).toBe(true);
  expect(limit.settle(booking, 0, 20)).toBe(false);
  expect(limit.level()).toBe(2);
});
