import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { answer, errorOf, eventually, RawClient, requestText, SETTINGS, startServer } from './support.ts';

const HASTY = { timeouts: { ...SETTINGS.timeouts, headersMs: 60, requestMs: 100 } };

describe("bytes that are no request get an answer in OpenAI's shape and a closed connection:", () => {
  test.each([
    { what: 'garbage', bytes: 'garbage\r\n\r\n', status: 400, code: 'bad_request' },
    {
      what: 'two lengths',
      bytes: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      status: 400,
      code: 'bad_request',
    },
    {
      what: 'length and chunks',
      bytes: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      status: 400,
      code: 'bad_request',
    },
    {
      what: 'huge headers',
      bytes: `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      status: 431,
      code: 'headers_too_large',
    },
    {
      what: 'a huge URL',
      bytes: `GET /${'y'.repeat(20_000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
      status: 414,
      code: 'uri_too_long',
    },
    { what: 'an endless URL', bytes: `GET /${'y'.repeat(20_000)}`, status: 414, code: 'uri_too_long' },
  ])('$what', async ({ bytes, status, code }) => {
    const { port } = await startServer();
    const client = new RawClient(port).write(bytes);
    const got = await client.answer();
    expect(got?.status).toBe(status);
    expect(errorOf(got)).toMatchObject({ code, type: 'invalid_request_error', param: null });
    expect(Object.fromEntries(got?.headers ?? [])).toMatchObject({
      connection: 'close',
      'content-type': 'application/json',
      'x-request-id': 'req_r1',
    });
    await client.closed();
  });
});

test('a refused client that never closes is cut after a second', async () => {
  const clock = new FakeClock();
  const { port, server } = await startServer({ services: { clock } });
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.write('garbage\r\n\r\n');
  socket.resume();
  await once(socket, 'end');
  const closed = server.close({ graceMs: 60_000 });
  clock.advance(1000);
  await closed;
});

describe('requests that Fastify refuses itself have the same shape:', () => {
  test.each([
    {
      what: 'a long URL',
      text: requestText({ method: 'GET', path: `/${'y'.repeat(9000)}` }),
      status: 414,
      code: 'uri_too_long',
    },
    {
      what: 'a bad escape',
      text: requestText({ method: 'GET', path: '/v1/models/%zz' }),
      status: 400,
      code: 'bad_request',
    },
    { what: 'no Host', text: 'GET /v1/models HTTP/1.1\r\n\r\n', status: 400, code: 'bad_request' },
  ])('$what', async ({ text, status, code }) => {
    const { port } = await startServer();
    const got = await new RawClient(port).write(text).answer();
    expect(got?.status).toBe(status);
    expect(errorOf(got)).toMatchObject({ code });
    expect(Object.fromEntries(got?.headers ?? [])).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-request-id': 'req_r1',
    });
  });

  test('HTTP/1.0 needs no Host', async () => {
    const { port } = await startServer();
    expect((await new RawClient(port).write('GET /health HTTP/1.0\r\n\r\n').answer())?.status).toBe(200);
  });
});

describe('what comes too slowly is 408:', () => {
  test('a head', async () => {
    const { port } = await startServer({ settings: HASTY });
    const client = new RawClient(port).write('POST /v1/chat');
    expect(errorOf(await client.answer())).toMatchObject({ code: 'request_timeout' });
    await client.closed();
  });

  test('a body, which gives back its memory', async () => {
    const { port, server } = await startServer({ settings: HASTY });
    const client = new RawClient(port).write(requestText({ headers: { 'content-length': '5000' }, body: '{' }));
    const got = await client.answer();
    expect(got?.status).toBe(408);
    expect(errorOf(got)).toMatchObject({ code: 'request_timeout' });
    expect(got?.headers.get('connection')).toBe('close');
    await client.closed();
    expect(server.heldBodyBytes).toBe(0);
  });

  test('a body behind a request that waits: its answer comes in its turn', async () => {
    let finish: () => void = () => {};
    const { port, refusals } = await startServer({
      settings: HASTY,
      chat: async (_request, reply) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        answer(reply, { served: true });
      },
    });
    const client = new RawClient(port).write(
      requestText(),
      requestText({ headers: { 'content-length': '50' }, body: '{' }),
    );
    await eventually(() => refusals.length).toBe(1);
    finish();
    expect((await client.answer())?.body).toBe('{"served":true}');
    expect((await client.answer())?.status).toBe(408);
  });

  test('the rest of a body whose request has been answered is cut without a second answer', async () => {
    const { port } = await startServer({ settings: { ...HASTY, bodyLimitBytes: 10 } });
    const client = new RawClient(port).write(requestText({ headers: { 'content-length': '50' }, body: '{' }));
    expect((await client.answer())?.status).toBe(413);
    expect(await client.answer()).toBeNull();
    expect(client.received.length).toBe(0);
  });
});

describe('a broken body', () => {
  test('is 400 on its own exchange', async () => {
    const { port } = await startServer();
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const client = new RawClient(port).write(requestText({ headers, body: '' }), 'zz\r\n');
    const got = await client.answer();
    expect(errorOf(got)).toMatchObject({ code: 'bad_request' });
    expect(got?.headers.get('connection')).toBe('close');
    await client.closed();
  });
});

describe('garbage behind a request', () => {
  test('that is still waiting never passes for its answer', async () => {
    let isGone = false;
    const { port } = await startServer({
      chat: (_request, reply) =>
        new Promise<void>((resolve) => {
          reply.onGone(() => {
            isGone = true;
            resolve();
          });
        }),
    });
    const client = new RawClient(port).write(requestText(), 'garbage\r\n\r\n');
    expect(await client.answer()).toBeNull();
    expect(client.received.length).toBe(0);
    expect(isGone).toBe(true);
  });

  test('that is being streamed does not land in the stream', async () => {
    const { port } = await startServer({
      chat: (_request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.write('data: 1\n\n');
        return new Promise((resolve) => reply.onGone(resolve));
      },
    });
    const client = new RawClient(port).write(requestText());
    await client.until('data: 1');
    client.write('garbage\r\n\r\n');
    await client.closed();
    expect(client.received.toString()).not.toContain('400 Bad');
  });

  test('that was served is answered', async () => {
    const { port } = await startServer();
    const client = new RawClient(port).write(requestText());
    expect((await client.answer())?.status).toBe(200);
    expect((await client.write('garbage\r\n\r\n').answer())?.status).toBe(400);
  });
});
