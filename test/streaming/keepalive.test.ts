import { describe, expect, it } from 'vitest';
import { Keepalive } from '../../src/streaming/keepalive.ts';
import { FakeClock } from '../support/fake-clock.ts';

function scene() {
  const clock = new FakeClock();
  const quietAt: number[] = [];
  const keepalive = new Keepalive(clock, 20_000, () => quietAt.push(clock.now()));
  return { clock, quietAt, keepalive };
}

describe('a keepalive', () => {
  it('comes each time that nothing was written for the whole interval', () => {
    const { clock, quietAt } = scene();
    clock.advance(65_000);
    expect(quietAt).toEqual([20_000, 40_000, 60_000]);
  });

  it('is put off by every write', () => {
    const { clock, quietAt, keepalive } = scene();
    clock.advance(15_000);
    keepalive.note();
    clock.advance(15_000);
    keepalive.note();
    clock.advance(19_999);
    expect(quietAt).toEqual([]);
    clock.advance(1);
    expect(quietAt).toEqual([50_000]);
  });

  it('never comes after the stop, and leaves no timer', () => {
    const { clock, quietAt, keepalive } = scene();
    clock.advance(25_000);
    keepalive.stop();
    clock.advance(100_000);
    expect(quietAt).toEqual([20_000]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('can be stopped from within', () => {
    const clock = new FakeClock();
    const keepalive: Keepalive = new Keepalive(clock, 10, () => keepalive.stop());
    clock.advance(100);
    expect(clock.pendingTimers).toBe(0);
  });
});
