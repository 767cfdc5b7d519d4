import { Mistral } from '@mistralai/mistralai';
import { describe, expect, test } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { collected, failure, KEY, ONCE, startVendor } from './simulated.ts';

const ASK = {
  model: 'mistral-small-latest',
  messages: [{ role: 'user' as const, content: 'Tell me about canals.' }],
};

const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}));
const QUESTION = { role: 'user' as const, content: 'get_weather and get_time' };
const CALLING = { ...ASK, tools: TOOLS, messages: [QUESTION] };

async function connect(options: Partial<SimulatorOptions> = {}) {
  const { url, simulator } = await startVendor('mistral', options);
  return { simulator, client: new Mistral({ apiKey: KEY, serverURL: url }) };
}

test('a chat is read whole', async () => {
  const { client } = await connect();
  const { choices, usage } = await client.chat.complete(ASK);
  expect(choices[0]).toMatchObject({ finishReason: 'stop', message: { content: expect.stringMatching(/\w/) } });
  expect(usage).toMatchObject({ completionTokens: 24 });
});

test('a stream comes together to the same text', async () => {
  const { client } = await connect();
  const { choices } = await client.chat.complete(ASK);
  const events = await collected(await client.chat.stream(ASK));
  expect(events.map(({ data }) => data.choices[0]?.delta.content ?? '').join('')).toBe(choices[0]?.message?.content);
  expect(events.at(-1)?.data).toMatchObject({ choices: [{ finishReason: 'stop' }], usage: { completionTokens: 24 } });
});

test('thoughts are parts of the content', async () => {
  const { client } = await connect();
  const { choices } = await client.chat.complete({ ...ASK, model: 'magistral-medium-latest' });
  expect(choices[0]?.message?.content).toMatchObject([{ type: 'thinking' }, { type: 'text' }]);
});

describe('tools', () => {
  const calls = ['get_weather', 'get_time'].map((name) => ({ function: { name, arguments: '{"city":"a"}' } }));

  test('are called at once, whole and streamed', async () => {
    const { client } = await connect();
    const { choices } = await client.chat.complete(CALLING);
    expect(choices[0]).toMatchObject({ finishReason: 'tool_calls', message: { toolCalls: calls } });
    const events = await collected(await client.chat.stream(CALLING));
    expect(events.flatMap(({ data }) => data.choices[0]?.delta.toolCalls ?? [])).toMatchObject(calls);
  });

  test('that have answered are followed by words', async () => {
    const { client } = await connect();
    const { choices } = await client.chat.complete(CALLING);
    const { toolCalls = [] } = choices[0]?.message ?? {};
    const results = (toolCalls ?? []).map(({ id, function: { name } }) => ({
      role: 'tool' as const,
      ...(id ? { toolCallId: id } : {}),
      name,
      content: 'Rain.',
    }));
    const messages = [QUESTION, { role: 'assistant' as const, toolCalls: toolCalls ?? [] }, ...results];
    const second = await client.chat.complete({ ...CALLING, messages });
    expect(second.choices[0]?.finishReason).toBe('stop');
  });
});

test('texts are embedded', async () => {
  const { client } = await connect();
  const { data } = await client.embeddings.create({ model: 'mistral-embed', inputs: ['one', 'two'] });
  expect(data).toHaveLength(2);
});

test('models are listed', async () => {
  const { client } = await connect();
  const { data } = await client.models.list();
  expect(data).toContainEqual(expect.objectContaining({ id: ASK.model }));
});

describe('errors', () => {
  test.each([
    ['401', 401, 'Unauthorized'],
    ['500', 500, '1000'],
    ['503', 429, '3505'],
  ] as const)('have a status and the body: %s', async (kind, statusCode, part) => {
    const { client } = await connect({ faults: [{ kind }] });
    const error = await failure(client.chat.complete(ASK));
    expect(error).toMatchObject({ statusCode, body: expect.stringContaining(part) });
  });

  test('of a limit are a 1300', async () => {
    const { client } = await connect(ONCE);
    await client.chat.complete(ASK);
    const error = await failure(client.chat.complete(ASK));
    expect(error).toMatchObject({ statusCode: 429, body: expect.stringContaining('"code":"1300"') });
  });

  test('of validation have details', async () => {
    const { client } = await connect();
    const error = await failure(client.chat.complete({ ...ASK, messages: [] }));
    expect(error).toMatchObject({ statusCode: 422 });
  });
});
