import { describe, expect, test } from 'vitest';
import { DONE, event, USAGE } from '../../support/chat-answers.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type BenchTarget, ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

const TEXT = {
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1,
  model: 'gpt-upstream',
  choices: [{ index: 0, text: ' there', logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 },
};
const PIECE = event({ object: 'text_completion', choices: [{ index: 0, text: ' there', finish_reason: null }] });
const LAST = event({ object: 'text_completion', choices: [{ index: 0, text: '', finish_reason: 'length' }] });

function setUp(changes: BenchTarget['changes'] = {}) {
  const transport = new ScriptedTransport();
  const bench = new ProxyBench({ clock: new FakeClock(), transport, targets: [{ changes }] });
  const complete = (body: object) => bench.chat(body, { operation: 'completions' });
  return { bench, transport, complete };
}

describe('a completion', () => {
  test('goes to the endpoint for it as it came, and comes back so', async () => {
    const { bench, transport, complete } = setUp();
    const body = { prompt: 'Hello', max_tokens: 5, echo: true, logit_bias: { 50256: -100 } };
    const request = complete(body);
    const call = await transport.call();
    expect(call.request.path).toBe('/v1/completions');
    expect(call.json).toEqual({ model: 'gpt-upstream', ...body });
    call.answer(TEXT);
    await request.done;
    expect(request.reply.json).toEqual(TEXT);
    expect(bench.summary.tokens).toMatchObject({ input: 12, output: 3 });
  });

  test('that is streamed begins with its first text, and has no usage that was not asked for', async () => {
    const { bench, transport, complete } = setUp();
    const request = complete({ prompt: 'Hello', stream: true });
    const call = await transport.call();
    expect(call.json).toMatchObject({ stream_options: { include_usage: true } });
    call.stream().data(PIECE).data(LAST).data(USAGE).data(DONE).end();
    await request.done;
    expect(request.reply.text).toBe(PIECE + LAST + DONE);
    expect(bench.summary.tokens).toMatchObject({ input: 12, output: 3 });
  });

  test('keeps the usage that was asked for', async () => {
    const { transport, complete } = setUp();
    const request = complete({ prompt: 'Hello', stream: true, stream_options: { include_usage: true } });
    (await transport.call()).stream().data(PIECE).data(LAST).data(USAGE).data(DONE).end();
    await request.done;
    expect(request.reply.text).toBe(PIECE + LAST + USAGE + DONE);
  });

  test('books what all its answers may come to', async () => {
    const { bench, transport, complete } = setUp();
    complete({ prompt: ['one', 'two'], max_tokens: 100, n: 2, best_of: 3 });
    await transport.call();
    expect(bench.booked(0, 1)).toBe(11 + 600);
  });

  test('counts token ids, the suffix, and nothing at all', async () => {
    const seen: unknown[] = [];
    const transport = new ScriptedTransport();
    const estimate = (chat: { messages?: readonly { content: unknown }[] }) => {
      seen.push(chat.messages?.[0]?.content);
      return { inputTokens: 0, atLeastTokens: 0 };
    };
    const services = { tokens: { estimate: (chat: unknown) => estimate(chat as object) } };
    const bench = new ProxyBench({ clock: new FakeClock(), transport, services });
    for (const body of [{ prompt: [1, 2, 3] }, { prompt: 'a', suffix: 'b' }, {}]) {
      bench.chat(body, { operation: 'completions' });
    }
    await transport.call(3);
    const text = (value: string) => ({ type: 'text', text: value });
    expect(seen).toEqual([[], [text('a'), text('b')], [text('<|endoftext|>')]]);
  });

  test.each([
    [{ prompt: 'x', logprobs: 2 }, 'logprobs'],
    [{ prompt: 'x', n: 2 }, 'n'],
  ])('%j needs a target that has %s', async (body, capability) => {
    const { transport, complete } = setUp({ supports: new Set() });
    const request = complete(body);
    await request.done;
    expect(request.error).toMatchObject({ message: expect.stringContaining(`: ${capability}.`) });
    expect(transport.calls).toEqual([]);
  });

  test.each([
    [{ prompt: 'x', max_tokens: 0 }, 'max_tokens'],
    [{ prompt: 'x', best_of: 'all' }, 'best_of'],
    [{ prompt: 'x', n: 1000 }, 'n'],
    [{ prompt: [] }, 'prompt'],
  ])('%j is refused by the name of the field', async (body, param) => {
    const { complete } = setUp();
    const request = complete(body);
    await request.done;
    expect(request.error).toMatchObject({ code: 'invalid_type', details: { param } });
  });
});
