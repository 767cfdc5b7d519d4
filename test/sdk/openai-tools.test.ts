import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { DONE, event, USAGE } from '../support/chat-answers.ts';
import { answer, CHUNKED, chunk, type Exchange, head } from '../support/scripted-upstream.ts';
import { MAJORS } from './openai-majors.ts';
import { startScriptedWorld, startWorld } from './world.ts';

const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather in a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

const QUESTION = { role: 'user' as const, content: 'Use the weather tool for Ghent and for Bruges.' };
const ASK = { model: 'gpt-4o', messages: [QUESTION], tools: [WEATHER] };

const CALLS = [
  { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Ghent"}' } },
  { id: 'call_b', type: 'function', function: { name: 'weather', arguments: '{"city":"Bruges"}' } },
];

function delta(fields: Readonly<Record<string, unknown>>, finish: string | null = null): string {
  return event({ object: 'chat.completion.chunk', choices: [{ index: 0, delta: fields, finish_reason: finish }] });
}

/** Two calls at once, their arguments in pieces that take turns. */
const PARALLEL_STREAM = [
  delta({ role: 'assistant', content: null }),
  ...CALLS.map((call, index) =>
    delta({ tool_calls: [{ ...call, index, function: { ...call.function, arguments: '' } }] }),
  ),
  ...['{"city":', '"'].flatMap((piece) => [0, 1].map((index) => argumentsDelta(index, piece))),
  argumentsDelta(1, 'Bruges"}'),
  argumentsDelta(0, 'Ghent"}'),
  delta({}, 'tool_calls'),
  USAGE,
  DONE,
].join('');

function argumentsDelta(index: number, piece: string): string {
  return delta({ tool_calls: [{ index, function: { arguments: piece } }] });
}

function answerWithCalls(exchange: Exchange): Promise<void> {
  const { stream } = JSON.parse(exchange.body.toString()) as { stream?: boolean };
  if (stream) return exchange.write(Buffer.concat([Buffer.from(head(CHUNKED)), chunk(PARALLEL_STREAM), chunk('')]));
  const message = { role: 'assistant', content: null, tool_calls: CALLS };
  const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
  return exchange.write(answer(JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion', choices })));
}

describe.each(MAJORS)('tools with $name', ({ connect, zodFunction }) => {
  test('a call and its result make an answer', async () => {
    const client = connect(await startWorld());
    const first = await client.chat.completions.create({ ...ASK, tool_choice: 'required' });
    const message = first.choices[0]?.message;
    expect(first.choices[0]?.finish_reason).toBe('tool_calls');
    expect(message?.tool_calls).toMatchObject([
      { type: 'function', function: { name: 'weather', arguments: '{"city":"a"}' } },
    ]);
    const results = (message?.tool_calls ?? []).map(({ id }) => ({
      role: 'tool' as const,
      tool_call_id: id,
      content: 'Rain.',
    }));
    const messages = [QUESTION, ...(message ? [message] : []), ...results];
    const second = await client.chat.completions.create({ ...ASK, messages });
    expect(second.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: expect.stringMatching(/\w/) },
    });
  });

  test('a streamed call comes together in the helper', async () => {
    const stream = connect(await startWorld()).chat.completions.stream({
      ...ASK,
      tools: [zodFunction({ name: 'weather', parameters: z.object({ city: z.string() }) })],
      tool_choice: { type: 'function', function: { name: 'weather' } },
    });
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]?.message.tool_calls).toMatchObject([{ function: { parsed_arguments: { city: 'a' } } }]);
    expect(await stream.finalFunctionToolCall()).toMatchObject({ name: 'weather', arguments: '{"city":"a"}' });
  });

  test('the runner calls the function and returns with an answer', async () => {
    const world = await startWorld();
    const asked: unknown[] = [];
    const weather = (args: unknown) => {
      asked.push(args);
      return 'Rain.';
    };
    const runner = connect(world).chat.completions.runTools({
      ...ASK,
      stream: true,
      tools: [{ type: 'function', function: { ...WEATHER.function, parse: JSON.parse, function: weather } }],
    });
    expect(await runner.finalContent()).toMatch(/\w/);
    expect(asked).toEqual([{ city: 'a' }]);
    expect(world.requests()).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  test.each([{ stream: false }, { stream: true }])('several calls at once, stream: $stream', async ({ stream }) => {
    const { chat } = connect(await startScriptedWorld(answerWithCalls));
    const completion = stream
      ? await chat.completions.stream(ASK).finalChatCompletion()
      : await chat.completions.create(ASK);
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: CALLS } });
  });
});
