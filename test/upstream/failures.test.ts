import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Transport } from '../../src/upstream/transport.ts';
import { createUndiciTransport } from '../../src/upstream/undici-transport.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { HalfOpenProxy } from '../support/half-open-proxy.ts';
import { answer, CHUNKED, chunk, head, type Script, ScriptedUpstream } from '../support/scripted-upstream.ts';
import { post, Recorder, settle, timeouts } from './recorder.ts';

const TLS = {
  key: readFileSync(new URL('./fixtures/loopback.key', import.meta.url), 'utf8'),
  cert: readFileSync(new URL('./fixtures/loopback.crt', import.meta.url), 'utf8'),
};

let clock: FakeClock;
let upstream: ScriptedUpstream;
let transport: Transport;

beforeEach(async () => {
  clock = new FakeClock();
  upstream = await ScriptedUpstream.listen();
  transport = createUndiciTransport({ clock });
});

afterEach(async () => {
  await transport.close();
  await upstream.close();
  expect(clock.pendingTimers).toBe(0);
});

/** Starts a stream and stops in the middle of it. */
const startStream: Script = async ({ write }) => {
  await write(head(CHUNKED));
  await write(chunk('data: 1\n\n'));
};

async function outcomeOf(request: Parameters<Transport['send']>[0]): Promise<Recorder> {
  const recorder = new Recorder();
  transport.send(request, recorder);
  expect(recorder.log).toEqual([]);
  await recorder.over();
  await settle();
  return recorder;
}

describe('what fails before the request is handed to a connection was not sent', () => {
  it('a refused connection', async () => {
    const { origin } = upstream;
    await upstream.close();
    expect((await outcomeOf(post(origin))).log).toEqual(['failed connect unsent']);
  });

  it('a certificate that nobody vouches for', async () => {
    const secure = await ScriptedUpstream.listen(() => undefined, TLS);
    const recorder = await outcomeOf(post(secure.origin));
    expect(recorder.log).toEqual(['failed connect unsent']);
    expect(recorder.failure?.cause.message).toMatch(/self-signed/);
    await secure.close();
  });

  it('a reset during the handshake', async () => {
    const proxy = await HalfOpenProxy.listen(upstream.port);
    proxy.freeze();
    const recorder = new Recorder();
    transport.send(post(`https://127.0.0.1:${proxy.port}`), recorder);
    await upstream.until(() => upstream.connections === 1);
    proxy.resetClients();
    await recorder.over();
    expect(recorder.log).toEqual(['failed connect unsent']);
    await proxy.close();
  });

  it.each<[string, Partial<Parameters<Transport['send']>[0]>]>([
    ['a header value with a line feed', { headers: { 'x-a': 'b\nc: d' } }],
    ['a header value beyond latin1', { headers: { 'x-a': '€' } }],
    ['a header of the connection', { headers: { 'transfer-encoding': 'chunked' } }],
    ['a path with a space', { path: '/a b' }],
    ['an origin that is none', { origin: 'nowhere' }],
  ])('%s', async (_name, changes) => {
    const recorder = await outcomeOf(post(upstream.origin, changes));
    expect(recorder.log).toEqual(['failed invalid_request unsent']);
    expect(upstream.connections).toBe(0);
  });

  it('anything after the transport was closed', async () => {
    await transport.close();
    expect((await outcomeOf(post(upstream.origin))).log).toEqual(['failed connect unsent']);
  });
});

describe('what fails afterwards may have been admitted', () => {
  it.each<[string, Script, string[]]>([
    ['a close without an answer', ({ end }) => end(), []],
    ['a reset without an answer', ({ reset }) => reset(), []],
    ['an answer that is not HTTP', ({ end }) => end('+OK hello\r\n\r\n'), []],
    ['a head without end', ({ end }) => end(`HTTP/1.1 200 OK\r\nx-a: ${'x'.repeat(20_000)}\r\n\r\n`), []],
    ['a switch of protocols', ({ end }) => end('HTTP/1.1 101 Hi\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'), []],
    ['a body cut short', ({ end }) => end(answer('{"ok":true}').subarray(0, -3)), ['head 200', 'data']],
    ['a chunked body cut short', ({ end }) => end(`${head(CHUNKED)}${chunk('data')}`), ['head 200', 'data']],
    ['a broken chunk', ({ end }) => end(`${head(CHUNKED)}${chunk('data')}zz\r\n`), ['head 200', 'data']],
  ])('%s', async (_name, script, before) => {
    upstream.script = script;
    expect((await outcomeOf(post(upstream.origin))).story).toEqual(['sent', ...before, 'failed broken sent']);
  });

  it('a reset within the body', async () => {
    upstream.script = startStream;
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder);
    await recorder.has('data');
    (await upstream.exchange()).reset();
    await recorder.over();
    expect(recorder.story).toEqual(['sent', 'head 200', 'data', 'failed broken sent']);
  });

  it('an exception of the handler itself', async () => {
    upstream.script = startStream;
    const recorder = new Recorder();
    recorder.onEach = (entry) => {
      if (entry === 'data') throw new Error('a bug');
    };
    transport.send(post(upstream.origin), recorder);
    await recorder.over();
    expect(recorder.log.at(-1)).toBe('failed broken sent');
    expect(recorder.failure?.cause.message).toBe('a bug');
  });
});

describe('an abort', () => {
  it('in the tick of the send reaches nobody', async () => {
    for (const body of [Buffer.from('{}'), Buffer.alloc(100_000)]) {
      const recorder = new Recorder();
      transport.send(post(upstream.origin, { body }), recorder).abort();
      expect(recorder.log).toEqual(['failed aborted unsent']);
    }
    await settle();
    await upstream.until(() => upstream.sockets.size === 0);
    expect(upstream.exchanges).toEqual([]);
  });

  it('while connecting ends at once and leaves no connection', async () => {
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin.replace('http:', 'https:')), recorder);
    await upstream.until(() => upstream.connections === 1);
    call.abort();
    expect(recorder.log).toEqual(['failed aborted unsent']);
    await upstream.until(() => upstream.sockets.size === 0);
    call.abort();
    call.pause();
    call.resume();
    call.firstEventSeen();
    expect(recorder.log.length).toBe(1);
  });

  it('while an idle connection is taken up again sends nothing', async () => {
    upstream.script = ({ write }) => write(answer('{}'));
    await outcomeOf(post(upstream.origin));
    const recorder = new Recorder();
    transport.send(post(upstream.origin), recorder).abort();
    await upstream.until(() => upstream.sockets.size === 0);
    expect(recorder.log).toEqual(['failed aborted unsent']);
    expect(upstream.exchanges.length).toBe(1);
  });

  it('in the moment of sending sends nothing, but counts as sent', async () => {
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin), recorder);
    recorder.onEach = (entry) => {
      if (entry === 'sent') call.abort();
    };
    await recorder.over();
    expect(recorder.log).toEqual(['sent', 'failed aborted sent']);
    await upstream.until(() => upstream.connections === 1 && upstream.sockets.size === 0);
    expect(upstream.exchanges).toEqual([]);
  });

  it('before the head closes the connection', async () => {
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin), recorder);
    const { gone } = await upstream.exchange();
    call.abort();
    expect(recorder.log).toEqual(['sent', 'failed aborted sent']);
    await gone;
  });

  it.each([false, true])('in the middle of a stream closes the connection, paused: %s', async (isPaused) => {
    upstream.script = startStream;
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin), recorder);
    await recorder.has('data');
    if (isPaused) call.pause();
    call.abort();
    expect(recorder.story).toEqual(['sent', 'head 200', 'data', 'failed aborted sent']);
    await (await upstream.exchange()).gone;
    await settle();
    expect(recorder.story.length).toBe(4);
  });

  it('within a piece of the body is followed by nothing, though more of it has come', async () => {
    upstream.script = ({ end }) => end(Buffer.concat([Buffer.from(head(CHUNKED)), ...['a', 'b', 'c', ''].map(chunk)]));
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin), recorder);
    recorder.onEach = (entry) => {
      if (entry === 'data') call.abort();
    };
    await recorder.over();
    await settle();
    expect(recorder.log).toEqual(['sent', 'head 200', 'data', 'failed aborted sent']);
  });

  it('while uploading closes the connection', async () => {
    const stuck = await HalfOpenProxy.listen(upstream.port);
    stuck.freeze();
    const recorder = new Recorder();
    const call = transport.send(post(`http://127.0.0.1:${stuck.port}`, { body: Buffer.alloc(20_000_000) }), recorder);
    await recorder.has('sent');
    call.abort();
    expect(recorder.log).toEqual(['sent', 'failed aborted sent']);
    stuck.thaw();
    await upstream.until(() => upstream.connections === 1 && upstream.sockets.size === 0);
    await stuck.close();
  });

  it('after the end does nothing', async () => {
    upstream.script = ({ write }) => write(answer('{}'));
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin), recorder);
    await recorder.over();
    call.abort();
    await settle();
    expect(recorder.story).toEqual(['sent', 'head 200', 'data', 'end']);
    expect(upstream.sockets.size).toBe(1);
  });

  it('of everything is what closing does', async () => {
    const recorders = [new Recorder(), new Recorder()];
    transport.send(post(upstream.origin), recorders[0] as Recorder);
    await upstream.exchange();
    transport.send(post(upstream.origin.replace('http:', 'https:')), recorders[1] as Recorder);
    await upstream.until(() => upstream.connections === 2);
    await transport.close();
    expect(recorders.map(({ log }) => log.at(-1))).toEqual(['failed aborted sent', 'failed aborted unsent']);
    await upstream.until(() => upstream.sockets.size === 0);
  });
});

describe('a timeout', () => {
  it('of connecting includes TLS, sends nothing and leaves no connection', async () => {
    const recorder = new Recorder();
    transport.send(post(upstream.origin.replace('http:', 'https:'), timeouts({ connectMs: 5_000 })), recorder);
    await upstream.until(() => upstream.connections === 1);
    clock.advance(4_999);
    expect(recorder.log).toEqual([]);
    clock.advance(1);
    expect(recorder.log).toEqual(['failed connect_timeout unsent']);
    expect(recorder.failure?.cause.message).toMatch(/^No connection to https:.* in time\.$/);
    await upstream.until(() => upstream.sockets.size === 0);
  });

  it('of the first event is not ended by the head', async () => {
    upstream.script = ({ write }) => write(head(CHUNKED));
    const recorder = new Recorder();
    transport.send(post(upstream.origin, timeouts({ firstByteMs: 1_000 })), recorder);
    await recorder.has('head 200');
    clock.advance(1_000);
    expect(recorder.log).toEqual(['sent', 'head 200', 'failed first_byte_timeout sent']);
    await (await upstream.exchange()).gone;
  });

  it('of silence counts from the first event on', async () => {
    upstream.script = startStream;
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin, timeouts({ firstByteMs: 1_000, idleMs: 2_000 })), recorder);
    await recorder.has('data');
    call.firstEventSeen();
    clock.advance(1_999);
    const { write, gone } = await upstream.exchange();
    await write(chunk('data: 2\n\n'));
    await recorder.until(() => recorder.chunks.length === 2);
    clock.advance(1_999);
    call.pause();
    clock.advance(10_000);
    call.resume();
    expect(recorder.log.at(-1)).toBe('data');
    clock.advance(1);
    expect(recorder.log.at(-1)).toBe('failed idle_timeout sent');
    await gone;
  });

  it('of the whole call ends a stream that never does', async () => {
    upstream.script = startStream;
    const recorder = new Recorder();
    const call = transport.send(post(upstream.origin, timeouts({ totalMs: 9_000 })), recorder);
    await recorder.has('data');
    call.firstEventSeen();
    call.pause();
    clock.advance(9_000);
    expect(recorder.log.at(-1)).toBe('failed total_timeout sent');
  });

  it('comes to a peer that has vanished without a word', async () => {
    const proxy = await HalfOpenProxy.listen(upstream.port);
    upstream.script = startStream;
    const recorder = new Recorder();
    const call = transport.send(post(`http://127.0.0.1:${proxy.port}`, timeouts({ idleMs: 60_000 })), recorder);
    await recorder.has('data');
    call.firstEventSeen();
    proxy.freeze();
    (await upstream.exchange()).end();
    await settle();
    expect(recorder.log.at(-1)).toBe('data');
    clock.advance(60_000);
    expect(recorder.log.at(-1)).toBe('failed idle_timeout sent');
    await proxy.close();
  });
});
