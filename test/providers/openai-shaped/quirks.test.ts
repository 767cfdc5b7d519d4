import { describe, expect, test } from 'vitest';
import { DONE, event } from '../../support/chat-answers.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';
import { provider } from '../read-fixtures.ts';

/** One vendor behind Sluice, and a chat with it. */
function chatWith(type: string, body: object, model = 'some-model') {
  const transport = new ScriptedTransport();
  const targets = [{ provider: provider(type), changes: { model } }];
  const bench = new ProxyBench({ clock: new FakeClock(), transport, targets, settings: { attempts: 1 } });
  return { bench, transport, chat: bench.chat(body) };
}

/** What goes upstream of a chat's fields. */
async function asked(type: string, body: object, model?: string): Promise<object> {
  const { transport } = chatWith(type, body, model);
  const { messages: _messages, model: _model, ...fields } = (await transport.call()).json as Record<string, unknown>;
  return fields;
}

/** What a client gets of these events. */
async function streamed(type: string, events: readonly string[], body: object = {}) {
  const { bench, transport, chat } = chatWith(type, { stream: true, ...body });
  const call = (await transport.call()).stream();
  for (const each of events) call.data(each);
  call.end();
  await chat.done;
  return { text: chat.reply.text, error: chat.error, tokens: bench.summary.tokens };
}

async function whole(type: string, answer: object) {
  const { bench, transport, chat } = chatWith(type, {});
  (await transport.call()).answer(answer);
  await chat.done;
  const { text } = chat.reply;
  return { json: text === '' ? null : JSON.parse(text), error: chat.error, tokens: bench.summary.tokens };
}

function piece(delta: object, finish: string | null = null, extra: object = {}): string {
  return event({ id: 'c1', choices: [{ index: 0, delta, finish_reason: finish }], ...extra });
}

const HI = piece({ content: 'Hi' });
const STOP = piece({}, 'stop');

describe('the cap on the output', () => {
  test.each([
    ['openai', 'gpt-4o', { max_tokens: 9 }, { max_tokens: 9 }],
    ['openai', 'gpt-5-mini', { max_tokens: 9 }, { max_completion_tokens: 9 }],
    ['openai', 'o3', { max_tokens: 9 }, { max_completion_tokens: 9 }],
    ['openai', 'o3', { max_tokens: 9, max_completion_tokens: 7 }, { max_completion_tokens: 7 }],
    ['openai', 'o3', { max_tokens: null }, { max_tokens: null }],
    ['azure-openai', 'my-deployment', { max_tokens: 9 }, { max_tokens: 9 }],
    ['groq', 'm', { max_tokens: 9 }, { max_completion_tokens: 9 }],
    ['cerebras', 'm', { max_tokens: 9 }, { max_completion_tokens: 9 }],
    ['deepseek', 'm', { max_completion_tokens: 9 }, { max_tokens: 9 }],
    ['together', 'm', { max_completion_tokens: 9 }, { max_tokens: 9 }],
    ['fireworks', 'm', { max_completion_tokens: 9 }, { max_tokens: 9 }],
    ['perplexity', 'm', { max_completion_tokens: 9 }, { max_tokens: 9 }],
    ['ollama', 'm', { max_completion_tokens: 9 }, { max_tokens: 9 }],
    ['lm-studio', 'm', { max_completion_tokens: 9 }, { max_tokens: 9 }],
    ['openrouter', 'm', { max_completion_tokens: 9 }, { max_completion_tokens: 9 }],
    ['xai', 'm', { max_tokens: 9 }, { max_tokens: 9 }],
    ['vllm', 'm', { max_completion_tokens: 9 }, { max_completion_tokens: 9 }],
    ['openai-compatible', 'm', { max_tokens: 9 }, { max_tokens: 9 }],
  ])('goes to %s for %s under a name that it knows: %j', async (...[type, model, body, expected]) => {
    expect(await asked(type, body, model)).toEqual(expected);
  });
});

describe('log probabilities', () => {
  test.each([
    [{ logprobs: true }, { logprobs: 1 }],
    [{ logprobs: true, top_logprobs: 5 }, { logprobs: 5 }],
    [{ logprobs: true, top_logprobs: 0 }, { logprobs: 1 }],
    [{ logprobs: false }, {}],
    [{ logprobs: 3 }, { logprobs: 3 }],
  ])('are a number at Together: %j', async (body, expected) => {
    expect(await asked('together', body)).toEqual(expected);
  });

  test.each(['groq', 'perplexity', 'mistral', 'lm-studio'])('are not asked of %s, which has none', async (type) => {
    const { transport, chat } = chatWith(type, { logprobs: true });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'unsupported_value' });
    expect(transport.calls).toEqual([]);
  });
});

describe('what a vendor lacks', () => {
  test('is not asked of it', async () => {
    const format = { type: 'json_schema', json_schema: { name: 'x', schema: {} } };
    const { transport, chat } = chatWith('deepseek', { response_format: format });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'unsupported_value' });
    expect(transport.calls).toEqual([]);
  });

  test.each(['groq', 'deepseek', 'openrouter', 'cerebras', 'ollama'])(
    'is made up for: %s gives one choice at a time',
    async (type) => {
      const { transport, chat } = chatWith(type, { n: 2 });
      for (const number of [1, 2]) expect((await transport.call(number)).json).not.toHaveProperty('n');
      chat.reply.leave();
      await chat.done;
      expect(transport.calls.length).toBe(2);
    },
  );

  test.each([
    ['groq', { logit_bias: { 1: 2 }, frequency_penalty: 1, service_tier: 'flex', reasoning_format: 'parsed' }],
    ['openrouter', { provider: { order: ['a'] }, transforms: [] }],
    ['fireworks', { context_length_exceeded_behavior: 'truncate' }],
    ['vllm', { guided_json: {}, chat_template_kwargs: { enable_thinking: false } }],
    ['deepseek', { thinking: { type: 'enabled' } }],
  ])('is for %s to say of fields that Sluice does not know', async (type, body) => {
    expect(await asked(type, body)).toEqual(body);
  });
});

describe('the usage of a stream', () => {
  const used = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };
  const last = (extra: object) => piece({}, 'stop', extra);

  test.each([
    [
      'groq',
      'in a place of its own beside the usual one',
      [HI, last({ x_groq: { id: 'r', usage: used }, usage: used })],
    ],
    ['groq', 'in a place of its own', [HI, last({ x_groq: { usage: used } })]],
    ['deepseek', 'with the last piece', [HI, last({ usage: { ...used, prompt_cache_hit_tokens: 0 } })]],
    ['fireworks', 'with the last piece', [HI, last({ usage: used, perf_metrics: { x: 1 } })]],
    ['openrouter', 'in an event of its own that nobody asked for', [HI, STOP, event({ choices: [], usage: used })]],
    [
      'xai',
      'on every piece',
      [piece({ content: 'Hi' }, null, { usage: { ...used, completion_tokens: 1 } }), last({ usage: used })],
    ],
    ['openai-compatible', 'on every piece', [piece({ content: 'Hi' }, null, { usage: used }), last({ usage: used })]],
  ])('comes from %s %s, and is read', async (type, _where, events) => {
    const { text, tokens } = await streamed(type, [...events, DONE]);
    expect(tokens).toMatchObject({ input: 12, output: 3 });
    expect(text).toContain('"content":"Hi"');
  });

  test('is not asked of vendors that tell it anyway', async () => {
    for (const type of ['openrouter', 'fireworks', 'xai']) {
      expect(await asked(type, { stream: true })).toEqual({ stream: true });
    }
    expect(await asked('groq', { stream: true })).toMatchObject({ stream_options: { include_usage: true } });
  });

  test('has the reasoning of xAI added, for the client as for the books', async () => {
    const usage = { prompt_tokens: 12, completion_tokens: 3, completion_tokens_details: { reasoning_tokens: 40 } };
    const asking = { stream_options: { include_usage: true } };
    const { text, tokens } = await streamed('xai', [HI, STOP, event({ choices: [], usage }), DONE], asking);
    expect(text).toBe(HI + STOP + event({ choices: [], usage: { ...usage, completion_tokens: 43 } }) + DONE);
    expect(tokens).toMatchObject({ output: 43 });
    const answer = await whole('xai', { id: 'c', choices: [], usage });
    expect(answer.json).toMatchObject({ usage: { completion_tokens: 43 } });
    expect(answer.tokens).toMatchObject({ output: 43 });
  });
});

describe('why an answer ended', () => {
  test("is told in OpenAI's words where Together has its own", async () => {
    const end = piece({}, 'eos');
    expect((await streamed('together', [HI, end, DONE])).text).toBe(HI + STOP + DONE);
    const answer = await whole('together', { id: 'c', choices: [{ index: 0, message: {}, finish_reason: 'eos' }] });
    expect(answer.json).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
  });

  test.each([
    ['deepseek', 'insufficient_system_resource'],
    ['openrouter', 'error'],
  ])('stays as %s says it where OpenAI has no word: %s', async (type, reason) => {
    const end = piece({}, reason, { native_finish_reason: 'x' });
    expect((await streamed(type, [HI, end, DONE])).text).toBe(HI + end + DONE);
  });
});

describe('calls of tools', () => {
  const call = (fields: object, name?: string) => ({
    ...fields,
    function: { ...(name === undefined ? {} : { name }), arguments: '{}' },
  });
  const calls = (...all: object[]) => piece({ tool_calls: all });

  test.each<[string, readonly string[], readonly object[]]>([
    ['no index', [calls(call({ id: 'a', type: 'function' }, 'f'))], [{ index: 0, id: 'a' }]],
    ['null for an index', [calls(call({ index: null, id: 'a' }, 'f'))], [{ index: 0, id: 'a', type: 'function' }]],
    ['an empty id', [calls(call({ id: '' }, 'f'))], [{ index: 0, id: 'call_c1_0' }]],
    [
      'no index, two at once',
      [calls(call({ id: 'a' }, 'f'), call({ id: 'b' }, 'g'))],
      [
        { index: 0, id: 'a' },
        { index: 1, id: 'b' },
      ],
    ],
    [
      'no index, one after the other and in pieces',
      [calls(call({ id: 'a' }, 'f')), calls(call({})), calls(call({ id: 'b' }, 'g')), calls(call({ id: 'a' }))],
      [{ index: 0, id: 'a' }, { index: 0 }, { index: 1, id: 'b' }, { index: 0, id: 'a' }],
    ],
    [
      'nothing but names',
      [calls(call({}, 'f')), calls(call({}, 'g'))],
      [
        { index: 0, id: 'call_c1_0' },
        { index: 1, id: 'call_c1_1' },
      ],
    ],
  ])('that come with %s are put in their places', async (_name, events, expected) => {
    const { text } = await streamed('openai-compatible', [...events, piece({}, 'stop'), DONE]);
    const chunks = text.split('\n\n').filter((each) => each.includes('choices'));
    const got = chunks.flatMap((chunk) => {
      const { choices } = JSON.parse(chunk.slice(6)) as { choices: [{ delta: { tool_calls?: object[] } }] };
      return choices[0].delta.tool_calls ?? [];
    });
    expect(got).toMatchObject(expected);
    expect(chunks.at(-1)).toContain('"finish_reason":"tool_calls"');
    expect(text.endsWith(DONE)).toBe(true);
  });

  test('that are right pass as they are', async () => {
    const right = [
      calls({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }),
      calls({ index: 0, function: { arguments: '{}' } }),
      piece({ tool_calls: [] }),
      piece({ tool_calls: ['odd'] }),
      piece({}, 'tool_calls'),
    ];
    expect((await streamed('openai-compatible', [...right, DONE])).text).toBe([...right, DONE].join(''));
  });

  test('without ids get some in a whole answer too', async () => {
    const message = { role: 'assistant', tool_calls: [call({ id: '' }, 'f'), call({ id: 'b' }, 'g'), 'odd'] };
    const answer = await whole('openai-compatible', { id: 'c', choices: [{ message, finish_reason: 'stop' }, 'odd'] });
    expect(answer.json).toMatchObject({
      choices: [
        { message: { tool_calls: [{ id: 'call_c_0' }, { id: 'b' }, 'odd'] }, finish_reason: 'tool_calls' },
        'odd',
      ],
    });
  });

  test('carry what only their vendor understands', async () => {
    const signed = { id: 'a', extra_content: { google: { thought_signature: 'sig' } } };
    const { text } = await streamed('openai-compatible', [calls(call(signed, 'f')), STOP, DONE]);
    expect(text).toContain('"thought_signature":"sig"');
  });
});

describe('a whole answer with nothing wrong', () => {
  test.each(['openai-compatible', 'together', 'xai'])('of %s passes byte for byte', async (type) => {
    const { transport, chat } = chatWith(type, {});
    const text =
      '{ "id":"c", "seed": 12345678901234567890, "choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}';
    (await transport.call()).answer(text);
    await chat.done;
    expect(chat.reply.text).toBe(text);
  });
});

describe('a stream', () => {
  test.each([
    ['openrouter', ': OPENROUTER PROCESSING\n\n'],
    ['deepseek', ': keep-alive\n\n'],
  ])('of %s has not begun while comments come', async (type, comment) => {
    const { transport, chat } = chatWith(type, { stream: true });
    const call = (await transport.call()).stream().data(comment).data(comment);
    expect(chat.reply.status).toBeNull();
    call.data(HI).data(STOP).data(DONE).end();
    await chat.done;
    expect(chat.reply.text).toBe(HI + STOP + DONE);
  });

  test('brings reasoning by the name that its vendor has for it', async () => {
    for (const [type, name] of [
      ['deepseek', 'reasoning_content'],
      ['groq', 'reasoning'],
      ['openrouter', 'reasoning'],
      ['vllm', 'reasoning_content'],
    ] as const) {
      const thought = piece({ [name]: 'Hm.' });
      expect((await streamed(type, [thought, HI, STOP, DONE])).text).toBe(thought + HI + STOP + DONE);
    }
  });

  test('that breaks off is told from one that ended, repaired or not', async () => {
    for (const type of ['openai', 'openai-compatible', 'together', 'xai']) {
      const { text } = await streamed(type, [HI]);
      expect(text).toContain('"code":"upstream_error"');
      expect(text).not.toContain(DONE);
    }
  });
});

describe('an error inside a success', () => {
  test('of OpenRouter is none to its client', async () => {
    const error = { code: 502, message: 'Provider returned error', metadata: { provider_name: 'x' } };
    expect((await whole('openrouter', { error })).error).toMatchObject({ code: 'upstream_error' });
    expect((await streamed('openrouter', [event({ id: 'c', choices: [], error })])).error).toMatchObject({
      code: 'upstream_error',
    });
  });

  test('in a list, as of Google, is found', async () => {
    const { transport, chat } = chatWith('openai-compatible', {});
    const refusal = [{ error: { code: 400, message: 'Wrong.', status: 'INVALID_ARGUMENT' } }];
    (await transport.call()).answer(refusal, 400);
    await chat.done;
    expect(chat.error).toMatchObject({ details: { verdict: { body: { error: { message: 'Wrong.', code: null } } } } });
  });
});
