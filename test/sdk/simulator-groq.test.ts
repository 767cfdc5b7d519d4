import Groq from 'groq-sdk';
import { describe, expect, test } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { collected, failure, KEY, ONCE, startVendor } from './simulated.ts';

const ASK = {
  model: 'llama-3.1-8b-instant',
  messages: [{ role: 'user' as const, content: 'Tell me about canals.' }],
};

const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}));
const QUESTION = { role: 'user' as const, content: 'get_weather and get_time' };
const CALLING = { ...ASK, tools: TOOLS, messages: [QUESTION] };

async function connect(options: Partial<SimulatorOptions> = {}) {
  const { url, simulator } = await startVendor('groq', options);
  return { simulator, client: new Groq({ apiKey: KEY, baseURL: url, maxRetries: 0 }) };
}

test('a chat is read whole', async () => {
  const { client } = await connect();
  const { choices, usage } = await client.chat.completions.create(ASK);
  expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: expect.stringMatching(/\w/) } });
  expect(usage).toMatchObject({ completion_tokens: 24 });
});

test('a stream comes together to the same text', async () => {
  const { client } = await connect();
  const { choices } = await client.chat.completions.create(ASK);
  const chunks = await collected(await client.chat.completions.create({ ...ASK, stream: true }));
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(choices[0]?.message.content);
  expect(chunks.at(-1)?.x_groq?.usage).toMatchObject({ completion_tokens: 24 });
});

test('what was thought stands beside what is said', async () => {
  const { client } = await connect();
  const { choices } = await client.chat.completions.create({ ...ASK, reasoning_effort: 'low' });
  expect(choices[0]?.message.reasoning).toMatch(/\w/);
});

test('tools are called at once, and followed by words once they have answered', async () => {
  const { client } = await connect();
  const { choices } = await client.chat.completions.create(CALLING);
  const message = choices[0]?.message;
  expect(message?.tool_calls).toMatchObject([
    { function: { name: 'get_weather' } },
    { function: { name: 'get_time', arguments: '{"city":"a"}' } },
  ]);
  const results = (message?.tool_calls ?? []).map(({ id }) => ({
    role: 'tool' as const,
    tool_call_id: id,
    content: 'Rain.',
  }));
  const messages = [QUESTION, ...(message ? [message] : []), ...results];
  const second = await client.chat.completions.create({ ...CALLING, messages });
  expect(second.choices[0]?.finish_reason).toBe('stop');
});

test('models are listed', async () => {
  const { client } = await connect();
  expect((await client.models.list()).data.map(({ id }) => id)).toContain(ASK.model);
});

describe('errors', () => {
  test.each([
    ['401', Groq.AuthenticationError, 401],
    ['500', Groq.InternalServerError, 500],
    ['503', Groq.InternalServerError, 503],
    ['quota_429', Groq.RateLimitError, 429],
  ] as const)('are of the classes that programs look for: %s', async (kind, ...[Type, status]) => {
    const { client } = await connect({ faults: [{ kind }] });
    const error = await failure(client.chat.completions.create(ASK));
    expect(error).toBeInstanceOf(Type);
    expect(error).toMatchObject({ status });
  });

  test('for several answers are the vendor’s own', async () => {
    const { client } = await connect();
    const error = await failure(client.chat.completions.create({ ...ASK, n: 2 }));
    expect(error).toBeInstanceOf(Groq.BadRequestError);
  });

  test('of a limit have its numbers and an advice', async () => {
    const { client } = await connect(ONCE);
    await client.chat.completions.create(ASK);
    const error = await failure(client.chat.completions.create(ASK));
    expect(error).toBeInstanceOf(Groq.RateLimitError);
    expect(error.message).toContain('Limit 1, Used 1, Requested 1');
    expect(Number((error as InstanceType<typeof Groq.RateLimitError>).headers?.get('retry-after'))).toBeGreaterThan(50);
  });

  test('of what never fits are a 413', async () => {
    const { client } = await connect({ organizations: [{ keys: [KEY], limits: { tpm: 100 } }] });
    const error = await failure(client.chat.completions.create({ ...ASK, max_completion_tokens: 500 }));
    expect(error).toMatchObject({ status: 413 });
  });
});
