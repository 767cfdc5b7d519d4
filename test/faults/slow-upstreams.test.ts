import { describe, expect, test } from 'vitest';
import { COMPLETION, DONE, HELLO, ROLE, STOP } from '../support/chat-answers.ts';
import { answer, CHUNKED, chunk, type Exchange, head } from '../support/scripted-upstream.ts';
import { pause } from '../system/world.ts';
import { bookedOn, faultWorld, lastError, RESERVED, USED } from './fault-world.ts';

/** Every byte by itself. */
async function byteByByte(exchange: Exchange, bytes: Buffer): Promise<void> {
  for (const byte of bytes) await exchange.write(Buffer.of(byte));
}

/** So much, again and again, until the connection is cut. */
async function withoutEnd(exchange: Exchange, bytes: string | Buffer): Promise<void> {
  let isGone = false;
  void exchange.gone.then(() => {
    isGone = true;
  });
  while (!isGone) {
    await Promise.race([exchange.write(bytes), exchange.gone]);
    await pause(5);
  }
}

const STREAM = Buffer.concat([Buffer.from(head(CHUNKED)), chunk(ROLE + HELLO + STOP + DONE), chunk('')]);

describe('an upstream that sends byte by byte', () => {
  test('serves a whole answer', async () => {
    const fault = (exchange: Exchange) => byteByByte(exchange, answer(JSON.stringify(COMPLETION)));
    const { bench, upstream } = await faultWorld({ fault, isAlone: true, timeouts: { idleMs: 5_000 } });
    const chat = bench.chat();
    await chat.done;
    expect(chat.reply).toMatchObject({ status: 200, json: COMPLETION });
    expect(bench.summary).toMatchObject({ attempts: 1, status: 200 });
    expect(bench.scheduler.openLeases).toBe(0);
    await expect.poll(() => bookedOn(bench), { timeout: 10_000 }).toEqual([USED]);
    expect(upstream.exchanges).toHaveLength(1);
  });

  test('serves a stream, of which every event arrives whole', async () => {
    const fault = (exchange: Exchange) => byteByByte(exchange, STREAM);
    const { bench } = await faultWorld({ fault, isAlone: true, timeouts: { idleMs: 5_000 } });
    const chat = bench.chat({ stream: true });
    await chat.done;
    expect(chat.reply).toMatchObject({ status: 200, text: ROLE + HELLO + STOP + DONE, isEnded: true });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([RESERVED]);
  });
});

describe('an upstream that goes on for ever without saying anything', () => {
  const CASES = [
    ['with an interim head', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n', {}],
    ['with a head', 'x-a: b\r\n', { first: 'HTTP/1.1 200 OK\r\n' }],
    ['with comments', chunk(': alive\n\n'), { first: head(CHUNKED), stream: true }],
    ['with a line that does not end', chunk('data: xxxxxxxx'), { first: head(CHUNKED), stream: true }],
  ] as const;

  test.each(CASES)('%s is a timeout, and the other key serves', async (_what, bytes, more) => {
    const { first = '', stream = false } = more as { first?: string; stream?: boolean };
    const fault = async (exchange: Exchange): Promise<void> => {
      await exchange.write(first);
      await withoutEnd(exchange, bytes);
    };
    const { bench, upstream } = await faultWorld({
      fault,
      timeouts: { firstByteMs: 300, idleMs: 300, totalMs: 20_000 },
    });
    const chat = bench.chat({ stream });
    await Promise.race([chat.done, pause(8_000)]);
    expect(chat.error).toBeNull();
    expect(chat.reply).toMatchObject({ status: 200 });
    expect(bench.summary).toMatchObject({ attempts: 2, key: 'second' });
    expect(bench.scheduler.openLeases).toBe(0);
    await expect.poll(() => bookedOn(bench), { timeout: 10_000 }).toEqual([RESERVED, stream ? RESERVED : USED]);
    expect(upstream.exchanges).toHaveLength(2);
  });

  // Some servers keep a connection alive so, as long as it takes: only the time of the whole answer ends it.
  test('with white space before its JSON has as long as a whole answer', async () => {
    const fault = async (exchange: Exchange): Promise<void> => {
      await exchange.write(head({ 'transfer-encoding': 'chunked' }));
      await withoutEnd(exchange, chunk('   '));
    };
    const { bench } = await faultWorld({ fault, timeouts: { firstByteMs: 100, idleMs: 5_000, totalMs: 400 } });
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_timeout', status: 504 });
    expect(bench.summary).toMatchObject({ attempts: 1 });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([RESERVED, [0, 0]]);
  });

  test('after its content is cut by the time of the whole answer, in band', async () => {
    const fault = async (exchange: Exchange): Promise<void> => {
      await exchange.write(Buffer.concat([Buffer.from(head(CHUNKED)), chunk(ROLE + HELLO)]));
      await withoutEnd(exchange, chunk(': alive\n\n'));
    };
    const { bench } = await faultWorld({ fault, timeouts: { totalMs: 400, idleMs: 5_000 } });
    const chat = bench.chat({ stream: true });
    await chat.done;
    expect(chat.reply.status).toBe(200);
    expect(lastError(chat).code).toBe('upstream_timeout');
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([RESERVED, [0, 0]]);
  });
});
