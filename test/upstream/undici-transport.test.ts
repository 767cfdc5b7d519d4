import { createServer, type Server } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Transport } from '../../src/upstream/transport.ts';
import { createUndiciTransport } from '../../src/upstream/undici-transport.ts';
import { answer, CHUNKED, chunk, head, ScriptedUpstream } from '../support/scripted-upstream.ts';
import { post, Recorder, settle } from './recorder.ts';

let upstream: ScriptedUpstream;
let transport: Transport;

beforeEach(async () => {
  upstream = await ScriptedUpstream.listen();
  transport = createUndiciTransport({ clock: systemClock });
});

afterEach(async () => {
  await transport.close();
  await upstream.close();
});

describe('an answer', () => {
  it('is reported as sent, head, data, end', async () => {
    upstream.script = ({ end }) => end(answer('{"ok":true}', { 'x-request-id': 'r1', 'set-cookie': 'a' }));
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder);
    await recorder.over();
    expect(recorder.story).toEqual(['sent', 'head 200', 'data', 'end']);
    expect(recorder.body).toBe('{"ok":true}');
    expect(recorder.heads[0]?.headers['x-request-id']).toBe('r1');
  });

  it('keeps a header that came several times as a list', async () => {
    upstream.script = ({ end }) => end('HTTP/1.1 200 OK\r\nVia: a\r\nvia: b\r\ncontent-length: 0\r\n\r\n');
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder);
    await recorder.over();
    expect(recorder.heads[0]?.headers['via']).toEqual(['a', 'b']);
  });

  it('sends exactly what it was given, with host and length', async () => {
    upstream.script = ({ end }) => end(answer('{}'));
    const recorder = new Recorder();
    const body = Buffer.from('{"model":"m"}');
    transport.send(
      post(upstream.origin, { path: '/v1/x?y=1', headers: { authorization: 'Bearer k' }, body }),
      recorder,
    );
    const { head: sent, body: received } = await upstream.exchange();
    await recorder.over();
    expect(sent.split('\r\n')).toEqual([
      'POST /v1/x?y=1 HTTP/1.1',
      `host: 127.0.0.1:${upstream.port}`,
      'connection: keep-alive',
      'authorization: Bearer k',
      'content-length: 13',
    ]);
    expect(received).toEqual(body);
  });

  it('can be to a GET without a body', async () => {
    upstream.script = ({ end }) => end(answer('{}'));
    const recorder = new Recorder();
    transport.send(post(upstream.origin, { method: 'GET', path: '/v1/models', body: null }), recorder);
    await recorder.over();
    expect((await upstream.exchange()).head).toMatch(/^GET \/v1\/models HTTP/);
    expect(recorder.log.at(-1)).toBe('end');
  });

  it('skips interim heads', async () => {
    upstream.script = ({ end }) => {
      end(`HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${answer('{}')}`);
    };
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder);
    await recorder.over();
    expect(recorder.story).toEqual(['sent', 'head 200', 'data', 'end']);
  });

  it('is delivered piece by piece as it comes', async () => {
    upstream.script = async ({ write }) => {
      await write(head(CHUNKED));
      await write(chunk('data: 1\n\n'));
    };
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder);
    await recorder.has('data');
    expect(recorder.body).toBe('data: 1\n\n');
    const { end } = await upstream.exchange();
    end(Buffer.concat([chunk('data: 2\n\n'), chunk('')]));
    await recorder.over();
    expect(recorder.body).toBe('data: 1\n\ndata: 2\n\n');
  });

  it('may come before the request is fully sent', async () => {
    const early: Server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(answer('{"error":{}}', {}, 413)));
    });
    await new Promise<void>((resolve) => early.listen(0, '127.0.0.1', () => resolve()));
    const { port } = early.address() as { port: number };
    const recorder = new Recorder();
    transport.send(post(`http://127.0.0.1:${port}`, { body: Buffer.alloc(8_000_000, 97) }), recorder);
    await recorder.over();
    expect(recorder.heads[0]?.status).toBe(413);
    await new Promise<void>((resolve) => early.close(() => resolve()));
  });
});

describe('connections', () => {
  it('are reused one after another and never shared at once', async () => {
    upstream.script = async ({ write, body }) => {
      if (body.includes('wait')) return;
      await write(answer('{}'));
    };
    const first = new Recorder();
    transport.send(post(upstream.origin), first);
    await first.over();
    await settle();
    const second = new Recorder();
    transport.send(post(upstream.origin), second);
    await second.over();
    expect(upstream.connections).toBe(1);
    const held = [1, 2, 3].map(() => new Recorder());
    for (const recorder of held) transport.send(post(upstream.origin, { body: Buffer.from('wait') }), recorder);
    await Promise.all(held.map((recorder) => recorder.has('sent')));
    await upstream.until(() => upstream.exchanges.length === 5);
    expect(upstream.connections).toBeGreaterThanOrEqual(3);
  });

  it('that the server has closed while idle are replaced without a failure', async () => {
    upstream.script = ({ write }) => write(answer('{}'));
    for (let round = 1; round <= 10; round++) {
      const recorder = new Recorder();
      transport.send(post(upstream.origin, { body: Buffer.alloc(100_000, 97) }), recorder);
      await recorder.over();
      expect(recorder.log.at(-1)).toBe('end');
      for (const socket of upstream.sockets) round % 2 === 0 ? socket.end() : socket.resetAndDestroy();
    }
  });

  it('that idle are closed after the keep-alive time', async () => {
    await transport.close();
    transport = createUndiciTransport({ clock: systemClock, idleKeepAliveMs: 20 });
    upstream.script = ({ write }) => write(answer('{}'));
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder);
    await recorder.over();
    await upstream.until(() => upstream.sockets.size === 0);
    expect(recorder.log.at(-1)).toBe('end');
  });
});

describe('large bodies', () => {
  it('arrive whole, with their length', async () => {
    upstream.script = ({ write }) => write(head(CHUNKED));
    const recorder = new Recorder();
    const body = Buffer.alloc(3_000_000, 'abc');
    transport.send(post(upstream.origin, { body }), recorder);
    const { headers, body: received } = await upstream.exchange();
    await recorder.has('head 200');
    expect(headers.get('content-length')).toBe('3000000');
    expect(headers.has('transfer-encoding')).toBe(false);
    expect(received.equals(body)).toBe(true);
  });

  it('are let go once sent, while the answer still flows', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    upstream.script = ({ write }) => write(head(CHUNKED));
    const recorder = new Recorder();
    const body = sendLarge(recorder);
    await recorder.has('head 200');
    await settle();
    collectGarbage();
    expect(body.deref()).toBeUndefined();
  });
});

/** In a function of its own, so that nothing here holds the body. */
function sendLarge(recorder: Recorder): WeakRef<Buffer> {
  const body = Buffer.alloc(3_000_000, 'abc');
  transport.send(post(upstream.origin, { body }), recorder);
  return new WeakRef(body);
}

describe('encoded answers', () => {
  it('are decoded, and their head says so', async () => {
    const body = gzipSync('{"ok":true}');
    upstream.script = ({ end }) => end(answer(body, { 'content-encoding': 'gzip', 'x-a': 'b' }));
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder);
    await recorder.over();
    expect(recorder.story).toEqual(['sent', 'head 200', 'data', 'end']);
    expect(recorder.body).toBe('{"ok":true}');
    expect(recorder.heads[0]?.headers).toEqual({ 'content-type': 'application/json', 'x-a': 'b' });
  });

  it('that break off inside the coding are broken, though the transfer was complete', async () => {
    const body = gzipSync('x'.repeat(1000)).subarray(0, 12);
    upstream.script = ({ end }) => end(answer(body, { 'content-encoding': 'gzip' }));
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder);
    await recorder.over();
    expect(recorder.log.at(-1)).toBe('failed broken sent');
  });

  it('can be paused, resumed and aborted', async () => {
    const body = gzipSync(Buffer.alloc(20_000_000, 'sluice'));
    upstream.script = ({ write }) => write(answer(body, { 'content-encoding': 'gzip' }));
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin), recorder);
    recorder.onEach = (entry) => {
      if (entry !== 'data' || recorder.chunks.length !== 3) return;
      call.pause();
    };
    await recorder.until(() => recorder.chunks.length >= 3);
    await settle();
    const held = recorder.chunks.length;
    await settle();
    expect(recorder.chunks.length).toBe(held);
    call.resume();
    await recorder.over();
    expect(recorder.body.length).toBe(20_000_000);

    const second = new Recorder();
    const aborted = transport.send(post(upstream.origin), second);
    await second.has('data');
    aborted.abort();
    expect(second.log.at(-1)).toBe('failed aborted sent');
    await settle();
    expect(second.log.at(-1)).toBe('failed aborted sent');
  });
});

describe('back-pressure', () => {
  it('stops a paused answer and loses nothing of it', async () => {
    const size = 30_000_000;
    upstream.script = ({ end }) => end(answer(Buffer.alloc(size, 120)));
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin), recorder);
    call.pause();
    call.pause();
    await recorder.has('head 200');
    await settle();
    const { socket } = await upstream.exchange();
    expect(socket.writableLength).toBeGreaterThan(10_000_000);
    expect(recorder.chunks.length).toBeLessThan(3);
    call.resume();
    call.resume();
    await recorder.over();
    expect(recorder.log.at(-1)).toBe('end');
    expect(Buffer.concat(recorder.chunks).length).toBe(size);
  });
});
