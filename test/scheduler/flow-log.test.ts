import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowLog } from '../../src/scheduler/flow-log.ts';

test('sums over any stretch are those of a list', () => {
  const entries = fc.array(
    fc.record({ gapMs: fc.integer({ min: 0, max: 50 }), amount: fc.integer({ min: -9, max: 9 }) }),
    {
      maxLength: 80,
    },
  );
  const instants = fc.integer({ min: -10, max: 1_000 });
  fc.assert(
    fc.property(entries, instants, instants, (list, from, to) => {
      const flow = new FlowLog({ keepMs: 1e9 });
      const dated: { at: number; amount: number }[] = [];
      let at = 0;
      for (const { gapMs, amount } of list) {
        at += gapMs;
        flow.record(at, amount);
        dated.push({ at, amount });
      }
      const within = dated.filter((entry) => entry.at >= from && entry.at <= to).map(({ amount }) => amount);
      const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + amount, 0);
      expect(flow.sentBetween(from, to)).toBe(sum(within.filter((amount) => amount > 0)));
      expect(flow.refundedBetween(from, to)).toBe(0 - sum(within.filter((amount) => amount < 0)));
      expect(flow.sumBetween(from, to)).toBe(sum(within));
    }),
  );
});

test('what is too old is forgotten, and it says so', () => {
  const flow = new FlowLog({ keepMs: 1_000 });
  expect(flow.covers(0)).toBe(true);
  for (let at = 0; at <= 10_000; at += 10) flow.record(at, 1);
  expect(flow.covers(8_990)).toBe(false);
  expect(flow.covers(8_991)).toBe(true);
  expect(flow.sentBetween(9_000, 10_000)).toBe(101);
  expect(flow.sentBetween(0, 10_000)).toBe(101);
});

test('a burst does not make it grow without bound', () => {
  const flow = new FlowLog({ maxEntries: 100 });
  for (let at = 0; at < 1_000; at += 1) flow.record(at, 2);
  expect(flow.covers(899)).toBe(false);
  expect(flow.covers(900)).toBe(true);
  expect(flow.sentBetween(900, 999)).toBe(200);
});

test('what may be charged at its end only is unsure from the sending to the end, however long ago that began', () => {
  const flow = new FlowLog({ keepMs: 1_000 });
  flow.record(100, 50, 30);
  flow.record(200, 10);
  expect([100, 101, 201].map((instant) => flow.unsureBefore(instant))).toEqual([0, 30, 30]);
  for (let at = 1_000; at <= 9_000; at += 10) flow.record(at, 1);
  expect(flow.unsureBefore(9_000)).toBe(30);
  flow.record(9_500, -20, -30);
  expect([9_500, 9_501].map((instant) => flow.unsureBefore(instant))).toEqual([30, 0]);
});
