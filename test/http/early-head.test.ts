import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CompressionMode } from '../../src/http/compression.ts';
import type { EarlyHead } from '../../src/proxy/client-answer.ts';
import { createRequestHandler } from '../../src/proxy/handle-request.ts';
import { createRawHandler } from '../../src/proxy/raw/handle-raw.ts';
import { faultWorld } from '../faults/fault-world.ts';
import { apiError, COMPLETION } from '../support/chat-answers.ts';
import { RawClient } from '../support/raw-client.ts';
import { answer, type Exchange } from '../support/scripted-upstream.ts';
import { startServer } from './support.ts';

const CHAT = { model: 'chat', messages: [{ role: 'user', content: 'Hello' }] };
const PATH = '/v1/chat/completions';
const WHITESPACE: EarlyHead = { mode: 'whitespace', afterMs: 5 };
const INTERIM: EarlyHead = { mode: 'interim', afterMs: 5 };

interface Wanted {
  readonly earlyHead: EarlyHead;
  readonly status?: number;
  readonly compression?: CompressionMode;
}

/** The whole way over sockets. The upstream is silent until `let` is called, however long a client needs to see a sign. */
async function silentWorld({ earlyHead, status = 200, compression = 'off' }: Wanted) {
  const { promise: told, resolve: answerNow } = Promise.withResolvers<void>();
  const body = status === 200 ? COMPLETION : apiError('boom');
  const world = await faultWorld({
    fault: async (exchange: Exchange) => {
      await told;
      await exchange.write(answer(JSON.stringify(body), {}, status));
    },
    isAlone: true,
  });
  const { services } = world.bench;
  const early = { ...services, settings: { ...services.settings, earlyHead } };
  const rawRoutes = { findRaw: () => world.bench.model };
  const { port } = await startServer({
    chat: createRequestHandler(early),
    services: { serveRaw: createRawHandler({ ...early, rawRoutes }), providers: [{ name: 'acme', isRaw: true }] },
    settings: { compression, corsOrigins: ['https://app.example.com'] },
  });
  return { ...world, port, answerNow, url: `http://127.0.0.1:${port}${PATH}` };
}

async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  onTestFinished(() => client.close());
  return client;
}

/** What stands behind the last head, its chunks put together. */
function bodyOf(text: string): string {
  const [, ...rest] = text.slice(text.lastIndexOf('HTTP/1.1 ')).split('\r\n\r\n');
  return rest.join('\r\n\r\n').replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '');
}

describe('white space', () => {
  test('reaches a client in chunks, with CORS and the id in the head, and the JSON after it', async () => {
    const { port, answerNow, bench } = await silentWorld({ earlyHead: WHITESPACE, compression: 'all' });
    const client = await connect(port);
    const headers = { origin: 'https://app.example.com', 'accept-encoding': 'br, gzip' };
    await client.send(RawClient.post(PATH, CHAT, headers));
    const early = await client.until((text) => text.includes('\r\n\r\n1\r\n\n\r\n'));
    expect(early).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(early).toMatch(/transfer-encoding: chunked/i);
    expect(early).toMatch(/access-control-allow-origin: https:\/\/app\.example\.com/i);
    expect(early).toMatch(/x-request-id: /i);
    expect(early).not.toMatch(/content-length|content-encoding/i);
    answerNow();
    const text = await client.until((all) => all.endsWith('\r\n0\r\n\r\n'));
    expect(JSON.parse(bodyOf(text))).toEqual(COMPLETION);
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('leaves the connection fit for the next request', async () => {
    const { port, answerNow } = await silentWorld({ earlyHead: WHITESPACE });
    const client = await connect(port);
    await client.send(RawClient.post(PATH, CHAT));
    await client.until((text) => text.includes('\r\n\r\n1\r\n'));
    answerNow();
    await client.until((text) => text.endsWith('\r\n0\r\n\r\n'));
    await client.send('GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    expect(await client.until((text) => text.includes('"status"'))).toContain('HTTP/1.1 200 OK');
  });

  test('reaches a client of HTTP/1.0, whose answer ends with the connection', async () => {
    const { port, answerNow } = await silentWorld({ earlyHead: WHITESPACE });
    const client = await connect(port);
    await client.send(RawClient.post(PATH, CHAT).replace('HTTP/1.1', 'HTTP/1.0'));
    const early = await client.until((text) => text.endsWith('\r\n\r\n\n'));
    expect(early).not.toMatch(/transfer-encoding/i);
    answerNow();
    const text = await client.rest();
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toEqual(COMPLETION);
  });

  test('is followed by the error when it fails after all', async () => {
    const { url, answerNow, upstream } = await silentWorld({ earlyHead: WHITESPACE, status: 500 });
    const asked = fetch(url, post());
    await upstream.exchange();
    const response = await asked;
    expect(response.status).toBe(200);
    answerNow();
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_error', type: 'server_error' } });
  });

  test('stays within its own answer when requests are pipelined', async () => {
    const { port, answerNow, upstream } = await silentWorld({ earlyHead: WHITESPACE });
    const client = await connect(port);
    await client.send(RawClient.post(PATH, CHAT) + RawClient.post(PATH, CHAT));
    await upstream.exchange();
    await upstream.exchange();
    // The second's sign stands behind the first answer, unseen; but one that asked later has had its own by now.
    const witness = await connect(port);
    await witness.send(RawClient.post(PATH, CHAT));
    await witness.until((text) => text.includes('\r\n\r\n1\r\n\n\r\n'));
    answerNow();
    const text = await client.until((all) => all.split('\r\n0\r\n\r\n').length === 3);
    const answers = text.split('\r\n0\r\n\r\n').slice(0, 2);
    for (const each of answers) expect(JSON.parse(bodyOf(each))).toEqual(COMPLETION);
  });

  test('ends a call whose client leaves after it', async () => {
    const { port, bench, upstream } = await silentWorld({ earlyHead: WHITESPACE });
    const client = await connect(port);
    await client.send(RawClient.post(PATH, CHAT));
    await client.until((text) => text.includes('\r\n\r\n1\r\n'));
    client.reset();
    await (await upstream.exchange()).gone;
    await upstream.until(() => upstream.sockets.size === 0);
    expect(bench.summary).toMatchObject({ status: 499 });
    expect(bench.scheduler.openLeases).toBe(0);
  });
});

describe('interim heads', () => {
  test('come before the answer, which keeps its length', async () => {
    const { port, answerNow } = await silentWorld({ earlyHead: INTERIM });
    const client = await connect(port);
    await client.send(RawClient.post(PATH, CHAT));
    const early = await client.until((text) => text.split('HTTP/1.1 102 Processing\r\n\r\n').length > 2);
    expect(early).not.toContain('200');
    answerNow();
    const text = await client.until((all) => all.endsWith(JSON.stringify(COMPLETION)));
    expect(text).toMatch(/content-length: \d+/i);
    expect(text).not.toMatch(/transfer-encoding/i);
  });

  test('keep the status of a failure', async () => {
    const { port, answerNow } = await silentWorld({ earlyHead: INTERIM, status: 500 });
    const client = await connect(port);
    await client.send(RawClient.post(PATH, CHAT));
    await client.until((text) => text.includes('102 Processing'));
    answerNow();
    expect(await client.until((text) => text.includes('upstream_error'))).toContain('HTTP/1.1 502 ');
  });

  test('never come to a client of HTTP/1.0', async () => {
    const { port, answerNow, upstream } = await silentWorld({ earlyHead: INTERIM });
    const old = await connect(port);
    await old.send(RawClient.post(PATH, CHAT).replace('HTTP/1.1', 'HTTP/1.0'));
    await upstream.exchange();
    // One that asked later has had several by now.
    const young = await connect(port);
    await young.send(RawClient.post(PATH, CHAT));
    await young.until((text) => text.split('102 Processing').length > 4);
    expect(old.text).toBe('');
    answerNow();
    expect(await old.rest()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test('are told to whoever asks by Node', async () => {
    const { url, answerNow } = await silentWorld({ earlyHead: INTERIM });
    const asked = httpRequest(url, { method: 'POST', headers: { 'content-type': 'application/json' } });
    asked.end(JSON.stringify(CHAT));
    const [{ statusCode: interim }] = await once(asked, 'information');
    expect(interim).toBe(102);
    answerNow();
    const [{ statusCode }] = await once(asked, 'response');
    expect(statusCode).toBe(200);
    asked.destroy();
  });

  test('do not disturb undici', async () => {
    const { url, answerNow, port } = await silentWorld({ earlyHead: INTERIM });
    const asked = request(url, { ...post(), headersTimeout: 60_000 });
    const witness = await connect(port);
    await witness.send(RawClient.post(PATH, CHAT));
    await witness.until((text) => text.split('102 Processing').length > 4);
    answerNow();
    const { statusCode, body } = await asked;
    expect(statusCode).toBe(200);
    expect(await body.json()).toEqual(COMPLETION);
  });

  test('come for raw paths too, which white space never does', async () => {
    const { port, answerNow } = await silentWorld({ earlyHead: INTERIM });
    const client = await connect(port);
    await client.send(RawClient.post('/acme/v1/moderations', { input: 'Hello' }));
    await client.until((text) => text.includes('102 Processing'));
    answerNow();
    await client.until((text) => text.endsWith(JSON.stringify(COMPLETION)));
  });

  test('and white space leaves a raw path without a sign', async () => {
    const { port, answerNow } = await silentWorld({ earlyHead: WHITESPACE });
    const raw = await connect(port);
    await raw.send(RawClient.post('/acme/v1/moderations', { input: 'Hello' }));
    const witness = await connect(port);
    await witness.send(RawClient.post(PATH, CHAT));
    await witness.until((text) => text.split('1\r\n\n\r\n').length > 4);
    expect(raw.text).toBe('');
    answerNow();
    expect(await raw.until((text) => text.endsWith(JSON.stringify(COMPLETION)))).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

function post() {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(CHAT) } as const;
}
