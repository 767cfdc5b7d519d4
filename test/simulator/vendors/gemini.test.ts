import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { type Json, start } from '../running.ts';

const OLD = 'gemini-2.5-flash';
const NEW = 'gemini-3-flash';
const HI = [{ role: 'user', parts: [{ text: 'Hi' }] }];

const CITY = { type: 'OBJECT', properties: { city: { type: 'STRING' } } };
const TOOLS = [
  {
    functionDeclarations: [
      { name: 'get_weather', parameters: CITY },
      { name: 'get_time', parametersJsonSchema: { type: 'object', properties: { zone: { type: 'string' } } } },
      { name: 'noop' },
    ],
  },
];
const BOTH = { tools: TOOLS, contents: [{ role: 'user', parts: [{ text: 'get_weather and get_time' }] }] };

const gemini = (options: object = {}, clock?: FakeClock) => start({ vendor: 'gemini', ...options }, clock);

const ask = async (body: object, { options = {}, model = OLD, method = 'generateContent' } = {}) => {
  const { call } = await gemini(options);
  return call(`/v1beta/models/${model}:${method}`, { contents: HI, ...body });
};

const STREAM = 'streamGenerateContent?alt=sse';

const eventsOf = (text: string): Json[] =>
  text
    .split('\r\n\r\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => JSON.parse(event.slice(6)) as Json);

const partsOf = (json: Json): Json[] => (json['candidates']?.[0]?.['content']?.['parts'] ?? []) as unknown as Json[];

describe('an answer', () => {
  it('has candidates of parts, and tells its usage', async () => {
    const { status, json } = await ask({}, { options: { answer: { outputTokens: 3 } } });
    expect(status).toBe(200);
    expect(json()).toMatchObject({
      candidates: [
        { content: { role: 'model', parts: [{ text: 'This answer was' }] }, finishReason: 'STOP', index: 0 },
      ],
      usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 3, totalTokenCount: 11 },
      modelVersion: OLD,
    });
  });

  it('streams parts as events, each with all usage so far', async () => {
    const { text, headers } = await ask({}, { method: STREAM, options: { answer: { outputTokens: 2 } } });
    expect(headers.get('content-type')).toBe('text/event-stream');
    const events = eventsOf(text);
    expect(events.flatMap(partsOf).map((part) => part['text'])).toEqual(['This', ' answer', '']);
    expect(events.map((event) => event['usageMetadata']?.['candidatesTokenCount'])).toEqual([1, 2, 2]);
    expect(events.map((event) => event['candidates']?.[0]?.['finishReason'])).toEqual([undefined, undefined, 'STOP']);
    expect(text).not.toContain('[DONE]');
  });

  it('streams one JSON array to whoever does not ask for events', async () => {
    const { text, headers } = await ask({}, { method: 'streamGenerateContent' });
    expect(headers.get('content-type')).toBe('application/json; charset=UTF-8');
    expect((JSON.parse(text) as unknown[]).length).toBe(25);
  });

  it('has several candidates, each to its end', async () => {
    const generationConfig = { candidateCount: 2, maxOutputTokens: 5 };
    const { json } = await ask({ generationConfig });
    expect(json()['candidates']).toMatchObject([
      { index: 0, finishReason: 'MAX_TOKENS' },
      { index: 1, finishReason: 'MAX_TOKENS' },
    ]);
    expect(json()['usageMetadata']?.['candidatesTokenCount']).toBe(10);
  });

  it('thinks first: shown, hidden, or not at all', async () => {
    const think = async (thinkingConfig: object): Promise<Json> =>
      (await ask({ generationConfig: { thinkingConfig } })).json();
    const shown = await think({ includeThoughts: true });
    expect(partsOf(shown)).toMatchObject([{ thought: true }, { text: expect.any(String) }]);
    expect(shown['usageMetadata']).toMatchObject({ thoughtsTokenCount: 16, candidatesTokenCount: 24 });
    const hidden = await think({ thinkingLevel: 'low' });
    expect(partsOf(hidden)).toHaveLength(1);
    expect(hidden['usageMetadata']).toMatchObject({ thoughtsTokenCount: 16 });
    expect((await think({ thinkingBudget: 0 }))['usageMetadata']).not.toHaveProperty('thoughtsTokenCount');
  });

  it('whose cap is spent on thoughts says nothing', async () => {
    const generationConfig = { maxOutputTokens: 8, thinkingConfig: { thinkingBudget: 512 } };
    const { json } = await ask({ generationConfig });
    expect(json()['candidates']).toEqual([{ content: { role: 'model' }, finishReason: 'MAX_TOKENS', index: 0 }]);
  });

  it.each([
    ['its own schema', { responseSchema: { type: 'OBJECT', properties: { ok: { type: 'BOOLEAN' } } } }, '{"ok":false}'],
    ['a JSON schema', { responseJsonSchema: { type: 'object', properties: { n: { type: 'integer' } } } }, '{"n":0}'],
    ['no schema', {}, '{}'],
    [
      'lists and choices',
      { responseSchema: { anyOf: [{ type: 'ARRAY', minItems: 1, items: { type: 'NULL' } }] } },
      '[null]',
    ],
  ])('is JSON by %s', async (_, config, text) => {
    const { json } = await ask({ generationConfig: { responseMimeType: 'application/json', ...config } });
    expect(partsOf(json())).toEqual([{ text }]);
  });
});

describe('calls', () => {
  it('are parts with arguments that are objects, and end with STOP', async () => {
    const { json } = await ask(BOTH);
    expect(partsOf(json())).toEqual([
      { functionCall: { name: 'get_weather', args: { city: 'a' } } },
      { functionCall: { name: 'get_time', args: { zone: 'a' } } },
    ]);
    expect(json()['candidates']?.[0]?.['finishReason']).toBe('STOP');
  });

  it('of newer models have ids, and the first is signed', async () => {
    const { json } = await ask(BOTH, { model: NEW });
    const [first, second] = partsOf(json());
    expect(first).toMatchObject({ functionCall: { id: expect.any(String) }, thoughtSignature: expect.any(String) });
    expect(second).not.toHaveProperty('thoughtSignature');
  });

  it('stream whole, one an event, and the end comes later', async () => {
    const events = eventsOf((await ask(BOTH, { method: STREAM })).text);
    expect(events.map((event) => Object.keys(partsOf(event)[0] ?? {}))).toEqual([
      ['functionCall'],
      ['functionCall'],
      ['text'],
    ]);
  });

  it('are chosen by mode and by allowed names', async () => {
    const choose = async (functionCallingConfig: object): Promise<Json[]> =>
      partsOf((await ask({ tools: TOOLS, toolConfig: { functionCallingConfig } })).json());
    expect(await choose({ mode: 'ANY', allowedFunctionNames: ['noop'] })).toEqual([
      { functionCall: { name: 'noop', args: {} } },
    ]);
    expect((await choose({ mode: 'NONE' }))[0]).toHaveProperty('text');
    expect((await choose({ mode: 'AUTO' }))[0]).toHaveProperty('text');
  });

  it('that were answered are followed by words', async () => {
    const contents = [
      ...HI,
      { role: 'model', parts: [{ functionCall: { name: 'noop', args: {} }, thoughtSignature: 'x' }] },
      { role: 'user', parts: [{ functionResponse: { name: 'noop', response: { ok: true } } }] },
    ];
    expect(partsOf((await ask({ contents, tools: TOOLS }, { model: NEW })).json())[0]).toHaveProperty('text');
  });
});

describe('what is refused', () => {
  const config = (generationConfig: object) => ({ generationConfig });
  const declare = (declaration: object) => ({ tools: [{ functionDeclarations: [declaration] }] });
  const call = { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] };
  const result = { role: 'user', parts: [{ functionResponse: { name: 'f', response: {} } }] };
  it.each([
    ['no contents', { contents: [] }, 'contents is not specified'],
    ['no parts', { contents: [{ role: 'user', parts: [] }] }, 'must not be empty'],
    ['another role', { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, 'valid role: user, model'],
    ['a field of another vendor', { messages: [] }, 'Unknown name "messages"'],
    ['an option of another vendor', config({ max_tokens: 5 }), 'Unknown name "max_tokens" at'],
    ['a cap of nothing', config({ maxOutputTokens: 0 }), 'must be positive'],
    ['too many candidates', config({ candidateCount: 9 }), 'between 1 and 8'],
    ['too many stops', config({ stopSequences: ['a', 'b', 'c', 'd', 'e', 'f'] }), 'Only 5'],
    ['a schema without JSON', config({ responseSchema: CITY }), 'application/json'],
    [
      'a word of JSON Schema',
      config({ responseMimeType: 'application/json', responseSchema: { ...CITY, $defs: {} } }),
      'Unknown name "$defs"',
    ],
    ['two ways to think', config({ thinkingConfig: { thinkingBudget: 1, thinkingLevel: 'low' } }), 'only one of'],
    ['an empty object', declare({ name: 'f', parameters: { type: 'object' } }), 'should be non-empty'],
    [
      'a word within',
      declare({ name: 'f', parameters: { type: 'OBJECT', properties: { a: { additionalProperties: false } } } }),
      "parameters.properties[a]'",
    ],
    ['an open call', { contents: [...HI, call, ...HI] }, 'number of function response parts'],
  ])('%s', async (_, body, message) => {
    const { status, json } = await ask(body);
    expect(status).toBe(400);
    expect(json()['error']).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
    expect(json()['error']?.['message']).toContain(message);
    expect((await ask({ contents: [...HI, call, result] }, { model: NEW })).text).toContain('thought_signature');
  });

  it('keys, models and paths that are wrong', async () => {
    const { url, call: ask } = await gemini({ contextLength: 5 });
    const none = await fetch(`${url}/v1beta/models`);
    expect(none.status).toBe(403);
    const wrong = await fetch(`${url}/v1beta/models?key=nope`);
    expect(await wrong.json()).toMatchObject({ error: { code: 400, details: [{ reason: 'API_KEY_INVALID' }] } });
    expect((await fetch(`${url}/v1beta/models?key=sk-sim-1`)).status).toBe(200);
    const other = await ask('/v1beta/models/gpt-4o:generateContent', { contents: HI });
    expect(other.json()['error']).toMatchObject({ code: 404, status: 'NOT_FOUND' });
    expect((await ask(`/v1beta/models/${OLD}:fly`, {})).status).toBe(404);
    expect((await ask('/v1beta/cachedContents', {})).status).toBe(404);
    const roomy = await gemini({ contextLength: 8 });
    const capped = { contents: HI, generationConfig: { maxOutputTokens: 1000 } };
    expect((await roomy.call(`/v1beta/models/${OLD}:generateContent`, capped)).status).toBe(200);
    const long = await ask(`/v1beta/models/${OLD}:generateContent`, { contents: HI });
    expect(long.json()['error']?.['message']).toContain('The input token count (8) exceeds the maximum');
  });
});

describe('limits', () => {
  const limited = (limits: object) => ({ models: [OLD], organizations: [{ name: 'p', keys: ['sk-sim-1'], limits }] });
  const detailsOf = (json: Json): Record<string, Json> => {
    const details = (json['error']?.['details'] ?? []) as unknown as Json[];
    return Object.fromEntries(details.map((each) => [String(each['@type']).split('.').at(-1), each]));
  };
  const path = `/v1beta/models/${OLD}:generateContent`;

  it('are told in bodies alone, and empty at :00', async () => {
    const clock = new FakeClock(0, Date.UTC(2026, 0, 1, 12, 0, 40));
    const { call } = await gemini(limited({ rpm: 1 }), clock);
    const first = await call(path, { contents: HI });
    expect([...first.headers.keys()].filter((name) => /rate|retry/.test(name))).toEqual([]);
    const refused = await call(path, { contents: HI });
    expect(refused.headers.get('retry-after')).toBeNull();
    expect(refused.json()['error']).toMatchObject({ code: 429, status: 'RESOURCE_EXHAUSTED' });
    const { QuotaFailure, RetryInfo } = detailsOf(refused.json());
    expect(QuotaFailure?.['violations']?.[0]).toMatchObject({
      quotaId: 'GenerateRequestsPerMinutePerProjectPerModel',
      quotaValue: '1',
      quotaDimensions: { model: OLD },
    });
    expect(RetryInfo?.['retryDelay']).toBe('20s');
    clock.advance(20_000);
    expect((await call(path, { contents: HI })).status).toBe(200);
  });

  it('of a day advise a short wait, and end at midnight in California', async () => {
    const clock = new FakeClock(0, Date.UTC(2026, 6, 1, 6, 59, 0));
    const { call } = await gemini(limited({ rpd: 1 }), clock);
    await call(path, { contents: HI });
    const { QuotaFailure, RetryInfo } = detailsOf((await call(path, { contents: HI })).json());
    expect(QuotaFailure?.['violations']?.[0]?.['quotaId']).toContain('PerDay');
    expect(RetryInfo?.['retryDelay']).toBe('27s');
    clock.advance(59_999);
    expect((await call(path, { contents: HI })).status).toBe(429);
    clock.advance(1);
    expect((await call(path, { contents: HI })).status).toBe(200);
  });

  it('of tokens are of the prompt alone, and never say that something cannot fit', async () => {
    const clock = new FakeClock(0, Date.UTC(2026, 0, 1));
    const { call, simulator } = await gemini(limited({ tpm: 16, tpd: 100 }), clock);
    const body = { contents: HI, generationConfig: { maxOutputTokens: 1000 } };
    expect([(await call(path, body)).status, (await call(path, body)).status]).toEqual([200, 200]);
    expect(simulator.ledger().limits.map(({ name, charged }) => [name, charged])).toEqual([
      ['tpd', 16],
      ['itpm', 16],
    ]);
    const contents = [{ role: 'user', parts: [{ text: 'word '.repeat(20) }] }];
    const { RetryInfo } = detailsOf((await call(path, { contents })).json());
    expect(RetryInfo?.['retryDelay']).toBe('60s');
  });

  it('may come without advice', async () => {
    const { call } = await gemini({ ...limited({ rpm: 1 }), retryAfter: false });
    await call(path, { contents: HI });
    expect(detailsOf((await call(path, { contents: HI })).json())).not.toHaveProperty('RetryInfo');
  });
});

describe('failures', () => {
  it.each([
    ['401', 400, 'INVALID_ARGUMENT', 'API key not valid'],
    ['500', 500, 'INTERNAL', 'internal error'],
    ['503', 503, 'UNAVAILABLE', 'overloaded'],
    ['quota_429', 429, 'RESOURCE_EXHAUSTED', '"quotaValue":"0"'],
    ['spend_429', 429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted'],
    ['slow_down', 429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted'],
    ['bare_429', 429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted'],
    ['lying_retry_after', 429, 'RESOURCE_EXHAUSTED', '"retryDelay":"0.02s"'],
  ] as const)('%s', async (kind, ...expected) => {
    const [code, name, part] = expected;
    const { status, json, text } = await ask({}, { options: { faults: [{ kind }] } });
    expect(status).toBe(code);
    expect(json()['error']).toMatchObject({ code, status: name });
    expect(text).toContain(part);
  });

  it('in a stream are events, or break it off', async () => {
    const late = await ask({}, { method: STREAM, options: { faults: [{ kind: 'stream_error_late' }] } });
    expect(eventsOf(late.text).at(-1)).toMatchObject({ error: { status: 'INTERNAL' } });
    const options = { faults: [{ kind: 'cut_json' as const }] };
    expect((await ask({}, { method: STREAM, options })).text.endsWith('{"pa')).toBe(true);
    expect((await ask({}, { method: 'streamGenerateContent', options })).text.endsWith('{"pa')).toBe(true);
  });
});

it('embeds one text or many', async () => {
  const { call, simulator } = await gemini({ models: ['e'] });
  const request = (text: string) => ({ content: { parts: [{ text }] }, outputDimensionality: 8 });
  const one = (await call('/v1beta/models/e:embedContent', request('Hi'))).json();
  expect(one['embedding']?.['values']).toHaveLength(8);
  const many = await call('/v1beta/models/e:batchEmbedContents', { requests: [request('Hi'), request('Ho')] });
  expect(many.json()['embeddings']?.[0]).toEqual(one['embedding']);
  expect(many.json()['embeddings']?.[1]).not.toEqual(one['embedding']);
  expect((await call('/v1beta/models/e:batchEmbedContents', { requests: [] })).status).toBe(400);
  const tooMany = Array.from({ length: 101 }, () => request('Hi'));
  expect((await call('/v1beta/models/e:batchEmbedContents', { requests: tooMany })).text).toContain('at most 100');
  expect(simulator.ledger().requests).toMatchObject([{ input: 1, output: 0 }, { input: 2 }]);
});

it('counts tokens and lists models', async () => {
  const { call } = await gemini({ models: ['a', 'b'] });
  const systemInstruction = { parts: [{ text: 'Be brief.' }] };
  const contents = [{ parts: [{ text: 'Hi' }, { inlineData: { mimeType: 'image/png', data: '' } }] }];
  const plain = (await call('/v1beta/models/a:countTokens', { contents })).json();
  expect(plain['totalTokens']).toBe(773);
  const generateContentRequest = { contents, systemInstruction };
  expect((await call('/v1beta/models/a:countTokens', { generateContentRequest })).json()['totalTokens']).toBe(780);
  expect((await call('/v1beta/models/x:countTokens', { contents })).status).toBe(404);
  expect((await call('/v1beta/models')).json()['models']).toMatchObject([{ name: 'models/a' }, { name: 'models/b' }]);
  expect((await call('/v1beta/models/b')).json()['name']).toBe('models/b');
  expect((await call('/v1beta/models/x')).status).toBe(404);
});
