import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CLIENT_KEY,
  CLIENTS,
  eventually,
  type RawAnswer,
  RawClient,
  requestText,
  SETTINGS,
  startServer,
  type TestServer,
} from './support.ts';

/** Short, so that the server itself ends what mutations leave unfinished. */
const HASTY = { ...SETTINGS, timeouts: { headersMs: 80, requestMs: 100, keepAliveMs: 20, writeStallMs: 1000 } };
const TOGETHER = 40;

const VALID = [
  requestText({ headers: { 'api-key': CLIENT_KEY, 'x-request-id': 'mine' } }),
  requestText({
    headers: { authorization: `Bearer ${CLIENT_KEY}`, 'transfer-encoding': 'chunked' },
    body: '2\r\n{}\r\n0\r\n\r\n',
  }).replace(/content-length: \d+\r\n/, ''),
  requestText({ method: 'GET', path: '/v1/models/org%2Fgpt-4o', headers: { 'x-goog-api-key': CLIENT_KEY } }),
  requestText({ method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' } }),
  requestText({ method: 'GET', path: '/', headers: { accept: 'application/json', 'accept-encoding': 'br' } }),
];

interface Mutation {
  readonly base: string;
  readonly at: number;
  readonly drop: number;
  readonly insert: string;
}

const PIECES = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  ':',
  '\t',
  'é',
  '%',
  '%00',
  '/',
  '//',
  '/../',
  '?',
  '#',
  ';',
  ',',
  '"',
  '{',
  '}',
  'content-length: 5\r\n',
  'content-length: -1\r\n',
  'content-length: 99999999999999999999\r\n',
  'transfer-encoding: chunked\r\n',
  'expect: 100-continue\r\n',
  'expect: x\r\n',
  'connection: upgrade\r\nupgrade: websocket\r\n',
  'connection: close\r\n',
  'host: b\r\n',
  'accept-version: 1\r\n',
  'content-type: \r\n',
  'content-encoding: gzip\r\n',
  'origin: null\r\n',
  'te: trailers\r\n',
  'x-http-method-override: DELETE\r\n',
  'accept-encoding: *;q=x\r\n',
  'authorization: \r\n',
  'x-no-compression: 1\r\n',
  'HTTP/1.0',
  'HTTP/9.9',
  'GET * HTTP/1.1\r\n',
  'http://evil/',
  'x'.repeat(3000),
  `${'y: z\r\n'.repeat(300)}`,
];

const mutation: fc.Arbitrary<Mutation> = fc.record({
  base: fc.constantFrom(...VALID),
  at: fc.nat(400),
  drop: fc.oneof(fc.constant(0), fc.nat(12)),
  insert: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4, unit: 'binary' }), fc.constant('')),
});

function mutated({ base, at, drop, insert }: Mutation): string {
  const place = at % base.length;
  return base.slice(0, place) + insert + base.slice(place + drop);
}

async function answersTo(port: number, bytes: string): Promise<RawAnswer[]> {
  const client = new RawClient(port).write(Buffer.from(bytes, 'utf8'));
  const answers: RawAnswer[] = [];
  for (let next = await client.answer(); next; next = await client.answer()) {
    answers.push(next);
    // Without this the server would keep the connection for more.
    client.socket.end();
  }
  return answers;
}

function checkShape(answer: RawAnswer): void {
  expect(answer.status).not.toBe(500);
  if (answer.status < 400 || answer.body === '') return;
  expect(JSON.parse(answer.body)).toEqual({
    error: {
      message: expect.any(String),
      type: expect.any(String),
      param: answer.body.includes('model_not_found') ? 'model' : null,
      code: expect.any(String),
    },
  });
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._:-]{1,128}$/);
  expect(answer.body).not.toContain(CLIENT_KEY);
}

async function survives(server: TestServer, requests: readonly string[]): Promise<void> {
  const answers = await Promise.all(requests.map((bytes) => answersTo(server.port, bytes)));
  for (const answer of answers.flat()) checkShape(answer);
  expect(server.failures).toEqual([]);
  await eventually(() => server.server.heldBodyBytes).toBe(0);
}

describe('whatever bytes come, no answer is a 500, and every error has the one shape', () => {
  test('a valid request, changed in one or two places', async () => {
    const server = await startServer({
      settings: { ...HASTY, corsOrigins: ['https://a.example'], compression: 'all' },
      services: { clients: CLIENTS },
    });
    const twice = fc.tuple(mutation, fc.option(fc.nat(400), { nil: undefined })).map(([first, again]) => {
      const once = mutated(first);
      return again === undefined ? once : mutated({ ...first, base: once, at: again });
    });
    await fc.assert(
      fc.asyncProperty(fc.array(twice, { minLength: TOGETHER, maxLength: TOGETHER }), (requests) =>
        survives(server, requests),
      ),
      { numRuns: 20, endOnFailure: true },
    );
  });

  test('any headers at all', async () => {
    const server = await startServer({ settings: HASTY });
    const name = fc.oneof(
      fc.constantFrom(
        'accept',
        'origin',
        'host',
        'content-type',
        'content-encoding',
        'authorization',
        'x-request-id',
        'expect',
        'upgrade',
        'range',
        'cookie',
        'x-sluice-max-wait',
        '__proto__',
        'constructor',
      ),
      fc.stringMatching(/^[a-z-]{1,12}$/),
    );
    const value = fc.oneof(fc.stringMatching(/^[ -~]{0,40}$/), fc.string({ maxLength: 10 }));
    const request = fc
      .tuple(
        fc.constantFrom('GET', 'POST', 'PUT', 'QUERY', 'PROPFIND'),
        fc.webPath(),
        fc.dictionary(name, value, { noNullPrototype: true }),
      )
      .map(([method, path, headers]) =>
        requestText({ method, path: path || '/', headers, body: method === 'GET' ? '' : '{}' }),
      );
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: TOGETHER, maxLength: TOGETHER }), (requests) =>
        survives(server, requests),
      ),
      { numRuns: 10, endOnFailure: true },
    );
  });
});
