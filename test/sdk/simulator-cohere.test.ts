import { CohereClientV2, CohereError } from 'cohere-ai';
import { describe, expect, test } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { collected, failure, KEY, ONCE, startVendor } from './simulated.ts';

const ASK = {
  model: 'command-a-03-2025',
  messages: [{ role: 'user' as const, content: 'Tell me about canals.' }],
};

const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}));
const QUESTION = { role: 'user' as const, content: 'get_weather and get_time' };
const CALLING = { ...ASK, tools: TOOLS, messages: [QUESTION] };

async function connect(options: Partial<SimulatorOptions> = {}) {
  const { url, simulator } = await startVendor('cohere', options);
  return { simulator, client: new CohereClientV2({ token: KEY, environment: url, maxRetries: 0 }) };
}

test('a chat is read whole', async () => {
  const { client } = await connect();
  const answer = await client.chat(ASK);
  expect(answer).toMatchObject({ finishReason: 'COMPLETE', message: { content: [{ type: 'text' }] } });
  expect(answer.usage?.billedUnits?.outputTokens).toBe(24);
  expect(answer.usage?.tokens?.inputTokens).toBeGreaterThan(answer.usage?.billedUnits?.inputTokens ?? Infinity);
});

test('a stream comes together to the same text', async () => {
  const { client } = await connect();
  const whole = await client.chat(ASK);
  const events = await collected(await client.chatStream(ASK));
  const text = events
    .map((event) => (event.type === 'content-delta' ? event.delta?.message?.content?.text : ''))
    .join('');
  expect(whole.message.content).toMatchObject([{ text }]);
  expect(events.at(-1)).toMatchObject({ type: 'message-end', delta: { finishReason: 'COMPLETE' } });
});

describe('tools', () => {
  const calls = ['get_weather', 'get_time'].map((name) => ({ function: { name, arguments: '{"city":"a"}' } }));

  test('are called at once, whole and streamed', async () => {
    const { client } = await connect();
    const whole = await client.chat(CALLING);
    expect(whole).toMatchObject({ finishReason: 'TOOL_CALL', message: { toolCalls: calls } });
    const events = await collected(await client.chatStream(CALLING));
    const starts = events.flatMap((event) =>
      event.type === 'tool-call-start' ? [event.delta?.message?.toolCalls] : [],
    );
    expect(starts).toMatchObject([{ function: { name: 'get_weather' } }, { function: { name: 'get_time' } }]);
  });

  test('that have answered are followed by words', async () => {
    const { client } = await connect();
    const { message } = await client.chat(CALLING);
    const { toolCalls = [], toolPlan } = message;
    const answer = await client.chat({
      ...CALLING,
      messages: [
        QUESTION,
        { role: 'assistant', toolCalls, ...(toolPlan ? { toolPlan } : {}) },
        ...toolCalls.map(({ id }) => ({ role: 'tool' as const, toolCallId: id ?? '', content: 'Rain.' })),
      ],
    });
    expect(answer.finishReason).toBe('COMPLETE');
  });
});

test('JSON obeys its schema', async () => {
  const { client } = await connect();
  const jsonSchema = { type: 'object', properties: { ok: { type: 'boolean' } } };
  const { message } = await client.chat({ ...ASK, responseFormat: { type: 'json_object', jsonSchema } });
  expect(message.content).toMatchObject([{ text: '{"ok":false}' }]);
});

test('texts are embedded', async () => {
  const { client } = await connect();
  const asked = { model: 'embed-v4.0', inputType: 'search_query' as const, embeddingTypes: ['float' as const] };
  const { embeddings } = await client.embed({ ...asked, texts: ['one', 'two'] });
  expect(embeddings.float).toHaveLength(2);
});

describe('errors', () => {
  test.each([
    ['401', 401, 'invalid api token'],
    ['500', 500, 'internal server error'],
    ['503', 503, 'service unavailable'],
    ['spend_429', 429, 'API calls / month'],
  ] as const)('have a status and a sentence: %s', async (kind, statusCode, part) => {
    const { client } = await connect({ faults: [{ kind }] });
    const error = await failure(client.chat(ASK));
    expect(error).toBeInstanceOf(CohereError);
    expect(error).toMatchObject({ statusCode, body: { message: expect.stringContaining(part) } });
  });

  test('of a limit say how many calls there are', async () => {
    const { client } = await connect(ONCE);
    await client.chat(ASK);
    const error = await failure(client.chat(ASK));
    expect(error).toMatchObject({ statusCode: 429 });
    expect(error.message).toContain('limited to 1 API calls / minute');
  });
});
