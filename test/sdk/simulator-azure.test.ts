import { AzureOpenAI, BadRequestError, InternalServerError, NotFoundError, OpenAI, RateLimitError } from 'openai-7';
import { describe, expect, test } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { collected, failure, KEY, ONCE, startVendor } from './simulated.ts';

const ASK = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Tell me about canals.' }] };

async function connect(options: Partial<SimulatorOptions> = {}, more: { maxRetries?: number } = {}) {
  const { url, simulator } = await startVendor('azure', options);
  const settings = { apiKey: KEY, apiVersion: '2024-10-21', maxRetries: 0, ...more };
  return { simulator, url, client: new AzureOpenAI({ endpoint: url, ...settings }) };
}

test('a chat is read whole, from the deployment that the model names', async () => {
  const { client, simulator } = await connect();
  const completion = await client.chat.completions.create(ASK);
  expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: expect.any(String) } });
  expect(completion).toHaveProperty('prompt_filter_results');
  expect(simulator.ledger().requests).toMatchObject([{ model: 'gpt-4o', output: 24 }]);
});

test('a stream whose first chunk has no choice comes together', async () => {
  const { client } = await connect();
  const whole = await client.chat.completions.create(ASK);
  const streamed = await client.chat.completions.stream(ASK).finalChatCompletion();
  expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
  const [first] = await collected(await client.chat.completions.create({ ...ASK, stream: true }));
  expect(first).toMatchObject({ choices: [], id: '' });
});

test('the newer route is OpenAI’s own client with another address', async () => {
  const { url } = await connect();
  const client = new OpenAI({ apiKey: KEY, baseURL: `${url}/openai/v1/`, maxRetries: 0 });
  expect((await client.chat.completions.create(ASK)).model).toBe('gpt-4o');
  expect((await client.models.list()).data.map(({ id }) => id)).toContain('gpt-4o');
});

test('texts are embedded', async () => {
  const { client } = await connect();
  const { data } = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['one', 'two'] });
  expect(data.map(({ embedding }) => embedding.length)).toEqual([64, 64]);
});

describe('errors', () => {
  test('for a deployment that is not there', async () => {
    const { client } = await connect();
    const error = await failure(client.chat.completions.create({ ...ASK, model: 'gpt-9' }));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ code: 'DeploymentNotFound' });
  });

  test('for what is wrong, and what breaks', async () => {
    const { client, simulator } = await connect();
    expect(await failure(client.chat.completions.create({ ...ASK, messages: [] }))).toBeInstanceOf(BadRequestError);
    simulator.setFaults([{ kind: '500' }]);
    expect(await failure(client.chat.completions.create(ASK))).toBeInstanceOf(InternalServerError);
  });

  test('of tokens advise a second, and the client believes it', async () => {
    const limits = { tpm: { limit: 1000, anchor: 'first-use' as const } };
    const { client, simulator } = await connect({ organizations: [{ keys: [KEY], limits }] }, { maxRetries: 1 });
    await client.chat.completions.create({ ...ASK, max_tokens: 900 });
    const error = await failure(client.chat.completions.create({ ...ASK, max_tokens: 900 }));
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error).toMatchObject({ code: '429' });
    expect(simulator.ledger().rateLimited).toBe(2);
  });

  test('of calls come with the wait', async () => {
    const { client } = await connect(ONCE);
    await client.chat.completions.create(ASK);
    const error = await failure(client.chat.completions.create(ASK));
    expect(error).toMatchObject({ status: 429 });
    expect(error.message).toContain('exceeded call rate limit');
  });
});
