import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { eventsOf, type Json, start } from '../running.ts';

const PATH = '/v2/chat';
const MODEL = 'command-a-03-2025';
const HI = [{ role: 'user', content: 'Hi' }];
const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}));
const BOTH = { tools: TOOLS, messages: [{ role: 'user', content: 'get_weather and get_time' }] };

const cohere = (options: object = {}, clock?: FakeClock) => start({ vendor: 'cohere', ...options }, clock);

const ask = async (body: object, options: object = {}) => {
  const { call } = await cohere(options);
  return call(PATH, { model: MODEL, messages: HI, ...body });
};

const streamed = async (body: object, options: object = {}): Promise<Json[]> =>
  eventsOf((await ask({ ...body, stream: true }, options)).text.replace(/^event: .*\n/gm, ''));

describe('an answer', () => {
  it('has content of parts, and usage with and without the hidden preamble', async () => {
    const { json } = await ask({}, { answer: { outputTokens: 2 } });
    expect(json()).toEqual({
      id: expect.stringMatching(/^[\w-]{36,}$/),
      message: { role: 'assistant', content: [{ type: 'text', text: 'This answer' }] },
      finish_reason: 'COMPLETE',
      usage: {
        billed_units: { input_tokens: 8, output_tokens: 2 },
        tokens: { input_tokens: 503, output_tokens: 2 },
      },
    });
  });

  it('streams from message-start to message-end', async () => {
    const events = await streamed({}, { answer: { outputTokens: 2 } });
    expect(events.map((event) => event['type'] ?? event)).toEqual([
      ...['message-start', 'content-start', 'content-delta', 'content-delta', 'content-end', 'message-end', '[DONE]'],
    ]);
    expect(events[2]?.['delta']).toEqual({ message: { content: { text: 'This' } } });
    expect(events.at(-2)?.['delta']).toMatchObject({ finish_reason: 'COMPLETE', usage: { tokens: {} } });
  });

  it('thinks first when told to', async () => {
    const thinking = { type: 'enabled', token_budget: 100 };
    const content = (await ask({ thinking })).json()['message']?.['content'];
    expect(content).toMatchObject([{ type: 'thinking', thinking: expect.any(String) }, { type: 'text' }]);
    const events = await streamed({ thinking });
    expect(events[1]?.['delta']?.['message']?.['content']).toEqual({ type: 'thinking', thinking: '' });
    expect(events[2]?.['delta']?.['message']?.['content']).toEqual({ thinking: 'This' });
  });

  it('ends where it was told to', async () => {
    expect((await ask({ max_tokens: 2 })).json()['finish_reason']).toBe('MAX_TOKENS');
    expect((await ask({ stop_sequences: [' made'] })).json()['finish_reason']).toBe('STOP_SEQUENCE');
  });

  it('is JSON, by a schema or any', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } } };
    const said = async (format: object): Promise<Json | undefined> =>
      (await ask({ response_format: { type: 'json_object', ...format } })).json()['message']?.['content']?.[0]?.[
        'text'
      ];
    expect(await said({ json_schema: schema })).toBe('{"n":0}');
    expect(await said({})).toBe('{}');
  });
});

describe('calls', () => {
  it('come with a plan and without content', async () => {
    const { json } = await ask(BOTH);
    expect(json()['finish_reason']).toBe('TOOL_CALL');
    expect(json()['message']).toEqual({
      role: 'assistant',
      tool_plan: expect.any(String),
      tool_calls: [
        { id: expect.any(String), type: 'function', function: { name: 'get_weather', arguments: '{"city":"a"}' } },
        { id: expect.any(String), type: 'function', function: { name: 'get_time', arguments: '{"city":"a"}' } },
      ],
    });
  });

  it('stream one after the other, each an object and not a list', async () => {
    const events = await streamed(BOTH);
    expect(events[1]?.['type']).toBe('tool-plan-delta');
    const starts = events.filter((event) => String(event['type']) === 'tool-call-start');
    expect(starts.map((event) => [event['index'], event['delta']?.['message']?.['tool_calls']])).toEqual([
      [0, { id: expect.any(String), type: 'function', function: { name: 'get_weather', arguments: '' } }],
      [1, { id: expect.any(String), type: 'function', function: { name: 'get_time', arguments: '' } }],
    ]);
    const deltas = events.filter(
      (event) => String(event['type']) === 'tool-call-delta' && Number(event['index']) === 1,
    );
    const text = deltas.map((event) => event['delta']?.['message']?.['tool_calls']?.['function']?.['arguments']);
    expect(text.join('')).toBe('{"city":"a"}');
  });

  it('are required or forbidden, and answered with documents', async () => {
    expect((await ask({ tools: TOOLS, tool_choice: 'REQUIRED' })).json()['finish_reason']).toBe('TOOL_CALL');
    expect((await ask({ ...BOTH, tool_choice: 'NONE' })).json()['finish_reason']).toBe('COMPLETE');
    const messages = [
      ...HI,
      { role: 'assistant', tool_plan: 'So.', tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] },
      {
        role: 'tool',
        tool_call_id: 'a',
        content: [
          { type: 'document', document: { data: 'Rain.' } },
          { type: 'text', text: 'x' },
        ],
      },
    ];
    expect((await ask({ tools: TOOLS, messages })).json()['finish_reason']).toBe('COMPLETE');
  });
});

describe('what is refused', () => {
  const call = { role: 'assistant', tool_calls: [{ id: 'a' }] };
  it.each([
    ['no model', { model: '' }, 'model is required'],
    ['no messages', { messages: [] }, 'messages is required'],
    ['a field of another vendor', { n: 2 }, "parameter 'n' is not a valid field"],
    ['a cap of nothing', { max_tokens: 0 }, 'max_tokens must'],
    ['too many stops', { stop_sequences: [...'abcdef'] }, 'at most 5'],
    ['a penalty of another vendor', { presence_penalty: -1 }, 'presence_penalty must be between 0 and 1'],
    ['a choice of another vendor', { tools: TOOLS, tool_choice: 'auto' }, 'must be one of REQUIRED, NONE'],
    ['a choice without tools', { tool_choice: 'NONE' }, 'only be given with tools'],
    ['JSON and tools', { tools: TOOLS, response_format: { type: 'json_object' } }, 'together with tools'],
    ['a role of another vendor', { messages: [{ role: 'developer', content: 'x' }] }, 'invalid role'],
    ['no content', { messages: [{ role: 'user', content: [] }] }, 'content is required'],
    ['content beside calls', { messages: [...HI, { ...call, content: null }] }, 'may not stand beside'],
    [
      'a foreign result',
      { messages: [...HI, call, { role: 'tool', tool_call_id: 'b', content: 'x' }] },
      'not of a call',
    ],
  ])('%s', async (_, body, message) => {
    const { status, json } = await ask(body);
    expect(status).toBe(400);
    expect(json()).toEqual({ id: expect.stringMatching(/^req_/), message: expect.stringContaining(message) });
  });

  it('keys, models, paths and prompts that are wrong', async () => {
    const { call: ask, url } = await cohere({ contextLength: 50 });
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect((await ask('/v1/models', undefined, { authorization: 'Bearer x' })).text).toContain('invalid api token');
    expect((await ask('/v1/chat', {})).status).toBe(404);
    expect((await ask('/v1/fly')).status).toBe(404);
    expect((await ask(PATH, { model: 'gpt-4o', messages: HI })).status).toBe(404);
    expect((await ask(PATH, { model: MODEL, messages: HI })).text).toContain('too many tokens');
    expect((await ask('/v1/models')).json()['models']).toHaveLength(3);
    expect((await ask(`/v1/models/${MODEL}`)).json()['name']).toBe(MODEL);
    expect((await ask('/v1/models/x')).status).toBe(404);
  });
});

describe('limits', () => {
  const limited = (limits: object) => ({ models: [MODEL], organizations: [{ keys: ['sk-sim-1'], limits }] });
  const body = { model: MODEL, messages: HI };

  it('are calls of a minute, told by headers and refused by a sentence', async () => {
    const clock = new FakeClock();
    const { call } = await cohere(limited({ rpm: 1 }), clock);
    const first = await call(PATH, body);
    expect(first.headers.get('x-trial-endpoint-call-limit')).toBe('1');
    expect(first.headers.get('x-trial-endpoint-call-remaining')).toBe('0');
    expect(first.headers.get('x-endpoint-monthly-call-limit')).toBe('1000');
    const refused = await call(PATH, body);
    expect(refused.status).toBe(429);
    expect(refused.json()['message']).toContain('Trial key, which is limited to 1 API calls / minute');
    expect(refused.headers.get('retry-after')).toBeNull();
    clock.advance(60_000);
    expect((await call(PATH, body)).status).toBe(200);
  });

  it('of tokens and of seconds have sentences of their own', async () => {
    const tokens = await cohere(limited({ tpm: 600 }));
    await tokens.call(PATH, body);
    expect((await tokens.call(PATH, body)).text).toContain('trial token rate limit exceeded, limit is 600 tokens');
    const seconds = await cohere(limited({ rps: 1 }));
    await seconds.call(PATH, body);
    expect((await seconds.call(PATH, body)).text).toContain('past the per minute request limit');
  });
});

it.each([
  ['401', 401, 'invalid api token'],
  ['500', 500, 'internal server error'],
  ['503', 503, 'service unavailable'],
  ['quota_429', 402, 'payment method'],
  ['spend_429', 429, 'API calls / month'],
  ['slow_down', 429, 'too many requests'],
  ['bare_429', 429, 'too many requests'],
  ['lying_retry_after', 429, 'per minute request limit'],
] as const)('fails as told: %s', async (kind, ...[status, part]) => {
  const answer = await ask({}, { faults: [{ kind }] });
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(part);
});

it('a stream that fails ends with an error', async () => {
  const events = await streamed({}, { faults: [{ kind: 'stream_error_late' }] });
  expect(events.at(-1)).toMatchObject({ type: 'message-end', delta: { finish_reason: 'ERROR' } });
  const cut = await ask({ stream: true }, { faults: [{ kind: 'cut_json' }] });
  expect(cut.text.endsWith('"del')).toBe(true);
});

describe('embeddings', () => {
  const embed = async (body: object) => {
    const { call } = await cohere();
    return call('/v2/embed', { model: 'embed-v4.0', input_type: 'search_query', ...body });
  };

  it('come in the kinds that were asked for', async () => {
    const types = ['float', 'int8', 'uint8', 'base64'];
    const { json } = await embed({ texts: ['Hi', 'Ho'], embedding_types: types, output_dimension: 4 });
    expect(Object.keys(json()['embeddings'] ?? {})).toEqual(types);
    expect(json()['embeddings']?.['float']).toHaveLength(2);
    expect(json()['embeddings']?.['base64']?.[0]).toEqual(expect.any(String));
    expect(json()['meta']?.['billed_units']).toEqual({ input_tokens: 2 });
  });

  it('of inputs with parts are floats when nothing else is asked for', async () => {
    const inputs = [{ content: [{ type: 'text', text: 'Hi' }] }];
    expect((await embed({ inputs })).json()['embeddings']).toEqual({ float: [expect.any(Array)] });
  });

  it.each([
    ['no model', { model: 1 }],
    ['no kind of input', { input_type: null, texts: ['x'] }],
    ['no text', {}],
    ['too many texts', { texts: Array.from({ length: 97 }, () => 'x') }],
    ['an unknown type', { texts: ['x'], embedding_types: ['words'] }],
  ])('are refused for %s', async (_, body) => {
    expect((await embed(body)).status).toBe(400);
  });
});
