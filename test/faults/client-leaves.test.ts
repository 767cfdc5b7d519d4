import { describe, expect, test } from 'vitest';
import { HELLO, ROLE } from '../support/chat-answers.ts';
import { ReplyDouble } from '../support/reply-double.ts';
import { CHUNKED, chunk, head } from '../support/scripted-upstream.ts';
import { beginStream, bookedOn, faultWorld, RESERVED } from './fault-world.ts';

const NOTHING = [0, 0] as const;

describe('a client that leaves', () => {
  test('before the head: the upstream sees its connection close', async () => {
    const { bench, upstream } = await faultWorld({ fault: () => undefined });
    const chat = bench.chat();
    const { gone } = await upstream.exchange();
    chat.reply.leave();
    await gone;
    await chat.done;
    expect(bench.summary).toMatchObject({ status: 499, attempts: 1 });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([RESERVED, NOTHING]);
  });

  test('after the head and before the content', async () => {
    const { bench, upstream } = await faultWorld({ fault: (exchange) => exchange.write(head(CHUNKED)) });
    const chat = bench.chat({ stream: true });
    const { gone } = await upstream.exchange();
    chat.reply.leave();
    await gone;
    await chat.done;
    expect(chat.reply.isHeadSent).toBe(false);
    expect(bench.summary).toMatchObject({ status: 499, code: 'client_closed_request' });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([RESERVED, NOTHING]);
  });

  test('in the middle of a stream', async () => {
    const { bench, upstream } = await faultWorld({ fault: (exchange) => beginStream(exchange, ROLE + HELLO) });
    const chat = bench.chat({ stream: true });
    const { gone } = await upstream.exchange();
    await chat.reply.until(({ text }) => text.includes('Hello'));
    chat.reply.leave();
    await gone;
    await chat.done;
    expect(bench.summary).toMatchObject({ status: 499 });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([RESERVED, NOTHING]);
  });

  test('while it does not read and the upstream is held back', async () => {
    const large = HELLO.replace('Hello there', 'x'.repeat(100_000));
    const { bench, upstream } = await faultWorld({
      fault: async (exchange) => {
        await beginStream(exchange, ROLE + HELLO);
        for (let count = 0; count < 20; count++) void exchange.write(chunk(large));
      },
    });
    const reply = new ReplyDouble();
    reply.isReading = false;
    const chat = bench.chat({ stream: true }, { reply });
    const { gone } = await upstream.exchange();
    await reply.until(({ unsentBytes }) => unsentBytes > 1024 * 1024);
    reply.leave();
    await gone;
    await chat.done;
    expect(bench.scheduler.openLeases).toBe(0);
    // What the upstream has produced counts, although nobody has read it.
    expect(bench.booked(0, 0)).toBe(1);
    expect(bench.booked(0, 1)).toBeGreaterThan(200_000);
  });

  test('while connecting: the upstream never hears of it', async () => {
    const { bench, upstream } = await faultWorld({ fault: () => undefined });
    const chat = bench.chat();
    while (bench.scheduler.openLeases === 0) await Promise.resolve();
    chat.reply.leave();
    await chat.done;
    expect(upstream.exchanges.length).toBe(0);
    expect(bookedOn(bench)).toEqual([NOTHING, NOTHING]);
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('in every phase of many requests: nothing stays open', async () => {
    const { bench, upstream } = await faultWorld({
      fault: async (exchange) => {
        const { length } = upstream.exchanges;
        if (length % 3 === 0) return;
        await exchange.write(head(CHUNKED));
        if (length % 3 === 2) await exchange.write(chunk(ROLE + HELLO));
      },
    });
    const chats = Array.from({ length: 60 }, () => bench.chat({ stream: true }));
    for (const [index, chat] of chats.entries()) {
      if (index % 4 === 0) chat.reply.leave();
    }
    await upstream.until(() => upstream.exchanges.length >= 45);
    for (const chat of chats) chat.reply.leave();
    await Promise.all(chats.map(({ done }) => done));
    await upstream.until(() => upstream.sockets.size === 0);
    expect(bench.summaries.length).toBe(60);
    expect(bench.summaries.every(({ status }) => status === 499)).toBe(true);
    expect(bench.scheduler).toMatchObject({ openLeases: 0, waiting: 0 });
    // Each that was sent stays booked as reserved, and nothing of the others.
    const { length: sent } = upstream.exchanges;
    expect(bookedOn(bench)).toEqual([RESERVED.map((amount) => amount * sent), NOTHING]);
  });
});
