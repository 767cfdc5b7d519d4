import { describe, expect, test } from 'vitest';
import type { UpstreamTimeouts } from '../../src/upstream/transport.ts';
import { apiError, event, HELLO, ROLE } from '../support/chat-answers.ts';
import { chunk, type Exchange } from '../support/scripted-upstream.ts';
import { beginStream, bookedOn, faultWorld, lastError, RESERVED } from './fault-world.ts';

interface LateFault {
  readonly name: string;
  readonly go: (exchange: Exchange) => void | Promise<void>;
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly code: string;
}

const FAULTS: readonly LateFault[] = [
  { name: 'a reset', go: (exchange) => exchange.reset(), code: 'upstream_error' },
  { name: 'an end without an end', go: (exchange) => exchange.end(chunk('')), code: 'upstream_error' },
  { name: 'a stall', go: () => undefined, timeouts: { idleMs: 60 }, code: 'upstream_timeout' },
  { name: 'too long an answer', go: () => undefined, timeouts: { totalMs: 60 }, code: 'upstream_timeout' },
  { name: 'half an event', go: (exchange) => exchange.end(chunk('data: {"cho')), code: 'upstream_error' },
  { name: 'broken framing', go: (exchange) => exchange.end('zzz\r\n'), code: 'upstream_error' },
  {
    name: 'an error event',
    go: (exchange) => exchange.end(chunk(event(apiError('It broke at sk-first')))),
    code: 'upstream_error',
  },
];

describe('after the first content', () => {
  test.each(FAULTS)('$name: the client gets what came, an error in band and a clean end', async (late) => {
    const { go, timeouts = {}, code } = late;
    const fault = async (exchange: Exchange): Promise<void> => {
      await beginStream(exchange, ROLE + HELLO);
      await bench.streaming;
      await go(exchange);
    };
    const world = await faultWorld({ fault, timeouts });
    const bench = { streaming: Promise.resolve() };
    const chat = world.bench.chat({ stream: true });
    bench.streaming = chat.reply.until(({ text }) => text.includes('Hello'));
    await chat.done;
    expect(chat.error).toBeNull();
    expect(chat.reply).toMatchObject({ status: 200, isEnded: true });
    expect(chat.reply.text.startsWith(ROLE + HELLO)).toBe(true);
    expect(chat.reply.text).not.toContain('[DONE]');
    expect(lastError(chat)).toMatchObject({ code });
    expect(lastError(chat).message).toMatch(/Request id: req_1$/);
    expect(chat.reply.text).not.toMatch(/sk-first/);
    expect(world.bench.summary).toMatchObject({ status: 200, code, attempts: 1 });
    expect(world.bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(world.bench)).toEqual([RESERVED, [0, 0]]);
    expect(world.upstream.exchanges.length).toBe(1);
  });
});
