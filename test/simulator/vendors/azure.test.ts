import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { eventsOf, start } from '../running.ts';

const MODEL = 'gpt-4o';
const PATH = `/openai/deployments/${MODEL}/chat/completions?api-version=2024-10-21`;
const HI = [{ role: 'user', content: 'Hi' }];

const azure = (options: object = {}, clock?: FakeClock) => start({ vendor: 'azure', ...options }, clock);
const limited = (limits: object) => ({ models: [MODEL], organizations: [{ keys: ['sk-sim-1'], limits }] });

const ask = async (body: object, options: object = {}) => {
  const { call } = await azure(options);
  return call(PATH, { messages: HI, ...body });
};

describe('an answer', () => {
  it('says what the content filter thinks', async () => {
    const { json, headers } = await ask({ model: 'whatever' });
    expect(json()).toMatchObject({
      model: MODEL,
      choices: [{ content_filter_results: { hate: { filtered: false, severity: 'safe' } } }],
      prompt_filter_results: [{ prompt_index: 0 }],
    });
    expect(headers.get('apim-request-id')).toMatch(/^req_/);
  });

  it('streams the filter first, with no choice, no id and no model', async () => {
    const events = eventsOf((await ask({ stream: true, stream_options: { include_usage: true } })).text);
    expect(events[0]).toMatchObject({ choices: [], id: '', model: '', prompt_filter_results: [{}] });
    expect(events[1]?.['choices']?.[0]?.['delta']).toMatchObject({ role: 'assistant' });
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 8 } });
    expect(events.at(-1)).toBe('[DONE]');
  });

  it('comes from the deployment in the path, or in the body of the newer route', async () => {
    const { call } = await azure();
    const newer = await call('/openai/v1/chat/completions', { model: 'gpt-4o-mini', messages: HI });
    expect(newer.json()['model']).toBe('gpt-4o-mini');
    const path = '/openai/deployments/text-embedding-3-small/embeddings?api-version=1';
    expect((await call(path, { input: 'Hi' })).json()['data']).toHaveLength(1);
    expect((await call('/openai/v1/models')).json()['data']).toHaveLength(3);
    expect((await call('/openai/v1/responses', { model: MODEL, input: 'Hi' })).json()['object']).toBe('response');
    const dated = '/openai/responses?api-version=1';
    expect((await call(dated, { model: MODEL, input: 'Hi' })).json()['object']).toBe('response');
    const older = await call(`/openai/deployments/${MODEL}/completions?api-version=1`, { prompt: 'Hi' });
    expect(older.json()['object']).toBe('text_completion');
  });
});

it('is asked with a key of its own or a bearer token', async () => {
  const { url } = await azure();
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${url}${PATH}`, { method: 'POST', headers, body: JSON.stringify({ messages: HI }) })).status;
  expect(await status({ 'api-key': 'sk-sim-1' })).toBe(200);
  expect(await status({ authorization: 'Bearer sk-sim-1' })).toBe(200);
  expect(await status({})).toBe(401);
});

describe('what is refused', () => {
  it.each([
    [
      'a deployment that is not there',
      '/openai/deployments/x/chat/completions?api-version=1',
      404,
      'DeploymentNotFound',
    ],
    ['no api-version', `/openai/deployments/${MODEL}/chat/completions`, 404, '404'],
    ['another operation', `/openai/deployments/${MODEL}/fly?api-version=1`, 404, '404'],
    ['another path', '/v1/chat/completions', 404, '404'],
  ])('%s', async (_, ...[path, status, code]) => {
    const { call } = await azure();
    const answer = await call(path, { messages: HI });
    expect(answer.status).toBe(status);
    expect(answer.json()['error']?.['code']).toBe(code);
  });

  it('only a request to post', async () => {
    const { call } = await azure();
    expect((await call(PATH)).status).toBe(404);
  });
});

describe('limits', () => {
  const clock = () => new FakeClock(0, Date.UTC(2026, 0, 1));

  it('of tokens charge prompt and cap for the whole minute, and advise one second', async () => {
    const time = clock();
    const { call, simulator } = await azure(limited({ rpm: 600, tpm: 2000 }), time);
    const body = { messages: HI, max_tokens: 992 };
    const first = await call(PATH, body);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'x-ratelimit-limit-tokens': '2000',
      'x-ratelimit-remaining-tokens': '1000',
      'x-ratelimit-reset-tokens': '60',
      'x-ratelimit-renewalperiod-tokens': '60',
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '99',
      'x-ratelimit-renewalperiod-requests': '10',
      'x-ratelimit-key': MODEL,
    });
    await call(PATH, body);
    const refused = await call(PATH, body);
    expect(refused.status).toBe(429);
    expect(refused.json()['error']).toMatchObject({ code: '429' });
    expect(refused.json()['error']?.['message']).toMatch(/exceeded token rate limit .* retry after 1 seconds/);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('retry-after-ms')).toBe('0');
    expect(refused.headers.get('x-ratelimit-type')).toBe('Tokens');
    time.advance(59_999);
    expect((await call(PATH, body)).status).toBe(429);
    time.advance(1);
    expect((await call(PATH, body)).status).toBe(200);
    expect(simulator.ledger().limits.find(({ name }) => name === 'tpm')?.charged).toBe(3000);
  });

  it('of requests hold for every ten seconds', async () => {
    const time = clock();
    const { call } = await azure(limited({ rpm: 12 }), time);
    const statuses = [];
    for (let sent = 0; sent < 3; sent++) statuses.push((await call(PATH, { messages: HI })).status);
    expect(statuses).toEqual([200, 200, 429]);
    const refused = await call(PATH, { messages: HI });
    expect(refused.text).toContain('exceeded call rate limit');
    expect(refused.headers.get('retry-after')).toBe('10');
    time.advance(10_000);
    expect((await call(PATH, { messages: HI })).status).toBe(200);
  });

  it('may come without advice', async () => {
    const { call } = await azure({ ...limited({ rpm: 6 }), retryAfter: false }, clock());
    await call(PATH, { messages: HI });
    expect((await call(PATH, { messages: HI })).headers.get('retry-after')).toBeNull();
  });
});

it.each([
  ['401', 401, 'Access denied'],
  ['503', 429, 'experiencing high demand'],
  ['quota_429', 403, 'Out of call volume quota'],
  ['spend_429', 403, 'Out of call volume quota'],
  ['bare_429', 429, 'too_many_requests'],
  ['lying_retry_after', 429, 'retry after 1 seconds'],
  ['error_in_200', 200, '"server_error"'],
] as const)('fails as told: %s', async (kind, ...[status, part]) => {
  const answer = await ask({}, { faults: [{ kind }] });
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(part);
});
