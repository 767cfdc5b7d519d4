import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteBudget } from '../../src/http/byte-budget.ts';
import type { ClientRequest } from '../../src/proxy/exchange.ts';
import { answer, errorOf, eventually, RawClient, requestText, startServer } from './support.ts';

const CHUNKED = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };

function chunk(size: number): string {
  return `${size.toString(16)}\r\n${' '.repeat(size)}\r\n`;
}

describe('the byte budget', () => {
  test('holds exactly what its shares hold, never more than it has, and nothing in the end', () => {
    const step = fc.record({ share: fc.nat(3), bytes: fc.nat(60), isRelease: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const budget = new ByteBudget(100);
        const shares = [0, 1, 2, 3].map(() => ({ share: budget.open(), bytes: 0, isReleased: false }));
        for (const { share, bytes, isRelease } of steps) {
          const own = shares[share];
          if (!own) continue;
          if (isRelease) {
            own.share.release();
            Object.assign(own, { bytes: 0, isReleased: true });
          } else if (own.share.growTo(bytes)) {
            expect(own.isReleased).toBe(false);
            own.bytes = Math.max(own.bytes, bytes);
          }
          expect(budget.heldBytes).toBe(shares.reduce((sum, each) => sum + each.bytes, 0));
          expect(budget.heldBytes).toBeLessThanOrEqual(100);
        }
        for (const { share } of shares) share.release();
        expect(budget.heldBytes).toBe(0);
      }),
    );
  });
});

describe('what a body must be', () => {
  test.each([
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['no type at all', { 'content-type': '' }],
    ['a likeness of JSON', { 'content-type': 'application/jsonp' }],
    ['two types', { 'content-type': 'application/json, text/plain' }],
    ['JSON with a broken parameter, and a second type', { 'content-type': 'a/b; application/json' }],
    ['gzip', { 'content-encoding': 'gzip' }],
  ])('%s is 415', async (_what, headers) => {
    const { port } = await startServer();
    const got = await new RawClient(port).write(requestText({ headers })).answer();
    expect(got?.status).toBe(415);
    expect(errorOf(got)).toMatchObject({ code: 'unsupported_media_type', type: 'invalid_request_error' });
  });

  test.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset="utf-8"'])(
    '%s is JSON',
    async (type) => {
      const { port } = await startServer();
      const got = await new RawClient(port).write(requestText({ headers: { 'content-type': type } })).answer();
      expect(got?.status).toBe(200);
    },
  );

  test('identity is no encoding', async () => {
    const { port } = await startServer();
    const got = await new RawClient(port).write(requestText({ headers: { 'content-encoding': 'identity' } })).answer();
    expect(got?.status).toBe(200);
  });
});

describe('a body over the limit', () => {
  test('is refused by its length before it comes', async () => {
    const { port } = await startServer({ settings: { bodyLimitBytes: 100 } });
    const client = new RawClient(port).write(requestText({ headers: { 'content-length': '101' }, body: '{' }));
    const got = await client.answer();
    expect(got?.status).toBe(413);
    expect(errorOf(got)).toMatchObject({ code: 'request_too_large' });
    expect(errorOf(got)['message']).toContain('100 bytes');
  });

  test('is refused as it grows, read on, and leaves the connection usable', async () => {
    const { port, server } = await startServer({ settings: { bodyLimitBytes: 100 } });
    const client = new RawClient(port).write(requestText({ headers: CHUNKED, body: '' }), chunk(60), chunk(60));
    expect((await client.answer())?.status).toBe(413);
    expect(server.heldBodyBytes).toBe(0);
    client.write(chunk(5000), '0\r\n\r\n', requestText());
    expect((await client.answer())?.status).toBe(200);
  });

  test('is accepted at exactly the limit', async () => {
    const { port } = await startServer({ settings: { bodyLimitBytes: 100 } });
    expect((await new RawClient(port).write(requestText({ body: ' '.repeat(100) })).answer())?.status).toBe(200);
  });
});

describe('the memory for bodies', () => {
  test('refuses by length when it is spent, and takes again when bytes are released', async () => {
    let held: ClientRequest | undefined;
    let finish: () => void = () => {};
    const { port, server } = await startServer({
      settings: { bodyMemoryBytes: 100 },
      chat: async (request, reply) => {
        if (!held) {
          held = request;
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
        }
        answer(reply, {});
      },
    });
    const first = new RawClient(port).write(requestText({ body: ' '.repeat(60) }));
    const second = new RawClient(port);
    await eventually(() => held).toBeDefined();
    const got = await second.write(requestText({ body: ' '.repeat(60) })).answer();
    expect(got?.status).toBe(503);
    expect(got?.headers.get('retry-after')).toBe('1');
    expect(errorOf(got)).toMatchObject({ code: 'server_busy', type: 'server_error' });

    expect(held?.body.length).toBe(60);
    held?.releaseBody();
    held?.releaseBody();
    expect(held?.body.length).toBe(0);
    expect(server.heldBodyBytes).toBe(0);
    expect((await second.write(requestText({ body: ' '.repeat(60) })).answer())?.status).toBe(200);
    finish();
    expect((await first.answer())?.status).toBe(200);
    expect(server.heldBodyBytes).toBe(0);
  });

  test('refuses a chunked body in the middle', async () => {
    const { port, server } = await startServer({ settings: { bodyMemoryBytes: 100 } });
    const client = new RawClient(port).write(requestText({ headers: CHUNKED, body: '' }), chunk(60), chunk(60));
    expect(errorOf(await client.answer())).toMatchObject({ code: 'server_busy' });
    expect(server.heldBodyBytes).toBe(0);
  });

  test('is given back when the upload is aborted', async () => {
    const { port, server, refusals } = await startServer();
    const client = new RawClient(port).write(requestText({ headers: { 'content-length': '5000' }, body: '{' }));
    await eventually(() => server.heldBodyBytes).toBe(5000);
    client.socket.destroy();
    await eventually(() => server.heldBodyBytes).toBe(0);
    expect(refusals).toEqual([expect.objectContaining({ status: 499, code: 'client_closed_request' })]);
  });

  test('is given back when the use case forgets to', async () => {
    const { port, server } = await startServer();
    await new RawClient(port).write(requestText()).answer();
    expect(server.heldBodyBytes).toBe(0);
  });
});

test('a client that asks first is told to go on once it is let in', async () => {
  const { port } = await startServer();
  const client = new RawClient(port);
  client.write(
    requestText({
      headers: { expect: '100-continue', 'content-type': 'application/json', 'content-length': '2' },
      body: '',
    }),
  );
  expect((await client.answer())?.status).toBe(100);
  expect((await client.write('{}').answer())?.status).toBe(200);
});

test('an unknown expectation is ignored', async () => {
  const { port } = await startServer();
  expect((await new RawClient(port).write(requestText({ headers: { expect: 'miracles' } })).answer())?.status).toBe(
    200,
  );
});
