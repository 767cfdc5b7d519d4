import { OpenAI } from 'openai-7';
import { describe, expect, test } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { collected, failure, KEY, startVendor } from './simulated.ts';

const MODEL = 'gpt-4o';
const ASK = { model: MODEL, input: 'Tell me about canals.' };
const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  ...{ type: 'function' as const, name, strict: null },
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}));

async function connect(options: Partial<SimulatorOptions> = {}) {
  const { url, simulator } = await startVendor('openai', options);
  return { simulator, client: new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 }) };
}

describe('responses', () => {
  test('are read whole, and streamed to the same text', async () => {
    const { client } = await connect();
    const whole = await client.responses.create(ASK);
    expect(whole.output_text).toMatch(/\w/);
    const streamed = await client.responses.stream(ASK).finalResponse();
    expect(streamed).toMatchObject({ output_text: whole.output_text, usage: whole.usage });
  });

  test('call functions at once, and go on when they have answered', async () => {
    const { client } = await connect();
    const input = 'get_weather and get_time';
    const streamed = await client.responses.stream({ model: MODEL, input, tools: TOOLS }).finalResponse();
    const calls = streamed.output.flatMap((item) => (item.type === 'function_call' ? [item] : []));
    expect(calls).toMatchObject([
      { name: 'get_weather', arguments: '{"city":"a"}' },
      { name: 'get_time', arguments: '{"city":"a"}' },
    ]);
    const results = calls.map(({ call_id }) => ({ type: 'function_call_output' as const, call_id, output: 'Rain.' }));
    const next = { model: MODEL, previous_response_id: streamed.id, tools: TOOLS };
    expect((await client.responses.create({ ...next, input: results })).output_text).toMatch(/\w/);
  });

  test('are kept, shown and deleted', async () => {
    const { client } = await connect();
    const { id } = await client.responses.create(ASK);
    expect((await client.responses.retrieve(id)).id).toBe(id);
    await client.responses.delete(id);
    expect(await failure(client.responses.retrieve(id))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test('that break off are no answers', async () => {
    const { client } = await connect({ faults: [{ kind: 'stream_error_late' }] });
    expect(await failure(client.responses.stream(ASK).finalResponse())).toBeInstanceOf(Error);
  });
});

test('texts are embedded, which the client asks for in base64', async () => {
  const { client } = await connect({ models: ['text-embedding-3-small'] });
  const asked = { model: 'text-embedding-3-small', input: ['one', 'two'], dimensions: 8 };
  const base64 = await client.embeddings.create(asked);
  const floats = await client.embeddings.create({ ...asked, encoding_format: 'float' });
  expect(base64.data).toEqual(floats.data);
});

test('a prompt goes on', async () => {
  const { client } = await connect();
  const whole = await client.completions.create({ model: MODEL, prompt: 'Once', max_tokens: 5 });
  const chunks = await collected(
    await client.completions.create({ model: MODEL, prompt: 'Once', max_tokens: 5, stream: true }),
  );
  expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toBe(whole.choices[0]?.text);
  expect(whole.choices[0]?.finish_reason).toBe('length');
});

test('nothing is found to be harmful', async () => {
  const { client } = await connect({ models: ['omni-moderation-latest'] });
  const { results } = await client.moderations.create({ input: 'Hello' });
  expect(results).toMatchObject([{ flagged: false }]);
});

test('files are kept for whoever made them', async () => {
  const { client } = await connect();
  const { id } = await client.files.create({ purpose: 'batch', file: new File(['{}'], 'a.jsonl') });
  expect((await client.files.retrieve(id)).id).toBe(id);
  const batch = await client.batches.create({
    ...{ input_file_id: id, endpoint: '/v1/chat/completions' as const, completion_window: '24h' as const },
  });
  expect((await client.batches.cancel(batch.id)).status).toBe('cancelled');
  expect((await client.files.delete(id)).deleted).toBe(true);
  expect(await failure(client.files.retrieve(id))).toBeInstanceOf(OpenAI.NotFoundError);
});
