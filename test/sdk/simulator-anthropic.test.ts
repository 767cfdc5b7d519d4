import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { failure, KEY, ONCE, startVendor } from './simulated.ts';

const MODEL = 'claude-haiku-4-5';
const ASK = { model: MODEL, max_tokens: 4096, messages: [{ role: 'user' as const, content: 'Tell me about canals.' }] };

const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  name,
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } },
}));
const CALLING = { ...ASK, tools: TOOLS, messages: [{ role: 'user' as const, content: 'get_weather and get_time' }] };

async function connect(options: Partial<SimulatorOptions> = {}, more: { maxRetries?: number } = {}) {
  const { url, simulator } = await startVendor('anthropic', options);
  return { simulator, client: new Anthropic({ apiKey: KEY, baseURL: url, maxRetries: 0, ...more }) };
}

test('a message is read whole', async () => {
  const { client } = await connect();
  const message = await client.messages.create(ASK);
  expect(message).toMatchObject({ type: 'message', stop_reason: 'end_turn', usage: { output_tokens: 24 } });
  expect(message.content).toMatchObject([{ type: 'text', text: expect.stringMatching(/\w/) }]);
  expect(message._request_id).toMatch(/^req_/);
});

test('a stream comes together to the same message', async () => {
  const { client } = await connect();
  const whole = await client.messages.create(ASK);
  const streamed = await client.messages.stream(ASK).finalMessage();
  expect(streamed.content).toEqual(whole.content);
  expect(streamed.usage.output_tokens).toBe(24);
  expect(streamed.usage.input_tokens).toBe(whole.usage.input_tokens);
});

test('thinking is a block of its own, streamed too', async () => {
  const { client } = await connect();
  const thinking = { type: 'enabled' as const, budget_tokens: 1024 };
  const message = await client.messages.stream({ ...ASK, thinking }).finalMessage();
  expect(message.content).toMatchObject([
    { type: 'thinking', thinking: expect.stringMatching(/\w/), signature: expect.stringMatching(/\w/) },
    { type: 'text' },
  ]);
});

describe('tools', () => {
  const calls = [
    { type: 'tool_use', name: 'get_weather', input: { city: 'a' } },
    { type: 'tool_use', name: 'get_time', input: { city: 'a' } },
  ];

  test('are called at once, whole and streamed', async () => {
    const { client } = await connect();
    expect((await client.messages.create(CALLING)).content).toMatchObject(calls);
    const streamed = await client.messages.stream(CALLING).finalMessage();
    expect(streamed).toMatchObject({ stop_reason: 'tool_use', content: calls });
  });

  test('that have answered are followed by words', async () => {
    const { client } = await connect();
    const first = await client.messages.create(CALLING);
    const results = first.content.flatMap((block) =>
      block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'Rain.' }] : [],
    );
    const second = await client.messages.create({
      ...CALLING,
      messages: [...CALLING.messages, first, { role: 'user', content: results }].map(({ role, content }) => ({
        role,
        content,
      })) as Anthropic.MessageParam[],
    });
    expect(second).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'text' }] });
  });
});

test('tokens are counted as they are charged', async () => {
  const { client } = await connect();
  const { input_tokens: counted } = await client.messages.countTokens({ model: MODEL, messages: ASK.messages });
  const { usage } = await client.messages.create(ASK);
  expect(usage.input_tokens).toBe(counted);
});

test('models are listed', async () => {
  const { client } = await connect();
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toContain(MODEL);
});

describe('errors', () => {
  test.each([
    ['401', Anthropic.AuthenticationError, 401, 'authentication_error'],
    ['500', Anthropic.InternalServerError, 500, 'api_error'],
    ['503', Anthropic.InternalServerError, 529, 'overloaded_error'],
    ['quota_429', Anthropic.BadRequestError, 400, 'invalid_request_error'],
    ['spend_429', Anthropic.RateLimitError, 429, 'rate_limit_error'],
  ] as const)('are of the classes that programs look for: %s', async (kind, ...[Type, status, type]) => {
    const { client } = await connect({ faults: [{ kind }] });
    const error = await failure(client.messages.create(ASK));
    expect(error).toBeInstanceOf(Type);
    expect(error).toMatchObject({ status, type, requestID: expect.stringMatching(/^req_/) });
  });

  test('for what is wrong say what', async () => {
    const { client } = await connect();
    const missing = await failure(client.messages.create({ ...ASK, model: 'gpt-4o' }));
    expect(missing).toBeInstanceOf(Anthropic.NotFoundError);
    const empty = await failure(client.messages.create({ ...ASK, messages: [] }));
    expect(empty).toBeInstanceOf(Anthropic.BadRequestError);
  });

  test('in the middle of a stream end it', async () => {
    const { client } = await connect({ faults: [{ kind: 'stream_error_late' }] });
    const error = await failure(client.messages.stream(ASK).finalMessage());
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(error.message).toContain('Internal server error');
  });
});

describe('a limit', () => {
  test('is a 429 with the headers that tell of it', async () => {
    const { client } = await connect(ONCE);
    const { response } = await client.messages.create(ASK).withResponse();
    expect(response.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0');
    const error = await failure(client.messages.create(ASK));
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    expect((error as InstanceType<typeof Anthropic.RateLimitError>).headers?.get('retry-after')).toBe('60');
  });

  test('of two a second is waited for as advised', async () => {
    const limits = { rps: { limit: 2, capacity: 1 } };
    const { client, simulator } = await connect({ organizations: [{ keys: [KEY], limits }] }, { maxRetries: 3 });
    await client.messages.create(ASK);
    expect((await client.messages.create(ASK)).type).toBe('message');
    expect(simulator.ledger()).toMatchObject({ admitted: 2, rateLimited: 1 });
  });
});
