import { describe, expect, test } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { CHAT, pause, together, until } from '../system/world.ts';
import { answerIn, servedWorld } from './served-world.ts';

const ENDLESS = { outputTokens: 400_000 };
const MANY = 1_000_000_000;
const STALL = { timeouts: { write_stall: '400ms' } };

describe('a client that stops reading', () => {
  test('is cut after the write stall, its upstream call with it, while others are served', async () => {
    await using world = await servedWorld({ answer: ENDLESS, tokens: MANY, server: STALL });
    const client = await world.connect();
    client.stopReading();
    await client.send(RawClient.post('/v1/chat/completions', { ...CHAT, stream: true }));
    await until(() => world.vendor.simulator.ledger().inFlight === 1);
    const others = await together(5, () => world.sluice.chat({ max_completion_tokens: 5 }));
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    await until(() => world.sluice.app.openLeases === 0);
    await until(() => world.vendor.simulator.ledger().aborted === 1);
    client.readOn();
    await client.rest();
    client.close();
    await until(() => world.vendor.simulator.ledger().inFlight === 0);
    expect(client.text).not.toContain('[DONE]');
    await world.expectWell();
  });

  test('twenty of them hold no more than what waits for each', async () => {
    await using world = await servedWorld({ answer: ENDLESS, tokens: MANY, server: STALL });
    const before = process.memoryUsage().rss;
    const clients = await together(20, async () => {
      const client = await world.connect();
      client.stopReading();
      await client.send(RawClient.post('/v1/chat/completions', { ...CHAT, stream: true }));
      return client;
    });
    await until(() => world.vendor.simulator.ledger().received === 20);
    await until(() => world.sluice.app.openLeases === 0);
    // A mebibyte is held for each, and as much again lies in sockets; the simulated vendor lives in here too.
    expect((process.memoryUsage().rss - before) / 20).toBeLessThan(8 * 1024 * 1024);
    for (const client of clients) client.close();
    await until(() => world.vendor.simulator.ledger().inFlight === 0);
    // What lies unread in sockets the vendor has charged, and nobody can book: requests alone agree.
    const { rpd } = await world.levels();
    expect(Math.abs(rpd.ours - rpd.vendors)).toBeLessThan(1);
    expect(world.sluice.app.heldBodyBytes).toBe(0);
  });

  test('but reads on in time gets all of its stream', async () => {
    await using world = await servedWorld({ answer: { outputTokens: 20_000 }, server: STALL });
    const client = await world.connect();
    await client.send(RawClient.post('/v1/chat/completions', { ...CHAT, stream: true }));
    for (let turn = 0; turn < 6; turn += 1) {
      client.stopReading();
      await pause(150);
      client.readOn();
      await pause(20);
    }
    await client.until((text) => text.includes('[DONE]'));
    client.close();
    await world.expectWell();
  });
});

describe('a client that sends slowly', () => {
  const HASTY = { timeouts: { headers: '300ms', request: '600ms' } };

  test.each([
    ['a head', 'POST /v1/chat/completions HTTP/1.1\r\n', 'x-a: b\r\n'],
    ['a body', RawClient.post('/v1/chat/completions', { ...CHAT, user: 'x'.repeat(9_000) }).slice(0, 300), 'x'],
    [
      'chunks',
      'POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      '1\r\n \r\n',
    ],
  ])('%s without end gets 408, and nothing went upstream for it', async (_what, first, next) => {
    await using world = await servedWorld({ server: HASTY });
    const client = await world.connect();
    await client.send(first);
    let isEnded = false;
    void client.closed.then(() => {
      isEnded = true;
    });
    const trickle = (async () => {
      while (!isEnded && !client.text.includes('\r\n\r\n')) {
        await Promise.race([client.send(next), client.closed]);
        await pause(20);
      }
    })();
    const text = await client.until((got) => got.includes('"code"'));
    expect(answerIn(text)).toEqual({ status: 408, code: 'request_timeout' });
    await trickle;
    client.close();
    expect(world.vendor.simulator.ledger().received).toBe(0);
    await world.expectWell();
  });
});
