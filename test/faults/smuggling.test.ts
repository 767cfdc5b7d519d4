import { describe, expect, test } from 'vitest';
import { CHAT } from '../system/world.ts';
import { answerIn, servedWorld } from './served-world.ts';

const BODY = JSON.stringify({ ...CHAT, max_completion_tokens: 5 });
const LENGTH = `content-length: ${BODY.length}`;
/** What an attacker hopes that Sluice takes for the next request of somebody else. */
const SMUGGLED = 'GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\nx-request-id: smuggled\r\n\r\n';

function head(...lines: readonly string[]): string {
  const all = ['POST /v1/chat/completions HTTP/1.1', 'host: 127.0.0.1', 'content-type: application/json', ...lines];
  return `${all.join('\r\n')}\r\n\r\n`;
}

function chunks(body: string): string {
  return `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

const CHUNKED = 'transfer-encoding: chunked';
const SPACE = ' ';

/** Where two readers may disagree on where a request ends. Each must be refused, and what follows it not be read. */
const AMBIGUOUS: readonly (readonly [what: string, bytes: string])[] = [
  ['a length and chunks', head('content-length: 4', CHUNKED) + chunks(BODY)],
  ['chunks and a length', head(CHUNKED, 'content-length: 4') + chunks(BODY)],
  ['two lengths', head(LENGTH, 'content-length: 0') + BODY],
  ['two lengths that agree', head(LENGTH, LENGTH) + BODY],
  ['a list of lengths', head(`${LENGTH}, ${BODY.length}`) + BODY],
  ['a negative length', head('content-length: -1') + BODY],
  ['a length with a sign', head(`content-length: +${BODY.length}`) + BODY],
  ['a length in hexadecimal', head(`content-length: 0x${BODY.length.toString(16)}`) + BODY],
  ['a length that overflows', head('content-length: 18446744073709551617') + BODY],
  ['a length with a fraction', head(`${LENGTH}.0`) + BODY],
  ['an unknown coding', head('transfer-encoding: xchunked') + chunks(BODY)],
  ['chunks and something after them', head('transfer-encoding: chunked, identity') + chunks(BODY)],
  ['identity', head('transfer-encoding: identity') + chunks(BODY)],
  ['a coding in quotes', head('transfer-encoding: "chunked"') + chunks(BODY)],
  ['a coding behind a control character', head('transfer-encoding: \u000bchunked') + chunks(BODY)],
  ['two codings on two lines', head(CHUNKED, 'transfer-encoding: identity') + chunks(BODY)],
  ['a space before the colon', head(`transfer-encoding${SPACE}: chunked`) + chunks(BODY)],
  ['a space before the name', head('x: y', ` ${CHUNKED}`, 'content-length: 4') + chunks(BODY)],
  ['a folded line', head('transfer-encoding:', ' chunked', 'content-length: 4') + chunks(BODY)],
  ['bare line feeds', head(LENGTH).replaceAll('\r\n', '\n') + BODY],
  ['one bare line feed', head(LENGTH, 'x: y').replace('x: y\r\n', 'x: y\n') + BODY],
  ['a bare carriage return', head(LENGTH, 'x: y\rz: a') + BODY],
  ['a NUL in a value', head(LENGTH, 'x: a\u0000b') + BODY],
  ['a chunk size with a sign', `${head(CHUNKED)}+2\r\n{}\r\n0\r\n\r\n`],
  ['a chunk size in 0x', `${head(CHUNKED)}0x2\r\n{}\r\n0\r\n\r\n`],
  ['a chunk size that overflows', `${head(CHUNKED)}fffffffffffffffff\r\n{}\r\n0\r\n\r\n`],
  ['a chunk without its line end', `${head(CHUNKED)}2\r\n{}0\r\n\r\n`],
  ['chunks with bare line feeds', `${head(CHUNKED)}2\n{}\n0\n\n`],
  ['a version that is none', head(LENGTH).replace('HTTP/1.1', 'HTTP/1.9') + BODY],
  ['a head of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
];

describe('a request with two meanings', () => {
  test('is refused, closes its connection, and takes nothing that follows it for a request', async () => {
    await using world = await servedWorld();
    for (const [what, bytes] of AMBIGUOUS) {
      const client = await world.connect();
      await client.send(bytes + SMUGGLED);
      const text = await client.rest();
      client.close();
      expect(text, what).not.toContain('smuggled');
      expect(text.split('HTTP/1.1 ').length - 1, what).toBeLessThanOrEqual(1);
      if (text !== '') expect(answerIn(text), what).toEqual({ status: 400, code: 'bad_request' });
    }
    expect(world.vendor.simulator.ledger().received).toBe(0);
    await world.expectWell();
  });

  test('never leaves its rest to the next caller, whatever was the matter with it', async () => {
    await using world = await servedWorld();
    for (const [what, bytes] of AMBIGUOUS) {
      const bad = await world.connect();
      await bad.send(bytes);
      const good = await world.connect();
      await good.send(head(LENGTH, 'connection: close', 'x-request-id: mine') + BODY);
      const text = await good.rest();
      expect(answerIn(text).status, what).toBe(200);
      expect(text, what).toContain('x-request-id: mine');
      bad.close();
      good.close();
    }
    expect(world.vendor.simulator.ledger().received).toBe(AMBIGUOUS.length);
    await world.expectWell();
  });
});

describe('a request behind one that was refused', () => {
  test.each([
    ['with a wrong type', head(LENGTH).replace('application/json', 'text/plain') + BODY, 415],
    ['with a body that is no JSON', `${head('content-length: 7')}no JSON`, 400],
    ['to a path that is none', head(LENGTH).replace('/v1/chat/completions', '/nowhere') + BODY, 404],
    ['by a method that is not served', head(LENGTH).replace('POST', 'PUT') + BODY, 405],
  ])('%s is read from where that one ends, not from within its body', async (_what, bytes, status) => {
    await using world = await servedWorld();
    const client = await world.connect();
    await client.send(bytes + head(LENGTH, 'connection: close', 'x-request-id: second') + BODY);
    const text = await client.rest();
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => Number(code));
    expect(statuses).toEqual([status, 200]);
    expect(text).toContain('x-request-id: second');
    client.close();
    expect(world.vendor.simulator.ledger().received).toBe(1);
    await world.expectWell();
  });

  test('hidden in its body is never seen as one', async () => {
    await using world = await servedWorld();
    const client = await world.connect();
    const bytes = head(`content-length: ${SMUGGLED.length}`, 'connection: close') + SMUGGLED;
    await client.send(bytes);
    const text = await client.rest();
    expect(answerIn(text)).toEqual({ status: 400, code: 'invalid_json' });
    expect(text.split('HTTP/1.1 ').length - 1).toBe(1);
    client.close();
    await world.expectWell();
  });
});

describe('a request by the whole URL', () => {
  test.each(['http://127.0.0.1/v1/chat/completions', 'http://elsewhere.example/v1/chat/completions'])(
    'is served here, or not at all, and never fetched: %s',
    async (url) => {
      await using world = await servedWorld();
      const client = await world.connect();
      await client.send(head(LENGTH, 'connection: close').replace('/v1/chat/completions', url) + BODY);
      const { status } = answerIn(await client.rest());
      expect([200, 400, 403, 404]).toContain(status);
      client.close();
      expect(world.vendor.simulator.ledger().received).toBe(status === 200 ? 1 : 0);
      await world.expectWell();
    },
  );
});
