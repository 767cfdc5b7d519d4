import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { type BenchOptions, type BenchTarget, ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

const ONE_AT_A_TIME: BenchTarget = { changes: { supports: new Set() } };

function setUp(options: Partial<BenchOptions> = {}) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const bench = new ProxyBench({ clock, transport, targets: [ONE_AT_A_TIME], ...options });
  return { clock, transport, bench };
}

function completion(content: string, input = 10): object {
  return {
    id: `chatcmpl-${content}`,
    object: 'chat.completion',
    created: 1,
    model: 'gpt-upstream',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: input, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 3 } },
  };
}

function chunk(id: string, choices: readonly object[], more: object = {}): string {
  return `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`;
}

function says(id: string, content: string): string {
  return chunk(id, [{ index: 0, delta: { content }, finish_reason: null }]);
}

function ends(id: string): string {
  return chunk(id, [{ index: 0, delta: {}, finish_reason: 'stop' }]);
}

function used(id: string): string {
  return chunk(id, [], { usage: { prompt_tokens: 10, completion_tokens: 2 } });
}

function events(text: string): unknown[] {
  return text
    .trimEnd()
    .split('\n\n')
    .map((event) => event.replace(/^data: /, ''))
    .map((data) => (data === '[DONE]' ? data : JSON.parse(data)));
}

describe('several choices, where no target gives more than one', () => {
  test('are asked for one by one, and answered together', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 3, seed: 7, max_tokens: 5 }, { headers: { 'idempotency-key': 'k' } });
    const calls = [await transport.call(1), await transport.call(2), await transport.call(3)];
    expect(calls.map(({ json }) => json)).toMatchObject([{ seed: 7 }, { seed: 8 }, { seed: 9 }]);
    for (const { json } of calls) expect(json).not.toHaveProperty('n');
    expect(calls.map(({ request }) => request.headers['idempotency-key'])).toEqual(['k-0', 'k-1', 'k-2']);
    for (const [index, name] of [
      [2, 'c'],
      [0, 'a'],
      [1, 'b'],
    ] as const)
      calls[index]?.answer(completion(name));
    await chat.done;
    expect(chat.reply.json).toMatchObject({
      id: 'chatcmpl-a',
      choices: ['a', 'b', 'c'].map((content, index) => ({ index, message: { content } })),
      usage: { prompt_tokens: 30, completion_tokens: 6, prompt_tokens_details: { cached_tokens: 9 } },
    });
  });

  test('are booked one by one, and are one line in the log', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2 });
    (await transport.call(1)).answer(completion('a'));
    (await transport.call(2)).answer(completion('b'));
    await chat.done;
    expect(bench.booked()).toBe(2);
    expect(bench.summary).toMatchObject({
      status: 200,
      attempts: 2,
      provider: 'acme',
      tokens: { input: 20, cachedInput: 6, output: 4 },
    });
    expect(bench.scheduler.openLeases).toBe(0);
    expect(chat.releases).toBeGreaterThan(0);
  });

  test('are each tried again elsewhere when they fail', async () => {
    const { bench, transport } = setUp({ targets: [{ ...ONE_AT_A_TIME, keys: ['first', 'second'] }] });
    const chat = bench.chat({ n: 2 });
    (await transport.call(1)).answer(completion('a'));
    (await transport.call(2)).answer({ error: { message: 'Oops' } }, 500);
    (await transport.call(3)).answer(completion('b'));
    await chat.done;
    expect(chat.reply.json).toMatchObject({ choices: [{ message: { content: 'a' } }, { message: { content: 'b' } }] });
  });

  test('come to nothing when one of them fails for good, and the others are given up', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2 });
    const other = await transport.call(1);
    (await transport.call(2)).answer({ error: { message: 'Not that.', type: 'invalid_request_error' } }, 400);
    await chat.done;
    expect(chat.error).toMatchObject({ status: 400 });
    expect(other.orders).toContain('abort');
    expect(bench.summary).toMatchObject({ status: 400, attempts: 2 });
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('are all given up when the client leaves', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2 });
    const calls = [await transport.call(1), await transport.call(2)];
    chat.reply.leave();
    await chat.done;
    expect(calls.map(({ isOver }) => isOver)).toEqual([true, true]);
    expect(bench.summary).toMatchObject({ status: 499 });
  });

  test('are asked for at once of the target that can, where there is one', async () => {
    const { bench, transport } = setUp({ targets: [ONE_AT_A_TIME, { name: 'other', keys: ['second'] }] });
    const chat = bench.chat({ n: 2 });
    const call = await transport.call(1);
    expect(call.json).toMatchObject({ n: 2 });
    expect(call.request.headers['authorization']).toBe('Bearer sk-second');
    call.answer(completion('a'));
    await chat.done;
    expect(transport.calls.length).toBe(1);
  });

  test('that are too large to be put together are an error', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2 });
    const call = (await transport.call(1)).sent().head();
    await transport.call(2);
    for (let piece = 0; piece < 3; piece += 1) call.data(Buffer.alloc(8 * 1024 * 1024, ' '));
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error' });
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('of which a long one breaks off are an error', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2 });
    (await transport.call(1)).answer(completion('a'));
    const call = (await transport.call(2)).sent().head();
    call.data(Buffer.alloc(9 * 1024 * 1024, ' ')).fail('broken');
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'upstream_error' });
  });
});

describe('several choices in a stream', () => {
  test('come as they are written, each with its index, under one head', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2, stream: true, stream_options: { include_usage: true } });
    const [one, two] = [(await transport.call(1)).stream(), (await transport.call(2)).stream()];
    two.data(says('b', 'B1'));
    one.data(`: a comment\n\n${says('a', 'A1')}${ends('a')}${used('a')}data: [DONE]\n\n`).end();
    two.data(`${says('b', 'B2')}${ends('b')}`);
    two.data(`${used('b')}data: [DONE]\n\n`).end();
    await chat.done;
    const got = events(chat.reply.text);
    expect(got.at(-1)).toBe('[DONE]');
    expect(got.at(-2)).toMatchObject({ id: 'b', choices: [], usage: { prompt_tokens: 20, completion_tokens: 4 } });
    expect(got.slice(0, -2)).toMatchObject([
      { id: 'b', choices: [{ index: 1, delta: { content: 'B1' } }] },
      { id: 'b', choices: [{ index: 0, delta: { content: 'A1' } }] },
      { id: 'b', choices: [{ index: 0, finish_reason: 'stop' }] },
      { id: 'b', choices: [{ index: 1, delta: { content: 'B2' } }] },
      { id: 'b', choices: [{ index: 1, finish_reason: 'stop' }] },
    ]);
    expect(chat.reply.headers['content-type']).toContain('text/event-stream');
  });

  test('tell no usage to a client that has not asked', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2, stream: true });
    for (const number of [1, 2]) {
      const call = (await transport.call(number)).stream();
      call.data(`${says('a', 'x')}${ends('a')}${used('a')}data: [DONE]\n\n`).end();
    }
    await chat.done;
    expect(chat.reply.text).not.toContain('usage');
    expect(bench.summary.tokens).toMatchObject({ input: 20, output: 4 });
  });

  test('end with the error of the one that breaks off', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2, stream: true });
    const [one, two] = [(await transport.call(1)).stream(), (await transport.call(2)).stream()];
    one.data(says('a', 'A1'));
    two.data(says('b', 'B1'));
    two.fail('broken');
    await chat.done;
    expect(events(chat.reply.text).at(-1)).toMatchObject({ error: { code: 'upstream_error' } });
    expect(one.orders).toContain('abort');
    expect(chat.reply.isEnded).toBe(true);
    expect(bench.scheduler.openLeases).toBe(0);
  });

  test('end with the error of one that never began', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2, stream: true });
    (await transport.call(1)).stream().data(says('a', 'A1'));
    (await transport.call(2)).answer({ error: { message: 'Not that.', type: 'invalid_request_error' } }, 400);
    await chat.done;
    expect(events(chat.reply.text).at(-1)).toMatchObject({ error: { message: expect.stringContaining('Not that.') } });
    expect(chat.reply.isEnded).toBe(true);
  });

  test('are kept alive together while all of them wait', async () => {
    const { bench, transport, clock } = setUp();
    const chat = bench.chat({ n: 2, stream: true });
    await transport.call(2);
    await clock.advance(20_000);
    expect(chat.reply.writes).toEqual([': keepalive\n\n']);
    chat.reply.leave();
    await chat.done;
  });

  test('pause their upstreams while the client does not read', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ n: 2, stream: true });
    const one = (await transport.call(1)).stream();
    chat.reply.isReading = false;
    one.data(says('a', 'x'.repeat(1_200_000)));
    one.data(says('a', 'y'));
    expect(one.orders).toContain('pause');
    chat.reply.drain();
    expect(one.orders).toContain('resume');
    chat.reply.leave();
    await chat.done;
  });
});
