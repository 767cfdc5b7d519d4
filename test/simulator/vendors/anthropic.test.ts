import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { eventsOf, type Json, start } from '../running.ts';

const PATH = '/v1/messages';
const MODEL = 'claude-sonnet-4-5';
const HI = [{ role: 'user', content: 'Hi' }];

const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  name,
  input_schema: { type: 'object', properties: { city: { type: 'string' } } },
}));

const anthropic = (options: object = {}, clock?: FakeClock) => start({ vendor: 'anthropic', ...options }, clock);

const ask = async (body: object, options: object = {}) => {
  const { call } = await anthropic(options);
  return call(PATH, { model: MODEL, max_tokens: 4096, messages: HI, ...body });
};

/** The events of a stream, whose names and types are the same. */
const streamed = async (body: object, options: object = {}): Promise<Json[]> => {
  const { text } = await ask({ ...body, stream: true }, options);
  const names = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
  const events = eventsOf(text.replace(/^event: .*\n/gm, ''));
  expect(events.map((event) => event['type'])).toEqual(names);
  return events;
};

describe('a message', () => {
  it('is made of blocks and tells its usage', async () => {
    const { status, headers, json } = await ask({}, { answer: { outputTokens: 3 } });
    expect(status).toBe(200);
    expect(headers.get('request-id')).toMatch(/^req_/);
    expect(json()).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: MODEL,
      content: [{ type: 'text', text: 'This answer was' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 8, output_tokens: 3, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    });
  });

  it('streams from message_start to message_stop', async () => {
    const events = await streamed({}, { answer: { outputTokens: 2 } });
    expect(events.map((event) => event['type'])).toEqual([
      ...['message_start', 'content_block_start', 'ping', 'content_block_delta', 'content_block_delta'],
      ...['content_block_stop', 'message_delta', 'message_stop'],
    ]);
    expect(events[0]?.['message']).toMatchObject({ content: [], usage: { input_tokens: 8, output_tokens: 1 } });
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } });
  });

  it('ends where it was told to', async () => {
    const options = { answer: { outputTokens: 20 } };
    const cut = (await ask({ max_tokens: 5 }, options)).json();
    expect(cut).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 5 } });
    const stopped = (await ask({ stop_sequences: ['nowhere', ' made', ''.padEnd(3, '#')] }, options)).json();
    expect(stopped).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: ' made' });
    expect(stopped['content']).toEqual([{ type: 'text', text: 'This answer was' }]);
  });

  it('thinks before it speaks when asked to, signed', async () => {
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    const whole = (await ask({ thinking })).json();
    expect(whole['content']).toMatchObject([{ type: 'thinking', signature: expect.any(String) }, { type: 'text' }]);
    expect(whole['usage']).toMatchObject({ output_tokens: 40, output_tokens_details: { thinking_tokens: 16 } });
    const deltas = (await streamed({ thinking })).map((event) => event['delta']?.['type']);
    expect([...new Set(deltas.filter((type) => type !== undefined))]).toEqual([
      'thinking_delta',
      'signature_delta',
      'text_delta',
    ]);
  });

  it('is JSON that obeys the schema', async () => {
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } } };
    const { json } = await ask({ output_config: { format: { type: 'json_schema', schema } } });
    expect(json()['content']).toEqual([{ type: 'text', text: '{"ok":false}' }]);
  });
});

describe('a call', () => {
  const both = { tools: TOOLS, messages: [{ role: 'user', content: 'get_weather and get_time' }] };

  it('is a block, and several are several', async () => {
    const { json } = await ask(both);
    expect(json()).toMatchObject({ stop_reason: 'tool_use' });
    expect(json()['content']).toMatchObject([
      { type: 'tool_use', id: expect.stringMatching(/^toolu_\w+$/), name: 'get_weather', input: { city: 'a' } },
      { type: 'tool_use', name: 'get_time', input: { city: 'a' } },
    ]);
  });

  it('streams its input in pieces; one without arguments says nothing', async () => {
    const empty = { name: 'noop', input_schema: { type: 'object' } };
    const events = await streamed({ tools: [...TOOLS, empty], tool_choice: { type: 'tool', name: 'get_time' } });
    const json = events.map((event) => event['delta']?.['partial_json'] ?? '').join('');
    expect(JSON.parse(json)).toEqual({ city: 'a' });
    const silent = await streamed({ tools: [empty], tool_choice: { type: 'any' } });
    expect(silent.map((event) => event['delta']?.['partial_json'] ?? '').join('')).toBe('');
  });

  it('is one at most, or none, where the client says so', async () => {
    const one = await ask({ ...both, tool_choice: { type: 'auto', disable_parallel_tool_use: true } });
    expect(one.json()['content']).toHaveLength(1);
    expect((await ask({ ...both, tool_choice: { type: 'none' } })).json()['stop_reason']).toBe('end_turn');
  });

  it('that was answered is followed by words', async () => {
    const messages = [
      { role: 'user', content: 'get_weather' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'Rain.' }] },
    ];
    expect((await ask({ tools: TOOLS, messages })).json()['stop_reason']).toBe('end_turn');
  });
});

describe('what is refused', () => {
  const called = { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] };
  const result = (id: string) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: '' }] });
  const thinking = { type: 'enabled', budget_tokens: 1024 };
  it.each([
    ['no model', { model: undefined }, 'model: Field required'],
    ['no cap', { max_tokens: undefined }, 'max_tokens: Field required'],
    ['a cap of nothing', { max_tokens: 0 }, 'max_tokens: Input'],
    ['no messages', { messages: undefined }, 'messages: Field required'],
    ['an empty list', { messages: [] }, 'at least one message'],
    ['messages that are none', { messages: ['Hi'] }, 'valid list'],
    ['a field of another vendor', { logit_bias: {} }, 'logit_bias: Extra inputs are not permitted'],
    ['too much heat', { temperature: 1.5 }, 'temperature: range: 0..1'],
    ['an empty stop', { stop_sequences: [' '] }, 'non-whitespace'],
    ['a small budget', { thinking: { type: 'enabled', budget_tokens: 10 } }, 'greater than or equal to 1024'],
    ['a budget above the cap', { thinking, max_tokens: 1000 }, 'must be greater than'],
    ['thinking and a forced tool', { thinking, tools: TOOLS, tool_choice: { type: 'any' } }, 'Thinking may not be'],
    ['a tool without a schema', { tools: [{ name: 'f' }] }, 'input_schema.type'],
    ['a choice without tools', { tool_choice: { type: 'auto' } }, 'may only be specified'],
    ['a choice that is not there', { tools: TOOLS, tool_choice: { type: 'tool', name: 'x' } }, "Tool 'x' not found"],
    ['another role', { messages: [{ role: 'system', content: 'x' }] }, "Input should be 'user' or 'assistant'"],
    ['an answer first', { messages: [{ role: 'assistant', content: 'x' }] }, 'must use the "user" role'],
    ['no content', { messages: [{ role: 'user' }] }, 'content: Field required'],
    ['empty content', { messages: [{ role: 'user', content: '' }] }, 'non-empty content'],
    ['an empty text', { messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }, 'text content blocks'],
    ['a padded prefill', { messages: [...HI, { role: 'assistant', content: 'So ' }] }, 'trailing whitespace'],
    ['an open call', { messages: [...HI, called, ...HI] }, '`tool_use` ids were found without'],
    [
      'a foreign result',
      { messages: [...HI, called, { ...result('a'), content: [...result('a').content, ...result('b').content] }] },
      'unexpected `tool_use_id`',
    ],
    [
      'an id of another vendor',
      { messages: [...HI, { role: 'assistant', content: [{ type: 'tool_use', id: 'a b' }] }] },
      'should match pattern',
    ],
  ])('%s', async (_, body, message) => {
    const { status, json } = await ask(body);
    expect(status).toBe(400);
    expect(json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    expect(json()['error']?.['message']).toContain(message);
  });

  it.each([
    ['a temperature', { temperature: 0.5 }, '`temperature`'],
    ['a top_k', { top_k: 5 }, '`top_k`'],
    ['a top_p', { top_p: 0.5 }, '`top_p`'],
    ['the beginning of an answer', { messages: [...HI, { role: 'assistant', content: 'So' }] }, 'prefill'],
  ])('%s, by newer models alone', async (_, body, message) => {
    expect((await ask(body)).status).toBe(200);
    const refused = await ask({ ...body, model: 'claude-sonnet-5' });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain(message);
    expect((await ask({ model: 'claude-sonnet-5', temperature: 1, top_p: 1 })).status).toBe(200);
  });

  it('a request that names no version', async () => {
    const { url } = await anthropic();
    const response = await fetch(`${url}${PATH}`, { method: 'POST', headers: { 'x-api-key': 'sk-sim-1' }, body: '{}' });
    expect(await response.text()).toContain('anthropic-version: header is required');
  });

  it('keys, models, paths and prompts that are wrong, each in its own words', async () => {
    const { call, url } = await anthropic({ contextLength: 50 });
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    const wrongKey = await call('/v1/models', undefined, { 'x-api-key': 'nope' });
    expect(wrongKey.json()).toMatchObject({ error: { type: 'authentication_error', message: 'invalid x-api-key' } });
    expect(wrongKey.headers.get('request-id')).toBe(wrongKey.json()['request_id']);
    expect((await call('/v1/complete', {})).json()['error']?.['type']).toBe('not_found_error');
    const other = await call(PATH, { model: 'gpt-4o', max_tokens: 5, messages: HI });
    expect(other.json()).toMatchObject({ error: { type: 'not_found_error', message: 'model: gpt-4o' } });
    const long = { model: MODEL, max_tokens: 5, messages: [{ role: 'user', content: 'word '.repeat(60) }] };
    expect((await call(PATH, long)).json()['error']?.['message']).toMatch(
      /^prompt is too long: \d+ tokens > 50 maximum/,
    );
    const capped = await call(PATH, { model: MODEL, max_tokens: 50, messages: HI });
    expect(capped.json()['error']?.['message']).toContain('exceed context limit: 8 + 50 > 50');
  });
});

describe('limits', () => {
  const limited = (limits: object) => ({
    models: [MODEL],
    organizations: [{ name: 'org-a', keys: ['sk-sim-1'], limits }],
  });
  const clock = () => new FakeClock(0, Date.UTC(2026, 0, 1));

  it('are told in sets of three, tokens in thousands, resets as instants', async () => {
    const { call } = await anthropic(limited({ rpm: 60, itpm: 40_000, otpm: 8000 }), clock());
    const messages = [{ role: 'user', content: 'word '.repeat(10_000) }];
    const { headers } = await call(PATH, { model: MODEL, max_tokens: 4000, messages });
    expect(Object.fromEntries(headers)).toMatchObject({
      'anthropic-ratelimit-requests-limit': '60',
      'anthropic-ratelimit-requests-remaining': '59',
      'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:01Z',
      'anthropic-ratelimit-input-tokens-remaining': '30000',
      'anthropic-ratelimit-input-tokens-reset': '2026-01-01T00:00:16Z',
      'anthropic-ratelimit-output-tokens-remaining': '8000',
      'anthropic-ratelimit-tokens-limit': '8000',
      date: 'Thu, 01 Jan 2026 00:00:00 GMT',
    });
  });

  it('ignore the cap, and charge the output that came', async () => {
    const { call, simulator } = await anthropic({ ...limited({ otpm: 100 }), answer: { outputTokens: 90 } }, clock());
    const body = { model: MODEL, max_tokens: 4000, messages: HI };
    expect([(await call(PATH, body)).status, (await call(PATH, body)).status]).toEqual([200, 200]);
    expect((await call(PATH, body)).status).toBe(429);
    expect(simulator.ledger().limits[0]).toMatchObject({ name: 'otpm', charged: 180 });
  });

  it('charge output while it is streamed', async () => {
    const time = clock();
    const answer = { outputTokens: 100, tokensPerSecond: 10 };
    const { url, simulator } = await anthropic({ ...limited({ otpm: 1000 }), answer }, time);
    const body = JSON.stringify({ model: MODEL, max_tokens: 4000, messages: HI, stream: true });
    const headers = { 'x-api-key': 'sk-sim-1', 'anthropic-version': '2023-06-01' };
    const response = await fetch(`${url}${PATH}`, { method: 'POST', headers, body });
    const charged = (): number | undefined => simulator.ledger().limits[0]?.charged;
    expect(charged()).toBe(1);
    for (let tick = 0; tick < 50; tick++) time.advance(100);
    expect(charged()).toBe(51);
    for (let tick = 0; tick < 50; tick++) time.advance(100);
    await response.text();
    expect(charged()).toBe(100);
  });

  it('say in a 429 when to come back, in whole seconds', async () => {
    const { call } = await anthropic(limited({ rpm: 7 }), clock());
    const body = { model: MODEL, max_tokens: 5, messages: HI };
    for (let sent = 0; sent < 7; sent++) await call(PATH, body);
    const refused = await call(PATH, body);
    expect(refused.headers.get('retry-after')).toBe('9');
    expect(refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
    expect(refused.json()['error']?.['message']).toContain('organization (org-a) of 7 requests per minute');
  });

  it('do not tell what never fits from what does not now', async () => {
    const { call } = await anthropic(limited({ itpm: 20, concurrency: 1 }), clock());
    const messages = [{ role: 'user', content: 'word '.repeat(60) }];
    const refused = await call(PATH, { model: MODEL, max_tokens: 5, messages });
    expect(refused.json()['error']?.['message']).toContain('of 20 input tokens per minute');
    expect(refused.headers.get('retry-after')).toBe('1');
  });

  it('leave out input that is remembered', async () => {
    const { call, simulator } = await anthropic(limited({ itpm: 10_000 }), clock());
    const system = [{ type: 'text', text: 'word '.repeat(2000), cache_control: { type: 'ephemeral' } }];
    const body = { model: MODEL, max_tokens: 5, system, messages: HI };
    const first = (await call(PATH, body)).json()['usage'];
    const second = (await call(PATH, body)).json()['usage'];
    expect(first).toMatchObject({ cache_read_input_tokens: 0, cache_creation_input_tokens: expect.any(Number) });
    expect(second).toMatchObject({ cache_creation_input_tokens: 0, input_tokens: first?.['input_tokens'] });
    expect(second?.['cache_read_input_tokens']).toBe(first?.['cache_creation_input_tokens']);
    expect(Number(second?.['cache_read_input_tokens'])).toBeGreaterThan(2000);
    const written = Number(first?.['input_tokens']) + Number(first?.['cache_creation_input_tokens']);
    expect(simulator.ledger().limits[0]?.charged).toBe(written + Number(second?.['input_tokens']));
  });

  it('know what was marked in an earlier turn, and write what is new', async () => {
    const { call } = await anthropic({}, clock());
    const usageOf = async (messages: object[]) =>
      (await call(PATH, { model: MODEL, max_tokens: 5, messages })).json()['usage'];
    const marked = (text: string) => ({ type: 'text', text, cache_control: { type: 'ephemeral' } });
    const first = { role: 'user', content: [marked('word '.repeat(2000))] };
    const written = (await usageOf([first]))?.['cache_creation_input_tokens'];
    const more = [
      { role: 'assistant', content: 'Yes' },
      { role: 'user', content: [marked('And?')] },
    ];
    const usage = await usageOf([first, ...more]);
    expect(usage?.['cache_read_input_tokens']).toBe(written);
    expect(Number(usage?.['cache_creation_input_tokens'])).toBeGreaterThan(0);
    expect(Number(usage?.['cache_creation_input_tokens'])).toBeLessThan(50);
  });
});

describe('failures', () => {
  it.each([
    ['401', 401, 'authentication_error', null],
    ['500', 500, 'api_error', null],
    ['503', 529, 'overloaded_error', null],
    ['quota_429', 400, 'invalid_request_error', null],
    ['spend_429', 429, 'rate_limit_error', null],
    ['slow_down', 429, 'rate_limit_error', null],
    ['bare_429', 429, 'rate_limit_error', null],
    ['lying_retry_after', 429, 'rate_limit_error', '1'],
  ] as const)('%s', async (kind, ...expected) => {
    const [status, type, wait] = expected;
    const answer = await ask({}, { faults: [{ kind }] });
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ type: 'error', error: { type } });
    expect(answer.headers.get('retry-after')).toBe(wait);
  });

  it('of money: one says in its details that the month is over, one forbids to retry', async () => {
    const spent = await ask({}, { faults: [{ kind: 'spend_429' }] });
    expect(spent.json()['error']?.['details']).toEqual({ error_code: 'enforced_spend_limit_reached' });
    const poor = await ask({}, { faults: [{ kind: 'quota_429' }] });
    expect(poor.headers.get('x-should-retry')).toBe('false');
    expect(poor.text).toContain('credit balance is too low');
  });

  it('in a stream are events', async () => {
    const first = await streamed({}, { faults: [{ kind: 'stream_error_first_event' }] });
    expect(first).toMatchObject([{ type: 'error', error: { type: 'api_error' } }]);
    const cut = await ask({ stream: true }, { faults: [{ kind: 'cut_json' }] });
    expect(cut.text.endsWith('"index":0,"del')).toBe(true);
  });
});

it('tokens are counted without a model, and without a limit', async () => {
  const { call, simulator } = await anthropic();
  const counted = await call('/v1/messages/count_tokens', { model: MODEL, messages: HI, system: 'Be brief.' });
  expect(counted.json()).toEqual({ input_tokens: 15 });
  expect((await call('/v1/messages/count_tokens', { model: 'x', messages: HI })).status).toBe(404);
  expect((await call('/v1/messages/count_tokens', { model: MODEL })).status).toBe(400);
  expect(simulator.ledger().received).toBe(0);
});

it('models are listed and found one by one', async () => {
  const { call } = await anthropic();
  const list = (await call('/v1/models')).json();
  expect(list).toMatchObject({ first_id: 'claude-opus-5', has_more: false });
  expect(list['data']?.[0]).toMatchObject({ type: 'model', id: 'claude-opus-5' });
  expect((await call(`/v1/models/${MODEL}`)).json()['id']).toBe(MODEL);
  expect((await call('/v1/models/x')).status).toBe(404);
  expect((await call('/v1/usage')).status).toBe(404);
});

it('pictures, papers and results of tools count as part of the prompt', async () => {
  const { call } = await anthropic();
  const count = async (content: unknown): Promise<Json | undefined> => {
    const body = { model: MODEL, messages: [{ role: 'user', content }] };
    return (await call('/v1/messages/count_tokens', body)).json()['input_tokens'];
  };
  expect(await count([{ type: 'image' }, { type: 'text', text: 'Hi' }])).toBe(773);
  expect(await count([{ type: 'document' }, { type: 'mystery' }])).toBe(772);
});
