import { describe, expect, test } from 'vitest';
import { CLIENT_KEY, CLIENTS, RawClient, requestText, startServer } from './support.ts';

const ORIGIN = 'https://app.example.com';
const PREFLIGHT = {
  origin: ORIGIN,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type,x-stainless-os',
};

async function start() {
  return startServer({ settings: { corsOrigins: [ORIGIN] }, services: { clients: CLIENTS } });
}

describe('a preflight', () => {
  test('is answered without a key, allows what is asked, and is kept for ten minutes', async () => {
    const { port } = await start();
    const got = await new RawClient(port).write(requestText({ method: 'OPTIONS', headers: PREFLIGHT })).answer();
    expect(got?.status).toBe(204);
    expect(Object.fromEntries(got?.headers ?? [])).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-headers': PREFLIGHT['access-control-request-headers'],
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-max-age': '600',
      'x-request-id': 'req_r1',
      vary: expect.stringMatching(/origin/i),
    });
  });

  test('of a foreign page gets no leave', async () => {
    const { port } = await start();
    const headers = { ...PREFLIGHT, origin: 'https://evil.com' };
    const got = await new RawClient(port).write(requestText({ method: 'OPTIONS', headers })).answer();
    expect(got?.headers.has('access-control-allow-origin')).toBe(false);
  });

  test('with an empty Origin gets no leave', async () => {
    const { port } = await start();
    const headers = { ...PREFLIGHT, origin: '' };
    const got = await new RawClient(port).write(requestText({ method: 'OPTIONS', headers })).answer();
    expect(got).toMatchObject({ status: 204, body: '' });
    expect(got?.headers.has('access-control-allow-origin')).toBe(false);
  });

  test('gets no leave where no origins are configured', async () => {
    const { port } = await startServer();
    const got = await new RawClient(port).write(requestText({ method: 'OPTIONS', headers: PREFLIGHT })).answer();
    expect(got?.status).toBe(204);
    expect(got?.headers.has('access-control-allow-origin')).toBe(false);
  });
});

describe('a real answer lets the page read it and its headers:', () => {
  test.each([
    { what: 'served', status: 200, more: { 'api-key': CLIENT_KEY }, path: '/v1/chat/completions' },
    { what: 'refused', status: 401, more: {}, path: '/v1/chat/completions' },
    { what: 'not found', status: 404, more: {}, path: '/v1/nothing' },
    {
      what: 'too large',
      status: 413,
      more: { 'api-key': CLIENT_KEY, 'content-length': '99999999' },
      path: '/v1/chat/completions',
    },
  ])('$what', async ({ status, more, path }) => {
    const { port } = await start();
    const got = await new RawClient(port).write(requestText({ path, headers: { origin: ORIGIN, ...more } })).answer();
    expect(got?.status).toBe(status);
    expect(got?.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(got?.headers.get('vary')).toMatch(/origin/i);
    const ours = [
      'x-request-id',
      'retry-after-ms',
      'x-ratelimit-remaining-tokens',
      'x-sluice-queue-ms',
      'x-sluice-dropped',
    ];
    for (const name of ours) {
      expect(got?.headers.get('access-control-expose-headers')).toContain(name);
    }
  });

  test('streamed', async () => {
    const { port } = await startServer({
      settings: { corsOrigins: [ORIGIN] },
      chat: (_request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream; charset=utf-8' });
        reply.write('data: 1\n\n');
        reply.end();
      },
    });
    const got = await new RawClient(port).write(requestText({ headers: { origin: ORIGIN } })).answer();
    expect(got?.body).toBe('data: 1\n\n');
    expect(got?.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  });
});
