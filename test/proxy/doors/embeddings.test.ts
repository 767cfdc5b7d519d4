import { describe, expect, test } from 'vitest';
import { provider } from '../../providers/read-fixtures.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import type { BenchTarget } from '../../support/proxy-bench.ts';
import { ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

const VECTORS = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: 'AACAPw==' }],
  model: 'gpt-upstream',
  usage: { prompt_tokens: 8, total_tokens: 8 },
};

function setUp(target: BenchTarget = {}) {
  const transport = new ScriptedTransport();
  const clock = new FakeClock();
  const bench = new ProxyBench({ clock, transport, targets: [target] });
  const embed = (body: object) => bench.chat(body, { operation: 'embeddings' });
  return { bench, transport, clock, embed };
}

describe('an embedding', () => {
  test('goes to the endpoint for it with every byte but the name of the model', async () => {
    const { bench, transport, embed } = setUp();
    const body = { input: 'Hello', encoding_format: 'base64', dimensions: 256, input_type: 'query' };
    const request = embed(body);
    const call = await transport.call();
    expect(call.request.path).toBe('/v1/embeddings');
    expect(call.json).toEqual({ model: 'gpt-upstream', ...body });
    call.answer(VECTORS);
    await request.done;
    expect(request.reply.json).toEqual(VECTORS);
    expect(bench.summary.tokens).toMatchObject({ input: 8, output: 0 });
  });

  test('books no output, and teaches nothing about chats', async () => {
    const { bench, transport, clock, embed } = setUp();
    const request = embed({ input: 'Hello' });
    const call = await transport.call();
    expect(bench.booked(0, 1)).toBe(11);
    call.answer(VECTORS);
    await request.done;
    clock.advance(1_000);
    expect(bench.booked(0, 1)).toBe(8);
    expect(bench.outputs.size).toBe(0);
  });

  test('is never sent to what has no such endpoint', async () => {
    const { transport, embed } = setUp({ provider: provider('deepseek') });
    const request = embed({ input: 'Hello' });
    await request.done;
    expect(request.error).toMatchObject({ code: 'unsupported_value', details: { param: 'model' } });
    expect(transport.calls).toEqual([]);
  });

  test('that is longer than the context is refused by the name of its field', async () => {
    const { embed } = setUp({ changes: { contextLengthTokens: 4 } });
    const request = embed({ input: 'Hello' });
    await request.done;
    expect(request.error).toMatchObject({ code: 'context_length_exceeded', details: { param: 'input' } });
  });
});

describe('its input', () => {
  const measured = async (input: unknown) => {
    const seen: unknown[] = [];
    const transport = new ScriptedTransport();
    const estimate = (chat: unknown) => {
      seen.push(chat);
      return { inputTokens: 0, atLeastTokens: 0 };
    };
    const bench = new ProxyBench({ clock: new FakeClock(), transport, services: { tokens: { estimate } } });
    bench.chat({ input }, { operation: 'embeddings' });
    await transport.call();
    return { chat: seen[0], booked: bench.booked(0, 1) };
  };
  const texts = (...all: string[]) => ({
    messages: [{ role: 'user', content: all.map((text) => ({ type: 'text', text })) }],
  });

  test.each([
    ['a text', 'one', { chat: texts('one'), booked: 0 }],
    ['texts', ['one', 'two'], { chat: texts('one', 'two'), booked: 0 }],
    ['token ids', [1, 2, 3], { chat: texts(), booked: 4 }],
    ['lists of token ids', [[1, 2, 3], [4]], { chat: texts(), booked: 5 }],
    ['a text and token ids', ['one', [1, 2]], { chat: texts('one'), booked: 3 }],
    ['what only the vendor understands', [{ image: 'x' }], { chat: texts('{"image":"x"}'), booked: 0 }],
  ])('may be %s', async (_name, input, expected) => {
    expect(await measured(input)).toEqual(expected);
  });

  test.each([
    [undefined, 'missing_required_parameter', 'input'],
    [null, 'missing_required_parameter', 'input'],
    [7, 'invalid_type', 'input'],
    [[], 'invalid_type', 'input'],
    [['one', null], 'invalid_type', 'input[1]'],
    [['one', ['two']], 'invalid_type', 'input[1]'],
    [[[]], 'invalid_type', 'input[0]'],
    [['one', 2], 'invalid_type', 'input[1]'],
  ])('may not be %j', async (input, code, param) => {
    const { embed } = setUp();
    const request = embed({ input });
    await request.done;
    expect(request.error).toMatchObject({ code, details: { param } });
  });
});
