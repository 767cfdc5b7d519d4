import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../src/errors.ts';
import type { ClientReply } from '../../src/proxy/exchange.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { answer, errorOf, eventually, RawClient, requestText, startServer } from './support.ts';

const SSE = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache, no-transform' };

/** A use case that leaves every reply to the test. */
function collecting(): {
  chat: (request: unknown, reply: ClientReply) => Promise<void>;
  next: () => Promise<ClientReply>;
} {
  const replies: ClientReply[] = [];
  let taken = 0;
  let wake: () => void = () => {};
  return {
    chat: (_request, reply) =>
      new Promise((resolve) => {
        replies.push(reply);
        reply.onGone(resolve);
        wake();
      }),
    next: async () => {
      for (;;) {
        const reply = replies[taken];
        if (reply) {
          taken += 1;
          return reply;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function whenGone(reply: ClientReply): Promise<void> {
  return new Promise((resolve) => reply.onGone(resolve));
}

describe('an answer', () => {
  test('that is whole carries its length, our headers, and leaves in one piece', async () => {
    const { port } = await startServer({ chat: (_request, reply) => answer(reply, { a: 'ä' }) });
    const got = await new RawClient(port).write(requestText({ headers: { 'x-request-id': 'mine-1' } })).answer();
    expect(got?.body).toBe('{"a":"ä"}');
    expect(Object.fromEntries(got?.headers ?? [])).toMatchObject({
      'content-length': '10',
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'mine-1',
    });
    expect(got?.headers.has('transfer-encoding')).toBe(false);
  });

  test('without a body ends after its head', async () => {
    const { port } = await startServer({
      chat: (_request, reply) => {
        reply.head(200, {});
        reply.end();
        reply.end('ignored');
        expect(reply.write('ignored')).toBe(false);
      },
    });
    expect(await new RawClient(port).write(requestText()).answer()).toMatchObject({ status: 200, body: '' });
  });

  test('that is streamed arrives piece by piece', async () => {
    const { chat, next } = collecting();
    const { port } = await startServer({ chat });
    const client = new RawClient(port).write(requestText());
    const reply = await next();
    expect(reply.isHeadSent).toBe(false);
    reply.head(200, { ...SSE, 'x-sluice-model': 'größe-\u6a21\r\nx: y' });
    expect(reply.isHeadSent).toBe(true);
    expect(reply.write('data: 1\n\n')).toBe(true);
    await client.until('data: 1');
    expect(reply.unsentBytes).toBe(0);
    reply.end('data: [DONE]\n\n');
    const got = await client.answer();
    expect(Object.fromEntries(got?.headers ?? [])).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-sluice-model': 'größe-???x: y',
    });
    expect(got?.body).toBe('data: 1\n\ndata: [DONE]\n\n');
  });

  test('that meets a full buffer says so, and when it has drained', async () => {
    const { chat, next } = collecting();
    const { port } = await startServer({ chat });
    const client = new RawClient(port).write(requestText());
    const reply = await next();
    client.socket.pause();
    reply.head(200, SSE);
    while (reply.write(Buffer.alloc(1024 * 1024))) expect(reply.isGone).toBe(false);
    expect(reply.unsentBytes).toBeGreaterThan(0);
    const drained = new Promise<void>((resolve) => reply.onDrain(resolve));
    client.socket.resume();
    await drained;
    expect(reply.unsentBytes).toBe(0);
  });
});

describe('a use case', () => {
  test('that refuses before the head has its error answered, and reports it itself', async () => {
    const { port, refusals } = await startServer({
      chat: () => {
        throw new ProxyError('queue_full', 'Full.', { retryAfterMs: 1200, limit: 'org-a rpm' });
      },
    });
    const got = await new RawClient(port).write(requestText()).answer();
    expect(got?.status).toBe(429);
    expect(Object.fromEntries(got?.headers ?? [])).toMatchObject({
      'retry-after': '2',
      'retry-after-ms': '1200',
      'x-sluice-limit': 'org-a rpm',
    });
    expect(errorOf(got)['message']).toBe('Full. Please try again in 1.2s.');
    expect(refusals).toEqual([]);
  });

  test.each([
    ['throws what nobody expected', new TypeError('secret detail')],
    ['throws nothing at all', undefined],
    ['throws an error with a status of its own', Object.assign(new Error('secret detail'), { statusCode: 400 })],
  ])('that %s is a 500 with the request id only', async (_what, error) => {
    const { port, failures } = await startServer({ chat: () => Promise.reject(error) });
    const got = await new RawClient(port).write(requestText({ headers: { 'x-request-id': 'mine-2' } })).answer();
    expect(got?.status).toBe(500);
    expect(errorOf(got)).toMatchObject({ code: 'internal_error', type: 'server_error' });
    expect(got?.body).toContain('mine-2');
    expect(got?.body).not.toContain('secret');
    expect(got?.headers.get('x-should-retry')).toBe('false');
    expect(failures).toEqual([expect.objectContaining({ requestId: 'mine-2' })]);
  });

  test('that forgets to answer is a 500', async () => {
    const { port, failures } = await startServer({ chat: () => {} });
    expect((await new RawClient(port).write(requestText()).answer())?.status).toBe(500);
    expect(failures.length).toBe(1);
  });

  test('that breaks off in the middle has its connection cut, after what it wrote', async () => {
    const { port, failures } = await startServer({
      chat: (_request, reply) => {
        reply.head(200, SSE);
        reply.write('data: last words\n\n');
        throw new Error('broken');
      },
    });
    const client = new RawClient(port).write(requestText());
    await client.closed();
    expect(client.received.toString()).toContain('data: last words');
    expect(failures).toEqual([{ requestId: 'req_r1', error: new Error('broken') }]);
  });
});

describe('a client is gone', () => {
  test.each([
    ['closes', (client: RawClient) => client.socket.destroy()],
    ['resets', (client: RawClient) => client.socket.resetAndDestroy()],
    ['half-closes', (client: RawClient) => client.socket.end()],
  ])('when it %s while it waits', async (_how, leave) => {
    const { chat, next } = collecting();
    const { port, failures } = await startServer({ chat });
    const client = new RawClient(port).write(requestText());
    const reply = await next();
    let calls = 0;
    reply.onGone(() => {
      calls += 1;
    });
    leave(client);
    await whenGone(reply);
    await client.closed();
    expect(reply.isGone).toBe(true);
    expect(calls).toBe(1);
    reply.head(200, SSE);
    expect(reply.write('x')).toBe(false);
    reply.end('x');
    expect(failures).toEqual([]);
  });

  test.each([
    ['closes', (client: RawClient) => client.socket.destroy()],
    ['half-closes', (client: RawClient) => client.socket.end()],
  ])('when it %s in the middle of a stream that it does not read', async (_how, leave) => {
    const { chat, next } = collecting();
    const { port } = await startServer({ chat });
    const client = new RawClient(port).write(requestText());
    const reply = await next();
    client.socket.pause();
    reply.head(200, SSE);
    while (reply.write(Buffer.alloc(1024 * 1024))) expect(reply.isGone).toBe(false);
    leave(client);
    await whenGone(reply);
  });

  test('as the second of two pipelined requests', async () => {
    const { chat, next } = collecting();
    const { port } = await startServer({ chat });
    const client = new RawClient(port).write(requestText(), requestText(), requestText());
    const replies = [await next(), await next(), await next()];
    client.socket.destroy();
    await Promise.all(replies.map(whenGone));
  });

  test('before the use case asked, and is told at once', async () => {
    const { chat, next } = collecting();
    const { port } = await startServer({ chat });
    const client = new RawClient(port).write(requestText());
    const reply = await next();
    client.socket.destroy();
    await whenGone(reply);
    let isTold = false;
    reply.onGone(() => {
      isTold = true;
    });
    expect(isTold).toBe(true);
  });

  test('but not one whose answer is complete', async () => {
    let isGone = false;
    const { port } = await startServer({
      chat: (_request, reply) => {
        reply.onGone(() => {
          isGone = true;
        });
        answer(reply, {});
      },
    });
    const client = new RawClient(port).write(requestText());
    await client.answer();
    await client.write(requestText({ path: '/health', method: 'GET' })).answer();
    client.socket.destroy();
    await client.closed();
    expect(isGone).toBe(false);
  });
});

describe('pipelined requests', () => {
  test('are answered in their order, whichever is ready first', async () => {
    const { chat, next } = collecting();
    const { port } = await startServer({ chat });
    const client = new RawClient(port).write(
      requestText(),
      requestText(),
      requestText({ method: 'GET', path: '/health' }),
    );
    const [first, second] = [await next(), await next()];
    answer(second, { turn: 2 });
    answer(first, { turn: 1 });
    expect((await client.answer())?.body).toBe('{"turn":1}');
    expect((await client.answer())?.body).toBe('{"turn":2}');
    expect((await client.answer())?.body).toContain('"ok"');
  });
});

describe('a client that accepts nothing', () => {
  test('is gone after the write stall, and not before', async () => {
    const clock = new FakeClock();
    const { chat, next } = collecting();
    const { port } = await startServer({ chat, services: { clock } });
    const client = new RawClient(port).write(requestText());
    const reply = await next();
    client.socket.pause();
    reply.head(200, SSE);
    while (reply.write(Buffer.alloc(1024 * 1024))) expect(reply.isGone).toBe(false);
    clock.advance(59_000);
    expect(reply.isGone).toBe(false);
    clock.advance(1000);
    await whenGone(reply);
  });

  test('is cut also when its whole answer has been handed over', async () => {
    const clock = new FakeClock();
    const { chat, next } = collecting();
    const { port } = await startServer({ chat, services: { clock } });
    const client = new RawClient(port).write(requestText());
    const reply = await next();
    client.socket.pause();
    reply.head(200, SSE);
    reply.end(Buffer.alloc(32 * 1024 * 1024));
    const gone = whenGone(reply);
    clock.advance(61_000);
    await gone;
  });

  test('is not looked for where the system has taken the whole answer', async () => {
    const clock = new FakeClock();
    const { chat, next } = collecting();
    const { port } = await startServer({ chat, services: { clock } });
    const client = new RawClient(port).write(requestText());
    const reply = await next();
    const timers = clock.pendingTimers;
    answer(reply, { short: true });
    expect(clock.pendingTimers).toBe(timers);
    expect((await client.answer())?.body).toBe('{"short":true}');
  });

  test('has its time again when it takes something', async () => {
    const clock = new FakeClock();
    const { chat, next } = collecting();
    const { port } = await startServer({ chat, services: { clock } });
    const client = new RawClient(port).write(requestText());
    const reply = await next();
    client.socket.pause();
    reply.head(200, SSE);
    while (reply.write(Buffer.alloc(4 * 1024 * 1024))) expect(reply.isGone).toBe(false);
    clock.advance(45_000);
    const before = reply.unsentBytes;
    client.socket.resume();
    await eventually(() => reply.unsentBytes).toBeLessThan(before);
    client.socket.pause();
    clock.advance(45_000);
    expect(reply.isGone).toBe(false);
  });

  test('leaves no timer behind once everything is sent', async () => {
    const clock = new FakeClock();
    const { port } = await startServer({ chat: (_request, reply) => answer(reply, {}), services: { clock } });
    const client = new RawClient(port).write(requestText());
    await client.answer();
    client.socket.end();
    await client.closed();
    await eventually(() => clock.pendingTimers).toBe(0);
  });
});
