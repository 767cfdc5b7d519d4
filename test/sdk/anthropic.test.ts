import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import { apiError } from '../support/chat-answers.ts';
import { answer } from '../support/scripted-upstream.ts';
import { ALL, ANTHROPIC, clientOf, connect, OPENAI } from './anthropic-vendors.ts';
import { failureOf, NARROW_KEY, startScriptedWorld } from './world.ts';

const QUESTION: Anthropic.MessageParam = { role: 'user', content: 'Tell me about canals.' };
const ASK = { model: 'house', max_tokens: 256, messages: [QUESTION] };
/** One pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  name,
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
}));
const CALLING = {
  ...ASK,
  tools: TOOLS,
  messages: [{ role: 'user' as const, content: 'get_weather and get_time for Ghent' }],
};

describe.each(ALL)('messages to $vendor', (behind) => {
  test('are answered whole', async () => {
    const world = await connect(behind);
    const message = await world.client.messages.create({ ...ASK, system: 'Be brief.' });
    expect(message).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: expect.stringMatching(/\w/) }],
      stop_reason: 'end_turn',
      usage: { output_tokens: 24, input_tokens: expect.any(Number) },
    });
    expect(message._request_id).toBe(world.requests()[0]?.id);
  });

  test('are answered by a stream that comes together to the same', async () => {
    const { client } = await connect(behind);
    const whole = await client.messages.create(ASK);
    const streamed = await client.messages.stream(ASK).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed).toMatchObject({ stop_reason: 'end_turn', usage: { output_tokens: 24 } });
    expect(streamed.usage.input_tokens).toBe(whole.usage.input_tokens);
  });

  test('end where they are told to', async () => {
    const { client } = await connect(behind);
    expect((await client.messages.create({ ...ASK, max_tokens: 5 })).stop_reason).toBe('max_tokens');
    expect((await client.messages.stream({ ...ASK, max_tokens: 5 }).finalMessage()).stop_reason).toBe('max_tokens');
  });

  test('call tools, whole and streamed, and go on with their results', async () => {
    const { client, requests } = await connect(behind);
    const first = await client.messages.create(CALLING);
    const calls = first.content.filter((block) => block.type === 'tool_use');
    expect(first.stop_reason).toBe('tool_use');
    expect(calls.map(({ name }) => name).toSorted()).toEqual(['get_time', 'get_weather']);
    const streamed = await client.messages.stream(CALLING).finalMessage();
    expect(streamed.content.map(withoutId)).toEqual(first.content.map(withoutId));
    const results = calls.map(({ id }, index) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: [{ type: 'text' as const, text: 'Rain.' }],
      is_error: index === 1,
    }));
    const messages: Anthropic.MessageParam[] = [
      ...CALLING.messages,
      { role: 'assistant', content: first.content },
      { role: 'user', content: results },
    ];
    const second = await client.messages.create({ ...CALLING, messages });
    expect(second).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'text' }] });
    expect(requests().map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test.each(Object.entries(asAgentsAsk()))('may hold %s', async (_what, fields) => {
    const { client } = await connect(behind);
    const ask: Anthropic.MessageCreateParamsNonStreaming = { ...ASK, max_tokens: 4096, ...fields };
    const message = await client.messages.create(ask);
    expect(message.content.at(-1)).toMatchObject({ type: 'text', text: expect.stringMatching(/\w/) });
    const streamed = await client.messages.stream(ask).finalMessage();
    expect(streamed.content.map(withoutSignature)).toEqual(message.content.map(withoutSignature));
  });

  test('count their tokens', async () => {
    const { client } = await connect(behind);
    const { input_tokens: counted } = await client.messages.countTokens({ model: 'house', messages: [QUESTION] });
    const { usage } = await client.messages.create(ASK);
    // For vendors that don't count, it is an estimate, and some of them add words of their own.
    if (behind.counts) expect(counted).toBe(usage.input_tokens);
    else expect(counted).toBeGreaterThan(3);
  });
});

function withoutId(block: Anthropic.ContentBlock): object {
  return { ...block, id: null };
}

/** A signature is another one each time. */
function withoutSignature(block: Anthropic.ContentBlock): object {
  return { ...block, signature: null, data: null };
}

/** What command-line agents and applications put into their requests. */
function asAgentsAsk(): Record<string, object> {
  const cached = { cache_control: { type: 'ephemeral' as const } };
  const image = {
    type: 'image' as const,
    source: { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL },
  };
  const past: Anthropic.MessageParam[] = [
    {
      role: 'user',
      content: [
        { type: 'text', text: '<system-reminder>Be kind.</system-reminder>' },
        { type: 'text', text: 'Look.' },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', id: 'toolu_01A', name: 'get_weather', input: { city: 'Ghent' } },
        { type: 'tool_use', id: 'toolu_01B', name: 'get_time', input: { city: 'Ghent' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_01A', content: 'Rain.' },
        { type: 'tool_result', tool_use_id: 'toolu_01B', content: 'No clock.', is_error: true },
        { type: 'text', text: 'So?', ...cached },
      ],
    },
  ];
  const format = {
    type: 'json_schema' as const,
    schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false },
  };
  return {
    'a long prompt in blocks, a user, stops, sampling': {
      system: [
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: 'Be kind.', ...cached },
      ],
      metadata: { user_id: `user_${'a'.repeat(64)}_session_1` },
      stop_sequences: ['END'],
      temperature: 0.5,
    },
    'an errand half done': {
      messages: past,
      tools: TOOLS,
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    },
    'thoughts to come': { thinking: { type: 'enabled', budget_tokens: 1024 } },
    'a schema for its answer': { output_config: { format } },
    'a picture': { messages: [{ role: 'user', content: [image, { type: 'text', text: 'What is it?' }] }] },
  };
}

test('models are listed, and found by their name', async () => {
  const { client } = await connect(OPENAI);
  const models = await Array.fromAsync(client.models.list());
  expect(models.map(({ id }) => id)).toEqual(['house']);
  expect(await client.models.retrieve('house')).toMatchObject({ type: 'model', id: 'house' });
});

describe('thinking', () => {
  test("is Anthropic's own", async () => {
    const { client } = await connect(ANTHROPIC);
    const thinking = { type: 'enabled' as const, budget_tokens: 1024 };
    const message = await client.messages.stream({ ...ASK, max_tokens: 4096, thinking }).finalMessage();
    expect(message.content).toMatchObject([
      { type: 'thinking', signature: expect.stringMatching(/\w/) },
      { type: 'text' },
    ]);
  });
});

type Row = [status: number, type: string, code: string, body: object];

describe('errors', () => {
  const create = (client: Anthropic) => client.messages.create(ASK);

  test.each([
    ['no messages', 400, 'invalid_request_error', 'missing_required_parameter', { messages: undefined }],
    ['no cap', 400, 'invalid_request_error', 'missing_required_parameter', { max_tokens: undefined }],
    ['an unknown model', 404, 'not_found_error', 'model_not_found', { model: 'other' }],
    [
      'tools of Anthropic itself',
      400,
      'invalid_request_error',
      'unsupported_value',
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    ],
  ] satisfies [string, ...Row][])('tell of %s', async (_what, ...[status, type, code, body]: Row) => {
    const { client, requests } = await connect(OPENAI);
    const error = await failureOf(client.messages.create({ ...ASK, ...body } as never));
    expect(error).toBeInstanceOf(status === 404 ? Anthropic.NotFoundError : Anthropic.BadRequestError);
    expect(error).toMatchObject({ status, type, errorCode: code, requestID: requests()[0]?.id });
  });

  test('tell of a key that is not known', async () => {
    const { client } = await connect(OPENAI, { apiKey: 'sk-nobody' });
    const error = await failureOf(create(client));
    expect(error).toBeInstanceOf(Anthropic.AuthenticationError);
    expect(error).toMatchObject({ type: 'authentication_error' });
  });

  test('tell of a model that is not for this client', async () => {
    const { client } = await connect(OPENAI, { apiKey: NARROW_KEY });
    expect(await failureOf(create(client))).toBeInstanceOf(Anthropic.PermissionDeniedError);
  });

  test('tell of a body that is too large', async () => {
    const { client } = await connect(OPENAI, { config: { server: { port: 0, body_limit: '1KiB' } } });
    const error = await failureOf(client.messages.create({ ...ASK, system: 'long '.repeat(1000) }));
    expect(error).toMatchObject({ status: 413, type: 'request_too_large' });
  });

  test('tell when to come back, and the SDK does', async () => {
    const options = {
      provider: { limits: { rpm: { limit: 120, burst: '0.5%' } } },
      config: {
        defaults: { queue: { max_wait: '500ms' } },
        models: [{ name: 'house', targets: [{ provider: 'simulated', model: 'gpt-4o' }] }],
      },
    };
    const world = await connect(OPENAI, options);
    await create(world.client);
    const error = await failureOf(create(world.client));
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    expect(error).toMatchObject({ type: 'rate_limit_error', errorCode: 'queue_wait_exceeded' });
    const patient = clientOf(world, { maxRetries: 2 });
    expect((await create(patient)).content).toHaveLength(1);
  });

  test('of the upstream are told as ours', async () => {
    const { client } = await connect(OPENAI, { simulator: { faults: [{ kind: '500' }] } });
    const error = await failureOf(create(client));
    expect(error).toBeInstanceOf(Anthropic.InternalServerError);
    expect(error).toMatchObject({ status: 502, type: 'api_error', errorCode: 'upstream_error' });
  });

  test('that an upstream finds in the request come in its words', async () => {
    const wrong = JSON.stringify(apiError('No such stop.', { type: 'invalid_request_error' }));
    const world = await startScriptedWorld((exchange) => exchange.write(answer(wrong, {}, 400)));
    const error = await failureOf(clientOf(world).messages.create({ ...ASK, model: 'gpt-4o' }));
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(error).toMatchObject({
      type: 'invalid_request_error',
      apiMessage: expect.stringContaining('No such stop.'),
    });
  });

  test.each([ANTHROPIC, OPENAI])('in the middle of a stream of $vendor are thrown once', async (behind) => {
    const faults = [{ kind: 'stream_error_late' as const, afterTokens: 5 }];
    const { client, requests } = await connect(behind, { simulator: { faults } });
    const stream = await client.messages.create({ ...ASK, stream: true });
    const seen: string[] = [];
    const read = async () => {
      for await (const event of stream) seen.push(event.type);
    };
    const error = await failureOf(read());
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(error).toMatchObject({ type: expect.stringMatching(/_error$/), requestID: requests()[0]?.id });
    expect(seen.slice(0, 3)).toEqual(['message_start', 'content_block_start', 'content_block_delta']);
  });
});

test.each([ANTHROPIC, OPENAI])('a client that leaves ends what $vendor writes', async (behind) => {
  const { client, simulator, requests } = await connect(behind, {
    simulator: { answer: { tokensPerSecond: 20, outputTokens: 200 } },
  });
  const stream = client.messages.stream(ASK);
  stream.on('text', () => stream.abort());
  expect(await failureOf(stream.finalMessage())).toBeInstanceOf(Anthropic.APIUserAbortError);
  await expect.poll(() => simulator.ledger()).toMatchObject({ received: 1, aborted: 1, inFlight: 0 });
  await expect.poll(() => requests()).toMatchObject([{ status: 499 }]);
});
