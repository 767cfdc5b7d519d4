import { beforeEach, describe, expect, it } from 'vitest';
import { CallTimers } from '../../src/upstream/call-timers.ts';
import { FakeClock } from '../support/fake-clock.ts';

let clock: FakeClock;
let expired: string[];
let timers: CallTimers;

beforeEach(() => {
  clock = new FakeClock(5_000);
  expired = [];
  const timeouts = { connectMs: 50, firstByteMs: 1_000, idleMs: 300, totalMs: 3_000 };
  timers = new CallTimers(clock, timeouts, (kind) => {
    expired.push(`${kind} at ${clock.now() - 5_000}`);
    timers.stop();
  });
});

function advanceToEnd(): string[] {
  clock.advance(60_000);
  expect(clock.pendingTimers).toBe(0);
  return expired;
}

describe('connecting', () => {
  it('has its own time', () => {
    expect(advanceToEnd()).toEqual(['connect_timeout at 50']);
  });
});

describe('waiting for the first event', () => {
  it('counts from sending', () => {
    clock.advance(40);
    timers.sent();
    expect(advanceToEnd()).toEqual(['first_byte_timeout at 1040']);
  });

  it('does not start again when a stale connection is replaced', () => {
    clock.advance(40);
    timers.sent();
    clock.advance(500);
    timers.sent();
    expect(advanceToEnd()).toEqual(['first_byte_timeout at 1040']);
  });

  it('is not ended by pieces of the body', () => {
    timers.sent();
    clock.advance(900);
    timers.piece();
    expect(advanceToEnd()).toEqual(['first_byte_timeout at 1000']);
  });
});

describe('silence', () => {
  it('counts from the last piece', () => {
    timers.sent();
    clock.advance(900);
    timers.firstEvent();
    for (let piece = 0; piece < 5; piece++) {
      clock.advance(200);
      timers.piece();
    }
    timers.firstEvent();
    expect(advanceToEnd()).toEqual(['idle_timeout at 2200']);
  });

  it('stands still while paused', () => {
    timers.sent();
    timers.firstEvent();
    clock.advance(200);
    timers.pause();
    timers.pause();
    clock.advance(1_000);
    timers.resume();
    timers.resume();
    expect(advanceToEnd()).toEqual(['idle_timeout at 1300']);
  });

  it('begins at the resume when the first event came paused', () => {
    timers.sent();
    timers.pause();
    clock.advance(100);
    timers.firstEvent();
    clock.advance(100);
    timers.piece();
    clock.advance(800);
    timers.resume();
    expect(advanceToEnd()).toEqual(['idle_timeout at 1300']);
  });
});

describe('the whole call', () => {
  it('ends in any case', () => {
    timers.sent();
    timers.firstEvent();
    for (let piece = 0; piece < 14; piece++) {
      clock.advance(200);
      timers.piece();
    }
    timers.pause();
    expect(advanceToEnd()).toEqual(['total_timeout at 3000']);
  });

  it('may be shorter than its parts', () => {
    timers.stop();
    const timeouts = { connectMs: 50, firstByteMs: 1_000, idleMs: 300, totalMs: 10 };
    timers = new CallTimers(clock, timeouts, (kind) => {
      expired.push(kind);
      timers.stop();
    });
    timers.sent();
    expect(advanceToEnd()).toEqual(['total_timeout']);
  });

  it('leaves no timer behind, and nothing starts one again', () => {
    timers.sent();
    timers.stop();
    timers.firstEvent();
    timers.pause();
    timers.resume();
    expect(advanceToEnd()).toEqual([]);
  });

  it('costs a handful of timers, however many pieces come', () => {
    let scheduled = 0;
    const counting = new FakeClock();
    const schedule = counting.schedule.bind(counting);
    counting.schedule = (delayMs, task) => {
      scheduled++;
      return schedule(delayMs, task);
    };
    const timeouts = { connectMs: 50, firstByteMs: 1_000, idleMs: 300, totalMs: 1e9 };
    const busy = new CallTimers(counting, timeouts, () => expired.push('expired'));
    busy.sent();
    busy.firstEvent();
    for (let piece = 0; piece < 1_000; piece++) {
      counting.advance(1);
      busy.piece();
    }
    busy.stop();
    expect(scheduled).toBeLessThan(10);
    expect(expired).toEqual([]);
  });
});
