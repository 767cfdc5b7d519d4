import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { eventsOf, start } from '../running.ts';

const PATH = '/openai/v1/chat/completions';
const MODEL = 'llama-3.1-8b-instant';
const HI = [{ role: 'user', content: 'Hi' }];

const groq = (options: object = {}, clock?: FakeClock) => start({ vendor: 'groq', ...options }, clock);
const limited = (limits: object) => ({
  models: [MODEL],
  organizations: [{ name: 'org_a', keys: ['sk-sim-1'], limits }],
});

const ask = async (body: object, options: object = {}) => {
  const { call } = await groq(options);
  return call(PATH, { model: MODEL, messages: HI, ...body });
};

describe('an answer', () => {
  it('streams its usage with the last chunk, twice', async () => {
    const events = eventsOf((await ask({ stream: true }, { answer: { outputTokens: 1 } })).text);
    expect(events).toHaveLength(4);
    expect(events[2]).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      x_groq: { id: expect.any(String), usage: { total_tokens: 9 } },
      usage: { prompt_tokens: 8, completion_tokens: 1 },
    });
  });

  it('shows what was thought, unless it is to be hidden', async () => {
    const shown = (await ask({ reasoning_effort: 'low' })).json();
    expect(shown['choices']?.[0]?.['message']).toMatchObject({ reasoning: expect.stringContaining('This answer') });
    expect(shown['usage']).toMatchObject({ completion_tokens_details: { reasoning_tokens: 16 } });
    const hidden = (await ask({ reasoning_effort: 'low', reasoning_format: 'hidden' })).json();
    expect(hidden['choices']?.[0]?.['message']).not.toHaveProperty('reasoning');
    const events = eventsOf((await ask({ reasoning_effort: 'low', stream: true })).text);
    expect(events[1]?.['choices']?.[0]?.['delta']).toEqual({ reasoning: 'This' });
    const silent = eventsOf((await ask({ reasoning_effort: 'low', include_reasoning: false, stream: true })).text);
    expect(silent[1]?.['choices']?.[0]?.['delta']).toEqual({ content: 'This' });
  });

  it('calls in pieces, as OpenAI does', async () => {
    const tools = ['f', 'g'].map((name) => ({ type: 'function', function: { name: `${name}_tool` } }));
    const messages = [{ role: 'user', content: 'f_tool g_tool' }];
    const events = eventsOf((await ask({ tools, messages, stream: true })).text);
    const names = events.flatMap(
      (event) => event['choices']?.[0]?.['delta']?.['tool_calls']?.[0]?.['function']?.['name'] ?? [],
    );
    expect(names).toEqual(['f_tool', 'g_tool']);
  });
});

it('responds', async () => {
  const { call } = await groq();
  const made = (await call('/openai/v1/responses', { model: MODEL, input: 'Hi' })).json();
  expect((await call(`/openai/v1/responses/${made['id']}`)).json()).toEqual(made);
});

describe('what is refused', () => {
  it.each([
    ['several answers', { n: 2 }, "'n' : number must be at most 1"],
    ['odds', { logprobs: true }, "property 'logprobs' is unsupported"],
    ['a bias', { logit_bias: { 1: 1 } }, "property 'logit_bias' is unsupported"],
  ])('%s', async (_, body, message) => {
    const { status, json } = await ask(body);
    expect(status).toBe(400);
    expect(json()['error']?.['message']).toBe(message);
  });

  it('keys, models, paths and prompts that are wrong', async () => {
    const { call } = await groq({ contextLength: 5 });
    const wrong = await call('/openai/v1/models', undefined, { authorization: 'Bearer x' });
    expect(wrong.json()['error']?.['message']).toBe('Invalid API Key');
    expect((await call('/v1/chat/completions', {})).status).toBe(404);
    expect((await call(PATH, { model: 'x', messages: HI })).json()['error']?.['code']).toBe('model_not_found');
    expect((await call(PATH, { model: MODEL, messages: HI })).text).toContain('reduce the length of the messages');
    expect((await call('/openai/v1/models')).json()['data']).toHaveLength(3);
  });
});

describe('limits', () => {
  const clock = () => new FakeClock(0, Date.UTC(2026, 0, 1));

  it('are told of the requests of the day and the tokens of the minute', async () => {
    const { call } = await groq(limited({ rpm: 30, rpd: 1000, tpm: 6000 }), clock());
    const { headers } = await call(PATH, { model: MODEL, messages: HI, max_completion_tokens: 1192 });
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-ratelimit-limit-requests': '1000',
      'x-ratelimit-reset-requests': '1m26.4s',
      'x-ratelimit-limit-tokens': '6000',
      'x-ratelimit-remaining-tokens': '4800',
      'x-ratelimit-reset-tokens': '12s',
      'x-groq-region': 'local',
    });
  });

  it('give their numbers, and seconds with a fraction', async () => {
    const options = { ...limited({ tpm: { limit: 6000, charge: 'keep' } }) };
    const { call } = await groq(options, clock());
    const body = { model: MODEL, messages: HI, max_tokens: 3492 };
    await call(PATH, body);
    const refused = await call(PATH, body);
    expect(refused.status).toBe(429);
    expect(refused.json()['error']).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' });
    expect(refused.json()['error']?.['message']).toBe(
      'Rate limit reached for model `llama-3.1-8b-instant` in organization `org_a` service tier `on_demand` on ' +
        'tokens per minute (TPM): Limit 6000, Used 3500, Requested 3500. Please try again in 10s.',
    );
    expect(refused.headers.get('retry-after')).toBe('10');
  });

  it('refuse for ever with a 413 that still advises a wait', async () => {
    const { call } = await groq(limited({ tpm: 1000 }), clock());
    const refused = await call(PATH, { model: MODEL, messages: HI, max_tokens: 2000 });
    expect(refused.status).toBe(413);
    expect(refused.json()['error']?.['message']).toContain('Limit 1000, Requested 2008, please reduce your message');
    expect(refused.headers.get('x-should-retry')).toBe('false');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('may come without advice', async () => {
    const { call } = await groq({ ...limited({ rpm: 1, tpm: 1000 }), retryAfter: false }, clock());
    await call(PATH, { model: MODEL, messages: HI });
    expect((await call(PATH, { model: MODEL, messages: HI })).headers.get('retry-after')).toBeNull();
    const never = await call(PATH, { model: MODEL, messages: HI, max_tokens: 2000 });
    expect(never.headers.get('retry-after')).toBeNull();
  });

  it('give back what was remembered', async () => {
    const { call, simulator } = await groq(limited({ tpm: 20_000 }), clock());
    const messages = [{ role: 'system', content: 'word '.repeat(2000) }, ...HI];
    const usages = [];
    for (let sent = 0; sent < 2; sent++) {
      usages.push((await call(PATH, { model: MODEL, messages, max_tokens: 10 })).json()['usage']);
    }
    const cached = Number(usages[1]?.['prompt_tokens_details']?.['cached_tokens']);
    expect(usages[0]).not.toHaveProperty('prompt_tokens_details');
    expect(cached).toBeGreaterThan(2000);
    const total = 2 * Number(usages[0]?.['total_tokens']);
    expect(simulator.ledger().limits[0]?.charged).toBe(total - cached);
  });
});

it.each([
  ['401', 401, 'Invalid API Key'],
  ['500', 500, 'Internal Server Error'],
  ['503', 503, 'Service Unavailable'],
] as const)('fails as told: %s', async (kind, ...[status, part]) => {
  const answer = await ask({}, { faults: [{ kind }] });
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(part);
});
