import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { UpstreamTimeouts } from '../../src/upstream/transport.ts';
import { apiError, COMPLETION, event, RATE_LIMITED, ROLE, USAGE } from '../support/chat-answers.ts';
import { answer, CHUNKED, chunk, type Exchange, head } from '../support/scripted-upstream.ts';
import { beginStream, bookedOn, faultWorld, RESERVED, STREAMED, TURNED_AWAY, USED } from './fault-world.ts';

interface Fault {
  readonly name: string;
  readonly fault: (exchange: Exchange) => void | Promise<void>;
  readonly timeouts?: Partial<UpstreamTimeouts>;
  /** What the client is told when there is no other key. */
  readonly alone: { readonly code: string; readonly status: number };
  /** What the books of the key that met it hold afterwards; absent: all that was reserved. */
  readonly booked?: readonly [requests: number, tokens: number];
}

const FAILED = { code: 'upstream_error', status: 502 };
const TIMEOUT = { code: 'upstream_timeout', status: 504 };
const NO_KEY = { code: 'no_usable_key', status: 503 };

function send(body: unknown, status: number, headers: Readonly<Record<string, string>> = {}) {
  const bytes = typeof body === 'string' ? body : JSON.stringify(body);
  return (exchange: Exchange): Promise<void> => exchange.write(answer(bytes, headers, status));
}

const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';
const WRONG_KEY = apiError('Incorrect API key provided: sk-f**st', { code: 'invalid_api_key' });
const NO_CREDIT = apiError('You exceeded your current quota, please check your plan and billing details.', {
  type: 'insufficient_quota',
  code: 'insufficient_quota',
});

/** Faults that a streamed and a whole answer share. */
const FAULTS: readonly Fault[] = [
  { name: 'a connection closed without a word', fault: (exchange) => exchange.end(), alone: FAILED },
  { name: 'a reset before the head', fault: (exchange) => exchange.reset(), alone: FAILED },
  { name: 'garbage', fault: (exchange) => exchange.end('\u0000\u0001 no HTTP at all\r\n\r\n'), alone: FAILED },
  { name: 'silence', fault: () => undefined, timeouts: { firstByteMs: 60 }, alone: TIMEOUT },
  { name: 'an HTML page', fault: send(HTML, 502, { 'content-type': 'text/html' }), alone: FAILED },
  { name: 'a 500', fault: send(apiError('The server had an error'), 500), alone: FAILED },
  {
    name: 'a 503',
    fault: send(apiError('The engine is currently overloaded'), 503),
    alone: { code: 'upstream_overloaded', status: 503 },
    booked: TURNED_AWAY,
  },
  { name: 'a wrong key', fault: send(WRONG_KEY, 401), alone: NO_KEY, booked: TURNED_AWAY },
  { name: 'spent credit', fault: send(NO_CREDIT, 429), alone: NO_KEY, booked: TURNED_AWAY },
  { name: 'an error in a success', fault: send(apiError('It went wrong'), 200), alone: FAILED },
  { name: 'a page in a success', fault: send(HTML, 200, { 'content-type': 'text/html' }), alone: FAILED },
];

const STREAM_FAULTS: readonly Fault[] = [
  {
    name: 'a role and then a reset',
    fault: async (exchange) => {
      await beginStream(exchange, ROLE);
      exchange.reset();
    },
    alone: FAILED,
  },
  {
    name: 'a role and then silence',
    fault: (exchange) => beginStream(exchange, ROLE),
    timeouts: { idleMs: 60 },
    alone: TIMEOUT,
  },
  {
    name: 'a head and then silence',
    fault: (exchange) => exchange.write(head(CHUNKED)),
    timeouts: { firstByteMs: 60 },
    alone: TIMEOUT,
  },
  {
    name: 'an error as its first event',
    fault: (exchange) => exchange.write(`${head(CHUNKED)}${chunk(event(apiError('Sorry')))}${chunk('')}`),
    alone: FAILED,
  },
  { name: 'JSON instead of a stream', fault: send(COMPLETION, 200), alone: FAILED },
];

const WHOLE_FAULTS: readonly Fault[] = [
  {
    name: 'a reset within the body',
    fault: async (exchange) => {
      await exchange.write(answer(JSON.stringify(COMPLETION)).subarray(0, -20));
      exchange.reset();
    },
    alone: FAILED,
  },
  {
    name: 'a body that is cut but well framed',
    fault: send(JSON.stringify(COMPLETION).slice(0, -20), 200),
    alone: FAILED,
  },
  {
    name: 'a body that stalls',
    fault: (exchange) => exchange.write(answer(JSON.stringify(COMPLETION)).subarray(0, -20)),
    timeouts: { idleMs: 60 },
    alone: TIMEOUT,
  },
];

describe('on one of two keys', () => {
  test.each([...FAULTS, ...WHOLE_FAULTS])(
    '$name: the other serves a whole answer',
    async ({ fault, timeouts = {}, booked = RESERVED }) => {
      const { bench, upstream } = await faultWorld({ fault, timeouts });
      const chat = bench.chat();
      await chat.done;
      expect(chat.error).toBeNull();
      expect(chat.reply).toMatchObject({ status: 200, json: COMPLETION });
      expect(bench.summary).toMatchObject({ attempts: 2, key: 'second', status: 200 });
      expect(bench.scheduler.openLeases).toBe(0);
      await expect.poll(() => bookedOn(bench), { timeout: 10_000 }).toEqual([booked, USED]);
      expect(upstream.exchanges.length).toBe(2);
    },
  );

  test.each([...FAULTS, ...STREAM_FAULTS])('$name: the other serves a stream', async (met) => {
    const { fault, timeouts = {}, booked = RESERVED } = met;
    const { bench, upstream } = await faultWorld({ fault, timeouts });
    const chat = bench.chat({ stream: true });
    await chat.done;
    expect(chat.error).toBeNull();
    expect(chat.reply).toMatchObject({ status: 200, text: STREAMED, isEnded: true });
    expect(bench.summary).toMatchObject({ attempts: 2, key: 'second', status: 200 });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([booked, RESERVED]);
    expect(upstream.exchanges.length).toBe(2);
  });

  test.each([
    ['with numbers', RATE_LIMITED, {}],
    ['without hints', '', {}],
    ['with a hint that lies', apiError('Slow down'), { 'retry-after-ms': '1' }],
  ])('a 429 %s: the request is served all the same', async (_name, body, headers) => {
    const { bench, upstream } = await faultWorld({ fault: send(body, 429, headers) });
    const chat = bench.chat();
    await chat.done;
    expect(chat.reply).toMatchObject({ status: 200, json: COMPLETION });
    expect(bench.scheduler.openLeases).toBe(0);
    // A millisecond later it may be asked once more, and is booked for that too.
    const asked = upstream.exchanges.length - 1;
    await expect
      .poll(() => bookedOn(bench), { timeout: 10_000 })
      .toEqual([TURNED_AWAY.map((amount) => amount * asked), USED]);
  });
});

describe('on the only key', () => {
  test.each([...FAULTS, ...WHOLE_FAULTS])('$name: the client is told', async (met) => {
    const { fault, timeouts = {}, alone, booked = RESERVED } = met;
    const { bench } = await faultWorld({ fault, timeouts, isAlone: true });
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject(alone);
    expect(String(chat.error)).not.toMatch(/sk-|127\.0\.0\.1|org-/);
    expect(bench.summary).toMatchObject({ ...alone, key: 'first' });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([booked]);
  });

  test.each(STREAM_FAULTS)('$name: the client is told by the status', async ({ fault, timeouts = {}, alone }) => {
    const { bench } = await faultWorld({ fault, timeouts, isAlone: true });
    const chat = bench.chat({ stream: true });
    await chat.done;
    expect(chat.error).toMatchObject(alone);
    expect(chat.reply.isHeadSent).toBe(false);
    expect(bench.scheduler.openLeases).toBe(0);
    expect(bookedOn(bench)).toEqual([RESERVED]);
  });
});

describe('a refused connection', () => {
  test('costs nothing, and the other key serves', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const address = closed.address();
    const port = typeof address === 'object' ? address?.port : 0;
    closed.close();
    await once(closed, 'close');
    const { bench } = await faultWorld({ fault: () => undefined, firstOrigin: `http://127.0.0.1:${port}` });
    const chat = bench.chat();
    await chat.done;
    expect(chat.reply.json).toEqual(COMPLETION);
    expect(bench.summary.failures).toEqual([
      'acme/first gpt-upstream: no connection to the upstream could be made (ECONNREFUSED)',
    ]);
    expect(bench.booked(0)).toBe(0);
    expect(bench.scheduler.openLeases).toBe(0);
  });
});

describe('usage before any content', () => {
  test('is no content', async () => {
    const fault = (exchange: Exchange): Promise<void> =>
      exchange.write(`${head(CHUNKED)}${chunk(ROLE + USAGE)}${chunk('')}`);
    const { bench } = await faultWorld({ fault });
    const chat = bench.chat({ stream: true });
    await chat.done;
    expect(chat.reply.text).toBe(STREAMED);
  });
});
