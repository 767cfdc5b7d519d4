import { describe, expect, test } from 'vitest';
import { authenticate } from '../../src/http/authenticate.ts';
import { CLIENT_KEY, CLIENTS, errorOf, RawClient, requestText, startServer } from './support.ts';

describe('who calls', () => {
  test.each([
    ['authorization', `Bearer ${CLIENT_KEY}`],
    ['authorization', `bearer   ${CLIENT_KEY} `],
    ['authorization', CLIENT_KEY],
    ['x-api-key', CLIENT_KEY],
    ['api-key', CLIENT_KEY],
    ['x-goog-api-key', CLIENT_KEY],
  ])('is known by a key in %s: %s', (name, value) => {
    expect(authenticate({ [name]: value }, CLIENTS)).toEqual({ name: 'web' });
  });

  test.each([
    {},
    { authorization: '' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer wrong', 'x-api-key': CLIENT_KEY },
    { 'x-api-key': '' },
    { 'x-api-key': 'wrong' },
    { 'x-api-key': [CLIENT_KEY] as unknown as string },
  ])('is refused with %j', (headers) => {
    expect(() => authenticate(headers, CLIENTS)).toThrow(expect.objectContaining({ code: 'invalid_api_key' }));
  });

  test('is anybody where no clients are configured', () => {
    expect(authenticate({ authorization: 'Bearer whatever' }, null)).toEqual({ name: 'anonymous' });
  });
});

describe('a wrong key', () => {
  test('is answered before the body has come, and keeps the connection', async () => {
    const { port, server } = await startServer({ services: { clients: CLIENTS } });
    const headers = { 'content-length': '1000000', authorization: 'Bearer sk-wrong' };
    const client = new RawClient(port).write(requestText({ headers, body: '{' }));
    const got = await client.answer();
    expect(got?.status).toBe(401);
    expect(errorOf(got)).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error' });
    expect(got?.body).not.toContain('sk-wrong');
    expect(got?.headers.get('connection')).toBe('keep-alive');
    expect(server.heldBodyBytes).toBe(0);

    client.write(Buffer.alloc(999_999, 0x20), requestText({ headers: { authorization: `Bearer ${CLIENT_KEY}` } }));
    expect((await client.answer())?.status).toBe(200);
  });

  test('does not make the client send a body it asked leave for', async () => {
    const { port } = await startServer({ services: { clients: CLIENTS } });
    const head = requestText({ headers: { expect: '100-continue', 'content-length': '10' }, body: '' });
    expect((await new RawClient(port).write(head).answer())?.status).toBe(401);
  });

  test('is logged without the key', async () => {
    const { port, refusals } = await startServer({ services: { clients: CLIENTS } });
    await new RawClient(port).write(requestText({ path: '/v1/chat/completions?key=sk-wrong' })).answer();
    expect(refusals).toEqual([
      expect.objectContaining({
        client: null,
        method: 'POST',
        path: '/v1/chat/completions',
        status: 401,
        code: 'invalid_api_key',
      }),
    ]);
  });
});
