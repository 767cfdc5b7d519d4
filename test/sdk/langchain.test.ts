import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, type ChatOpenAIFields } from '@langchain/openai';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { CLIENT_KEY, failureOf, startWorld, type World } from './world.ts';

const QUESTION = 'Tell me about canals.';

function modelOf({ baseURL }: World, options: ChatOpenAIFields = {}): ChatOpenAI {
  return new ChatOpenAI({ model: 'gpt-4o', apiKey: CLIENT_KEY, configuration: { baseURL }, ...options });
}

const weather = tool(() => 'Rain.', {
  name: 'weather',
  description: 'The weather in a city.',
  schema: z.object({ city: z.string() }),
});

describe('LangChain', () => {
  test('invokes', async () => {
    const message = await modelOf(await startWorld()).invoke(QUESTION);
    expect(message.text).toMatch(/\w/);
    expect(message).toHaveProperty('usage_metadata.output_tokens', 24);
    expect(message.response_metadata['finish_reason']).toBe('stop');
  });

  test('streams, and knows its usage', async () => {
    const model = modelOf(await startWorld());
    const { text } = await model.invoke(QUESTION);
    const chunks = await Array.fromAsync(await model.stream(QUESTION));
    expect(chunks.map((chunk) => chunk.text).join('')).toBe(text);
    const whole = chunks.reduce((sum, chunk) => sum.concat(chunk));
    expect(whole).toHaveProperty('usage_metadata.output_tokens', 24);
  });

  test('calls tools and goes on with their results', async () => {
    const model = modelOf(await startWorld()).bindTools([weather]);
    const question = new HumanMessage('Use the weather tool for Ghent.');
    const message = await model.invoke([question]);
    expect(message.tool_calls).toMatchObject([{ name: 'weather', args: { city: 'a' } }]);
    const [call] = message.tool_calls ?? [];
    const result = new ToolMessage({ content: 'Rain.', tool_call_id: call?.id ?? '' });
    const answer = await model.invoke([question, message, result]);
    expect(answer.text).toMatch(/\w/);
  });

  test.each(['jsonSchema', 'functionCalling'] as const)('gets structured output by %s', async (method) => {
    const schema = z.object({ name: z.string(), age: z.number() });
    const model = modelOf(await startWorld()).withStructuredOutput(schema, { name: 'person', method });
    expect(await model.invoke(QUESTION)).toEqual({ name: 'a', age: 0 });
  });

  test('is served when it returns after a 429 that passes', async () => {
    const world = await startWorld({
      provider: { limits: { rpm: { limit: 120, burst: '0.5%' } } },
      config: { defaults: { queue: { max_wait: '500ms' } } },
    });
    const model = modelOf(world);
    await model.invoke('one');
    expect((await model.invoke('two')).text).toMatch(/\w/);
    expect(world.requests()).toMatchObject([{ status: 200 }, { code: 'queue_wait_exceeded' }, { status: 200 }]);
  });

  test('stops at a limit of the day', async () => {
    const world = await startWorld({ provider: { limits: { rpd: 1 } } });
    const model = modelOf(world);
    await model.invoke('one');
    expect(await failureOf(model.invoke('two'))).toMatchObject({ status: 429 });
    expect(world.requests().map(({ status }) => status)).toEqual([200, 429]);
  });

  test.each(['month', 'total'])('stops at a budget that is spent, per %s', async (per) => {
    const world = await startWorld({
      config: {
        clients: [{ name: 'app', key: CLIENT_KEY, budget: { usd: 0.000001, per } }],
        models: [{ name: 'gpt-4o', targets: [{ provider: 'simulated', price: { input: 2.5, output: 10 } }] }],
      },
    });
    expect(await failureOf(modelOf(world).invoke('one'))).toMatchObject({ status: 429 });
    expect(world.requests()).toMatchObject([{ status: 429, code: 'client_budget_exceeded' }]);
  });

  test('gets the error of a stream that fails late', async () => {
    const world = await startWorld({ simulator: { faults: [{ kind: 'stream_error_late', afterTokens: 5 }] } });
    const pieces: string[] = [];
    const reading = async () => {
      for await (const chunk of await modelOf(world).stream(QUESTION)) pieces.push(chunk.text);
    };
    const failure = await failureOf(reading());
    expect(pieces.join('')).toMatch(/\w/);
    expect(failure).toHaveProperty('message', expect.stringContaining(`Request id: ${world.requests()[0]?.id}`));
  });

  test('leaves by a signal', async () => {
    const world = await startWorld({ simulator: { answer: { tokensPerSecond: 20, outputTokens: 2000 } } });
    const controller = new AbortController();
    const reading = async () => {
      for await (const _ of await modelOf(world).stream(QUESTION, { signal: controller.signal })) controller.abort();
    };
    await failureOf(reading());
    await expect.poll(() => world.simulator.ledger()).toMatchObject({ received: 1, aborted: 1, inFlight: 0 });
    await expect.poll(() => world.requests()).toMatchObject([{ status: 499 }]);
  });
});
