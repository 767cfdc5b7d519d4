import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { WriteStall } from '../../src/http/write-stall.ts';
import { FakeClock } from '../support/fake-clock.ts';

const LIMIT_MS = 60_000;

/** A response of which the test says what its socket has taken. */
function watched() {
  const clock = new FakeClock();
  const handle = { bytesWritten: 1000, writeQueueSize: 1000 };
  const socket = { writableLength: 1000, _handle: handle as typeof handle | null };
  const response = { writableLength: 1000, socket: socket as typeof socket | null };
  let stalls = 0;
  const stall = new WriteStall(response as unknown as ServerResponse, {
    clock,
    limitMs: LIMIT_MS,
    onStall: () => {
      stalls += 1;
    },
  });
  return { clock, handle, socket, response, stall, stalls: () => stalls };
}

describe('a write stall', () => {
  test('is a client that takes nothing for the whole time', () => {
    const { clock, stall, stalls } = watched();
    stall.watch();
    stall.watch();
    clock.advance(LIMIT_MS - 1);
    expect(stalls()).toBe(0);
    clock.advance(1);
    expect(stalls()).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is not one that takes a byte now and then, even of a single large write', () => {
    const { clock, handle, stall, stalls } = watched();
    stall.watch();
    for (let second = 0; second < 600; second += 30) {
      handle.writeQueueSize -= 1;
      clock.advance(30_000);
    }
    expect(stalls()).toBe(0);
    clock.advance(2 * LIMIT_MS);
    expect(stalls()).toBe(1);
  });

  test('is not one that waits for the answer to an earlier request of its pipeline', () => {
    const { clock, response, stall, stalls } = watched();
    response.socket = null;
    stall.watch();
    clock.advance(10 * LIMIT_MS);
    expect(stalls()).toBe(0);
  });

  test('is over when everything is sent, and can begin again', () => {
    const { clock, response, stall, stalls } = watched();
    stall.watch();
    response.writableLength = 0;
    clock.advance(LIMIT_MS);
    expect(clock.pendingTimers).toBe(0);
    response.writableLength = 1;
    stall.watch();
    clock.advance(LIMIT_MS);
    expect(stalls()).toBe(1);
  });

  test('is not looked for once it is told to stop', () => {
    const { clock, stall, stalls } = watched();
    stall.watch();
    stall.stop();
    stall.stop();
    clock.advance(LIMIT_MS);
    expect(stalls()).toBe(0);
  });

  test('is found by whole writes where the socket tells no more', () => {
    const { clock, socket, stall, stalls } = watched();
    socket._handle = null;
    stall.watch();
    clock.advance(LIMIT_MS);
    expect(stalls()).toBe(1);
  });
});
