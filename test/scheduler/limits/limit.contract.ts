import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Limit } from '../../../src/scheduler/limits/limit.ts';
import { seededRandom } from '../simulation/random.ts';
import { bruteForceEarliest, type Placed, spend } from './brute-force.ts';
import { saturate, sendInOrder, type Trip } from './traffic.ts';
import type { Twin } from './twins/twin.ts';

export interface ContractCase {
  readonly name: string;
  readonly capacity: number;
  readonly windowMs: number;
  readonly skewMs: number;
  /** Everything that one lease books, the limit itself first. */
  readonly limits: () => Limit[];
  readonly twins: Readonly<Record<string, (random: () => number) => Twin>>;
  readonly utilisation: readonly { readonly meanShare: number; readonly atLeast: number }[];
}

/** What every algorithm promises, whatever its upstream does within the skew. */
export function describeLimit(given: ContractCase): void {
  describe(given.name, () => {
    for (const [twin, create] of Object.entries(given.twins)) describeTwin(given, { name: twin, create });
    describeViews(given);
    describeState(given);
  });
}

function describeTwin(given: ContractCase, twin: { name: string; create: (random: () => number) => Twin }): void {
  test(`is never refused by ${twin.name}, in whatever order requests arrive and are settled`, () => {
    fc.assert(
      fc.property(fc.array(trips(given), { minLength: 1, maxLength: 60 }), fc.nat(), (program, seed) => {
        const books = { limits: given.limits(), twin: twin.create(seededRandom(seed)), skewMs: given.skewMs };
        const { refusals, sentAt } = sendInOrder(books, program);
        expect({ refusals, sent: sentAt.length }).toEqual({ refusals: 0, sent: program.length });
      }),
      { numRuns: 300 },
    );
  });

  test.each(given.utilisation)(
    `uses at least $atLeast of ${twin.name} for requests of $meanShare of it`,
    ({ meanShare, atLeast }) => {
      const random = seededRandom(7);
      const books = { limits: given.limits(), twin: twin.create(random), skewMs: given.skewMs };
      const windows = Math.max(12, Math.min(100, 4_000 * meanShare));
      const span = { fromMs: 2 * given.windowMs, toMs: (2 + windows) * given.windowMs };
      const { admitted, refusals } = saturate(books, () => longTailed(given, meanShare, random), span);
      expect(refusals).toBe(0);
      expect(admitted / (windows * given.capacity)).toBeGreaterThanOrEqual(atLeast);
    },
  );
}

function describeViews(given: ContractCase): void {
  const requests = fc.record({ amount: amounts(given), gapMs: fc.double({ min: 0, max: 0.5, noNaN: true }) });
  const programs = fc.record({
    past: fc.array(fc.record({ gapMs: gaps(given), amount: amounts(given), part: parts() }), { maxLength: 12 }),
    ageMs: gaps(given),
    bookings: fc.array(requests, { maxLength: 10 }),
    request: requests,
  });

  test('plans the first start that moves no booking, as a search through all of them does', () => {
    fc.assert(
      fc.property(programs, ({ past, ageMs, bookings, request }) => {
        const books = spend(given.limits(), past, ageMs);
        const timeline = books.limit.fork(books.now);
        const placed: Placed[] = [];
        for (const { amount, gapMs } of bookings) {
          const at = timeline.earliest(amount, books.now + gapMs * given.windowMs);
          timeline.book(amount, at);
          placed.push({ amount, at });
        }
        const from = books.now + request.gapMs * given.windowMs;
        const found = timeline.earliest(request.amount, from);
        const search = { past, ageMs, placed, amount: request.amount, from };
        const first = bruteForceEarliest(given.limits, search, 3e-3);
        const surely = bruteForceEarliest(given.limits, search, 1e-6);
        expect(found).toBeGreaterThanOrEqual(first - 0.01);
        expect(found).toBeLessThanOrEqual(surely + 0.01);
      }),
      { numRuns: 500 },
    );
  });

  test('answers the same from the books, from a plan without bookings and from the end of an empty queue', () => {
    fc.assert(
      fc.property(programs, ({ past, ageMs, request }) => {
        const { limit, now } = spend(given.limits(), past, ageMs);
        const from = now + request.gapMs * given.windowMs;
        const ready = limit.readyAt(request.amount, from);
        expect(limit.fork(now).earliest(request.amount, from)).toBeCloseTo(ready, 5);
        expect(limit.tail(now).earliest(request.amount, from)).toBeCloseTo(ready, 5);
      }),
    );
  });

  test('predicts at the end of the queue what the plan books, in order', () => {
    fc.assert(
      fc.property(programs, ({ past, ageMs, bookings }) => {
        const { limit, now } = spend(given.limits(), past, ageMs);
        const timeline = limit.fork(now);
        const tail = limit.tail(now);
        let from = now;
        for (const { amount, gapMs } of bookings) {
          from += gapMs;
          const at = timeline.earliest(amount, from);
          expect(tail.earliest(amount, from)).toBeCloseTo(at, 2);
          timeline.book(amount, at);
          tail.append(amount, at);
          from = at;
        }
      }),
    );
  });

  test('books nothing for what costs nothing, and never starts what is above the capacity', () => {
    const [limit] = given.limits() as [Limit];
    for (const view of [limit.fork(0), limit.tail(0)]) {
      expect(view.earliest(0, 5)).toBe(5);
      expect(view.earliest(given.capacity + 1, 5)).toBe(Number.POSITIVE_INFINITY);
    }
    const timeline = limit.fork(0);
    timeline.book(0, 0);
    expect(timeline.earliest(given.capacity, 0)).toBe(0);
    const tail = limit.tail(0);
    tail.append(0, 0);
    expect(tail.earliest(given.capacity, 0)).toBe(0);
    expect(limit.readyAt(0, 5)).toBe(5);
    expect(limit.readyAt(given.capacity + 1, 5)).toBe(Number.POSITIVE_INFINITY);
  });
}

function describeState(given: ContractCase): void {
  const programs = fc.record({
    past: fc.array(fc.record({ gapMs: gaps(given), amount: amounts(given), part: parts() }), { maxLength: 12 }),
    ageMs: gaps(given),
    awayMs: gaps(given),
  });

  test('grants a request of exactly its capacity in the end', () => {
    fc.assert(
      fc.property(programs, ({ past, ageMs }) => {
        const { limit, now } = spend(given.limits(), past, ageMs);
        const at = limit.readyAt(given.capacity, now);
        expect(at).toBeLessThan(now + 3 * given.windowMs);
        limit.take(given.capacity, at);
        expect(limit.level(at)).toBeLessThan(given.capacity * 1e-6);
      }),
    );
  });

  test('is full after the time it says', () => {
    fc.assert(
      fc.property(programs, ({ past, ageMs }) => {
        const { limit, now } = spend(given.limits(), past, ageMs);
        const [fresh] = given.limits() as [Limit];
        expect(limit.level(now + limit.fullInMs(now) + 1e-3)).toBeCloseTo(fresh.level(0), 3);
      }),
    );
  });

  test('is after a restart as if it had lived on', () => {
    fc.assert(
      fc.property(programs, ({ past, ageMs, awayMs }) => {
        const { limit, now } = spend(given.limits(), past, ageMs);
        const [restored] = given.limits() as [Limit];
        restored.restore(limit.snapshot(now), awayMs, now + awayMs);
        const later = now + awayMs;
        expect(restored.level(later)).toBeCloseTo(limit.level(later), 3);
        const half = given.capacity / 2;
        expect(restored.readyAt(half, later)).toBeCloseTo(limit.readyAt(half, later), 3);
      }),
    );
  });

  test('keeps what was used when the capacity changes', () => {
    const [limit] = given.limits() as [Limit];
    const full = limit.level(0);
    limit.take(given.capacity / 5, 0);
    const used = full - limit.level(0);
    limit.setCapacity(given.capacity / 2, 0);
    expect(limit.capacity).toBe(given.capacity / 2);
    const [half] = given.limits() as [Limit];
    half.setCapacity(given.capacity / 2, 0);
    expect(half.level(0) - limit.level(0)).toBeCloseTo(used, 6);
    expect(limit.readyAt(given.capacity, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test('admits everything while no capacity is known', () => {
    const [limit] = given.limits() as [Limit];
    limit.setCapacity(Number.POSITIVE_INFINITY, 0);
    const booking = limit.take(1e9, 0);
    expect(limit.readyAt(1e9, 0)).toBe(0);
    for (const view of [limit.fork(0), limit.tail(0)]) expect(view.earliest(1e9, 0)).toBe(0);
    const timeline = limit.fork(0);
    timeline.book(1e9, 0);
    expect(timeline.earliest(1e9, 0)).toBe(0);
    limit.refused(0, 0, given.windowMs);
    expect(limit.observe({ now: 0, lowest: 0, highest: 0, mayRaise: true })).toBe(false);
    expect(limit.readyAt(1e9, 0)).toBe(0);
    limit.settle(booking, 0, 0);
    limit.setCapacity(given.capacity, 0);
    expect(limit.readyAt(given.capacity, 0)).toBe(0);
  });

  test('moves its level into the bounds that a head proves, and only the newest raises it', () => {
    const [limit] = given.limits() as [Limit];
    const full = limit.level(0);
    const bounds = { now: 0, lowest: full * 0.4, highest: full * 0.6, mayRaise: false };
    expect(limit.observe(bounds)).toBe(true);
    expect(limit.level(0)).toBeCloseTo(full * 0.6, 6);
    expect(limit.observe(bounds)).toBe(false);
    limit.refused(full * 0.2, 0, given.windowMs);
    expect(limit.level(0)).toBeCloseTo(full * 0.2, 6);
    expect(limit.observe(bounds)).toBe(false);
    expect(limit.observe({ ...bounds, mayRaise: true })).toBe(true);
    expect(limit.level(0)).toBeCloseTo(full * 0.4, 6);
    expect(limit.observe({ ...bounds, mayRaise: true })).toBe(false);
    limit.refused(full, 0, given.windowMs);
    expect(limit.level(0)).toBeCloseTo(full * 0.4, 6);
  });

  test('settles to what was charged, and says whether that freed anything', () => {
    const [limit] = given.limits() as [Limit];
    const full = limit.level(0);
    const booking = limit.take(given.capacity / 4, 0);
    const before = limit.level(0);
    expect(limit.settle(booking, given.capacity / 4, 0)).toBe(false);
    expect(limit.settle(booking, given.capacity / 2, 0)).toBe(false);
    expect(limit.level(0)).toBeCloseTo(before - given.capacity / 4, 6);
    expect(limit.settle(booking, 0, 0)).toBe(true);
    expect(limit.level(0)).toBeLessThanOrEqual(full);
    expect(limit.level(0)).toBeGreaterThan(before);
  });
}

function amounts({ capacity }: ContractCase): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: Math.max(1, Math.floor(capacity / 10)) }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: capacity }) },
    { weight: 1, arbitrary: fc.constant(capacity) },
  );
}

function gaps({ windowMs }: ContractCase): fc.Arbitrary<number> {
  return fc.oneof(
    fc.constant(0),
    fc.double({ min: 0, max: windowMs / 50, noNaN: true }),
    fc.double({ min: 0, max: 2 * windowMs, noNaN: true }),
  );
}

/** Which part of the reservation is charged. */
function parts(): fc.Arbitrary<number> {
  return fc.oneof(
    fc.constant(1),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 1, max: 2, noNaN: true }),
  );
}

function trips(given: ContractCase): fc.Arbitrary<Trip> {
  const { skewMs, windowMs } = given;
  const latest = skewMs - 1;
  return fc
    .record({
      gapMs: gaps(given),
      amount: amounts(given),
      delayMs: fc.oneof(fc.constant(0), fc.constant(latest), fc.double({ min: 0, max: latest, noNaN: true })),
      servedMs: fc.oneof(
        fc.double({ min: 0, max: 1000, noNaN: true }),
        fc.double({ min: 0, max: windowMs, noNaN: true }),
      ),
      part: parts(),
      lagMs: fc.double({ min: 1, max: 200, noNaN: true }),
    })
    .map(({ part, ...trip }) => ({ ...trip, charged: trip.amount * part }));
}

/** Costs with a coefficient of variation of one, cut at the capacity; everything that was reserved is charged. */
function longTailed({ capacity, skewMs }: ContractCase, meanShare: number, random: () => number): Trip {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const sigma = Math.sqrt(Math.LN2);
  const amount = Math.min(
    capacity,
    Math.max(1, Math.round(meanShare * capacity * Math.exp(sigma * normal - sigma ** 2 / 2))),
  );
  return { gapMs: 0, amount, delayMs: skewMs * random(), servedMs: 1000, charged: amount, lagMs: 100 };
}
