import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { responsesDoor } from '../../../src/proxy/doors/responses.ts';
import { provider } from '../../providers/read-fixtures.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

const ANSWER = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  error: null,
  output: [{ type: 'message', id: 'msg_1', content: [{ type: 'output_text', text: 'Hi there' }] }],
  usage: { input_tokens: 12, input_tokens_details: { cached_tokens: 4 }, output_tokens: 3, total_tokens: 15 },
};

function named(type: string, fields: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const CREATED = named('response.created', { response: { ...ANSWER, status: 'in_progress', usage: null, output: [] } });
const ITEM = named('response.output_item.added', { item: { type: 'message', content: [] } });
const HI = named('response.output_text.delta', { delta: 'Hi ' });
const THERE = named('response.output_text.delta', { delta: 'there' });
const TEXT_DONE = named('response.output_text.done', { text: 'Hi there' });
const COMPLETED = named('response.completed', { response: ANSWER });

interface Options {
  readonly type?: string;
  readonly attempts?: number;
}

function setUp({ type = 'openai', attempts = 1 }: Options = {}) {
  const transport = new ScriptedTransport();
  const clock = new FakeClock();
  const keys = ['first', 'second'];
  const targets = [{ provider: provider(type), keys }];
  const bench = new ProxyBench({ clock, transport, settings: { attempts }, targets });
  const respond = (body: object) => bench.chat({ input: 'Hello', ...body }, { operation: 'responses' });
  return { bench, transport, clock, respond };
}

/** Lets the pause before another attempt pass. */
async function nextCall({ transport, clock }: ReturnType<typeof setUp>, number: number) {
  await setImmediate();
  clock.advance(10_000);
  return transport.call(number);
}

describe('a response', () => {
  test('is asked for with every byte but the name of the model, and comes back as it is', async () => {
    const { bench, transport, respond } = setUp();
    const body = { max_output_tokens: 64, reasoning: { effort: 'low' }, store: false };
    const request = respond(body);
    const call = await transport.call();
    expect(call.request.path).toBe('/v1/responses');
    expect(call.json).toEqual({ model: 'gpt-upstream', input: 'Hello', ...body });
    expect(bench.booked(0, 1)).toBe(11 + 64);
    call.answer(ANSWER);
    await request.done;
    expect(request.reply.json).toEqual(ANSWER);
    expect(bench.summary.tokens).toMatchObject({ input: 12, cachedInput: 4, output: 3 });
  });

  test('that goes on from one that the upstream keeps teaches nothing of how it counts', async () => {
    const { bench, transport, respond } = setUp();
    const counted = { ...ANSWER, usage: { ...ANSWER.usage, input_tokens: 5_000 } };
    const correction = () => bench.calibration.correction('acme', 'gpt-upstream');
    const request = respond({ previous_response_id: 'resp_0' });
    (await transport.call(1)).answer(counted);
    await request.done;
    expect(correction().answers).toBe(0);
    const other = respond({});
    (await transport.call(2)).answer(counted);
    await other.done;
    expect(correction().answers).toBe(1);
  });

  test('that failed is a failure, whatever its status', async () => {
    const world = setUp({ attempts: 2 });
    const request = world.respond({});
    (await world.transport.call(1)).answer({
      ...ANSWER,
      status: 'failed',
      error: { code: 'server_error', message: 'Oh.' },
    });
    (await nextCall(world, 2)).answer(ANSWER);
    await request.done;
    expect(request.reply.json).toEqual(ANSWER);
  });

  test('is not asked of what has no such endpoint', async () => {
    const { transport, respond } = setUp({ type: 'together' });
    const request = respond({});
    await request.done;
    expect(request.error).toMatchObject({
      code: 'unsupported_value',
      message: expect.stringContaining('Responses API'),
    });
    expect(transport.calls).toEqual([]);
  });
});

describe('an endpoint that a server does not have', () => {
  test.each([404, 405, 501])('is told by name for a %d, and the server stays in service for chats', async (status) => {
    const { bench, transport, respond } = setUp({ type: 'vllm' });
    for (let number = 1; number <= 12; number += 1) {
      const request = respond({ top_p: number / 100 });
      (await transport.call(number)).answer(status === 404 ? { detail: 'Not Found' } : '<h1>No</h1>', status);
      await request.done;
      const error = { code: 'unsupported_value', param: 'model' };
      expect(request.error).toMatchObject({ details: { verdict: { body: { error } } } });
    }
    expect(bench.routes.map((route) => route.status(0).kind)).toEqual(['ready', 'ready']);
  });

  test('is not what an unknown model is taken for', async () => {
    const { bench, transport, respond } = setUp({ attempts: 2 });
    const request = respond({});
    (await transport.call()).answer({ error: { message: 'No.', code: 'model_not_found' } }, 404);
    await transport.call(2);
    expect(bench.routes[0]?.status(0)).toMatchObject({ kind: 'disabled' });
    request.reply.leave();
  });
});

describe('a streamed response', () => {
  test('passes byte for byte from its first output to its last event, which tells the usage', async () => {
    const { bench, transport, respond } = setUp();
    const request = respond({ stream: true });
    const call = await transport.call();
    expect(call.json).not.toHaveProperty('stream_options');
    call.stream().data(CREATED).data(ITEM);
    expect(request.reply.status).toBeNull();
    call.data(HI);
    expect(request.reply.text).toBe(CREATED + ITEM + HI);
    call.data(THERE).data(TEXT_DONE).data(COMPLETED);
    expect(request.reply.isEnded).toBe(true);
    call.end();
    await request.done;
    expect(request.reply.text).toBe(CREATED + ITEM + HI + THERE + TEXT_DONE + COMPLETED);
    expect(bench.summary.tokens).toMatchObject({ input: 12, cachedInput: 4, output: 3 });
  });

  test('that was cut short by its cap is whole', async () => {
    const { transport, respond } = setUp();
    const request = respond({ stream: true });
    const last = named('response.incomplete', { response: { ...ANSWER, status: 'incomplete' } });
    (await transport.call()).stream().data(CREATED).data(HI).data(last).end();
    await request.done;
    expect(request.error).toBeNull();
    expect(request.reply.text).toBe(CREATED + HI + last);
  });

  test('without names of events is understood by their types, and may end as chats do', async () => {
    const { bench, transport, respond } = setUp();
    const request = respond({ stream: true });
    const plain = [CREATED, HI, COMPLETED].map((event) => event.replace(/^event:.*\n/, ''));
    const call = (await transport.call()).stream();
    for (const event of plain) call.data(event);
    call.data('data: [DONE]\n\n').end();
    await request.done;
    expect(request.reply.text).toBe(plain.join(''));
    expect(bench.summary.tokens).toMatchObject({ output: 3 });
  });

  test.each([
    ['response.failed', { response: { error: { code: 'server_error', message: 'The model broke.' } } }],
    ['response.failed', { response: {} }],
    ['error', { code: 'server_error', message: 'The model broke.', param: null }],
    ['error', { error: { type: 'server_error', message: 'The model broke.' } }],
  ])('that begins with %s is tried again', async (type, fields) => {
    const world = setUp({ attempts: 2 });
    const request = world.respond({ stream: true });
    (await world.transport.call(1)).stream().data(CREATED).data(named(type, fields)).end();
    (await nextCall(world, 2)).stream().data(CREATED).data(HI).data(COMPLETED).end();
    await request.done;
    expect(request.reply.text).toBe(CREATED + HI + COMPLETED);
  });

  test('that breaks off ends with an error of its own format', async () => {
    const { bench, transport, clock, respond } = setUp();
    const request = respond({ stream: true });
    (await transport.call()).stream().data(CREATED).data(HI).data(THERE).data(TEXT_DONE).end();
    await request.done;
    const [, last = ''] = request.reply.text.split(TEXT_DONE);
    expect(last).toMatch(/^event: error\ndata: .*\n\n$/);
    const event = JSON.parse(last.slice(last.indexOf('{'))) as { error: object };
    expect(event).toMatchObject({
      type: 'error',
      sequence_number: 0,
      param: null,
      ...{ error: { type: 'server_error' } },
    });
    expect(event).toMatchObject({ message: expect.stringContaining('Request id: req_1') });
    clock.advance(1_000);
    // Ten of input and two pieces of output: the whole text came a second time, and counts once.
    expect(bench.booked(0, 1)).toBe(10 + 2);
  });

  test('of which a delta is empty has not begun', async () => {
    const { transport, respond } = setUp();
    const request = respond({ stream: true });
    const call = (await transport.call())
      .stream()
      .data(CREATED)
      .data(named('response.output_text.delta', { delta: '' }));
    expect(request.reply.status).toBeNull();
    call.data(': comment\n\n').data(HI).data(COMPLETED).end();
    await request.done;
    expect(request.reply.status).toBe(200);
  });

  test('that is no JSON, or ends with nothing, is a failure', async () => {
    for (const junk of ['data: oops\n\n', 'data: [DONE]\n\n']) {
      const { transport, respond } = setUp();
      const request = respond({ stream: true });
      (await transport.call()).stream().data(CREATED).data(junk).end();
      await request.done;
      expect(request.error).toMatchObject({ code: 'upstream_error' });
    }
  });
});

describe('what it needs of a target', () => {
  test.each([
    [{ tools: [{ type: 'web_search' }] }, ['tools']],
    [{ tools: [] }, []],
    [{ text: { format: { type: 'json_schema', name: 'x', schema: {} } } }, ['json_schema']],
    [{ text: { format: { type: 'text' } } }, []],
    [{ top_logprobs: 3 }, ['logprobs']],
    [{ include: ['message.output_text.logprobs'] }, ['logprobs']],
    [{ input: [{ role: 'user', content: [{ type: 'input_image' }, { type: 'input_image' }] }] }, ['vision']],
    [{ input: [{ type: 'function_call_output', output: [{ type: 'input_file' }] }] }, ['files']],
  ])('%j: %j', (body, needs) => {
    expect(responsesDoor.body.facts({ model: 'm', input: 'x', ...body })).toMatchObject({ needs });
  });
});

describe('its input', () => {
  test.each(['previous_response_id', 'conversation', 'prompt'])('may be left out beside %s', (name) => {
    expect(responsesDoor.body.facts({ model: 'm', [name]: 'x_1' })).toMatchObject({ needs: [] });
  });

  test.each([
    [{}, 'missing_required_parameter', 'input'],
    [{ input: 7 }, 'invalid_type', 'input'],
    [{ input: ['x'] }, 'invalid_type', 'input[0]'],
    [{ input: 'x', max_output_tokens: -1 }, 'invalid_type', 'max_output_tokens'],
    [{ input: 'x', text: 'json' }, 'invalid_type', 'text'],
    [{ input: 'x', stream: 'yes' }, 'invalid_type', 'stream'],
  ])('%j is refused', (body, code, param) => {
    expect(() => responsesDoor.body.facts(body)).toThrow(expect.objectContaining({ code, details: { param } }));
  });

  test('weighs as the chat that it stands for', () => {
    const schema = { type: 'json_schema', name: 'x', schema: {} };
    const tool = { type: 'function', name: 'f', parameters: {} };
    const { chat, knownTokens } = responsesDoor.measure({
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'Hello' },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is this?' },
            { type: 'input_image', image_url: 'https://x/y.png', detail: 'low' },
            { type: 'input_file', file_data: 'data:' },
            { type: 'input_audio', input_audio: { data: '', format: 'wav' } },
            null,
          ],
        },
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'x'.repeat(1000) },
        { type: 'function_call', name: 'f', arguments: '{}', call_id: 'c' },
        { type: 'function_call_output', call_id: 'c', output: 'done' },
        { type: 'custom_tool_call', name: 'g', input: 'in', call_id: 'd' },
        { type: 'custom_tool_call_output', call_id: 'd', output: [{ type: 'output_text', text: 'done' }] },
        { type: 'item_reference', id: 'msg_1' },
        { type: 'mcp_list_tools', tools: [] },
        'stray',
      ],
      tools: [tool],
      tool_choice: { type: 'function', name: 'f' },
      text: { format: schema },
    });
    expect(knownTokens).toBe(0);
    expect(chat).toEqual({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: 'https://x/y.png', detail: 'low' } },
            { type: 'file', file: { type: 'input_file', file_data: 'data:' } },
            { type: 'input_audio', input_audio: { data: '', format: 'wav' } },
            null,
          ],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'Hm.' }] },
        { role: 'assistant', content: null, tool_calls: [{ function: { name: 'f', arguments: '{}' } }] },
        { role: 'tool', content: 'done' },
        { role: 'assistant', content: null, tool_calls: [{ function: { name: 'g', arguments: 'in' } }] },
        { role: 'tool', content: [{ type: 'text', text: 'done' }] },
        { role: 'user', content: null },
        { role: 'tool', content: '{"type":"mcp_list_tools","tools":[]}' },
        'stray',
      ],
      tools: [tool],
      tool_choice: { function: { type: 'function', name: 'f' } },
      response_format: { json_schema: schema },
    });
  });
});
