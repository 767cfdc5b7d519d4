import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../src/errors.ts';
import { answer, CLIENT_KEY, CLIENTS, SETTINGS, startServer } from './support.ts';

const JSON_BODY = { 'content-type': 'application/json' };

async function ask(url: string, { path = '/v1/messages', method = 'POST', ...rest }: Asked = {}) {
  const { headers = JSON_BODY, body = '{}' } = rest;
  const response = await fetch(url + path, { method, headers, ...(method === 'POST' ? { body } : {}) });
  return { response, json: (await response.json()) as unknown };
}

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function errorOf(type: string, code: string) {
  return {
    type: 'error',
    error: { type, message: expect.any(String), details: { error_code: code } },
    request_id: expect.stringMatching(/^req_/),
  };
}

describe("Anthropic's paths", () => {
  test.each([
    ['/v1/messages', 'messages'],
    ['/messages', 'messages'],
    ['/v1/messages?beta=true', 'messages'],
    ['/v1/messages/count_tokens', 'count_tokens'],
  ])('%s asks for %s', async (path, operation) => {
    const { url } = await startServer({ chat: (request, reply) => answer(reply, { operation: request.operation }) });
    expect((await ask(url, { path })).json).toEqual({ operation });
  });

  test('answer with the id under the name that its SDKs read', async () => {
    const { url } = await startServer();
    const { response } = await ask(url, { headers: { ...JSON_BODY, 'x-request-id': 'req_mine' } });
    expect(response.headers.get('request-id')).toBe('req_mine');
    expect(response.headers.get('x-request-id')).toBe('req_mine');
  });

  test.each(['x-api-key', 'authorization'])('take the key as %s', async (name) => {
    const { url } = await startServer({ services: { clients: CLIENTS } });
    const value = name === 'authorization' ? `Bearer ${CLIENT_KEY}` : CLIENT_KEY;
    expect((await ask(url, { headers: { ...JSON_BODY, [name]: value } })).json).toMatchObject({ client: 'web' });
  });
});

describe("models in Anthropic's form", () => {
  const asked = { method: 'GET', headers: { 'anthropic-version': '2023-06-01' } };
  const model = { type: 'model', id: 'org/gpt-4o', display_name: 'org/gpt-4o', created_at: '1970-01-01T00:00:00.000Z' };

  test('are one page', async () => {
    const { url } = await startServer();
    const { json } = await ask(url, { path: '/v1/models?limit=1000', ...asked });
    expect(json).toEqual({ data: [model], has_more: false, first_id: 'org/gpt-4o', last_id: 'org/gpt-4o' });
  });

  test('may be none', async () => {
    const { url } = await startServer({ services: { listModels: () => [] } });
    const { json } = await ask(url, { path: '/v1/models', ...asked });
    expect(json).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
  });

  test('are asked for by their name', async () => {
    const { url } = await startServer();
    expect((await ask(url, { path: '/v1/models/org%2Fgpt-4o', ...asked })).json).toEqual(model);
  });
});

describe("errors in Anthropic's form", () => {
  test('tell of a key that is not known', async () => {
    const { url } = await startServer({ services: { clients: CLIENTS } });
    const { response, json } = await ask(url);
    expect(response.status).toBe(401);
    expect(json).toEqual(errorOf('authentication_error', 'invalid_api_key'));
    expect(response.headers.get('request-id')).toBe((json as { request_id: string }).request_id);
  });

  test('tell of a body that is too large', async () => {
    const { url } = await startServer({ settings: { bodyLimitBytes: 10 } });
    const { response, json } = await ask(url, { body: JSON.stringify({ model: 'too long' }) });
    expect(response.status).toBe(413);
    expect(json).toEqual(errorOf('request_too_large', 'request_too_large'));
  });

  test('tell of a body that is no JSON by its type', async () => {
    const { url } = await startServer();
    const { json } = await ask(url, { headers: { 'content-type': 'text/plain' } });
    expect(json).toEqual(errorOf('invalid_request_error', 'unsupported_media_type'));
  });

  test.each([
    ['invalid_type', 'invalid_request_error'],
    ['model_not_allowed', 'permission_error'],
    ['model_not_found', 'not_found_error'],
    ['queue_full', 'rate_limit_error'],
    ['internal_error', 'api_error'],
    ['upstream_error', 'api_error'],
    ['upstream_overloaded', 'overloaded_error'],
    ['upstream_timeout', 'timeout_error'],
  ] as const)('tell of %s as %s', async (code, type) => {
    const refuse = (): never => {
      throw new ProxyError(code, 'No.');
    };
    const { url } = await startServer({ chat: refuse });
    expect((await ask(url)).json).toMatchObject(errorOf(type, code));
  });

  test('tell what an upstream said, in its own words', async () => {
    const body = { error: { message: 'No such block.', type: 'invalid_request_error', param: null, code: null } };
    const refuse = (): never => {
      throw new ProxyError('upstream_error', 'No.', { verdict: { status: 422, body } });
    };
    const { url } = await startServer({ chat: refuse });
    const { response, json } = await ask(url);
    expect(response.status).toBe(422);
    expect(json).toMatchObject({ error: { type: 'invalid_request_error', message: 'No such block.' } });
  });

  test('tell a client of this API that there is nothing at a path', async () => {
    const { url } = await startServer();
    const headers = { ...JSON_BODY, 'anthropic-version': '2023-06-01' };
    const { response, json } = await ask(url, { path: '/v1/messages/batches', headers });
    expect(response.status).toBe(404);
    expect(json).toEqual(errorOf('not_found_error', 'unknown_url'));
  });

  test('are for nobody else', async () => {
    const { url } = await startServer();
    const lost = await ask(url, { path: '/v1/nothing' });
    expect(lost.json).toMatchObject({ error: { code: 'unknown_url', param: null } });
    expect(lost.response.headers.has('request-id')).toBe(false);
    const chat = await startServer({ settings: { ...SETTINGS, bodyLimitBytes: 1 } });
    expect((await ask(chat.url, { path: '/v1/chat/completions' })).json).toMatchObject({
      error: { code: 'request_too_large', param: null },
    });
  });

  test('tell it that a model is not there', async () => {
    const { url } = await startServer();
    const headers = { 'anthropic-version': '2023-06-01' };
    const { json } = await ask(url, { path: '/v1/models/other', method: 'GET', headers });
    expect(json).toEqual(errorOf('not_found_error', 'model_not_found'));
  });

  test('stand for methods that are not served too', async () => {
    const { url } = await startServer();
    const headers = { 'anthropic-version': '2023-06-01' };
    const { response, json } = await ask(url, { method: 'GET', headers });
    expect(response.status).toBe(405);
    expect(json).toEqual(errorOf('invalid_request_error', 'method_not_supported'));
  });
});
