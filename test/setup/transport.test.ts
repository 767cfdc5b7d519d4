import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type ConfiguredTransport, createTransport } from '../../src/setup/transport.ts';
import type { UpstreamRequest } from '../../src/upstream/transport.ts';
import { configOf } from '../config/load.ts';
import { CHUNKED, chunk, head, ScriptedUpstream } from '../support/scripted-upstream.ts';
import { post, Recorder } from '../upstream/recorder.ts';

/** A proxy that notes what it is asked for and hangs up. */
let proxy: Server;
let asked: string[];
let url: string;
let transport: ConfiguredTransport;

beforeEach(async () => {
  asked = [];
  proxy = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      asked.push(bytes.toString('latin1').split('\r\n')[0] ?? '');
      socket.destroy();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await transport.close();
  proxy.close();
});

const REQUEST: Omit<UpstreamRequest, 'origin'> = {
  method: 'GET',
  path: '/',
  headers: {},
  body: null,
  timeouts: { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 5_000 },
};

/** Until the call has failed, as every one does here. */
function called(origin: string): Promise<void> {
  const nothing = () => undefined;
  return new Promise((resolve) => {
    const handler = { onSent: nothing, onHead: nothing, onData: nothing, onEnd: nothing, onFailed: () => resolve() };
    transport.send({ ...REQUEST, origin }, handler);
  });
}

test("a provider's own proxy is taken, also where its address is the vendor's default", async () => {
  const config = configOf(`
providers:
  - { type: groq, keys: [a], proxy: "${url}" }
  - { type: openai-compatible, name: own, base_url: "https://upstream.example/v1", proxy: "${url}" }
`);
  transport = createTransport(config, { clock: systemClock, env: {} });
  await called('https://api.groq.com');
  await called('https://upstream.example');
  expect(asked).toEqual(['CONNECT api.groq.com:443 HTTP/1.1', 'CONNECT upstream.example:443 HTTP/1.1']);
});

test("a provider without one goes through the environment's", async () => {
  const config = configOf('providers: [{ type: groq, keys: [a] }]');
  transport = createTransport(config, { clock: systemClock, env: { HTTPS_PROXY: url } });
  await called('https://api.groq.com');
  expect(asked).toEqual(['CONNECT api.groq.com:443 HTTP/1.1']);
});

test('another configuration has its proxy at once, and another one that changes nothing keeps connections', async () => {
  const withProxy = (more: string) => configOf(`providers: [{ type: groq, keys: [a]${more} }]`);
  transport = createTransport(withProxy(''), { clock: systemClock, env: { HTTPS_PROXY: 'http://127.0.0.1:1' } });
  await called('https://api.groq.com');
  transport.reconfigure(withProxy(''));
  await called('https://api.groq.com');
  expect(asked).toEqual([]);
  transport.reconfigure(withProxy(`, proxy: "${url}"`));
  await called('https://api.groq.com');
  expect(asked).toEqual(['CONNECT api.groq.com:443 HTTP/1.1']);
});

test('where nothing is configured any more, what is under way ends, and its connection is closed then', async () => {
  const upstream = await ScriptedUpstream.listen();
  onTestFinished(() => upstream.close());
  const at = (origin: string) => {
    return configOf(`providers: [{ type: openai-compatible, name: own, base_url: "${origin}/v1" }]`);
  };
  transport = createTransport(at(upstream.origin), { clock: systemClock, env: {} });
  const recorder = new Recorder();
  transport.send(post(upstream.origin), recorder);
  const exchange = await upstream.exchange();
  await exchange.write(head(CHUNKED) + chunk('half, '));
  transport.reconfigure(at('http://127.0.0.1:1'));
  await exchange.write(`${chunk('whole')}0\r\n\r\n`);
  await recorder.over();
  expect(recorder.body).toBe('half, whole');
  await exchange.gone;
});
