import { request } from 'node:http';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { chooseEncoding } from '../../src/http/compression.ts';
import type { ClientReply } from '../../src/proxy/exchange.ts';
import { answer, type Chat, SETTINGS, startServer } from './support.ts';

const LONG = { text: 'word '.repeat(1000) };

/** Without fetch, which would decompress by itself. */
async function post(url: string, acceptEncoding: string): Promise<{ response: Response; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'accept-encoding': acceptEncoding };
    request(url, { method: 'POST', headers, agent: false }, (message) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', () => {
        const response = new Response(null, { headers: message.headers as Record<string, string> });
        resolve({ response, bytes: Buffer.concat(chunks) });
      });
    })
      .on('error', reject)
      .end('{}');
  });
}

async function answered(mode: 'off' | 'json' | 'all', acceptEncoding: string, chat: Chat) {
  const { url } = await startServer({ settings: { compression: mode, corsOrigins: ['*'] }, chat });
  return post(`${url}/v1/chat/completions`, acceptEncoding);
}

const long: Chat = (_request, reply) => answer(reply, LONG);

describe('a whole answer', () => {
  test('is never compressed unless the configuration says so', async () => {
    expect(SETTINGS.compression).toBe('off');
    const { response, bytes } = await answered('off', 'br, gzip', long);
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(JSON.parse(bytes.toString())).toEqual(LONG);
  });

  test.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip, deflate', 'gzip', gunzipSync],
  ] as const)('goes to who accepts %s as %s', async (accepted, encoding, decompress) => {
    const { response, bytes } = await answered('json', accepted, long);
    expect(response.headers.get('content-encoding')).toBe(encoding);
    expect(response.headers.get('vary')).toContain('accept-encoding');
    expect(bytes.length).toBeLessThan(1000);
    expect(JSON.parse(decompress(bytes).toString())).toEqual(LONG);
  });

  test('goes as it is to who accepts nothing else', async () => {
    const { response } = await answered('json', 'identity', long);
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(response.headers.get('content-length')).toBe(String(JSON.stringify(LONG).length));
  });
});

describe('whether an answer is worth it', () => {
  const json = { contentType: 'application/json', bytes: 2000 };
  const stream = { contentType: 'text/event-stream; charset=utf-8', bytes: null };
  test.each([
    ['json', 'gzip', json, 'gzip'],
    ['json', 'GZIP;q=1.0, br;q=0', json, 'gzip'],
    ['json', 'gzip; q=0.0', json, null],
    ['json', '*', json, null],
    ['json', 'gzip', { ...json, bytes: 1023 }, null],
    ['json', 'gzip', { ...json, bytes: 1024 * 1024 + 1 }, null],
    ['json', 'gzip', { ...json, contentType: 'image/png' }, null],
    ['json', 'gzip', stream, null],
    ['all', 'gzip', stream, 'gzip'],
    ['all', 'gzip', { ...json, bytes: null }, null],
    ['off', 'gzip', json, null],
  ] as const)('%s, client accepts %s, %j: %s', (...[mode, accepted, shape, expected]) => {
    expect(chooseEncoding(mode, accepted, shape)).toBe(expected);
  });
});

describe('a stream', () => {
  const events = ['data: 1\n\n', 'data: 2\n\n', 'data: [DONE]\n\n'];

  test('stays as it is with json', async () => {
    const { bytes } = await answered('json', 'gzip', (_request, reply) => {
      reply.head(200, { 'content-type': 'text/event-stream' });
      for (const event of events) reply.write(event);
      reply.end();
    });
    expect(bytes.toString()).toBe(events.join(''));
  });

  test.each(['gzip', 'br'])('gives out every event at once with all, as %s', async (encoding) => {
    const { url } = await startServer({
      settings: { compression: 'all' },
      chat: async (_request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        for (const event of events) {
          reply.write(event);
          await sent(reply);
        }
        reply.end();
      },
    });
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'accept-encoding': encoding },
      body: '{}',
    });
    expect(response.headers.get('content-encoding')).toBe(encoding);
    expect(await response.text()).toBe(events.join(''));
  });

  test('stops compressing for a client that is gone', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const { url } = await startServer({
      settings: { compression: 'all' },
      chat: (_request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.write('data: 1\n\n');
        reply.onGone(resolve);
        return gone;
      },
    });
    const leave = new AbortController();
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'accept-encoding': 'gzip' },
      body: '{}',
      signal: leave.signal,
    });
    await response.body?.getReader().read();
    leave.abort();
    await gone;
  });

  /** An event is out when nothing of it is left on our side; the socket drains without telling. */
  function sent(reply: ClientReply): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (reply.unsentBytes === 0) resolve();
        else setImmediate(look);
      };
      setImmediate(look);
    });
  }
});

test('what Fastify sends is compressed by the same rule', async () => {
  const { url } = await startServer({
    settings: { compression: 'json' },
    services: { queueView: () => LONG },
  });
  const body = await new Promise<string>((resolve, reject) => {
    request(`${url}/queue`, { headers: { 'accept-encoding': 'gzip' }, agent: false }, (message) => {
      expect(message.headers['content-encoding']).toBe('gzip');
      let text = '';
      message
        .pipe(createGunzip())
        .on('data', (chunk) => {
          text += String(chunk);
        })
        .on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
  expect(JSON.parse(body)).toEqual(LONG);
});
