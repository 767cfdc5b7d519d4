import { describe, expect, test } from 'vitest';
import {
  answer,
  CHUNKED,
  chunk,
  type Exchange,
  head,
  type Script,
  ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { errorOf, startSluice } from './world.ts';

async function pair(script: Script, changes: object = {}, config: object = {}) {
  const upstream = await ScriptedUpstream.listen(script);
  const sluice = await startSluice({
    providers: [
      { name: 'acme', type: 'openai', base_url: `${upstream.origin}/v1`, keys: ['sk-up-raw-1'], raw: true, ...changes },
    ],
    ...config,
  });
  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${sluice.url}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: null };
  };
  return {
    upstream,
    sluice,
    call,
    [Symbol.asyncDispose]: () => Promise.all([sluice[Symbol.asyncDispose](), upstream.close()]).then(() => undefined),
  };
}

const OK: Script = (exchange) => exchange.end(answer('{"id":"modr-1"}'));

describe('a raw request', () => {
  test('goes to the provider with its key, and comes back as it is', async () => {
    await using world = await pair(OK);
    const sent = '{"input":"hi",  "model":"m"}';
    const got = await world.call('/acme/v1/moderations?limit=1&api_key=mine', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer mine', cookie: 'a=b', 'x-other': 'c' },
      body: sent,
    });
    expect(got).toMatchObject({ status: 200, text: '{"id":"modr-1"}' });
    const [exchange] = world.upstream.exchanges as [Exchange];
    expect(exchange).toMatchObject({ method: 'POST', target: '/v1/moderations?limit=1' });
    expect(exchange.body.toString()).toBe(sent);
    expect(exchange.headers.get('authorization')).toBe('Bearer sk-up-raw-1');
    for (const name of ['cookie', 'x-other']) expect(exchange.headers.has(name)).toBe(false);
    expect(world.sluice.app.openLeases).toBe(0);
    expect(world.sluice.app.heldBodyBytes).toBe(0);
  });

  test('may be a form with a file', async () => {
    await using world = await pair(OK);
    const body = new FormData();
    body.set('file', new Blob(['sound']), 'a.wav');
    expect((await world.call('/acme/v1/audio/transcriptions', { method: 'POST', body })).status).toBe(200);
    const [exchange] = world.upstream.exchanges as [Exchange];
    expect(exchange.headers.get('content-type')).toMatch(/^multipart\/form-data; boundary=/);
    expect(exchange.body.toString()).toContain('sound');
  });

  test.each(['GET', 'DELETE', 'POST'])('may be a %s without a body', async (method) => {
    await using world = await pair(OK);
    expect((await world.call('/acme/v1/files/file-1', { method })).status).toBe(200);
    expect(world.upstream.exchanges[0]).toMatchObject({ method, target: '/v1/files/file-1' });
  });

  test('is answered piece by piece, with the kind and status that the upstream gives', async () => {
    await using world = await pair(async (exchange) => {
      await exchange.write(head({ ...CHUNKED, 'content-type': 'audio/mpeg', 'set-cookie': 'a=b', 'x-acme': '1' }, 201));
      await exchange.write(chunk('one'));
      await exchange.write(chunk('two'));
      exchange.end(chunk(''));
    });
    const got = await world.call('/acme/v1/audio/speech', { method: 'POST', body: '{}' });
    expect(got).toMatchObject({ status: 201, text: 'onetwo' });
    expect(got.headers.get('content-type')).toBe('audio/mpeg');
    for (const name of ['set-cookie', 'x-acme']) expect(got.headers.has(name)).toBe(false);
    expect(got.headers.get('content-security-policy')).toContain('sandbox');
  });

  test('may be answered with nothing', async () => {
    await using world = await pair((exchange) => exchange.end('HTTP/1.1 204 No Content\r\n\r\n'));
    expect(await world.call('/acme/v1/files/x', { method: 'DELETE' })).toMatchObject({ status: 204, text: '' });
  });

  test('may be answered with more JSON than is looked at', async () => {
    const body = JSON.stringify({ id: 'file-large0001', data: 'x'.repeat(300_000) });
    await using world = await pair((exchange) => exchange.end(answer(body)));
    expect((await world.call('/acme/v1/files', { method: 'POST' })).text).toBe(body);
  });

  test('that nobody answers is over when its client leaves', async () => {
    await using world = await pair(() => undefined);
    const client = new AbortController();
    const pending = expect(world.call('/acme/v1/files', { signal: client.signal })).rejects.toThrow();
    const { gone } = await world.upstream.exchange();
    client.abort();
    await Promise.all([pending, gone]);
  });

  test('waits for the limits on requests', async () => {
    await using world = await pair(OK, { limits: { rpm: 1 } }, { defaults: { queue: { max_wait: '1s' } } });
    expect((await world.call('/acme/v1/files')).status).toBe(200);
    const second = await world.call('/acme/v1/files');
    expect(second.status).toBe(429);
    expect(errorOf({ ...second, json: JSON.parse(second.text) })).toMatchObject({ code: 'queue_wait_exceeded' });
    expect(world.upstream.exchanges.length).toBe(1);
  });

  test('is sent again where a key has nothing left', async () => {
    const refusal = JSON.stringify({
      error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' },
    });
    await using world = await pair(
      (exchange) =>
        exchange.end(
          world.upstream.exchanges.length === 1 ? answer(refusal, { 'retry-after': '9' }, 429) : answer('{}'),
        ),
      { keys: ['sk-up-raw-1', 'sk-up-raw-2'] },
    );
    expect((await world.call('/acme/v1/files', { method: 'POST', body: 'x' })).status).toBe(200);
    expect(world.upstream.exchanges.map(({ headers }) => headers.get('authorization')).toSorted()).toEqual([
      'Bearer sk-up-raw-1',
      'Bearer sk-up-raw-2',
    ]);
  });

  test('is not sent again when it may have been carried out', async () => {
    await using world = await pair((exchange) => exchange.reset());
    const got = await world.call('/acme/v1/batches', { method: 'POST', body: '{}' });
    expect(got.status).toBe(502);
    expect(got.text).toContain('may have been carried out');
    expect(world.upstream.exchanges.length).toBe(1);
  });

  test("shows the upstream's verdict on the request", async () => {
    const body = JSON.stringify({
      error: { message: 'No such File object: x', type: 'invalid_request_error', param: 'id', code: null },
    });
    await using world = await pair((exchange) => exchange.end(answer(body, {}, 404)));
    const got = await world.call('/acme/v1/files/x');
    expect(got.status).toBe(404);
    expect(got.text).toContain('No such File object');
  });

  test('closes a key to nobody, though it has no right to that endpoint', async () => {
    const body = JSON.stringify({
      error: { message: 'Incorrect API key provided: sk-up-raw-1', type: 'x', code: 'invalid_api_key' },
    });
    await using world = await pair((exchange) => {
      exchange.end(exchange.target.endsWith('/secrets') ? answer(body, {}, 401) : answer('{}'));
    });
    const refused = await world.call('/acme/v1/secrets');
    expect(refused.status).toBe(502);
    expect(refused.text).not.toContain('sk-up-raw');
    expect((await world.call('/acme/v1/files')).status).toBe(200);
  });

  test('that breaks off is cut off', async () => {
    await using world = await pair(async (exchange) => {
      await exchange.write(head(CHUNKED));
      await exchange.write(chunk('half'));
      exchange.reset();
    });
    await expect(world.call('/acme/v1/files/x/content')).rejects.toThrow();
    expect(world.sluice.app.openLeases).toBe(0);
  });

  test.each(['/acme/v1/x%5Cy', '/acme/v1/a%2Fb', '/acme/v1/files/'])('to %s is refused', async (path) => {
    await using world = await pair(OK);
    expect((await world.call(path)).status).toBe(400);
    expect(world.upstream.exchanges.length).toBe(0);
  });

  test('leads nowhere unless the configuration says so', async () => {
    await using world = await pair(OK, { raw: false });
    expect((await world.call('/acme/v1/files')).status).toBe(404);
  });

  test('is for those clients only that may use its path', async () => {
    const clients = [
      { name: 'some', key: 'client-some-1234', models: ['acme/files', 'gpt-*'] },
      { name: 'none', key: 'client-none-1234', models: ['gpt-*'] },
    ];
    await using world = await pair(OK, {}, { clients });
    const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
    expect((await world.call('/acme/v1/files', as('client-some-1234'))).status).toBe(200);
    expect((await world.call('/acme/files', as('client-none-1234'))).status).toBe(403);
    expect((await world.call('/acme/batches', as('client-some-1234'))).status).toBe(403);
    expect((await world.call('/acme/files')).status).toBe(401);
  });
});

describe('what an upstream keeps', () => {
  const FILES: Script = (exchange) => {
    const key = exchange.headers.get('authorization')?.slice(-1);
    exchange.end(answer(JSON.stringify({ id: `file-made00000by${key}`, output_file_id: `file-result0000${key}` })));
  };
  const keys = ['sk-up-raw-1', 'sk-up-raw-2'];

  test('stays with its key: later calls by its id go there, in paths and in bodies', async () => {
    await using world = await pair(FILES, { keys, limits: { rpm: 100 } });
    const headers = { 'content-type': 'application/json' };
    for (let count = 0; count < 6; count += 1) {
      const { id } = JSON.parse((await world.call('/acme/v1/files', { method: 'POST', body: 'x' })).text) as {
        id: string;
      };
      await world.call(`/acme/v1/files/${id}/content`);
      await world.call('/acme/v1/batches', { method: 'POST', headers, body: JSON.stringify({ input_file_id: id }) });
    }
    const used = world.upstream.exchanges.map(({ headers: sent }) => sent.get('authorization'));
    for (let at = 0; at < used.length; at += 3) expect(new Set(used.slice(at, at + 3)).size).toBe(1);
    expect(new Set(used).size).toBe(2);
  });

  test('is told by a job only when it is looked at', async () => {
    await using world = await pair(FILES, { keys });
    const made = JSON.parse((await world.call('/acme/v1/batches', { method: 'POST' })).text) as { id: string };
    const looked = JSON.parse((await world.call(`/acme/v1/batches/${made.id}`)).text) as { output_file_id: string };
    expect((await world.call(`/acme/v1/files/${looked.output_file_id}/content`)).status).toBe(200);
  });

  test('is not found by anybody else, nor what nobody has made here', async () => {
    const clients = ['one', 'two'].map((name) => ({ name, key: `client-${name}-1234` }));
    await using world = await pair(FILES, { keys }, { clients });
    const as = (name: string) => ({ headers: { authorization: `Bearer client-${name}-1234` } });
    const { id } = JSON.parse((await world.call('/acme/v1/files', { method: 'POST', ...as('one') })).text) as {
      id: string;
    };
    expect((await world.call(`/acme/v1/files/${id}`, as('one'))).status).toBe(200);
    expect((await world.call(`/acme/v1/files/${id}`, as('two'))).status).toBe(404);
    expect((await world.call(`/acme/v1/files/${id}`, { method: 'DELETE', ...as('two') })).status).toBe(404);
    expect((await world.call('/acme/v1/files/file-unknown12', as('one'))).status).toBe(404);
    const hidden = { method: 'POST', body: `\ufeff {"input_file_id":"${id}"}` };
    expect((await world.call('/acme/v1/batches', { ...hidden, ...as('two') })).status).toBe(404);
  });
});

describe('a response by its id', () => {
  const made = '{"id":"resp_68f1c2d3","object":"response","status":"completed","output":[]}';
  const RESPONDS: Script = (exchange) => exchange.end(answer(made));

  test.each(['/v1/responses', '/responses'])('is asked for where it was made, without raw paths: %s', async (base) => {
    await using world = await pair(RESPONDS, { raw: false });
    const headers = { 'content-type': 'application/json' };
    await world.call(base, { method: 'POST', headers, body: '{"model":"gpt-5","input":"Hi"}' });
    expect(await world.call(`${base}/resp_68f1c2d3?include=x`)).toMatchObject({ status: 200, text: made });
    await world.call(`${base}/resp_68f1c2d3/input_items`);
    await world.call(`${base}/resp_68f1c2d3/cancel`, { method: 'POST' });
    await world.call(`${base}/resp_68f1c2d3`, { method: 'DELETE' });
    expect(world.upstream.exchanges.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'POST /v1/responses',
      'GET /v1/responses/resp_68f1c2d3?include=x',
      'GET /v1/responses/resp_68f1c2d3/input_items',
      'POST /v1/responses/resp_68f1c2d3/cancel',
      'DELETE /v1/responses/resp_68f1c2d3',
    ]);
    expect(world.sluice.app.openLeases).toBe(0);
  });

  test('is not found where nobody knows it, or another client made it', async () => {
    const clients = ['one', 'two'].map((name) => ({ name, key: `key-of-${name}-0123456789` }));
    await using world = await pair(RESPONDS, {}, { clients });
    const by = (name: string) => ({
      'content-type': 'application/json',
      authorization: `Bearer key-of-${name}-0123456789`,
    });
    const unknown = await world.call('/v1/responses/resp_68f1c2d3', { headers: by('one') });
    expect(unknown.status).toBe(404);
    const body = '{"model":"gpt-5","input":"Hi"}';
    await world.call('/v1/responses', { method: 'POST', headers: by('one'), body });
    expect((await world.call('/v1/responses/resp_68f1c2d3', { headers: by('two') })).text).toBe(unknown.text);
    expect((await world.call('/v1/responses/resp_68f1c2d3', { headers: by('one') })).status).toBe(200);
  });
});
