import { describe, expect, test } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { servedWorld } from './served-world.ts';

const MESSAGES = '"messages":[{"role":"user","content":"Hello"}]';
const MIB = 1024 * 1024;

/** A chat with something more in it. */
function chat(more: string): string {
  return `{"model":"gpt-4o",${MESSAGES},"max_completion_tokens":5,${more}}`;
}

function nested(depth: number, open: string, close: string): string {
  return open.repeat(depth) + close.repeat(depth);
}

const INVALID: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['nothing', ''],
  ['white space', ' \r\n\t '],
  ['half of it', chat('"user":"x"').slice(0, -5)],
  ['a list', '[]'],
  ['a text', '"hello"'],
  ['two documents', `${chat('"a":1')}{}`],
  ['a comma too many', chat('"a":1,')],
  ['a number that is none', chat('"temperature":01')],
  ['NaN', chat('"temperature":NaN')],
  ['a text that does not end', chat('"user":"x')],
  ['a line feed within a text', chat('"user":"a\nb"')],
  ['a broken escape', chat('"user":"\\x41"')],
  ['lists as deep as a well', chat(`"a":${nested(100_000, '[', ']')}`)],
  ['objects as deep as a well', chat(`"a":${nested(100_000, '{"a":', '}').replace('}', '1}')}`)],
  ['a well without a bottom', chat('"a":').slice(0, -1) + '['.repeat(MIB)],
  ['a million empty lists', chat(`"a":[${'[],'.repeat(1_000_000)}[]]`)],
  ['a million names', chat(`"a":{${Array.from({ length: 300_000 }, (_, nth) => `"${nth}":1`).join(',')}}`)],
  ['its model twice', chat('"model":"gpt-4o-mini"')],
  ['its model twice, once spelled otherwise', chat('"mod\\u0065l":"gpt-4o-mini"')],
  ['its messages twice', chat('"messages":[]')],
  ['its stream twice', chat('"stream":false,"stream":true')],
  ['its cap twice', chat('"max_completion_tokens":1')],
  ['UTF-8 that is none', Buffer.concat([Buffer.from(chat('"user":"')), Buffer.of(0xc3, 0x28), Buffer.from('"}')])],
  ['an overlong slash', Buffer.concat([Buffer.from(chat('"user":"')), Buffer.of(0xc0, 0xaf), Buffer.from('"}')])],
  ['half a surrogate in bytes', Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xed, 0xa0, 0x80), Buffer.from('"}')])],
  ['UTF-16', Buffer.from(chat('"a":1'), 'utf16le')],
  ['UTF-16 with its mark', Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(chat('"a":1'), 'utf16le')])],
];

const VALID: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['a mark of UTF-8', Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(chat('"a":1'))])],
  ['half a surrogate as an escape', chat('"user":"\\ud800"')],
  ['NUL as an escape', chat('"user":"\\u0000"')],
  ['names that objects have already', chat('"__proto__":{"a":1},"constructor":{"prototype":{"b":1}}')],
  ['a depth of thirty', chat(`"deep":${nested(30, '[', ']')}`)],
  ['a number beyond all numbers', chat('"seed":1e400,"big":123456789012345678901234567890')],
  ['a long text', chat(`"user":"${'x'.repeat(2 * MIB)}"`)],
];

interface Got {
  readonly status: number;
  readonly error: { readonly code?: string; readonly message?: string; readonly type?: string };
}

async function post(url: string, body: string | Buffer): Promise<Got> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: body as string,
  });
  const json = (await response.json()) as { error?: Got['error'] };
  return { status: response.status, error: json.error ?? {} };
}

describe('a body', () => {
  test('that is not one object of JSON is a 400 that repeats nothing of it, and goes nowhere', async () => {
    await using world = await servedWorld();
    const before = process.memoryUsage().heapUsed;
    for (const [what, body] of INVALID) {
      const { status, error } = await post(world.sluice.url, body);
      expect(status, what).toBe(400);
      expect(error.code, what).toBe('invalid_json');
      expect(error.message?.length, what).toBeLessThan(300);
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * MIB);
    expect(world.vendor.simulator.ledger().received).toBe(0);
    await world.expectWell();
  });

  test('that is odd and still JSON is served', async () => {
    await using world = await servedWorld();
    for (const [what, body] of VALID) expect((await post(world.sluice.url, body)).status, what).toBe(200);
    expect(world.vendor.simulator.ledger().admitted).toBe(VALID.length);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
    await world.expectWell();
  });

  test('that takes long to refuse does not hold up others for long', async () => {
    await using world = await servedWorld();
    const deep = chat(`"a":${nested(4 * MIB, '[', ']')}`);
    const many = chat(`"a":[${'{},'.repeat(5 * MIB)}{}]`);
    const began = performance.now();
    const all = await Promise.all([post(world.sluice.url, deep), post(world.sluice.url, many)]);
    expect(all.map(({ status }) => status)).toEqual([400, 400]);
    // Whole, each takes JSON.parse seconds; what is left is the sending of 24 MB.
    expect(performance.now() - began).toBeLessThan(15_000);
    await world.expectWell();
  });
});

describe('an upload that breaks off', () => {
  const BODY = RawClient.post('/v1/chat/completions', {
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'x'.repeat(20_000) }],
    max_completion_tokens: 5,
  });
  const headEnd = BODY.indexOf('\r\n\r\n') + 4;
  const CHUNKED = `${BODY.slice(0, headEnd).replace(/content-length: \d+/, 'transfer-encoding: chunked')}`;

  const PHASES: readonly (readonly [where: string, bytes: string])[] = [
    ['in its method', 'PO'],
    ['in its path', BODY.slice(0, 12)],
    ['in a name', BODY.slice(0, 45)],
    ['before the end of its head', BODY.slice(0, headEnd - 2)],
    ['behind its head', BODY.slice(0, headEnd)],
    ['in its first byte', BODY.slice(0, headEnd + 1)],
    ['in its middle', BODY.slice(0, headEnd + 10_000)],
    ['before its last byte', BODY.slice(0, -1)],
    ['behind the head of chunks', CHUNKED],
    ['in the size of a chunk', `${CHUNKED}10`],
    ['in a chunk', `${CHUNKED}10\r\n{"model":`],
    ['between two chunks', `${CHUNKED}2\r\n{"\r\n`],
    ['before the last chunk', `${CHUNKED}2\r\n{}\r\n`],
    ['in the last chunk', `${CHUNKED}2\r\n{}\r\n0\r\n`],
  ];

  test('at any point leaves nothing, and never goes upstream', async () => {
    await using world = await servedWorld();
    for (const [where, bytes] of PHASES) {
      for (const leave of ['reset', 'close', 'halfClose'] as const) {
        const client = await world.connect();
        await client.send(bytes);
        client[leave]();
        if (leave === 'halfClose') await client.rest();
        client.close();
        await client.closed;
        await expect.poll(() => world.sluice.app.heldBodyBytes, { message: `${where}, ${leave}` }).toBe(0);
      }
    }
    expect(world.vendor.simulator.ledger().received).toBe(0);
    await world.expectWell();
  });
});
