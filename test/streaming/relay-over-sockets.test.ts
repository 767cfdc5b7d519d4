import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { EventRelay } from '../../src/streaming/relay.ts';
import { readEvent } from '../../src/streaming/stream-facts.ts';
import type { Transport, UpstreamCall } from '../../src/upstream/transport.ts';
import { createUndiciTransport } from '../../src/upstream/undici-transport.ts';
import { RawClient } from '../support/raw-client.ts';
import { CHUNKED, chunk, head, ScriptedUpstream } from '../support/scripted-upstream.ts';
import { post } from '../upstream/recorder.ts';
import { DONE, ROLE, STOP, text, USAGE } from './events.ts';

/** A server that only relays: the shortest way from an upstream to a client. */
let server: Server;
let upstream: ScriptedUpstream;
let transport: Transport;
let log: string[];

beforeEach(async () => {
  log = [];
  upstream = await ScriptedUpstream.listen();
  transport = createUndiciTransport({ clock: systemClock });
  server = createServer((_request, response) => {
    const sink = {
      get unsentBytes(): number {
        return response.writableLength;
      },
      write: (bytes: Uint8Array | string) => response.write(bytes),
      onDrain: (listener: () => void) => response.on('drain', listener),
    };
    let call: UpstreamCall | null = null;
    const note = (entry: string) => (): void => {
      log.push(entry);
    };
    const flow = {
      pause: () => {
        log.push('pause');
        call?.pause();
      },
      resume: () => {
        log.push('resume');
        call?.resume();
      },
    };
    const relay = new EventRelay({
      sink,
      flow,
      isUsageWanted: false,
      grammar: readEvent,
      listener: {
        onFirstEvent: () => call?.firstEventSeen(),
        onFirstContent: () => response.writeHead(200, { 'content-type': 'text/event-stream' }),
        onUsage: note('usage'),
        onDone: note('done'),
        onErrorEvent: note('error'),
        onUnreadable: note('unreadable'),
      },
    });
    response.on('close', () => {
      if (!response.writableFinished) call?.abort();
    });
    call = transport.send(post(upstream.origin), {
      onSent: () => undefined,
      onHead: () => undefined,
      onData: (bytes) => relay.push(bytes),
      onEnd: () => {
        log.push(relay.finish());
        response.end();
      },
      onFailed: ({ kind }) => log.push(kind),
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await transport.close();
  await upstream.close();
});

async function connect(headers: Readonly<Record<string, string>> = {}): Promise<RawClient> {
  const client = await RawClient.connect((server.address() as AddressInfo).port);
  await client.send(RawClient.post('/', {}, headers));
  return client;
}

/** The body of a chunked answer that is complete. */
function unchunked(answer: string): string {
  let rest = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  let body = '';
  for (let size = Number.parseInt(rest, 16); size > 0; size = Number.parseInt(rest, 16)) {
    const start = rest.indexOf('\r\n') + 2;
    body += rest.slice(start, start + size);
    rest = rest.slice(start + size + 2);
  }
  return body;
}

it('each event arrives when it comes, and the usage that nobody asked for does not', async () => {
  const client = await connect();
  const { write, end } = await upstream.exchange();
  await write(head(CHUNKED) + chunk(ROLE) + chunk(text('one')));
  await client.until((answer) => answer.includes('one'));
  await write(chunk(text('two')));
  await client.until((answer) => answer.includes('two'));
  end(Buffer.concat([STOP, USAGE, DONE, ''].map(chunk)));
  const answer = await client.until((received) => received.endsWith('0\r\n\r\n'));
  expect(unchunked(answer)).toBe(ROLE + text('one') + text('two') + STOP + DONE);
  expect(log).toEqual(['usage', 'done', 'complete']);
  client.close();
});

it('a client that stops reading stops the upstream, and gets everything once it reads on', async () => {
  const client = await connect({ connection: 'close' });
  client.stopReading();
  const { write, end, socket } = await upstream.exchange();
  const event = text('x'.repeat(100_000));
  await write(head(CHUNKED));
  for (let count = 0; count < 200; count++) socket.write(chunk(event));
  while (!log.includes('pause')) await new Promise((resolve) => setImmediate(resolve));
  expect(socket.writableLength).toBeGreaterThan(5_000_000);
  client.readOn();
  end(Buffer.concat([DONE, ''].map(chunk)));
  const answer = await client.rest();
  expect(unchunked(answer)).toBe(event.repeat(200) + DONE);
  expect(log.filter((entry) => entry === 'resume').length).toBe(log.filter((entry) => entry === 'pause').length);
  client.close();
});

it.each(['close', 'reset', 'halfClose'] as const)(
  'a client that leaves by %s ends the upstream call',
  async (leave) => {
    const client = await connect();
    const { write, gone } = await upstream.exchange();
    await write(head(CHUNKED) + chunk(text('one')));
    await client.until((answer) => answer.includes('one'));
    client[leave]();
    await gone;
    expect(log).toEqual(['aborted']);
  },
);
