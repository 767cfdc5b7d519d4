import { AzureOpenAI } from 'openai-7';
import { describe, expect, test } from 'vitest';
import { answer } from '../support/scripted-upstream.ts';
import { ASK, MAJORS } from './openai-majors.ts';
import { CLIENT_KEY, failureOf, type ScriptedWorld, startScriptedWorld, startWorld } from './world.ts';

const MODEL = 'gpt-4o';
const EVENT_STREAM = { 'content-type': 'text/event-stream' };

describe.each(MAJORS)('$name beside chats', ({ connect, OpenAI }) => {
  test('embeds texts, which it asks for in base64 and gets as numbers', async () => {
    const world = await startWorld();
    const { data, usage } = await connect(world).embeddings.create({ model: MODEL, input: ['one', 'two'] });
    expect(data.map(({ index, embedding }) => [index, typeof embedding[0]])).toEqual([
      [0, 'number'],
      [1, 'number'],
    ]);
    expect(usage.prompt_tokens).toBeGreaterThan(0);
  });

  test('completes text, whole and streamed', async () => {
    const client = connect(await startWorld());
    const ask = { model: MODEL, prompt: 'Once upon', max_tokens: 50 };
    const { choices, usage } = await client.completions.create(ask);
    expect(usage?.completion_tokens).toBeGreaterThan(0);
    const pieces = await Array.fromAsync(await client.completions.create({ ...ask, stream: true }));
    expect(pieces.map((piece) => piece.choices[0]?.text).join('')).toBe(choices[0]?.text);
    expect(pieces.every((piece) => !piece.usage)).toBe(true);
  });

  test('has responses, whole and streamed, the helper for streams included', async () => {
    const client = connect(await startWorld());
    const ask = { model: MODEL, input: 'Tell me about canals.', max_output_tokens: 500 };
    const { output_text: text, usage } = await client.responses.create(ask);
    expect(text).toMatch(/\w/);
    expect(usage?.output_tokens).toBeGreaterThan(0);
    const events = await Array.fromAsync(await client.responses.create({ ...ask, stream: true }));
    expect(events.flatMap((event) => (event.type === 'response.output_text.delta' ? event.delta : [])).join('')).toBe(
      text,
    );
    expect(events.at(-1)?.type).toBe('response.completed');
    expect((await client.responses.stream(ask).finalResponse()).output_text).toBe(text);
  });

  test('finds a response again, what went into it, and deletes it', async () => {
    const client = connect(await startWorld());
    const { id, output_text: text } = await client.responses.create({ model: MODEL, input: 'Tell me about canals.' });
    expect((await client.responses.retrieve(id)).output_text).toBe(text);
    expect((await client.responses.inputItems.list(id)).data).toBeInstanceOf(Array);
    await client.responses.delete(id);
    expect(await failureOf(client.responses.retrieve(id))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await failureOf(client.responses.retrieve('resp_nobody1'))).toMatchObject({
      status: 404,
      code: 'not_found',
    });
  });

  test('hears of what is wrong with a request by the name of the field', async () => {
    const client = connect(await startWorld());
    const failure = await failureOf(client.responses.create({ model: MODEL }));
    expect(failure).toBeInstanceOf(OpenAI.BadRequestError);
    expect(failure).toMatchObject({ code: 'missing_required_parameter', param: 'input' });
  });

  test('throws when a stream of a response breaks off', async () => {
    const begun = 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n';
    const world = await startScriptedWorld((exchange) => exchange.write(answer(begun, EVENT_STREAM)));
    const stream = await connect(world).responses.create({ model: MODEL, input: 'x', stream: true });
    const failure = await failureOf(Array.fromAsync(stream));
    expect(failure).toBeInstanceOf(OpenAI.APIError);
    expect(failure).toMatchObject({ code: 'upstream_error', message: expect.stringContaining('Request id: ') });
  });
});

describe("Azure's client", () => {
  const connect = ({ baseURL }: Pick<ScriptedWorld, 'baseURL'>) =>
    new AzureOpenAI({ endpoint: baseURL.replace('/v1', ''), apiKey: CLIENT_KEY, apiVersion: '2024-10-21' });

  test('calls a model by its deployment', async () => {
    const client = connect(await startWorld());
    const { choices } = await client.chat.completions.create(ASK);
    expect(choices[0]?.message.content).toMatch(/\w/);
    const pieces = await Array.fromAsync(await client.chat.completions.create({ ...ASK, stream: true }));
    expect(pieces.map((piece) => piece.choices[0]?.delta.content ?? '').join('')).toBe(choices[0]?.message.content);
  });

  test('may name a model with a slash', async () => {
    const { choices } = await connect(await startWorld()).chat.completions.create({ ...ASK, model: 'house/model' });
    expect(choices[0]?.message.content).toMatch(/\w/);
  });

  test('has embeddings and responses', async () => {
    const client = connect(await startWorld());
    expect((await client.embeddings.create({ model: MODEL, input: 'one' })).data).toHaveLength(1);
    expect((await client.responses.create({ model: MODEL, input: 'Hello' })).output_text).toMatch(/\w/);
  });

  test('is refused with a key that nobody knows', async () => {
    const { baseURL } = await startWorld();
    const client = new AzureOpenAI({ endpoint: baseURL.replace('/v1', ''), apiKey: 'x', apiVersion: '2024-10-21' });
    expect(await failureOf(client.chat.completions.create(ASK))).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
    });
  });
});
