import { describe, expect, it } from 'vitest';
import {
  PROVIDER_TYPES as CONFIGURABLE,
  TYPES_WITHOUT_ADDRESS,
  TYPES_WITHOUT_PROBE,
} from '../../src/config/provider-types.ts';
import { CAPABILITIES } from '../../src/providers/provider.ts';
import { PROVIDER_TYPES, providerOf } from '../../src/providers/registry.ts';
import { provider } from './read-fixtures.ts';

describe('the registry', () => {
  it('knows every type that a configuration may name', () => {
    expect([...PROVIDER_TYPES].sort()).toEqual([...CONFIGURABLE].sort());
  });

  it('knows no other', () => {
    expect(providerOf('opnai')).toBeNull();
  });

  it.each(PROVIDER_TYPES)('has a plain base URL and known capabilities for %s', (type) => {
    const { baseUrl, offers } = provider(type);
    expect(baseUrl === null).toBe([...TYPES_WITHOUT_ADDRESS.keys()].some((known) => known === type));
    if (baseUrl !== null) expect(baseUrl).toMatch(/^(https:\/\/|http:\/\/127\.0\.0\.1:).*[^/]$/);
    expect(CAPABILITIES).toEqual(expect.arrayContaining([...offers]));
  });
});

describe('a probe', () => {
  it('is there for every vendor but those of which the configuration knows better', () => {
    const without = PROVIDER_TYPES.filter((type) => provider(type).probe === null);
    expect(without).toEqual([...TYPES_WITHOUT_PROBE]);
  });

  it.each([
    ['openai', '/v1', '/v1/models'],
    ['anthropic', '/v1', '/v1/models?limit=1'],
    ['gemini', '/v1beta', '/v1beta/models?pageSize=1'],
    ['cohere', '/v2', '/v1/models?page_size=1'],
    ['openrouter', '/api/v1', '/api/v1/key'],
    ['azure-openai', '', '/openai/models?api-version=2024-10-21'],
    ['azure-openai', '/openai', '/openai/models?api-version=2024-10-21'],
    ['azure-openai', '/openai/v1', '/openai/v1/models'],
  ])('of %s goes to where it lists something for nothing', (type, basePath, path) => {
    expect(provider(type).probe?.path(basePath, null)).toBe(path);
  });

  it('of Azure names the version that is configured', () => {
    const { probe } = provider('azure-openai');
    expect(probe?.path('/openai/v1', 'preview')).toBe('/openai/v1/models?api-version=preview');
  });
});

describe('a call', () => {
  const call = {
    body: Buffer.from('{}'),
    model: 'm',
    isStreaming: false,
    apiKey: 'sk-1',
    basePath: '/v1',
    apiVersion: null,
  };

  it('goes to chat completions with the key and the body as it is', () => {
    const prepared = provider('openai').wires.chat?.prepare(call);
    expect(prepared).toEqual({
      path: '/v1/chat/completions',
      headers: { authorization: 'Bearer sk-1' },
      body: call.body,
    });
    expect(prepared?.body).toBe(call.body);
  });

  it('carries no credentials where none are configured', () => {
    expect(provider('ollama').wires.chat?.prepare({ ...call, apiKey: null, basePath: '' })).toMatchObject({
      path: '/chat/completions',
      headers: {},
    });
  });
});

describe('the charge of a request', () => {
  const size = { inputTokens: 1_000, outputCapTokens: 400, predictedOutputTokens: 50 };
  const usage = { inputTokens: 990, cachedInputTokens: 600, outputTokens: 70, reasoningTokens: 20 };

  it('is input and cap at OpenAI, and comes down to what was used', () => {
    const { reservedCharge, settledCharge } = provider('openai');
    expect(reservedCharge(size)).toEqual([1, 1_400, 1_000, 400, 1]);
    expect(reservedCharge({ ...size, outputCapTokens: null })).toEqual([1, 1_050, 1_000, 50, 1]);
    expect(settledCharge(usage, reservedCharge(size))).toEqual([1, 1_060, 990, 70, 1]);
  });

  it('stays as reserved when the answer does not say what was used', () => {
    const { reservedCharge, settledCharge } = provider('openai');
    expect(settledCharge(null, reservedCharge(size))).toEqual(reservedCharge(size));
  });

  it('leaves out what came from the cache at Groq', () => {
    const { reservedCharge, settledCharge } = provider('groq');
    expect(settledCharge(usage, reservedCharge(size))).toEqual([1, 460, 390, 70, 1]);
  });

  it('is a prediction where the vendor counts at the end', () => {
    expect(provider('mistral').reservedCharge(size)).toEqual([1, 1_050, 1_000, 50, 1]);
    expect(provider('mistral').limits.isChargedAtEnd).toBe(true);
  });
});

describe('the usage in an answer', () => {
  const full = {
    prompt_tokens: 100,
    completion_tokens: 40,
    total_tokens: 140,
    prompt_tokens_details: { cached_tokens: 64 },
    completion_tokens_details: { reasoning_tokens: 30 },
  };
  const read = { inputTokens: 100, cachedInputTokens: 64, outputTokens: 40, reasoningTokens: 30 };

  it.each([
    ['openai', { choices: [], usage: full }, read],
    ['groq', { choices: [], x_groq: { usage: full } }, read],
    ['groq', { usage: full, x_groq: { usage: { prompt_tokens: 1 } } }, read],
    ['openai', { usage: { prompt_tokens: -5, completion_tokens: 1e308 } }, null],
    ['xai', { usage: full }, { ...read, outputTokens: 70 }],
    [
      'xai',
      { usage: { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 12 } } },
      { inputTokens: 10, cachedInputTokens: 10, outputTokens: 1, reasoningTokens: 0 },
    ],
    [
      'deepseek',
      { usage: { prompt_tokens: 10, completion_tokens: 1, prompt_cache_hit_tokens: 6, prompt_cache_miss_tokens: 4 } },
      { inputTokens: 10, cachedInputTokens: 6, outputTokens: 1, reasoningTokens: 0 },
    ],
    [
      'openai',
      { usage: { input_tokens: 10, output_tokens: 1, input_tokens_details: { cached_tokens: 2 } } },
      { inputTokens: 10, cachedInputTokens: 2, outputTokens: 1, reasoningTokens: 0 },
    ],
    [
      'openai',
      { usage: { prompt_tokens: 10 } },
      { inputTokens: 10, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 },
    ],
    [
      'openai',
      { usage: { completion_tokens: 3 } },
      { inputTokens: 0, cachedInputTokens: 0, outputTokens: 3, reasoningTokens: 0 },
    ],
  ])('is read from %s: %j', (type, json, expected) => {
    expect(provider(type).readUsage(json, null)).toEqual(expected);
  });

  it.each([
    null,
    'text',
    [],
    {},
    { usage: null },
    { usage: {} },
    { usage: { prompt_tokens: 'many' } },
    { usage: { prompt_tokens: -1 } },
  ])('is not there in %j', (json) => {
    expect(provider('openai').readUsage(json, null)).toBeNull();
  });
});

describe('the error in a body', () => {
  const { readError } = provider('openai');
  const plain = { message: 'no', type: null, param: null, code: null };

  it.each([
    [
      { error: { message: 'no', type: 't', param: 'p', code: 'c' } },
      { message: 'no', type: 't', param: 'p', code: 'c' },
    ],
    [{ error: { message: 'no', code: 400 } }, { ...plain, code: '400' }],
    [[{ error: { message: 'no', status: 'NOT_FOUND', code: 404 } }], { ...plain, type: 'NOT_FOUND', code: '404' }],
    [
      { error: 'no', code: 'c' },
      { ...plain, code: 'c' },
    ],
    [{ error: '{broken' }, { ...plain, message: '{broken' }],
    [{ error: { error: { message: 'no' } } }, plain],
    [{ error: { type: 't' } }, { ...plain, message: '', type: 't' }],
    [{ error: { error: { error: { error: { message: 'no' } } } } }, { ...plain, message: '' }],
    [{ object: 'error', message: 'no' }, plain],
    [{ object: 'error' }, { ...plain, message: '' }],
    [{ message: { detail: [1] } }, { ...plain, message: '{"detail":[1]}' }],
    [{ detail: 'no' }, plain],
    [{ fault: { faultstring: 'no' } }, plain],
  ])('%j is read', (json, error) => {
    expect(readError(json)).toEqual(error);
  });

  it.each([null, 7, [], {}, { error: null }, { error: '' }, { choices: [], message: 'x' }, { id: 'x', choices: [] }])(
    'is not there in %j',
    (json) => {
      expect(readError(json)).toBeNull();
    },
  );
});
