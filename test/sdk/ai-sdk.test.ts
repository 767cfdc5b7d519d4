import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, generateText, isStepCount, Output, streamText, tool } from 'ai';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { answer } from '../support/scripted-upstream.ts';
import { CLIENT_KEY, failureOf, startScriptedWorld, startWorld, type World } from './world.ts';

const PROMPT = { prompt: 'Tell me about canals.' };

/** Chat completions; without `.chat` the AI SDK calls another endpoint. */
function modelOf({ baseURL }: World, name = 'gpt-4o') {
  return createOpenAI({ baseURL, apiKey: CLIENT_KEY }).chat(name);
}

const weather = tool({
  description: 'The weather in a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: async () => 'Rain.',
});

describe('the AI SDK', () => {
  test('generates text', async () => {
    const world = await startWorld();
    const { text, usage, finishReason, response } = await generateText({ model: modelOf(world), ...PROMPT });
    expect(text).toMatch(/\w/);
    expect(finishReason).toBe('stop');
    expect(usage.outputTokens).toBe(24);
    expect(response.headers?.['x-request-id']).toBe(world.requests()[0]?.id);
  });

  test('streams text, and knows its usage', async () => {
    const world = await startWorld();
    const { text } = await generateText({ model: modelOf(world), ...PROMPT });
    const stream = streamText({ model: modelOf(world), ...PROMPT });
    expect((await Array.fromAsync(stream.textStream)).join('')).toBe(text);
    expect(await stream.finishReason).toBe('stop');
    expect((await stream.usage).outputTokens).toBe(24);
  });

  test('calls tools and goes on with their results', async () => {
    const ask = { prompt: 'Use the weather tool for Ghent.', tools: { weather }, stopWhen: isStepCount(2) };
    const world = await startWorld();
    const { steps, text } = await generateText({ model: modelOf(world), ...ask });
    expect(steps[0]?.toolResults).toMatchObject([{ toolName: 'weather', input: { city: 'a' }, output: 'Rain.' }]);
    expect(text).toMatch(/\w/);
    const stream = streamText({ model: modelOf(world), ...ask });
    expect(await stream.text).toBe(text);
    expect((await stream.steps)[0]?.toolResults).toMatchObject([{ toolName: 'weather', output: 'Rain.' }]);
    expect(world.requests().map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test('gets structured output', async () => {
    const schema = z.object({ name: z.string(), age: z.number() });
    const { output } = await generateText({
      model: modelOf(await startWorld()),
      ...PROMPT,
      output: Output.object({ schema }),
    });
    expect(output).toEqual({ name: 'a', age: 0 });
  });

  test('is served when it returns as told', async () => {
    const world = await startWorld({
      provider: { limits: { rpm: { limit: 120, burst: '0.5%' } } },
      config: { defaults: { queue: { max_wait: '500ms' } } },
    });
    const ask = (prompt: string) => generateText({ model: modelOf(world), prompt });
    await ask('one');
    expect((await ask('two')).text).toMatch(/\w/);
    expect(world.requests()).toMatchObject([{ status: 200 }, { code: 'queue_wait_exceeded' }, { status: 200 }]);
  });

  test('gets an APICallError with our words and the request id', async () => {
    const world = await startWorld();
    const failure = await failureOf(generateText({ model: modelOf(world, 'gpt-5'), ...PROMPT }));
    expect(failure).toBeInstanceOf(APICallError);
    expect(failure).toMatchObject({ statusCode: 404, message: expect.stringContaining('gpt-5') });
    expect((failure as APICallError).responseHeaders?.['x-request-id']).toBe(world.requests()[0]?.id);
  });

  test('sees one error when a stream fails late', async () => {
    const world = await startWorld({ simulator: { faults: [{ kind: 'stream_error_late', afterTokens: 5 }] } });
    const stream = streamText({ model: modelOf(world), ...PROMPT, onError: () => undefined });
    const parts = await Array.fromAsync(stream.stream);
    const types = parts.map(({ type }) => type);
    expect(types.filter((type) => type === 'error')).toHaveLength(1);
    expect(types).toContain('text-delta');
    expect(parts.at(-1)).toMatchObject({ type: 'finish', finishReason: 'error' });
    const { id } = world.requests()[0] ?? {};
    expect(JSON.stringify(parts.find(({ type }) => type === 'error'))).toContain(`Request id: ${id}`);
  });

  test('leaves by a signal', async () => {
    const world = await startWorld({ simulator: { answer: { tokensPerSecond: 20, outputTokens: 2000 } } });
    const controller = new AbortController();
    const { textStream } = streamText({ model: modelOf(world), ...PROMPT, abortSignal: controller.signal });
    for await (const _ of textStream) controller.abort();
    await expect.poll(() => world.simulator.ledger()).toMatchObject({ received: 1, aborted: 1, inFlight: 0 });
    await expect.poll(() => world.requests()).toMatchObject([{ status: 499 }]);
  });
});

/** What the AI SDK calls by default. */
describe('the AI SDK by responses', () => {
  const responsesOf = ({ baseURL }: World) => createOpenAI({ baseURL, apiKey: CLIENT_KEY })('gpt-4o');

  test('generates text, whole and streamed', async () => {
    const world = await startWorld();
    const { text, usage, finishReason } = await generateText({ model: responsesOf(world), ...PROMPT });
    expect(text).toMatch(/\w/);
    expect(finishReason).toBe('stop');
    expect(usage.outputTokens).toBeGreaterThan(0);
    const stream = streamText({ model: responsesOf(world), ...PROMPT });
    expect((await Array.fromAsync(stream.textStream)).join('')).toBe(text);
    expect((await stream.usage).outputTokens).toBe(usage.outputTokens);
    expect(world.requests().map(({ status }) => status)).toEqual([200, 200]);
  });

  test('calls tools and goes on with their results', async () => {
    const ask = { prompt: 'Use the weather tool for Ghent.', tools: { weather }, stopWhen: isStepCount(2) };
    const { steps, text } = await generateText({ model: responsesOf(await startWorld()), ...ask });
    expect(steps[0]?.toolResults).toMatchObject([{ toolName: 'weather', output: 'Rain.' }]);
    expect(text).toMatch(/\w/);
  });

  test('reports what broke a stream', async () => {
    const begun = [
      'event: response.created\ndata: {"type":"response.created","response":{"id":"r","created_at":1,"model":"m"}}\n\n',
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"i","delta":"Hi"}\n\n',
    ].join('');
    const bytes = answer(begun, { 'content-type': 'text/event-stream' });
    const world = await startScriptedWorld((exchange) => exchange.write(bytes));
    const errors: unknown[] = [];
    const stream = streamText({
      model: responsesOf(world),
      ...PROMPT,
      maxRetries: 0,
      onError: ({ error }) => void errors.push(error),
    });
    await Array.fromAsync(stream.fullStream);
    expect(JSON.stringify(errors)).toContain('upstream_error');
  });
});
