import type OpenAI from 'openai-7';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { connectBehind, PAIRS } from './openai-vendors.ts';

const QUESTION: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'Tell me about canals.' };
const ASK = { model: 'house', messages: [QUESTION] };
const STREAMED = { ...ASK, stream: true as const };
const PERSON = z.object({ name: z.string(), age: z.number(), tags: z.array(z.string()) });
/** One pixel. */
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  type: 'function' as const,
  function: {
    name,
    description: 'What it is like in a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}));
const ERRAND: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'get_weather and get_time for Ghent' };
const CALLING = { model: 'house', messages: [ERRAND], tools: TOOLS };

/** What a chunk without its text has in common with all others of its stream. */
function headOf({ id, created, model, object }: OpenAI.ChatCompletionChunk): object {
  return { id, created, model, object };
}

describe.each(PAIRS)('$name to $vendor', (pair) => {
  test('has its chat answered whole', async () => {
    const world = await connectBehind(pair);
    const messages = [{ role: 'system' as const, content: 'Be brief.' }, QUESTION];
    const completion = await world.client.chat.completions.create({ ...ASK, messages });
    expect(completion).toMatchObject({
      object: 'chat.completion',
      created: expect.any(Number),
      choices: [
        { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: expect.stringMatching(/\w/) } },
      ],
      usage: { completion_tokens: 24 },
    });
    // A date that a client can show: seconds, of this century.
    expect(completion.created).toBeGreaterThan(1.5e9);
    expect(completion.created).toBeLessThan(1e10);
    const { prompt_tokens, completion_tokens, total_tokens } = completion.usage ?? {};
    expect(total_tokens).toBe((prompt_tokens ?? 0) + (completion_tokens ?? 0));
    expect(completion._request_id).toBe(world.requests()[0]?.id);
  });

  test('has it streamed in pieces of one answer, without usage that it did not ask for', async () => {
    const { client } = await connectBehind(pair);
    const { choices } = await client.chat.completions.create(ASK);
    const chunks = await Array.fromAsync(await client.chat.completions.create(STREAMED));
    const pieces = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '');
    expect(pieces.join('')).toBe(choices[0]?.message.content);
    expect(pieces.filter(Boolean).length).toBeGreaterThan(1);
    // Azure's stream begins with what it found in the prompt, which is no part of an answer yet.
    const parts = chunks.filter(({ choices }) => choices.length > 0);
    expect(chunks.length - parts.length).toBe(pair.vendor === 'azure' ? 1 : 0);
    expect(parts[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(new Set(parts.map((chunk) => JSON.stringify(headOf(chunk)))).size).toBe(1);
    expect(chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? [])).toEqual(['stop']);
    // Groq tells it in the chunk that ends an answer, asked or not.
    expect(chunks.filter(({ usage }) => usage)).toHaveLength(pair.vendor === 'groq' ? 1 : 0);
  });

  test('gets usage as the last chunk where it asks for it', async () => {
    const { client } = await connectBehind(pair);
    const { usage } = await client.chat.completions.create(ASK);
    const asked = { ...STREAMED, stream_options: { include_usage: true } };
    const last = (await Array.fromAsync(await client.chat.completions.create(asked))).at(-1);
    expect(last).toMatchObject({ usage: { completion_tokens: 24 } });
    expect(last?.choices).toHaveLength(pair.vendor === 'groq' ? 1 : 0);
    expect(last?.usage?.prompt_tokens).toBe(usage?.prompt_tokens);
  });

  test('puts a stream together with its helper', async () => {
    const { client } = await connectBehind(pair);
    const { choices } = await client.chat.completions.create(ASK);
    const stream = client.chat.completions.stream({ ...ASK, stream_options: { include_usage: true } });
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices).toMatchObject([
      { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: choices[0]?.message.content } },
    ]);
    expect((await stream.totalUsage()).completion_tokens).toBe(24);
  });

  test('calls several tools at once, whole and streamed, and goes on with their results', async () => {
    const { client, requests } = await connectBehind(pair);
    const [choice] = (await client.chat.completions.create(CALLING)).choices;
    const calls = functionCalls(choice?.message);
    expect(choice?.finish_reason).toBe('tool_calls');
    expect(calls.map(({ function: { name } }) => name)).toEqual(['get_weather', 'get_time']);
    expect(calls.map(({ function: called }) => JSON.parse(called.arguments))).toEqual([{ city: 'a' }, { city: 'a' }]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);

    const [streamed] = (await client.chat.completions.stream(CALLING).finalChatCompletion()).choices;
    expect(streamed?.finish_reason).toBe('tool_calls');
    expect(functionCalls(streamed?.message).map(({ function: { name, arguments: json } }) => [name, json])).toEqual(
      calls.map(({ function: { name, arguments: json } }) => [name, json]),
    );

    // Both ways of answering, in the wrong order.
    for (const { message } of [choice, streamed].flatMap((each) => each ?? [])) {
      const results = functionCalls(message)
        .toReversed()
        .map(({ id }) => ({
          role: 'tool' as const,
          tool_call_id: id,
          content: '{"sky":"grey"}',
        }));
      const messages = [ERRAND, message, ...results];
      const second = await client.chat.completions.create({ ...CALLING, messages });
      expect(second.choices).toMatchObject([
        { finish_reason: 'stop', message: { content: expect.stringMatching(/\w/) } },
      ]);
    }
    expect(requests().map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test.each([
    ['one by name', { type: 'function' as const, function: { name: 'get_time' } }, ['get_time']],
    ['some one', 'required' as const, ['get_weather']],
    ['none', 'none' as const, []],
  ])('has %s called', async (_what, tool_choice, names) => {
    const { client } = await connectBehind(pair);
    const ask = { ...CALLING, messages: [tool_choice === 'none' ? ERRAND : QUESTION], tool_choice };
    for (const { choices } of [
      await client.chat.completions.create(ask),
      await client.chat.completions.stream(ask).finalChatCompletion(),
    ]) {
      expect(functionCalls(choices[0]?.message).map(({ function: { name } }) => name)).toEqual(names);
      expect(['stop', 'tool_calls']).toContain(choices[0]?.finish_reason);
    }
  });

  test('runs its functions by itself', async () => {
    const { client } = await connectBehind(pair);
    const asked: unknown[] = [];
    const note = (args: unknown) => {
      asked.push(args);
      return 'Rain.';
    };
    const tools = TOOLS.map((tool) => ({ ...tool, function: { ...tool.function, parse: JSON.parse, function: note } }));
    for (const stream of [false, true]) {
      const runner = client.chat.completions.runTools({ ...CALLING, stream, tools } as never);
      expect(await runner.finalContent()).toMatch(/\w/);
    }
    expect(asked).toEqual(Array.from({ length: 4 }, () => ({ city: 'a' })));
  });

  test('gets an answer that obeys a schema, whole and streamed', async () => {
    const { client } = await connectBehind(pair);
    const ask = { ...ASK, response_format: pair.zodResponseFormat(PERSON, 'person') };
    const expected = { name: 'a', age: 0, tags: [] };
    expect((await client.chat.completions.parse(ask)).choices[0]?.message.parsed).toEqual(expected);
    const streamed = await client.chat.completions.stream(ask).finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual(expected);
    expect(streamed.choices[0]?.finish_reason).toBe('stop');
  });

  test('shows a picture', async () => {
    const { client } = await connectBehind(pair);
    const picture = { type: 'image_url' as const, image_url: { url: PIXEL } };
    const content = [{ type: 'text' as const, text: 'What is it?' }, picture];
    const { choices } = await client.chat.completions.create({ ...ASK, messages: [{ role: 'user', content }] });
    expect(choices[0]?.message.content).toMatch(/\w/);
  });

  test('ends its answers where they are to end', async () => {
    const { client } = await connectBehind(pair);
    const { choices: full } = await client.chat.completions.create(ASK);
    const text = full[0]?.message.content ?? '';
    const stop = text.split(' ')[4] ?? '';
    const ends = [
      { fields: { stop: [stop] }, reason: 'stop' },
      { fields: { max_tokens: 5 }, reason: 'length' },
      { fields: { max_completion_tokens: 5 }, reason: 'length' },
    ];
    for (const { fields, reason } of ends) {
      const whole = await client.chat.completions.create({ ...ASK, ...fields });
      const streamed = await client.chat.completions.stream({ ...ASK, ...fields }).finalChatCompletion();
      for (const [choice] of [whole.choices, streamed.choices]) {
        expect(choice?.finish_reason).toBe(reason);
        expect(choice?.message.content).toMatch(/\w/);
        expect(text.startsWith(choice?.message.content ?? '?')).toBe(true);
        expect(choice?.message.content).not.toBe(text);
      }
    }
  });

  test('sees the models', async () => {
    const { client } = await connectBehind(pair);
    expect((await Array.fromAsync(await client.models.list())).map(({ id }) => id)).toEqual(['house']);
    expect(await client.models.retrieve('house')).toMatchObject({ id: 'house', object: 'model' });
  });
});

function functionCalls(
  message: OpenAI.ChatCompletionMessage | undefined,
): OpenAI.ChatCompletionMessageFunctionToolCall[] {
  return (message?.tool_calls ?? []).filter((call) => call.type === 'function');
}
