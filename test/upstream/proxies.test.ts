import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Transport } from '../../src/upstream/transport.ts';
import { createUndiciTransport } from '../../src/upstream/undici-transport.ts';
import { answer, ScriptedUpstream } from '../support/scripted-upstream.ts';
import { post, Recorder, settle } from './recorder.ts';

const cert = readFileSync(new URL('./fixtures/loopback.crt', import.meta.url), 'utf8');
const key = readFileSync(new URL('./fixtures/loopback.key', import.meta.url), 'utf8');

/** A proxy that tunnels by CONNECT, answering by `reply`; null: it never does. */
async function listenTunnel(reply: string | null) {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    client.on('close', () => sockets.delete(client));
    client.once('data', (head) => {
      requests.push(head.toString());
      if (reply === null) return;
      client.write(reply);
      const [, host, port] = /^CONNECT (.+):(\d+) /.exec(head.toString()) ?? [];
      const target = connect({ host: host ?? '', port: Number(port) });
      target.on('error', () => client.destroy());
      client.on('close', () => target.destroy());
      client.pipe(target).pipe(client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as { port: number };
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://user:pass@127.0.0.1:${port}`, sockets, requests, close };
}

type Tunnel = Awaited<ReturnType<typeof listenTunnel>>;

const CONNECTED = 'HTTP/1.1 200 Connection established\r\n\r\n';

let upstream: ScriptedUpstream;
let transport: Transport | null = null;
let tunnel: Tunnel | null = null;

beforeEach(async () => {
  upstream = await ScriptedUpstream.listen(({ write }) => write(answer('{"ok":true}')), { key, cert });
});

afterEach(async () => {
  await transport?.close();
  await tunnel?.close();
  await upstream.close();
});

async function sendThrough(reply: string | null): Promise<{ recorder: Recorder; requests: string[] }> {
  tunnel = await listenTunnel(reply);
  const { url, requests } = tunnel;
  transport = createUndiciTransport({ clock: systemClock, proxyFor: () => url, caFor: () => cert });
  const recorder = new Recorder();
  transport.send(post(upstream.origin), recorder);
  return { recorder, requests };
}

describe('certificates of its own', () => {
  it('make an origin trusted', async () => {
    transport = createUndiciTransport({ clock: systemClock, caFor: () => cert, proxyFor: () => null });
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder);
    await recorder.over();
    expect(recorder.story).toEqual(['sent', 'head 200', 'data', 'end']);
  });
});

describe('an https origin behind a proxy', () => {
  it('is reached through a tunnel that sees no request', async () => {
    const { recorder, requests } = await sendThrough(CONNECTED);
    await recorder.over();
    expect(recorder.body).toBe('{"ok":true}');
    expect(requests.length).toBe(1);
    expect(requests[0]).toMatch(new RegExp(`^CONNECT 127\\.0\\.0\\.1:${upstream.port} HTTP/1\\.1\r\n`));
    expect(requests[0]).toContain(`proxy-authorization: Basic ${btoa('user:pass')}`);
    expect((await upstream.exchange()).head).not.toContain('proxy-');
  });

  it('is not reached, and nothing sent, when the proxy refuses', async () => {
    const { recorder } = await sendThrough('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
    await recorder.over();
    expect(recorder.log).toEqual(['failed connect unsent']);
    expect(upstream.exchanges).toEqual([]);
  });

  it('can be given up while the tunnel is being dug', async () => {
    tunnel = await listenTunnel(null);
    const { url, requests, sockets } = tunnel;
    transport = createUndiciTransport({ clock: systemClock, proxyFor: () => url });
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin), recorder);
    while (requests.length === 0) await settle();
    call.abort();
    expect(recorder.log).toEqual(['failed aborted unsent']);
    while (sockets.size > 0) await settle();
  });
});

describe('an http origin behind a proxy', () => {
  it('is asked for by its whole URL', async () => {
    const proxy = await ScriptedUpstream.listen(({ write }) => write(answer('{"ok":true}')));
    transport = createUndiciTransport({ clock: systemClock, proxyFor: () => proxy.origin });
    for (let round = 1; round <= 2; round++) {
      const recorder = new Recorder();
      transport.send(post('http://vendor.test:8080', { path: '/v1/x' }), recorder);
      await recorder.over();
      expect(recorder.story).toEqual(['sent', 'head 200', 'data', 'end']);
      await settle();
    }
    const { head } = await proxy.exchange();
    expect(head).toContain('POST http://vendor.test:8080/v1/x HTTP/1.1');
    expect(head).toContain('host: vendor.test:8080');
    expect(proxy.connections).toBe(1);
    await transport.close();
    await proxy.close();
  });

  it('fails when the proxy wants credentials', async () => {
    const proxy = await ScriptedUpstream.listen(({ end }) => end(answer('', {}, 407)));
    transport = createUndiciTransport({ clock: systemClock, proxyFor: () => proxy.origin });
    const recorder = new Recorder();
    transport.send(post('http://vendor.test'), recorder);
    await recorder.over();
    await settle();
    expect(recorder.log).toEqual(['sent', 'failed broken sent']);
    await transport.close();
    await proxy.close();
  });
});
