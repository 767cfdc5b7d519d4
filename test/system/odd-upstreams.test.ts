import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DONE, HELLO, ROLE, STOP } from '../support/chat-answers.ts';
import {
  answer,
  CHUNKED,
  chunk,
  type Exchange,
  head,
  type Script,
  ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { type Answer, KEYS, provider, startSluice, until } from './world.ts';

const SSE = ROLE + HELLO + STOP + DONE;
const OK = JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }] });
const JSON_PIECES = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };

async function pieces(
  exchange: Exchange,
  parts: readonly (string | Buffer)[],
  headers: object = CHUNKED,
): Promise<void> {
  await exchange.write(head(headers as Record<string, string>));
  for (const part of parts) await exchange.write(chunk(part));
  await exchange.write(chunk(''));
}

interface Odd {
  readonly what: string;
  readonly script: Script;
  readonly status: number;
}

const STREAMS: readonly Odd[] = [
  { what: 'a byte at a time', script: (to) => pieces(to, [...SSE]), status: 200 },
  { what: 'with CRLF', script: (to) => pieces(to, [SSE.replaceAll('\n', '\r\n')]), status: 200 },
  { what: 'with CR', script: (to) => pieces(to, [SSE.replaceAll('\n', '\r')]), status: 200 },
  { what: 'behind a byte order mark', script: (to) => pieces(to, [`\ufeff${SSE}`]), status: 200 },
  { what: 'without its last line end', script: (to) => pieces(to, [SSE.trimEnd()]), status: 200 },
  { what: 'with more behind its end', script: (to) => pieces(to, [`${SSE}data: {"x":1}\n\n`]), status: 200 },
  { what: 'behind comments', script: (to) => pieces(to, [': a\n\n', ':b\n', '\n', SSE]), status: 200 },
  { what: 'behind early hints', script: (to) => hinted(to), status: 200 },
  {
    what: 'compressed',
    script: (to) => pieces(to, [gzipSync(SSE)], { ...CHUNKED, 'content-encoding': 'gzip' }),
    status: 200,
  },
  {
    what: 'not ended by the connection',
    script: (to) => to.write(Buffer.concat([Buffer.from(head(CHUNKED)), chunk(SSE)])),
    status: 200,
  },
  { what: 'with an event of 3 MB', script: (to) => pieces(to, [ROLE, event(3_000_000), STOP, DONE]), status: 200 },
  { what: 'with an event of 9 MB', script: (to) => pieces(to, [ROLE, event(9_000_000), STOP, DONE]), status: 502 },
  { what: 'without content', script: (to) => pieces(to, [ROLE, DONE]), status: 502 },
  {
    what: 'falsely called compressed',
    script: (to) => pieces(to, [SSE], { ...CHUNKED, 'content-encoding': 'gzip' }),
    status: 502,
  },
  {
    what: 'of an unknown coding',
    script: (to) => pieces(to, [SSE.slice(0, 9)], { ...CHUNKED, 'content-encoding': 'x' }),
    status: 502,
  },
  { what: 'as a 204', script: (to) => to.write('HTTP/1.1 204 No Content\r\n\r\n'), status: 502 },
  { what: 'as a 304', script: (to) => to.write('HTTP/1.1 304 Not Modified\r\n\r\n'), status: 502 },
  {
    what: 'as another protocol',
    script: (to) => to.write('HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhi'),
    status: 502,
  },
  {
    what: 'with a head of 100 kB',
    script: (to) => to.write(head({ ...CHUNKED, 'x-a': 'a'.repeat(100_000) })),
    status: 502,
  },
  { what: 'with half a head', script: (to) => to.write('HTTP/1.1 200 O'), status: 504 },
];

async function hinted(exchange: Exchange): Promise<void> {
  await exchange.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
  await pieces(exchange, [SSE]);
}

function event(length: number): string {
  return `data: {"choices":[{"index":0,"delta":{"content":"${'x'.repeat(length)}"}}]}\n\n`;
}

/** A whole answer with these headers. */
function limits(fields: Readonly<Record<string, string>>): Script {
  const named = Object.entries(fields).map(([name, value]) => [`x-ratelimit-${name}`, value]);
  return (exchange) => exchange.write(answer(OK, Object.fromEntries(named)));
}

function refusal(retryAfter: string): Script {
  return (exchange) => exchange.write(answer('{"error":{"message":"Slow down"}}', { 'retry-after': retryAfter }, 429));
}

const WHOLE: readonly Odd[] = [
  { what: 'nothing', script: (to) => to.write(answer('')), status: 502 },
  { what: 'a list', script: (to) => to.write(answer('[]')), status: 502 },
  { what: 'an error that is none', script: (to) => to.write(answer(OK.replace('{', '{"error":null,'))), status: 200 },
  { what: '9 MB', script: (to) => to.write(answer(OK.replace('Hi', 'x'.repeat(9_000_000)))), status: 200 },
  { what: 'spaces, then an answer', script: (to) => pieces(to, ['  \n', '  \n', OK], JSON_PIECES), status: 200 },
  {
    what: 'an absurd usage',
    script: (to) => to.write(answer(OK.replace('{', '{"usage":{"prompt_tokens":1e308},'))),
    status: 200,
  },
  { what: 'less than its length', script: (to) => to.end(answer(OK).subarray(0, -5)), status: 502 },
  { what: 'no length', script: (to) => to.end(`${head({ 'content-type': 'application/json' })}${OK}`), status: 200 },
  {
    what: 'two lengths',
    script: (to) => to.end(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n${OK}`),
    status: 502,
  },
  { what: 'limits below zero', script: limits({ 'limit-requests': '-1', 'remaining-requests': '-9' }), status: 200 },
  { what: 'limits of zero', script: limits({ 'limit-tokens': '0', 'remaining-tokens': '0' }), status: 200 },
  {
    what: 'limits that are no numbers',
    script: limits({ 'limit-tokens': 'NaN', 'remaining-tokens': '1e999' }),
    status: 200,
  },
  { what: 'a wait of eternity', script: refusal('1e30'), status: 503 },
  { what: 'a wait below zero', script: refusal('-5'), status: 503 },
];

async function twice(script: Script, body: object): Promise<Answer[]> {
  const upstream = await ScriptedUpstream.listen(script);
  try {
    await using sluice = await startSluice({
      log: { level: 'error', format: 'json' },
      providers: [
        {
          ...provider(upstream.origin, [{ key: KEYS.good }], { limits: { tpm: 100_000 } }),
          timeouts: { first_byte: '500ms', idle: '500ms' },
        },
      ],
      defaults: { retry: { attempts: 1 }, queue: { max_wait: '5s' } },
    });
    const first = await sluice.chat(body);
    // A circuit that has opened, or a stream that is still closing.
    await until(() => sluice.app.openLeases === 0);
    const second = await sluice.chat(body);
    await until(() => sluice.app.openLeases === 0);
    expect(sluice.app.heldBodyBytes).toBe(0);
    expect(sluice.log).toEqual([]);
    return [first, second];
  } finally {
    await upstream.close();
  }
}

describe('an upstream that answers a request for a stream', () => {
  test.concurrent.each(STREAMS)('$what', async ({ script, status }) => {
    const answers = await twice(script, { stream: true });
    expect(answers.map((each) => each.status)).toEqual([status, status]);
    if (status === 200) for (const { text } of answers) expect(text).toMatch(/data: \[DONE\]\s*$/);
  });
});

describe('an upstream that answers with', () => {
  test.concurrent.each(WHOLE)('$what', async ({ script, status }) => {
    const answers = await twice(script, {});
    expect(answers.map((each) => each.status)).toEqual([status, status]);
  });
});

test('names of models that clients make up are passed on, or refused, and hold nothing up', async () => {
  const upstream = await ScriptedUpstream.listen((exchange) => exchange.write(answer(OK)));
  try {
    await using sluice = await startSluice({ providers: [provider(upstream.origin, [{ key: KEYS.good }])] });
    const long = 'm'.repeat(100_000);
    for (const model of [
      'a\nb',
      'ü',
      '../../etc',
      ' ',
      '\u0000',
      '__proto__',
      'constructor',
      'sim/',
      '🧑‍🧒',
      'm'.repeat(256),
      long,
    ]) {
      const { status, headers } = await sluice.chat({ model });
      expect(status, model.slice(0, 20)).toBe(model === long ? 404 : 200);
      expect(headers.get('x-request-id')).toBeTruthy();
    }
    expect((await sluice.get('/queue')).text.length).toBeLessThan(50_000);
  } finally {
    await upstream.close();
  }
});
