import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ClientReply } from '../../src/proxy/exchange.ts';
import { answer, errorOf, eventually, RawClient, requestText, startServer } from './support.ts';

async function withRequestUnderWay() {
  let reply: ClientReply | undefined;
  const started = await startServer({
    chat: (_request, given) =>
      new Promise((resolve) => {
        reply = given;
        given.onGone(resolve);
      }),
  });
  const client = new RawClient(started.port).write(requestText());
  await eventually(() => reply).toBeDefined();
  return { ...started, client, reply: reply as unknown as ClientReply };
}

describe('a server that drains', () => {
  test('finishes what runs, refuses what is new, and asks every connection to close', async () => {
    const { server, port, client, reply } = await withRequestUnderWay();
    const kept = new RawClient(port).write(requestText({ method: 'GET', path: '/health' }));
    expect((await kept.answer())?.headers.get('connection')).toBe('keep-alive');

    server.startDraining();
    const closed = server.close({ graceMs: 60_000 });
    await kept.closed();
    const refused = connect(port, '127.0.0.1');
    await expect(once(refused, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });

    client.write(requestText(), requestText({ method: 'GET', path: '/health' }));
    answer(reply, { served: true });
    const got = await client.answer();
    expect(got?.body).toBe('{"served":true}');
    expect(got?.headers.get('connection')).toBe('close');
    await closed;
  });

  test('does not wait for a connection on which nothing was ever sent', async () => {
    const { server, port } = await startServer();
    const silent = new RawClient(port);
    await once(silent.socket, 'connect');
    const closed = server.close({ graceMs: 60_000 });
    await silent.closed();
    await closed;
  });

  test('tells a request that comes on an open connection to come back elsewhere', async () => {
    const { server, client, reply, refusals } = await withRequestUnderWay();
    reply.head(200, {});
    reply.write('x');
    server.startDraining();
    client.write(requestText());
    await eventually(() => refusals.length).toBe(1);
    expect(refusals).toEqual([expect.objectContaining({ status: 503, code: 'shutting_down' })]);
    reply.end('y');
    expect((await client.answer())?.body).toBe('xy');
    const got = await client.answer();
    expect(got?.headers.get('connection')).toBe('close');
    expect(got?.headers.get('retry-after')).toBe('1');
    expect(errorOf(got)).toMatchObject({ code: 'shutting_down', type: 'server_error' });
  });

  test('says so on the paths that watch it', async () => {
    const { server, client, reply } = await withRequestUnderWay();
    reply.head(200, {});
    reply.write('x');
    server.startDraining();
    server.leave();
    client.write(requestText({ method: 'GET', path: '/health' }));
    reply.end();
    await client.answer();
    const health = await client.answer();
    expect(health?.status).toBe(200);
    expect(health?.headers.get('connection')).toBe('close');
  });

  test('answers an error that comes late with connection: close', async () => {
    let fail: (error: Error) => void = () => {};
    const { server, port } = await startServer({
      chat: () =>
        new Promise((_resolve, reject) => {
          fail = reject;
        }),
    });
    const client = new RawClient(port).write(requestText());
    await eventually(() => server.heldBodyBytes).toBeGreaterThan(0);
    server.startDraining();
    fail(new Error('late'));
    expect((await client.answer())?.headers.get('connection')).toBe('close');
  });

  test('cuts what is left when the grace is over', async () => {
    const { server, client } = await withRequestUnderWay();
    await server.close({ graceMs: 1 });
    await client.closed();
  });

  test('closes a connection that falls idle, long before its keep-alive ends', async () => {
    const { server, client, reply } = await withRequestUnderWay();
    reply.head(200, { 'content-length': '2' });
    reply.write('o');
    server.startDraining();
    const closed = server.close({ graceMs: 60_000 });
    reply.end('k');
    await client.closed();
    await closed;
  });
});

test('a port that is taken is reported by its code', async () => {
  const { port } = await startServer();
  const other = await startServer();
  await other.server.close({ graceMs: 0 });
  await expect(other.server.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
