import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { eventsOf, type Json, start } from '../running.ts';

const PATH = '/v1/chat/completions';
const MODEL = 'mistral-small-latest';
const HI = [{ role: 'user', content: 'Hi' }];
const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}));

const mistral = (options: object = {}, clock?: FakeClock) => start({ vendor: 'mistral', ...options }, clock);

const ask = async (body: object, options: object = {}) => {
  const { call } = await mistral(options);
  return call(PATH, { model: MODEL, messages: HI, ...body });
};

const streamed = async (body: object, options: object = {}): Promise<Json[]> =>
  eventsOf((await ask({ ...body, stream: true }, options)).text);

describe('an answer', () => {
  it('has fewer keys than OpenAI gives', async () => {
    const { json, headers } = await ask({}, { answer: { outputTokens: 2 } });
    expect(json()['choices']).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: 'This answer', tool_calls: null, prefix: false },
        finish_reason: 'stop',
      },
    ]);
    expect(json()['usage']).toEqual({ prompt_tokens: 8, completion_tokens: 2, total_tokens: 10 });
    expect(headers.get('x-ratelimit-tokens-query-cost')).toBe('10');
    expect(headers.get('mistral-correlation-id')).toMatch(/^req_/);
  });

  it('streams its usage with the last chunk, asked or not', async () => {
    const events = await streamed({ n: 2 }, { answer: { outputTokens: 2 } });
    expect(events.at(-1)).toBe('[DONE]');
    expect(events.at(-2)).toMatchObject({
      choices: [{ index: 1, finish_reason: 'stop' }],
      usage: { total_tokens: 12 },
    });
    expect(events.at(-3)).toMatchObject({ choices: [{ index: 0, finish_reason: 'stop' }] });
    expect(events.at(-3)).not.toHaveProperty('usage');
  });

  it('of a model that reasons has thoughts among its content', async () => {
    const { json } = await ask({ model: 'magistral-medium-latest' });
    expect(json()['choices']?.[0]?.['message']?.['content']).toMatchObject([
      { type: 'thinking', thinking: [{ type: 'text' }] },
      { type: 'text' },
    ]);
    const [, first, ...rest] = await streamed({ reasoning_effort: 'high' });
    expect(first?.['choices']?.[0]?.['delta']).toEqual({
      content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'This' }] }],
    });
    expect(rest.at(-3)?.['choices']?.[0]?.['delta']?.['content']).toEqual(expect.any(String));
  });

  it('calls with ids of nine letters and digits, streamed whole and last', async () => {
    const body = { tools: TOOLS, tool_choice: 'any', messages: [{ role: 'user', content: 'get_weather get_time' }] };
    const calls = (await ask(body)).json()['choices']?.[0]?.['message']?.['tool_calls'] as unknown as Json[];
    expect(calls.map(({ id }) => id)).toEqual([expect.stringMatching(/^\w{9}$/), expect.stringMatching(/^\w{9}$/)]);
    const events = await streamed(body);
    expect(events).toHaveLength(3);
    expect(events[1]?.['choices']?.[0]).toMatchObject({
      delta: { tool_calls: [{ index: 0 }, { index: 1, function: { name: 'get_time', arguments: '{"city":"a"}' } }] },
      finish_reason: 'tool_calls',
    });
  });

  it('embeds', async () => {
    const { call } = await mistral();
    const { json } = await call('/v1/embeddings', { model: 'mistral-embed', input: ['Hi'], output_dimension: 4 });
    expect(json()['data']?.[0]?.['embedding']).toHaveLength(4);
  });
});

describe('what is refused', () => {
  const call = (id: string) => ({ role: 'assistant', tool_calls: [{ id, function: { name: 'f', arguments: '{}' } }] });
  it.each([
    ['a field of another vendor', { stream_options: {} }, 422, 'Extra inputs are not permitted'],
    ['a role of another vendor', { messages: [{ role: 'developer', content: 'x' }] }, 422, "Input should be 'system'"],
    ['no messages', { messages: [] }, 422, 'expected a list'],
    ['a call id of another vendor', { messages: [...HI, call('call_1')] }, 400, 'must be a-z, A-Z, 0-9, with a length'],
    ['a result for nobody', { messages: [...HI, { role: 'tool', tool_call_id: 'x' }] }, 400, 'Tool call id was x'],
    ['an answer last', { messages: [...HI, { role: 'assistant', content: 'x' }] }, 400, 'Expected last role'],
    ['an open call', { messages: [...HI, call('abcdefghi'), ...HI] }, 400, 'Not the same number'],
  ] as [string, object, number, string][])('%s', async (_, ...[body, status, message]) => {
    const answer = await ask(body);
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ object: 'error', raw_status_code: status });
    expect(answer.text).toContain(message);
  });

  it('keys, models, paths and prompts that are wrong', async () => {
    const { call: ask, url } = await mistral({ contextLength: 5 });
    expect(await (await fetch(`${url}/v1/models`)).json()).toEqual({ detail: 'Unauthorized' });
    expect((await ask('/v1/models', undefined, { authorization: 'Bearer x' })).status).toBe(401);
    expect((await ask(PATH, { model: 'gpt-4o', messages: HI })).json()).toMatchObject({ code: '1500' });
    expect((await ask('/v1/fly', {})).status).toBe(404);
    expect((await ask(PATH, { model: MODEL, messages: HI })).json()).toMatchObject({ code: '3051' });
  });
});

describe('limits', () => {
  const limited = (limits: object) => ({ models: [MODEL], organizations: [{ keys: ['sk-sim-1'], limits }] });
  const body = { model: MODEL, messages: HI };

  it('slide over a minute, and say nothing of when to come back', async () => {
    const clock = new FakeClock();
    const { call } = await mistral(limited({ rps: 0.05 }), clock);
    const statuses: number[] = [];
    for (const waitMs of [0, 30_000, 0, 29_999, 0, 1, 0]) {
      clock.advance(waitMs);
      statuses.push((await call(PATH, body)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429, 200, 429]);
    const refused = await call(PATH, body);
    expect(refused.json()).toEqual({
      object: 'error',
      message: 'Rate limit exceeded',
      type: 'rate_limited',
      param: null,
      code: '1300',
      raw_status_code: 429,
    });
    expect([...refused.headers.keys()].filter((name) => /retry|reset/.test(name))).toEqual([]);
  });

  it('charge tokens when the answer is complete, whatever the cap', async () => {
    const { call, simulator } = await mistral({ ...limited({ rpm: 9, tpm: 40 }), answer: { outputTokens: 12 } });
    const first = await call(PATH, { ...body, max_tokens: 5000 });
    expect(first.headers.get('x-ratelimit-remaining-tokens-minute')).toBe('40');
    const second = await call(PATH, body);
    expect(second.headers.get('x-ratelimit-remaining-tokens-minute')).toBe('20');
    expect(second.headers.get('x-ratelimit-remaining-req-minute')).toBe('7');
    expect((await call(PATH, body)).status).toBe(429);
    expect(simulator.ledger().limits.map(({ name, charged }) => [name, charged])).toEqual([
      ['rpm', 2],
      ['tpm', 40],
    ]);
  });

  it('of requests leave tokens out of their refusal', async () => {
    const { call } = await mistral(limited({ rps: { limit: 1 }, rpm: 1, tpm: 40 }));
    await call(PATH, body);
    const refused = await call(PATH, body);
    expect(refused.headers.get('x-ratelimit-remaining-req-minute')).toBe('0');
    expect(refused.headers.get('x-ratelimit-limit-tokens-minute')).toBeNull();
  });
});

it.each([
  ['401', 401, 'Unauthorized'],
  ['500', 500, '"code":"1000"'],
  ['503', 429, '"code":"3505"'],
  ['quota_429', 402, 'Payment required'],
  ['spend_429', 402, 'spending limit'],
  ['slow_down', 429, '"code":"1300"'],
  ['bare_429', 429, 'Requests rate limit exceeded'],
  ['lying_retry_after', 429, '"code":"1300"'],
] as const)('fails as told: %s', async (kind, ...[status, part]) => {
  const answer = await ask({}, { faults: [{ kind }] });
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(part);
});
