import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { HELLO, ROLE } from '../support/chat-answers.ts';
import { RawClient } from '../support/raw-client.ts';
import { answer, CHUNKED, chunk, type Exchange, head, ScriptedUpstream } from '../support/scripted-upstream.ts';
import { CHAT, provider, type Sluice, startSluice, together } from './world.ts';

const UPSTREAM_KEYS = [
  'sk-proj-Up5tream_0123456789abcdef',
  'ZZ9plural.Z.alpha+0001/of~this=test',
  'b7c1d2e3f4a5968778695a4b3c2d1e0f',
];
const HEADER_SECRET = 'extra-header-secret-0042';
const CLIENT_KEY = 'sk-client-0123456789abcdefghij';
const HASHED_KEY = 'client-hashed-9876543210-zyxwv';
const WRONG_KEY = 'sk-wrong-and-unknown-5555555555';
const HASH = createHash('sha256').update(HASHED_KEY).digest('hex');
const SECRETS = [...UPSTREAM_KEYS, HEADER_SECRET, CLIENT_KEY, HASHED_KEY, WRONG_KEY, HASH];

/** What a careless vendor might say; each holds what was sent to it. */
type Echo = (sent: string, exchange: Exchange) => Promise<void> | void;

function errorBody(sent: string): string {
  const words = `You sent ${sent} and ${encodeURIComponent(sent)}.`;
  return JSON.stringify({ error: { message: words, type: sent, param: sent, code: sent, [sent]: sent }, debug: sent });
}

function json(status: number, body: (sent: string) => string = errorBody): Echo {
  return (sent, exchange) =>
    exchange.write(answer(body(sent), { 'x-debug': sent, 'retry-after': '0', via: sent }, status));
}

function text(status: number, type = 'text/html'): Echo {
  return (sent, exchange) => exchange.write(answer(`<p>${sent}</p>`, { 'content-type': type }, status));
}

function stream(...events: ((sent: string) => string)[]): Echo {
  return async (sent, exchange) => {
    await exchange.write(
      head({ ...CHUNKED, 'openai-version': sent, 'openai-processing-ms': sent, 'x-request-id': sent }),
    );
    for (const event of events) await exchange.write(chunk(event(sent)));
    await exchange.write(chunk(''));
  };
}

const inBand = (sent: string): string => `data: ${errorBody(sent)}\n\n`;
const OK = JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }] });

const ECHOES: readonly Echo[] = [
  ...[400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529].map((status) => json(status)),
  json(400, (sent) => JSON.stringify({ error: `Bad: ${sent}` })),
  json(400, (sent) => JSON.stringify({ detail: [{ loc: ['header', sent], msg: sent }] })),
  json(404, (sent) => JSON.stringify([{ error: { message: JSON.stringify({ error: { message: sent } }) } }])),
  json(422, (sent) => JSON.stringify({ message: { deep: { [sent]: sent } } })),
  json(400, (sent) => errorBody(sent).replaceAll('k', '\\u006b')),
  json(200),
  json(200, (sent) => `${sent} is no JSON`),
  text(400),
  text(502),
  text(200, 'text/event-stream'),
  stream(inBand),
  stream(
    () => ROLE,
    () => HELLO,
    inBand,
  ),
  stream(
    () => ROLE + HELLO,
    (sent) => `event: error\ndata: ${sent}\n\n`,
  ),
  stream(
    () => ROLE + HELLO,
    (sent) => `data: ${sent}\n\n`,
  ),
  stream(
    () => ROLE + HELLO,
    (sent) => `data: {"choices":[],"error":"${sent}"}\n\n`,
  ),
  (sent, exchange) =>
    exchange.write(answer(OK, { 'openai-version': sent, 'openai-processing-ms': sent, server: sent })),
  (sent, exchange) => exchange.write(head({ ...CHUNKED, 'x-ratelimit-limit-requests': sent, location: sent }, 307)),
  (sent, exchange) => exchange.end(`HTTP/1.1 200 ${sent}\r\n${sent}\r\n\r\n`),
  (_sent, exchange) => exchange.reset(),
];

interface Seen {
  readonly where: string;
  readonly text: string;
}

async function seenBy(where: string, call: Promise<{ headers: Headers; text: string }>): Promise<Seen> {
  const { headers, text: body } = await call;
  return { where, text: JSON.stringify([...headers]) + body };
}

function authorized(key: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${key}` };
}

async function startWorld(upstream: ScriptedUpstream): Promise<Sluice> {
  const keys = UPSTREAM_KEYS.map((key) => ({ key }));
  return startSluice({
    log: { level: 'trace', format: 'json' },
    clients: [
      { name: 'plain', key: CLIENT_KEY },
      { name: 'hashed', key: `sha256:${HASH}` },
    ],
    providers: [
      {
        ...provider(upstream.origin, keys),
        headers: { 'X-Extra': HEADER_SECRET },
        timeouts: { connect: '1s', first_byte: '1s', idle: '1s' },
      },
    ],
    models: [{ name: 'gpt-4o', queue: { max_wait: '1s' }, targets: [{ provider: 'sim', model: 'gpt-4o' }] }],
    defaults: { retry: { attempts: 4, budget: '100%' } },
  });
}

test('no key is in an answer, a header, a page or the log, whatever an upstream echoes', async () => {
  for (const [index, echo] of ECHOES.entries()) {
    const upstream = await ScriptedUpstream.listen((exchange) => {
      const sent = `${exchange.headers.get('authorization')} ${exchange.headers.get('x-extra')}`;
      return echo(sent, exchange);
    });
    const sluice = await startWorld(upstream);
    try {
      const seen = await together(4, (nth) => {
        const key = nth < 2 ? CLIENT_KEY : HASHED_KEY;
        return seenBy('chat', sluice.chat({ stream: nth % 2 === 1 }, { headers: authorized(key) }));
      });
      for (const page of ['/queue', '/v1/models', '/v1/models/gpt-4o', '/health', '/ready', '/']) {
        seen.push(await seenBy(page, sluice.get(page, authorized(CLIENT_KEY))));
      }
      seen.push({ where: 'log', text: sluice.log.join('') });
      expect(upstream.exchanges.length).toBeGreaterThan(0);
      for (const { where, text: shown } of seen) {
        for (const secret of [...SECRETS, ...SECRETS.map(encodeURIComponent)]) {
          expect(shown.includes(secret), `echo ${index}, ${where}: ${shown}`).toBe(false);
        }
      }
    } finally {
      await sluice.app.closeNow();
      await upstream.close();
    }
  }
});

test('no key of a caller is in what it is refused with, or in the log', async () => {
  const upstream = await ScriptedUpstream.listen((exchange) => exchange.write(answer(OK)));
  const sluice = await startWorld(upstream);
  const port = Number(new URL(sluice.url).port);
  const body = JSON.stringify(CHAT);
  const refusals = [
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${WRONG_KEY}\r\ncontent-length: 2\r\n\r\n{}`,
    `POST /v1/chat/completions?key=${CLIENT_KEY} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`,
    `GET /v1/nowhere?api_key=${WRONG_KEY} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${CLIENT_KEY}\r\n\r\n`,
    `DELETE /v1/models HTTP/1.1\r\nhost: x\r\nx-api-key: ${CLIENT_KEY}\r\nx-request-id: ${WRONG_KEY} !\r\n\r\n`,
    `GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Basic ${Buffer.from(`:${CLIENT_KEY}`).toString('base64')}\r\n\r\n`,
    `GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${CLIENT_KEY}\r\nauthorization: Bearer ${WRONG_KEY}\r\n\r\n`,
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${CLIENT_KEY}\r\ncontent-type: application/json\r\ncontent-length: ${body.length - 1}\r\n\r\n${body}`,
    `NOT HTTP ${WRONG_KEY}\r\nauthorization: ${CLIENT_KEY}\r\n\r\n`,
    `GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${WRONG_KEY}\u0001\r\n\r\n`,
  ];
  try {
    for (const refusal of refusals) {
      const client = await RawClient.connect(port);
      await client.send(refusal);
      // Some are cut off without a word.
      const shown = await client.until((received) => received.includes('\r\n\r\n')).catch(() => client.text);
      client.close();
      for (const secret of SECRETS) expect(shown).not.toContain(secret);
    }
    for (const secret of SECRETS) expect(sluice.log.join('')).not.toContain(secret);
  } finally {
    await sluice.app.closeNow();
    await upstream.close();
  }
});
