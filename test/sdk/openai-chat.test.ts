import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { COMPLETION, DONE, HELLO, ROLE, STOP } from '../support/chat-answers.ts';
import { answer, CHUNKED, chunk, head } from '../support/scripted-upstream.ts';
import { ASK, MAJORS } from './openai-majors.ts';
import { CLIENT_KEY, NARROW_KEY, startScriptedWorld, startWorld } from './world.ts';

const STREAMED = { ...ASK, stream: true as const };
const WITH_USAGE = { ...STREAMED, stream_options: { include_usage: true } };
const PERSON = z.object({ name: z.string(), age: z.number().int().min(18), tags: z.array(z.string()) });

describe.each(MAJORS)('chat with $name', ({ connect, zodResponseFormat }) => {
  test('a whole answer has text, usage and a request id', async () => {
    const world = await startWorld();
    const completion = await connect(world).chat.completions.create(ASK);
    expect(completion).toMatchObject({ object: 'chat.completion', model: 'gpt-4o' });
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } });
    expect(completion.choices[0]?.message.content).toMatch(/\w/);
    expect(completion.usage?.completion_tokens).toBe(24);
    expect(world.requests()).toMatchObject([{ id: completion._request_id, client: 'app', status: 200 }]);
  });

  test('a stream brings the same text in pieces, and no usage where none was asked for', async () => {
    const world = await startWorld();
    const client = connect(world);
    const whole = await client.chat.completions.create(ASK);
    const { data: stream, request_id, response } = await client.chat.completions.create(STREAMED).withResponse();
    const chunks = await Array.fromAsync(stream);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      whole.choices[0]?.message.content,
    );
    expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(world.requests()).toMatchObject([{ status: 200 }, { id: request_id, status: 200 }]);
  });

  test('usage ends a stream that asks for it', async () => {
    const chunks = await Array.fromAsync(await connect(await startWorld()).chat.completions.create(WITH_USAGE));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 24 } });
  });

  test('the stream helper puts message and usage together', async () => {
    const stream = connect(await startWorld()).chat.completions.stream(WITH_USAGE);
    const pieces: string[] = [];
    stream.on('content', (delta) => pieces.push(delta));
    const message = await stream.finalMessage();
    expect(message).toMatchObject({ role: 'assistant', content: pieces.join('') });
    expect(await stream.finalContent()).toBe(message.content);
    expect(await stream.totalUsage()).toMatchObject({ completion_tokens: 24 });
    expect((await stream.finalChatCompletion()).choices[0]?.finish_reason).toBe('stop');
  });

  test('several choices, whole and interleaved in a stream', async () => {
    const client = connect(await startWorld());
    const whole = await client.chat.completions.create({ ...ASK, n: 3 });
    const streamed = await client.chat.completions.stream({ ...WITH_USAGE, n: 3 }).finalChatCompletion();
    for (const { choices, usage } of [whole, streamed]) {
      expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
      expect(usage?.completion_tokens).toBe(72);
    }
  });

  test('a cap cuts the answer', async () => {
    const capped = { ...ASK, max_completion_tokens: 5 };
    const completion = await connect(await startWorld()).chat.completions.create(capped);
    expect(completion.choices[0]?.finish_reason).toBe('length');
    expect(completion.usage?.completion_tokens).toBe(5);
  });

  test('structured output obeys its schema, whole and streamed', async () => {
    const client = connect(await startWorld());
    const ask = { ...ASK, response_format: zodResponseFormat(PERSON, 'person') };
    const whole = await client.chat.completions.parse(ask);
    const streamed = await client.chat.completions.stream({ ...ask, stream: true }).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(PERSON.parse(choices[0]?.message.parsed)).toEqual({ name: 'a', age: 18, tags: [] });
    }
  });

  test('messages of every role and kind of content are taken', async () => {
    const pixel =
      'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    const completion = await connect(await startWorld()).chat.completions.create({
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
        { role: 'developer', content: 'Answer in English.' },
        {
          role: 'user',
          name: 'ada',
          content: [
            { type: 'text', text: 'Qué es esto? 这是什么？ 🦆' },
            { type: 'image_url', image_url: { url: pixel, detail: 'low' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'A pixel.' },
        { role: 'assistant', refusal: 'No.' },
        { role: 'user', content: 'And now?' },
      ],
      temperature: 0,
      seed: 42,
      stop: ['END'],
      logit_bias: { '50256': -100 },
      metadata: { seq: '7' },
    });
    expect(completion.choices[0]?.message.content).toMatch(/\w/);
  });

  test('the upstream gets what the SDK was given, under its own name for the model, and none of the client', async () => {
    const { upstream, ...world } = await startScriptedWorld((exchange) =>
      exchange.write(answer(JSON.stringify(COMPLETION))),
    );
    const client = connect(world, { organization: 'org-of-client', project: 'proj-of-client' });
    const ask = { ...ASK, model: 'house/model', temperature: 0, not_known_to_anybody: { deep: [1.5, null] } };
    await client.chat.completions.create(ask);
    const { head: sent, body, target } = await upstream.exchange();
    expect(target).toBe('/v1/chat/completions');
    expect(JSON.parse(body.toString())).toEqual({ ...ask, model: 'gpt-4o' });
    expect(sent).not.toMatch(/stainless|of-client|OpenAI\/JS/i);
    expect(sent).not.toContain(CLIENT_KEY);
  });

  test('comments while an upstream thinks are no part of a stream', async () => {
    const settings = { config: { server: { port: 0, stream_keepalive: '50ms' } } };
    const world = await startScriptedWorld(async (exchange) => {
      await exchange.write(head(CHUNKED));
      await commented;
      exchange.end(Buffer.concat([chunk(ROLE + HELLO + STOP + DONE), chunk('')]));
    }, settings);
    // The head comes with the first comment; the content is written only after it.
    const { promise: commented, resolve: goOn } = Promise.withResolvers<void>();
    const stream = await connect(world).chat.completions.create(STREAMED);
    goOn();
    const chunks = await Array.fromAsync(stream);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello there');
  });
});

describe.each(MAJORS)('models with $name', ({ connect, OpenAI }) => {
  test('are listed as the client may use them', async () => {
    const world = await startWorld();
    const names = async (apiKey: string) =>
      (await Array.fromAsync(connect(world, { apiKey }).models.list())).map(({ id }) => id);
    expect(await names(CLIENT_KEY)).toEqual(['gpt-4o', 'gpt-4o-mini', 'house/model']);
    expect(await names(NARROW_KEY)).toEqual(['gpt-4o-mini']);
  });

  test('are found by name, slashes included', async () => {
    const client = connect(await startWorld());
    expect(await client.models.retrieve('gpt-4o')).toMatchObject({ id: 'gpt-4o', object: 'model' });
    expect(await client.models.retrieve('house/model')).toMatchObject({
      id: 'house/model',
      created: expect.any(Number),
    });
    await expect(client.models.retrieve('gpt-5')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});
