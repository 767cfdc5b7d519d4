import { expect, test } from 'vitest';
import { Circuit } from '../../src/scheduler/circuit.ts';

const withoutJitter = () => 0;

test('opens after two failures in a row, and rests for a second', () => {
  const circuit = new Circuit(withoutJitter);
  expect(circuit.failed(0)).toBe(false);
  expect(circuit.failed(0)).toBe(true);
  expect(circuit.state(10)).toEqual({ kind: 'open', until: 1000 });
  expect(circuit.availableAt(10)).toBe(1000);
  expect(circuit.failuresInRow).toBe(2);
});

test('stays closed while a route fails only now and then', () => {
  const circuit = new Circuit(withoutJitter);
  for (let round = 0; round < 30; round += 1) {
    for (let good = 0; good < 8; good += 1) circuit.succeeded();
    expect(circuit.failed(0)).toBe(false);
    expect(circuit.failed(0)).toBe(false);
  }
  expect(circuit.state(0).kind).toBe('closed');
});

test('after its rest one probe passes, and successes lead through a slow start back to closed', () => {
  const circuit = new Circuit(withoutJitter);
  circuit.failed(0);
  circuit.failed(0);
  expect(circuit.state(1000).kind).toBe('half-open');
  expect(circuit.availableAt(1000)).toBe(1000);
  circuit.gate.enter();
  expect(circuit.gate.hasRoom).toBe(false);
  circuit.succeeded();
  expect(circuit.state(1000).kind).toBe('slow-start');
  for (let answers = 0; answers < 63; answers += 1) circuit.succeeded();
  expect(circuit.state(1000).kind).toBe('closed');
  expect(circuit.gate.isOpen).toBe(true);
});

test('a failed probe doubles the rest, up to a minute', () => {
  const circuit = new Circuit(withoutJitter);
  circuit.failed(0);
  circuit.failed(0);
  let now = 0;
  const rests: number[] = [];
  for (let probe = 0; probe < 8; probe += 1) {
    const state = circuit.state(now);
    if (state.kind !== 'open') throw new Error(`is ${state.kind}`);
    rests.push(state.until - now);
    now = state.until;
    circuit.state(now);
    circuit.failed(now);
  }
  expect(rests).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test('a failure of a request that was under way when it opened changes nothing', () => {
  const circuit = new Circuit(withoutJitter);
  circuit.failed(0);
  circuit.failed(0);
  expect(circuit.failed(500)).toBe(false);
  expect(circuit.availableAt(500)).toBe(1000);
});

test('opens after three failures in a row, however well it went before', () => {
  const circuit = new Circuit(withoutJitter);
  for (let good = 0; good < 100; good += 1) circuit.succeeded();
  for (let bad = 0; bad < 2; bad += 1) expect(circuit.failed(0)).toBe(false);
  expect(circuit.failed(0)).toBe(true);
});
