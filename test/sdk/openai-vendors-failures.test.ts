import { describe, expect, test } from 'vitest';
import type { VendorName } from '../../src/simulator/options.ts';
import { connectBehind, LATEST } from './openai-vendors.ts';
import { failureOf } from './world.ts';

const ASK = { model: 'house', messages: [{ role: 'user' as const, content: 'Tell me about canals.' }] };
const STREAMED = { ...ASK, stream: true as const };

describe.each(LATEST)('a client of $vendor', (pair) => {
  test('waits where the vendor would refuse it', async () => {
    const world = await connectBehind(pair, { provider: { limits: { rpm: { limit: 120, burst: '0.5%' } } } });
    const asking = ['one', 'two', 'three'].map((content) =>
      world.client.chat.completions.create({ ...ASK, messages: [{ role: 'user', content }] }),
    );
    expect((await Promise.all(asking)).every(({ choices }) => choices.length === 1)).toBe(true);
    expect(world.simulator.ledger().refused).toEqual({});
    expect(world.requests().map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('is served after a failure of the vendor that it never sees', async () => {
    const faults = [{ kind: '500' as const, nth: [1] }];
    const world = await connectBehind(pair, { simulator: { faults } });
    expect((await world.client.chat.completions.create(ASK)).choices).toHaveLength(1);
    expect(world.requests()).toMatchObject([{ status: 200, attempts: 2 }]);
  });

  test.each([
    ['500', 502, 'upstream_error'],
    ['error_in_200', 502, 'upstream_error'],
    ['stream_error_first_event', 502, 'upstream_error'],
    ['503', 503, 'upstream_overloaded'],
    ['401', 503, 'no_usable_key'],
    ['quota_429', 503, 'no_usable_key'],
  ] as const)('hears of a lasting %s in words of its own', async (kind, status, code) => {
    const settings = { simulator: { faults: [{ kind }] }, config: { defaults: { retry: { attempts: 1 } } } };
    const world = await connectBehind(pair, settings);
    const stream = kind === 'stream_error_first_event';
    const error = await failureOf(world.client.chat.completions.create({ ...ASK, stream }));
    expect(error).toBeInstanceOf(pair.OpenAI.InternalServerError);
    expect(error).toMatchObject({ status, code, requestID: world.requests()[0]?.id });
  });

  test('gets one error for a stream that fails late', async () => {
    const faults = [{ kind: 'stream_error_late' as const, afterTokens: 5 }];
    const world = await connectBehind(pair, { simulator: { faults } });
    const pieces: string[] = [];
    const read = async () => {
      for await (const chunk of await world.client.chat.completions.create(STREAMED)) {
        pieces.push(chunk.choices[0]?.delta.content ?? '');
      }
    };
    const error = await failureOf(read());
    expect(error).toBeInstanceOf(pair.OpenAI.APIError);
    expect(error).toHaveProperty('message', expect.stringContaining(`Request id: ${world.requests()[0]?.id}`));
    expect(pieces.join('')).toMatch(/\w/);
  });

  test('gets an error for a stream that is cut off, not the half as a whole', async () => {
    const faults = [{ kind: 'cut_json' as const, afterTokens: 5 }];
    const { client } = await connectBehind(pair, { simulator: { faults } });
    const error = await failureOf(client.chat.completions.stream(ASK).finalChatCompletion());
    expect(error).toBeInstanceOf(pair.OpenAI.APIError);
    expect(error).toHaveProperty('message', expect.stringContaining('broke off'));
  });

  test('leaves, and the vendor is told to stop', async () => {
    const answer = { tokensPerSecond: 20, outputTokens: 2000 };
    const world = await connectBehind(pair, { simulator: { answer } });
    const stream = await world.client.chat.completions.create({ ...STREAMED, max_tokens: 4000 });
    for await (const _ of stream) break;
    await expect.poll(() => world.simulator.ledger()).toMatchObject({ received: 1, aborted: 1, inFlight: 0 });
    await expect.poll(() => world.requests()).toMatchObject([{ status: 499, code: 'client_closed_request' }]);
  });
});

/** Fields without a word for them at the vendor, which would change the answer. */
const REFUSED: Readonly<Record<VendorName, Readonly<Record<string, object>>>> = {
  openai: {},
  azure: {},
  groq: { logprobs: { logprobs: true } },
  mistral: { logprobs: { logprobs: true } },
  anthropic: { logprobs: { logprobs: true }, messages: { messages: [said('input_audio')] } },
  gemini: { messages: { messages: [said('image_url')] } },
  cohere: { messages: { messages: [said('input_audio')] } },
};

function said(type: 'input_audio' | 'image_url'): object {
  const parts = {
    input_audio: { type, input_audio: { data: 'AAAA', format: 'wav' } },
    image_url: { type, image_url: { url: 'https://pictures.invalid/one.png' } },
  };
  return { role: 'user', content: [{ type: 'text', text: 'And this?' }, parts[type]] };
}

const CASES = LATEST.flatMap((pair) =>
  Object.entries(REFUSED[pair.behind.vendor]).map(([param, fields]) => ({ ...pair, param, fields })),
);

test.each(CASES)('what $vendor has no word for is told by its field: $param', async ({ param, fields, ...pair }) => {
  const { client, simulator } = await connectBehind(pair);
  const error = await failureOf(client.chat.completions.create({ ...ASK, ...fields }));
  expect(error).toBeInstanceOf(pair.OpenAI.BadRequestError);
  expect(error).toMatchObject({ code: 'unsupported_value' });
  expect((error as { param: string }).param).toMatch(new RegExp(`^${param}`));
  expect(simulator.ledger().received).toBe(0);
});

const EMBEDDERS: Readonly<Partial<Record<VendorName, string>>> = {
  openai: 'text-embedding-3-small',
  azure: 'text-embedding-3-small',
  gemini: 'gemini-embedding-001',
  cohere: 'embed-v4.0',
  mistral: 'mistral-embed',
};

describe.each(LATEST)('texts at $vendor', (pair) => {
  const model = EMBEDDERS[pair.behind.vendor];

  test.skipIf(!model)('are embedded alike as numbers and in base64', async () => {
    const { client } = await connectBehind(pair, model === undefined ? {} : { model });
    const ask = { model: 'house', input: ['one', 'two'] };
    const base64 = await client.embeddings.create(ask);
    const floats = await client.embeddings.create({ ...ask, encoding_format: 'float' });
    expect(base64.data.map(({ index, embedding }) => [index, embedding.length])).toEqual(
      floats.data.map(({ index, embedding }) => [index, embedding.length]),
    );
    for (const [at, { embedding }] of base64.data.entries()) {
      for (const [place, value] of embedding.entries())
        expect(value).toBeCloseTo(floats.data[at]?.embedding[place] ?? NaN, 5);
    }
    expect(floats.usage.prompt_tokens).toBeGreaterThan(0);
    expect((await client.embeddings.create({ model: 'house', input: 'one' })).data).toHaveLength(1);
  });

  test.skipIf(model)('are not embedded, and that is said', async () => {
    const { client } = await connectBehind(pair);
    const error = await failureOf(client.embeddings.create({ model: 'house', input: 'one' }));
    expect(error).toBeInstanceOf(pair.OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: 'unsupported_value', param: 'model' });
  });
});
