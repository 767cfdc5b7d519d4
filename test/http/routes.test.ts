import { describe, expect, test } from 'vitest';
import { CLIENT_KEY, CLIENTS, errorOf, RawClient, requestText, startServer } from './support.ts';

async function get(port: number, path: string, headers: Record<string, string> = {}) {
  return new RawClient(port).write(requestText({ method: 'GET', path, headers })).answer();
}

describe('chat completions', () => {
  test.each(['/v1/chat/completions', '/chat/completions', '/v1/chat/completions/', '/v1//chat/completions'])(
    'POST %s reaches the use case with the bytes as they came',
    async (path) => {
      const { port } = await startServer();
      const got = await new RawClient(port).write(requestText({ path, body: '{ "seed": 1.0 }' })).answer();
      expect(got?.status).toBe(200);
      expect(JSON.parse(got?.body ?? '')).toEqual({ bytes: 15, client: 'anonymous' });
    },
  );

  test('an empty body reaches the use case as no bytes', async () => {
    const { port } = await startServer();
    const got = await new RawClient(port)
      .write(requestText({ body: '', headers: { 'content-type': 'application/json', 'content-length': '0' } }))
      .answer();
    expect(JSON.parse(got?.body ?? '')).toMatchObject({ bytes: 0 });
  });

  test('several requests are served on one connection', async () => {
    const { port } = await startServer();
    const client = new RawClient(port);
    for (const body of ['{}', '{"a":1}']) {
      client.write(requestText({ body }));
      expect(JSON.parse((await client.answer())?.body ?? '')).toMatchObject({ bytes: body.length });
    }
  });
});

describe('models', () => {
  test.each(['/v1/models', '/models', '/v1/models/', '/v1/models?after=x'])('GET %s lists them', async (path) => {
    const { port } = await startServer();
    const got = await get(port, path);
    expect(JSON.parse(got?.body ?? '')).toMatchObject({
      object: 'list',
      data: [{ id: 'org/gpt-4o', object: 'model' }],
    });
    expect(got?.headers.get('content-type')).toBe('application/json');
  });

  test.each(['/v1/models/org/gpt-4o', '/v1/models/org%2Fgpt-4o', '/models/org/gpt-4o'])(
    'GET %s shows one',
    async (path) => {
      const { port } = await startServer();
      expect(JSON.parse((await get(port, path))?.body ?? '')).toMatchObject({ id: 'org/gpt-4o' });
    },
  );

  test('an unknown model is 404 and its name is cut', async () => {
    const { port } = await startServer();
    const got = await get(port, `/v1/models/${'x'.repeat(300)}`);
    expect(got?.status).toBe(404);
    expect(errorOf(got)).toMatchObject({ code: 'model_not_found', param: 'model', type: 'invalid_request_error' });
    expect(String(errorOf(got)['message']).length).toBeLessThan(150);
  });
});

describe('status', () => {
  test.each(['/health', '/healthz'])('GET %s needs no key and no local name', async (path) => {
    const { port } = await startServer({ services: { clients: CLIENTS } });
    const got = await get(port, path, { host: 'pod.internal' });
    expect(got?.status).toBe(200);
    expect(JSON.parse(got?.body ?? '')).toMatchObject({ status: 'ok', version: '1.2.3', keys: 2, uptime_seconds: 0 });
  });

  test.each(['/ready', '/readyz'])(
    'GET %s says yes while serving and no from the first sign of leaving',
    async (path) => {
      const { port, server } = await startServer();
      expect((await get(port, path))?.status).toBe(200);
      server.leave();
      expect((await get(port, path))?.status).toBe(503);
      expect((await get(port, '/v1/models'))?.status).toBe(200);
    },
  );

  test('GET /queue shows a client its own view and wants a key', async () => {
    const { port } = await startServer({ services: { clients: CLIENTS } });
    expect((await get(port, '/queue'))?.status).toBe(401);
    const got = await get(port, '/queue', { 'x-api-key': CLIENT_KEY });
    expect(JSON.parse(got?.body ?? '')).toEqual({ client: 'web', models: [] });
  });
});

describe('the front page', () => {
  test('tells version, links and a curl line in plain text', async () => {
    const { port } = await startServer();
    const got = await get(port, '/', { host: 'localhost:8080' });
    expect(got?.headers.get('content-type')).toContain('text/plain');
    expect(got?.body).toContain('Sluice 1.2.3');
    expect(got?.body).toContain('curl http://localhost:8080/v1/chat/completions');
    expect(got?.body).toContain('"model":"org/gpt-4o"');
  });

  test('is JSON for who asks for it, with a key in the curl line where clients need one', async () => {
    const { port } = await startServer({ services: { clients: CLIENTS } });
    const got = await get(port, '/', { accept: 'application/json' });
    expect(JSON.parse(got?.body ?? '')).toMatchObject({ version: '1.2.3', links: { models: '/v1/models' } });
    expect(got?.body).toContain('YOUR_CLIENT_KEY');
  });

  test('names no model to who has not said who it is', async () => {
    const { port } = await startServer({ services: { clients: CLIENTS } });
    expect((await get(port, '/'))?.body).toContain('"model":"MODEL"');
  });

  test('does not repeat a Host that is no plain name', async () => {
    const { port } = await startServer();
    expect((await get(port, '/', { host: 'x"$(id)' }))?.body).not.toContain('$(id)');
  });
});

describe('other methods and paths', () => {
  test('HEAD is GET without a body', async () => {
    const { port } = await startServer();
    const client = new RawClient(port).write(requestText({ method: 'HEAD', path: '/v1/models' }));
    await client.until('\r\n\r\n');
    expect(client.received.toString()).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(client.received.toString()).toMatch(/\r\n\r\n$/);
  });

  test.each([
    ['/v1/chat/completions', 'POST, OPTIONS'],
    ['/embeddings', 'POST, OPTIONS'],
    ['/v1/models/a/b', 'GET, HEAD, OPTIONS'],
    ['/ready', 'GET, HEAD, OPTIONS'],
    ['*', 'GET, HEAD, POST, OPTIONS'],
  ])('OPTIONS %s says %s', async (path, allow) => {
    const { port } = await startServer();
    const got = await new RawClient(port).write(requestText({ method: 'OPTIONS', path })).answer();
    expect(got?.status).toBe(204);
    expect(got?.headers.get('allow')).toBe(allow);
  });

  test.each([
    ['GET', '/v1/chat/completions', 'POST, OPTIONS'],
    ['DELETE', '/v1/models/x', 'GET, HEAD, OPTIONS'],
    ['POST', '/', 'GET, HEAD, OPTIONS'],
    ['PUT', '/queue', 'GET, HEAD, OPTIONS'],
  ])('%s %s is 405 with allow', async (method, path, allow) => {
    const { port } = await startServer();
    const got = await new RawClient(port).write(requestText({ method, path, body: '{}' })).answer();
    expect(got?.status).toBe(405);
    expect(got?.headers.get('allow')).toBe(allow);
    expect(errorOf(got)).toMatchObject({ code: 'method_not_supported', type: 'invalid_request_error' });
  });

  test.each([
    ['POST', '/v1/x', 'Invalid URL (POST /v1/x)'],
    ['GET', '/v1', 'Invalid URL (GET /v1)'],
    ['GET', '/v1/nothing?key=secret', 'Invalid URL (GET /v1/nothing)'],
    ['OPTIONS', '/nothing', 'Invalid URL (OPTIONS /nothing)'],
    ['QUERY', '/nothing', 'Invalid URL (QUERY /nothing)'],
  ])("%s %s is 404 in OpenAI's words, and says what would be right", async (method, path, message) => {
    const { port } = await startServer();
    const got = await new RawClient(port).write(requestText({ method, path })).answer();
    expect(got?.status).toBe(404);
    expect(errorOf(got)['message']).toContain(`${message}. `);
    expect(errorOf(got)).toEqual({
      message: expect.stringMatching(/\. This server answers POST \/v1\/chat\/completions.* and GET \/v1\/models\.$/),
      type: 'invalid_request_error',
      param: null,
      code: 'unknown_url',
    });
  });

  test('a WebSocket is 501, and an offer of HTTP/2 is served as HTTP/1.1', async () => {
    const { port } = await startServer();
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket' };
    expect(errorOf(await get(port, '/v1/realtime', upgrade))).toMatchObject({ code: 'not_supported' });
    expect((await get(port, '/v1/models', { connection: 'Upgrade', upgrade: 'h2c' }))?.status).toBe(200);
  });

  test('CONNECT is dropped', async () => {
    const { port } = await startServer();
    expect(await new RawClient(port).write('CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n').answer()).toBeNull();
  });
});
