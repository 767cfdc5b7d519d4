import { createOpenAI } from '@ai-sdk/openai';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool as langChainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { APICallError, generateText, isStepCount, Output, streamText, tool } from 'ai';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { ALL, type Behind } from './anthropic-vendors.ts';
import { startBehind } from './openai-vendors.ts';
import { CLIENT_KEY, failureOf, type World } from './world.ts';

const PROMPT = { prompt: 'Tell me about canals.' };
const CITY = z.object({ city: z.string() });
const PERSON = z.object({ name: z.string(), age: z.number() });
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const tools = Object.fromEntries(
  ['get_weather', 'get_time'].map((name) => [
    name,
    tool({ description: 'What it is like in a city.', inputSchema: CITY, execute: async () => ({ of: name }) }),
  ]),
);
const ERRAND = { prompt: 'get_weather and get_time for Ghent', tools, stopWhen: isStepCount(2) };

const named = (...names: readonly string[]) => ALL.filter(({ vendor }) => names.includes(vendor));
const HAVE_RESPONSES = named('openai', 'azure', 'groq');

const openAi = ({ baseURL }: World) => createOpenAI({ baseURL, apiKey: CLIENT_KEY });
const chatOf = (world: World) => openAi(world).chat('house');
const responsesOf = (world: World) => openAi(world)('house');

const WAYS = [
  ...ALL.map((behind) => ({ way: 'chats', behind, modelOf: chatOf })),
  ...HAVE_RESPONSES.map((behind) => ({ way: 'responses', behind, modelOf: responsesOf })),
].map((each) => ({ ...each, vendor: each.behind.vendor }));

describe.each(WAYS)('the AI SDK by $way of $vendor', ({ behind, modelOf }) => {
  test('generates text, whole and streamed', async () => {
    const world = await startBehind(behind);
    const { text, usage, finishReason } = await generateText({
      model: modelOf(world),
      ...PROMPT,
      maxOutputTokens: 500,
    });
    expect(text).toMatch(/\w/);
    expect(finishReason).toBe('stop');
    expect(usage.outputTokens).toBe(24);
    const stream = streamText({ model: modelOf(world), ...PROMPT });
    expect((await Array.fromAsync(stream.textStream)).join('')).toBe(text);
    expect(await stream.finishReason).toBe('stop');
    expect((await stream.usage).outputTokens).toBe(24);
    expect(world.requests().map(({ status }) => status)).toEqual([200, 200]);
  });

  test('calls several tools and goes on with their results, whole and streamed', async () => {
    const world = await startBehind(behind);
    const model = modelOf(world);
    const { steps, text } = await generateText({ model, ...ERRAND });
    const stream = streamText({ model, ...ERRAND });
    for (const [first, second] of [steps, await stream.steps]) {
      expect(first?.finishReason).toBe('tool-calls');
      expect(first?.toolResults).toMatchObject([
        { toolName: 'get_weather', input: { city: 'a' }, output: { of: 'get_weather' } },
        { toolName: 'get_time', input: { city: 'a' }, output: { of: 'get_time' } },
      ]);
      expect(second?.text).toMatch(/\w/);
    }
    expect(await stream.text).toBe(text);
  });

  test('gets an object, and shows a picture', async () => {
    const model = modelOf(await startBehind(behind));
    const { output } = await generateText({ model, ...PROMPT, output: Output.object({ schema: PERSON }) });
    expect(output).toEqual({ name: 'a', age: 0 });
    const content = [
      { type: 'text' as const, text: 'What is it?' },
      { type: 'image' as const, image: PIXEL, mediaType: 'image/png' },
    ];
    expect((await generateText({ model, messages: [{ role: 'user', content }] })).text).toMatch(/\w/);
  });

  test('is told once of a stream that fails late', async () => {
    const faults = [{ kind: 'stream_error_late' as const, afterTokens: 5 }];
    const world = await startBehind(behind, { simulator: { faults } });
    const stream = streamText({ model: modelOf(world), ...PROMPT, maxRetries: 0, onError: () => undefined });
    const parts = await Array.fromAsync(stream.stream);
    expect(parts.filter(({ type }) => type === 'error')).toHaveLength(1);
    expect(parts.at(-1)).toMatchObject({ type: 'finish', finishReason: 'error' });
  });
});

test.each(named('anthropic', 'gemini', 'cohere', 'mistral'))(
  'that $vendor has no responses is said, and what to do',
  async (behind) => {
    const failure = await failureOf(generateText({ model: responsesOf(await startBehind(behind)), ...PROMPT }));
    expect(failure).toBeInstanceOf(APICallError);
    expect(failure).toMatchObject({ statusCode: 400, message: expect.stringContaining('ask for a chat') });
  },
);

describe.each(named('anthropic', 'gemini', 'cohere', 'mistral'))('LangChain with $vendor', (behind: Behind) => {
  const modelOf = ({ baseURL }: World) =>
    new ChatOpenAI({ model: 'house', apiKey: CLIENT_KEY, configuration: { baseURL }, maxRetries: 0 });

  test('invokes and streams', async () => {
    const model = modelOf(await startBehind(behind));
    const whole = await model.invoke(PROMPT.prompt);
    expect(whole).toHaveProperty('usage_metadata.output_tokens', 24);
    const chunks = await Array.fromAsync(await model.stream(PROMPT.prompt));
    const streamed = chunks.reduce((sum, chunk) => sum.concat(chunk));
    expect(streamed.text).toBe(whole.text);
    expect(streamed).toHaveProperty('usage_metadata.output_tokens', 24);
  });

  test('calls tools and goes on with their results', async () => {
    const weather = langChainTool(() => 'Rain.', { name: 'get_weather', description: 'The weather.', schema: CITY });
    const model = modelOf(await startBehind(behind)).bindTools([weather]);
    const question = new HumanMessage('get_weather for Ghent');
    const message = await model.invoke([question]);
    expect(message.tool_calls).toMatchObject([{ name: 'get_weather', args: { city: 'a' } }]);
    const result = new ToolMessage({ content: 'Rain.', tool_call_id: message.tool_calls?.[0]?.id ?? '' });
    expect((await model.invoke([question, message, result])).text).toMatch(/\w/);
  });

  test.each(['jsonSchema', 'functionCalling'] as const)('gets an object by %s', async (method) => {
    const model = modelOf(await startBehind(behind)).withStructuredOutput(PERSON, { name: 'person', method });
    expect(await model.invoke(PROMPT.prompt)).toEqual({ name: 'a', age: 0 });
  });
});
