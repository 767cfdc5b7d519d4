import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import { describe, expect, test } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { collected, failure, KEY, ONCE, startVendor } from './simulated.ts';

const MODEL = 'gemini-3-flash';
const ASK = { model: MODEL, contents: 'Tell me about canals.' };

const parameters = { type: Type.OBJECT, properties: { city: { type: Type.STRING } } };
const functionDeclarations = ['get_weather', 'get_time'].map((name) => ({ name, parameters }));
const config = { tools: [{ functionDeclarations }] };
const CALLING = { model: MODEL, contents: 'get_weather and get_time', config };

async function connect(options: Partial<SimulatorOptions> = {}) {
  const { url, simulator } = await startVendor('gemini', options);
  const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: url } });
  return { simulator, client };
}

test('content is read whole', async () => {
  const { client } = await connect();
  const answer = await client.models.generateContent(ASK);
  expect(answer.text).toMatch(/\w/);
  expect(answer.candidates?.[0]?.finishReason).toBe('STOP');
  expect(answer.usageMetadata?.candidatesTokenCount).toBe(24);
});

test('a stream comes together to the same text', async () => {
  const { client } = await connect();
  const whole = await client.models.generateContent(ASK);
  const chunks = await collected(await client.models.generateContentStream(ASK));
  expect(chunks.map(({ text }) => text ?? '').join('')).toBe(whole.text);
  expect(chunks.at(-1)?.usageMetadata).toEqual(whole.usageMetadata);
});

test('thoughts are told from words', async () => {
  const { client } = await connect();
  const thinkingConfig = { includeThoughts: true };
  const answer = await client.models.generateContent({ ...ASK, config: { thinkingConfig } });
  const parts = answer.candidates?.[0]?.content?.parts ?? [];
  expect(parts.map(({ thought }) => thought === true)).toEqual([true, false]);
  expect(answer.usageMetadata?.thoughtsTokenCount).toBe(16);
});

test('JSON obeys its schema', async () => {
  const { client } = await connect();
  const responseSchema = { type: Type.OBJECT, properties: { ok: { type: Type.BOOLEAN } } };
  const answer = await client.models.generateContent({
    ...ASK,
    config: { responseMimeType: 'application/json', responseSchema },
  });
  expect(JSON.parse(answer.text ?? '')).toEqual({ ok: false });
});

describe('functions', () => {
  const calls = [
    { name: 'get_weather', args: { city: 'a' } },
    { name: 'get_time', args: { city: 'a' } },
  ];

  test('are called at once, whole and streamed', async () => {
    const { client } = await connect();
    expect((await client.models.generateContent(CALLING)).functionCalls).toMatchObject(calls);
    const chunks = await collected(await client.models.generateContentStream(CALLING));
    expect(chunks.flatMap(({ functionCalls }) => functionCalls ?? [])).toMatchObject(calls);
  });

  test('can be demanded', async () => {
    const { client } = await connect();
    const functionCallingConfig = { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_time'] };
    const answer = await client.models.generateContent({
      ...ASK,
      config: { ...config, toolConfig: { functionCallingConfig } },
    });
    expect(answer.functionCalls).toMatchObject([{ name: 'get_time' }]);
  });

  test('that have answered are followed by words, in a chat that keeps what is signed', async () => {
    const { client } = await connect();
    const chat = client.chats.create({ model: MODEL, config });
    const { functionCalls = [] } = await chat.sendMessage({ message: 'get_weather and get_time' });
    expect(functionCalls).toHaveLength(2);
    const message = functionCalls.map(({ id, name }) => ({
      functionResponse: { ...(id ? { id } : {}), ...(name ? { name } : {}), response: { output: 'Rain.' } },
    }));
    expect((await chat.sendMessage({ message })).text).toMatch(/\w/);
  });
});

test('tokens are counted as they are charged', async () => {
  const { client } = await connect();
  const { totalTokens } = await client.models.countTokens(ASK);
  const { usageMetadata } = await client.models.generateContent(ASK);
  expect(usageMetadata?.promptTokenCount).toBe(totalTokens);
});

test('texts are embedded', async () => {
  const { client } = await connect();
  const contents = ['one', 'two'];
  const { embeddings } = await client.models.embedContent({
    model: 'gemini-embedding-001',
    contents,
    config: { outputDimensionality: 8 },
  });
  expect(embeddings?.map(({ values }) => values?.length)).toEqual([8, 8]);
});

describe('errors', () => {
  test.each([
    ['401', 400, 'API_KEY_INVALID'],
    ['500', 500, 'INTERNAL'],
    ['503', 503, 'UNAVAILABLE'],
    ['spend_429', 429, 'RESOURCE_EXHAUSTED'],
  ] as const)('have a status and the body: %s', async (kind, ...[status, part]) => {
    const { client } = await connect({ faults: [{ kind }] });
    const error = await failure(client.models.generateContent(ASK));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status });
    expect(error.message).toContain(part);
  });

  test('for a model that is not there', async () => {
    const { client } = await connect();
    expect(await failure(client.models.generateContent({ ...ASK, model: 'x' }))).toMatchObject({ status: 404 });
  });

  test('of a limit say which, in the body alone', async () => {
    const { client } = await connect(ONCE);
    await client.models.generateContent(ASK);
    const error = await failure(client.models.generateContent(ASK));
    expect(error).toMatchObject({ status: 429 });
    expect(error.message).toContain('GenerateRequestsPerMinutePerProjectPerModel');
    expect(error.message).toContain('retryDelay');
  });
});
