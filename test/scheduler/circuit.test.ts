import { expect, test } from 'vitest';
import { Circuit } from '../../src/scheduler/circuit.ts';

const withoutJitter = () => 0;

/** Fails at `at`, as what was granted just then does. */
function fail(circuit: Circuit, at: number): boolean {
  return circuit.failed(at, at);
}

function opened(at = 1): Circuit {
  const circuit = new Circuit(withoutJitter);
  fail(circuit, at);
  fail(circuit, at);
  return circuit;
}

/** One that passes at `at`, and is answered. */
function serve(circuit: Circuit, at: number): void {
  circuit.enter();
  circuit.leave(at);
  circuit.proved(at);
  circuit.succeeded(at);
}

/** How many may pass together now. */
function room(circuit: Circuit, at: number): number {
  let passed = 0;
  for (; circuit.hasRoom && passed < 100; passed += 1) circuit.enter();
  for (let left = 0; left < passed; left += 1) circuit.leave(at);
  return passed;
}

test('opens after two failures in a row, and rests for a second', () => {
  const circuit = new Circuit(withoutJitter);
  expect(fail(circuit, 1)).toBe(false);
  expect(fail(circuit, 1)).toBe(true);
  expect(circuit.state(10)).toEqual({ kind: 'open', until: 1001 });
  expect(circuit.availableAt(10)).toBe(1001);
  expect(circuit.failuresInRow).toBe(2);
});

test('stays closed while a route fails only now and then', () => {
  const circuit = new Circuit(withoutJitter);
  for (let round = 0; round < 30; round += 1) {
    for (let good = 0; good < 8; good += 1) serve(circuit, 1);
    expect(fail(circuit, 1)).toBe(false);
    expect(fail(circuit, 1)).toBe(false);
  }
  expect(circuit.state(1).kind).toBe('closed');
});

test('after its rest one probe passes, and answers lead through a slow start back to closed', () => {
  const circuit = opened(1);
  expect(circuit.state(1001).kind).toBe('half-open');
  expect(circuit.availableAt(1001)).toBe(1001);
  expect(room(circuit, 1001)).toBe(1);
  serve(circuit, 1001);
  expect(circuit.state(1001).kind).toBe('slow-start');
  expect(room(circuit, 1001)).toBe(2);
  for (let answers = 0; answers < 63; answers += 1) serve(circuit, 1001);
  expect(circuit.state(1001).kind).toBe('closed');
  expect(circuit.isWide).toBe(true);
});

test('what is under way doubles with every round trip of a slow start', () => {
  const circuit = opened(1);
  circuit.state(1001);
  const together: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    together.push(room(circuit, 1001));
    for (let each = together[round] ?? 0; each > 0; each -= 1) serve(circuit, 1001);
  }
  expect(together).toEqual([1, 2, 4, 8, 16, 32]);
});

test('a failed probe doubles the rest, up to a minute', () => {
  const circuit = opened(1);
  let now = 1;
  const rests: number[] = [];
  for (let probe = 0; probe < 8; probe += 1) {
    const state = circuit.state(now);
    if (state.kind !== 'open') throw new Error(`is ${state.kind}`);
    rests.push(state.until - now);
    now = state.until;
    circuit.state(now);
    fail(circuit, now);
  }
  expect(rests).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test('a failure within a slow start opens it again', () => {
  const circuit = opened(1);
  circuit.state(1001);
  serve(circuit, 1001);
  expect(fail(circuit, 1002)).toBe(true);
  expect(circuit.availableAt(1002)).toBe(3002);
});

test('opens after three failures in a row, however well it went before', () => {
  const circuit = new Circuit(withoutJitter);
  for (let good = 0; good < 100; good += 1) serve(circuit, 1);
  for (let bad = 0; bad < 2; bad += 1) expect(fail(circuit, 1)).toBe(false);
  expect(fail(circuit, 1)).toBe(true);
});

test('streams that begin well and break off open it all the same', () => {
  const circuit = new Circuit(withoutJitter);
  circuit.proved(1);
  expect(circuit.failed(2, 1)).toBe(false);
  circuit.proved(3);
  expect(circuit.failed(4, 3)).toBe(true);
});

test('what was granted before it opened neither lengthens the rest nor ends it', () => {
  const circuit = opened(10);
  expect(circuit.failed(500, 5)).toBe(false);
  expect(circuit.availableAt(500)).toBe(1010);
  circuit.proved(5);
  circuit.succeeded(5);
  expect(circuit.state(600).kind).toBe('open');
  expect(circuit.state(1010).kind).toBe('half-open');
  expect(circuit.failed(1020, 5)).toBe(false);
  circuit.proved(5);
  expect(circuit.state(1020).kind).toBe('half-open');
});

test('what hangs since before it opened holds no probe back', () => {
  const circuit = new Circuit(withoutJitter);
  for (let hanging = 0; hanging < 50; hanging += 1) circuit.enter();
  for (let bad = 0; bad < 3; bad += 1) {
    circuit.leave(1);
    circuit.failed(20, 1);
  }
  circuit.state(1020);
  expect(room(circuit, 1020)).toBe(1);
  for (let hanging = 0; hanging < 47; hanging += 1) circuit.leave(1);
  expect(room(circuit, 1020)).toBe(1);
});

test('a rest that is known from elsewhere ends in one probe too, and is no failure', () => {
  const circuit = new Circuit(withoutJitter);
  circuit.rest(10, 5000);
  circuit.rest(20, 4000);
  expect(circuit.state(20)).toEqual({ kind: 'open', until: 5000 });
  circuit.rest(30, 6000);
  expect(circuit.state(30)).toEqual({ kind: 'open', until: 6000 });
  expect(circuit.failuresInRow).toBe(0);
  circuit.state(6000);
  expect(room(circuit, 6000)).toBe(1);
});

test('what is asked in place of requests ends a rest or prolongs it, and changes nothing else', () => {
  const circuit = new Circuit(withoutJitter);
  circuit.tryNow();
  circuit.extend(9_000);
  expect(circuit.state(1).kind).toBe('closed');
  fail(circuit, 1);
  fail(circuit, 1);
  circuit.extend(9_000);
  expect(circuit.state(2)).toEqual({ kind: 'open', until: 9_000 });
  circuit.tryNow();
  expect(circuit.state(2).kind).toBe('half-open');
  expect(room(circuit, 2)).toBe(1);
});

test('knows when those were granted that told something last', () => {
  const circuit = new Circuit(withoutJitter);
  expect(circuit.heardAt).toBe(Number.NEGATIVE_INFINITY);
  circuit.succeeded(5);
  expect(circuit.heardAt).toBe(5);
  circuit.failed(9, 7);
  expect(circuit.heardAt).toBe(7);
});
