import { expect, test } from 'vitest';
import { Gate } from '../../src/scheduler/gate.ts';

test('lets one through, and one more after each good answer', () => {
  const gate = new Gate(false);
  gate.enter();
  expect(gate.hasRoom).toBe(false);
  gate.leave();
  gate.widen();
  gate.enter();
  expect(gate.hasRoom).toBe(true);
  gate.enter();
  expect(gate.hasRoom).toBe(false);
});

test('opens for good once so many have been answered that it holds nobody back', () => {
  const gate = new Gate(false);
  for (let answers = 0; answers < 64; answers += 1) gate.widen();
  expect(gate.isOpen).toBe(true);
  gate.widen();
  expect(gate.isOpen).toBe(true);
});

test('counts those under way while it is open, so that closing it finds them', () => {
  const gate = new Gate(true);
  gate.enter();
  gate.close();
  expect(gate.hasRoom).toBe(false);
  gate.leave();
  expect(gate.hasRoom).toBe(true);
  gate.open();
  expect(gate.isOpen).toBe(true);
});
