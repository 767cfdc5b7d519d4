import { describe, expect, test } from 'vitest';
import { isLoopbackHost } from '../../src/http/host-guard.ts';
import { CLIENT_KEY, CLIENTS, errorOf, RawClient, requestText, startServer } from './support.ts';

describe('a name of this machine', () => {
  test.each([
    'localhost',
    'LOCALHOST:80',
    'api.localhost:1',
    'localhost.',
    '127.0.0.1:8080',
    '127.9.9.9',
    '[::1]',
    '[::1]:8080',
    '[::ffff:127.0.0.1]:1',
  ])('is %s', (host) => expect(isLoopbackHost(host)).toBe(true));

  test.each([
    '',
    'evil.com',
    'localhost.evil.com',
    'evillocalhost',
    '127.0.0.1.evil.com',
    '128.0.0.1',
    '[::2]',
    'localhost:',
    'localhost:x',
    'a@localhost',
    '0.0.0.0',
  ])('is not %j', (host) => expect(isLoopbackHost(host)).toBe(false));
});

describe('a server that asks for no key', () => {
  test.each([
    ['a foreign Host', { host: 'rebound.evil.com' }],
    ['a foreign Origin', { origin: 'https://evil.com' }],
    ['an opaque Origin', { origin: 'null' }],
    ['a page of another local port', { origin: 'http://localhost:3000' }],
  ])('refuses %s', async (_what, headers) => {
    const { port } = await startServer();
    const got = await new RawClient(port).write(requestText({ headers })).answer();
    expect(got?.status).toBe(403);
    expect(errorOf(got)).toMatchObject({ code: 'origin_not_allowed', type: 'permission_error' });
  });

  test.each([
    ['no Origin', {}],
    ['its own Origin', { host: 'localhost:8080', origin: 'http://localhost:8080' }],
    ['a configured Origin', { origin: 'https://app.example.com' }],
  ])('serves %s', async (_what, headers) => {
    const { port } = await startServer({ settings: { corsOrigins: ['https://app.example.com'] } });
    expect((await new RawClient(port).write(requestText({ headers })).answer())?.status).toBe(200);
  });

  test('serves any Origin where all are configured, and any Host where it was opened on purpose', async () => {
    const { port } = await startServer({ settings: { corsOrigins: ['*'], openTo: 'any' } });
    const headers = { origin: 'https://a.example', host: 'sluice:8080' };
    expect((await new RawClient(port).write(requestText({ headers })).answer())?.status).toBe(200);
  });

  test('still refuses a foreign page when it was opened to any Host', async () => {
    const { port } = await startServer({ settings: { openTo: 'any' } });
    const headers = { origin: 'https://evil.com', host: 'sluice:8080' };
    expect((await new RawClient(port).write(requestText({ headers })).answer())?.status).toBe(403);
  });
});

test('where clients have keys, Host and Origin do not matter', async () => {
  const { port } = await startServer({ services: { clients: CLIENTS } });
  const headers = { host: 'sluice.example', origin: 'https://evil.com', 'api-key': CLIENT_KEY };
  expect((await new RawClient(port).write(requestText({ headers })).answer())?.status).toBe(200);
});
