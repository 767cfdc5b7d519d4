import { describe, expect, test } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { CHAT, together, until } from '../system/world.ts';
import { answerIn, servedWorld } from './served-world.ts';

const MIB = 1024 * 1024;
const CHUNKED =
  'POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';

/** Sends a piece again and again until there is an answer or an end, at most so many bytes; returns what came. */
async function flood(
  client: RawClient,
  piece: string,
  mostBytes: number,
): Promise<{ text: string; sentBytes: number }> {
  let sentBytes = 0;
  while (sentBytes < mostBytes && !client.text.includes('\r\n\r\n') && !client.socket.destroyed) {
    await Promise.race([client.send(piece), client.closed]);
    sentBytes += piece.length;
  }
  // Some are cut off without a word.
  const text = await client.until((got) => got.includes('"code"')).catch(() => client.text);
  return { text, sentBytes };
}

describe('a flood of headers', () => {
  const HEAD = 'GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n';

  test.each([
    ['that are too many', `${HEAD}${Array.from({ length: 3_000 }, (_, nth) => `x-${nth}: y\r\n`).join('')}\r\n`],
    ['of which one is too large', `${HEAD}x: ${'y'.repeat(40_000)}\r\n\r\n`],
    ['of which one has too long a name', `${HEAD}${'y'.repeat(40_000)}: x\r\n\r\n`],
  ])('%s is 431, on a connection that closes', async (_what, bytes) => {
    await using world = await servedWorld();
    const client = await world.connect();
    await client.send(bytes);
    const text = await client.rest();
    expect(answerIn(text)).toEqual({ status: 431, code: 'headers_too_large' });
    client.close();
    expect(world.vendor.simulator.ledger().received).toBe(0);
    await world.expectWell();
  });

  test('that never ends is cut off after some kilobytes', async () => {
    await using world = await servedWorld();
    const client = await world.connect();
    await client.send(HEAD);
    const { text, sentBytes } = await flood(client, 'x-a: b\r\n'.repeat(100), 50 * MIB);
    if (text !== '') expect(answerIn(text).status).toBe(431);
    // What lies in sockets was never read.
    expect(sentBytes).toBeLessThan(20 * MIB);
    client.close();
    await world.expectWell();
  });

  test('behind a request whose head is whole, as trailers of its chunks, is refused', async () => {
    await using world = await servedWorld();
    const client = await world.connect();
    await client.send(`${CHUNKED}2\r\n{}\r\n0\r\n`);
    const { text } = await flood(client, 'x-a: b\r\n'.repeat(100), 50 * MIB);
    expect([400, 431]).toContain(answerIn(text).status);
    client.close();
    expect(world.vendor.simulator.ledger().received).toBe(0);
    await world.expectWell();
  });
});

describe('a flood of bodies', () => {
  const SMALL = { body_limit: '1MiB', body_memory: '4MiB' };

  test('in chunks without end is 413 as soon as it is over the limit, and holds nothing', async () => {
    await using world = await servedWorld({ server: SMALL });
    const client = await world.connect();
    await client.send(CHUNKED);
    const { text } = await flood(client, `10000\r\n${' '.repeat(0x10000)}\r\n`, 200 * MIB);
    expect(answerIn(text)).toEqual({ status: 413, code: 'request_too_large' });
    expect(world.sluice.app.heldBodyBytes).toBe(0);
    client.close();
    expect(world.vendor.simulator.ledger().received).toBe(0);
    await world.expectWell();
  });

  // Each byte used to take some 650.
  test('in chunks of a byte takes about as much memory as bytes', async () => {
    await using world = await servedWorld({ server: { body_limit: '16MiB', body_memory: '16MiB' } });
    const client = await world.connect();
    await client.send(CHUNKED);
    const before = process.memoryUsage().rss;
    for (let sent = 0; sent < 50; sent += 1) await client.send('1\r\n \r\n'.repeat(10_000));
    await until(() => world.sluice.app.heldBodyBytes > 400_000);
    // The client's own strings are in here as well.
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * MIB);
    client.close();
    await world.expectWell();
  });

  test('that say what they are is 413 before a byte of them has come', async () => {
    await using world = await servedWorld({ server: SMALL });
    const client = await world.connect();
    await client.send(CHUNKED.replace('transfer-encoding: chunked', 'content-length: 99999999999'));
    const text = await client.until((got) => got.includes('"code"'));
    expect(answerIn(text)).toEqual({ status: 413, code: 'request_too_large' });
    client.close();
    await world.expectWell();
  });

  test('from many at once is 503 beyond body_memory, and the others go on', async () => {
    await using world = await servedWorld({ server: SMALL });
    const body = JSON.stringify({ ...CHAT, user: 'x'.repeat(900_000), max_completion_tokens: 5 });
    const head = CHUNKED.replace('transfer-encoding: chunked', `content-length: ${body.length}`);
    const clients = await together(20, () => world.connect());
    // All claim their share before any of them goes on.
    for (const client of clients) await client.send(head);
    await until(() => clients.filter(({ text }) => text.includes('server_busy')).length === 16);
    expect(world.sluice.app.heldBodyBytes).toBeLessThanOrEqual(4 * MIB);
    const admitted = clients.filter(({ text }) => text === '');
    const refused = clients.filter(({ text }) => text !== '');
    for (const { text } of refused) {
      expect(answerIn(text)).toEqual({ status: 503, code: 'server_busy' });
      expect(text.toLowerCase()).toContain('retry-after: 1');
    }
    for (const client of admitted) await client.send(body);
    for (const client of admitted) {
      const text = await client.until((got) => got.includes('"usage"') || got.includes('"error"'));
      expect(answerIn(text).status).toBe(200);
    }
    for (const client of clients) client.close();
    expect(world.vendor.simulator.ledger().received).toBe(4);
    await world.expectWell();
  });

  test('by somebody without a key is refused unread', async () => {
    await using world = await servedWorld({
      server: SMALL,
      config: { clients: [{ name: 'web', key: 'a-key-of-some-client' }] },
    });
    const client = await world.connect();
    await client.send(CHUNKED);
    const text = await client.until((got) => got.includes('"code"'));
    expect(answerIn(text)).toEqual({ status: 401, code: 'invalid_api_key' });
    expect(world.sluice.app.heldBodyBytes).toBe(0);
    client.close();
    expect(world.vendor.simulator.ledger().received).toBe(0);
  });
});

describe('a flood of requests on one connection', () => {
  const ONE = RawClient.post('/v1/chat/completions', { ...CHAT, max_completion_tokens: 5 });

  test('fills the queue and no more, nor the sockets; each is answered, in its turn', async () => {
    await using world = await servedWorld({
      answer: { firstByteMs: 50 },
      provider: { limits: { rpd: 10_000, tpd: 200_000, concurrency: 4 } },
      queue: { max_size: 50, max_wait: '20s' },
    });
    const client = await world.connect();
    let queuedMost = 0;
    await client.send(ONE.repeat(500));
    const watch = (async () => {
      while (!client.text.includes('LAST') && client.text.split('HTTP/1.1 ').length <= 500) {
        const { models } = await world.sluice.queue();
        queuedMost = Math.max(queuedMost, ...models.map(({ waiting }) => waiting));
      }
    })();
    const text = await client.until((got) => got.split('HTTP/1.1 ').length > 500);
    await watch;
    client.close();
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
    const served = statuses.filter((status) => status === 200).length;
    expect(statuses.length).toBe(500);
    expect(served).toBeGreaterThanOrEqual(40);
    expect(statuses.filter((status) => ![200, 429, 503].includes(status))).toEqual([]);
    expect(text).toContain('server_busy');
    expect(queuedMost).toBeLessThanOrEqual(50);
    expect(world.vendor.simulator.ledger().admitted).toBe(served);
    await world.expectWell();
  });

  test('whose answers nobody reads stops being read', async () => {
    await using world = await servedWorld({ server: { timeouts: { write_stall: '1s' } } });
    const client = await world.connect();
    client.stopReading();
    const ask = 'GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'.repeat(1_000);
    const before = process.memoryUsage().rss;
    let isHeldBack = false;
    for (let sent = 0; sent < 2_000 && !isHeldBack; sent += 1) {
      isHeldBack = await Promise.race([
        client.send(ask).then(() => false),
        client.closed.then(() => true),
        new Promise<boolean>((resolve) => setTimeout(resolve, 2_000, true)),
      ]);
    }
    expect(isHeldBack).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * MIB);
    client.close();
    await world.expectWell();
  });
});
