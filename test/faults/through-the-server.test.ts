import { describe, expect, test } from 'vitest';
import { createRequestHandler } from '../../src/proxy/handle-request.ts';
import { startServer } from '../http/support.ts';
import { apiError, COMPLETION, HELLO, ROLE } from '../support/chat-answers.ts';
import { RawClient } from '../support/raw-client.ts';
import { answer, type Exchange } from '../support/scripted-upstream.ts';
import { beginStream, bookedOn, type FaultOptions, faultWorld, RESERVED, STREAMED, USED } from './fault-world.ts';

/** The whole way: sockets to the client and to the upstream. */
async function served(options: FaultOptions) {
  const world = await faultWorld(options);
  const { port } = await startServer({ chat: createRequestHandler(world.bench.services) });
  return { ...world, port };
}

function post(port: number, body: object): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...CHAT, ...body }),
  });
}

const CHAT = { model: 'chat', messages: [{ role: 'user', content: 'Hello' }] };

const boom = (exchange: Exchange): Promise<void> => exchange.write(answer(JSON.stringify(apiError('boom')), {}, 500));

describe('over real sockets on both sides', () => {
  test('a whole answer of the other key has its length and its id', async () => {
    const { port, bench } = await served({ fault: boom });
    const response = await post(port, {});
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(JSON.stringify(COMPLETION).length));
    expect(response.headers.get('x-request-id')).toBeTruthy();
    expect(response.headers.get('x-sluice-attempts')).toBe('2');
    expect(await response.json()).toEqual(COMPLETION);
    expect(bench.scheduler.openLeases).toBe(0);
    await expect.poll(() => bookedOn(bench), { timeout: 10_000 }).toEqual([RESERVED, USED]);
  });

  test('a stream of the other key is whole', async () => {
    const { port, bench } = await served({ fault: boom });
    const response = await post(port, { stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await response.text()).toBe(STREAMED);
    expect(bookedOn(bench)).toEqual([RESERVED, RESERVED]);
  });

  test('a failure of every key is an error with its status and advice', async () => {
    const { port, bench } = await served({ fault: boom, isAlone: true });
    const response = await post(port, {});
    expect(response.status).toBe(502);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(response.headers.get('x-sluice-key')).toBe('first');
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_error', type: 'server_error' } });
    expect(bookedOn(bench)).toEqual([RESERVED]);
  });

  test('a stream that breaks ends cleanly with an error that names the request', async () => {
    const fault = async (exchange: Exchange): Promise<void> => {
      await beginStream(exchange, ROLE + HELLO);
      await began;
      exchange.reset();
    };
    const { promise: began, resolve: begin } = Promise.withResolvers<void>();
    const { port, bench } = await served({ fault });
    const response = await post(port, { stream: true });
    begin();
    const text = await response.text();
    expect(text.startsWith(ROLE + HELLO)).toBe(true);
    expect(text).toContain(`Request id: ${response.headers.get('x-request-id')}`);
    expect(bookedOn(bench)).toEqual([RESERVED, [0, 0]]);
  });

  test('a client that resets its connection in the middle of a stream ends the call', async () => {
    const { port, bench, upstream } = await served({ fault: (exchange) => beginStream(exchange, ROLE + HELLO) });
    const client = await RawClient.connect(port);
    await client.send(RawClient.post('/v1/chat/completions', { ...CHAT, stream: true }));
    await client.until((text) => text.includes('Hello there'));
    client.reset();
    await (await upstream.exchange()).gone;
    await upstream.until(() => upstream.sockets.size === 0);
    expect(bench.summary).toMatchObject({ status: 499 });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([RESERVED, [0, 0]]);
  });
});
