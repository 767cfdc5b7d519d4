import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/providers/gemini/gemini.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';
import { bytesOf } from '../contract-drive.ts';

function setUp(model = 'gemini-2.5-flash') {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const target = { provider: gemini, keys: ['first', 'second'], changes: { model } };
  return { bench: new ProxyBench({ clock, transport, targets: [target] }), transport };
}

const SAID = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 2, totalTokenCount: 11 },
  responseId: 'r',
};
const OVERLOADED = { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } };

describe('a chat', () => {
  test('is asked with the key in a header, and answered in OpenAI’s format', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const call = await transport.call();
    expect(call.request.path).toBe('/v1/models/gemini-2.5-flash:generateContent');
    expect(call.request.headers).toMatchObject({ 'x-goog-api-key': 'sk-first' });
    expect(call.request.headers).not.toHaveProperty('authorization');
    call.answer(SAID);
    await chat.done;
    expect(chat.reply.json).toMatchObject({ object: 'chat.completion', choices: [{ message: { content: 'Hi' } }] });
    expect(bench.summary.tokens).toMatchObject({ input: 9, output: 2 });
  });

  test('is streamed, and its usage counted though the client did not ask', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    const call = await transport.call();
    expect(call.request.path).toContain(':streamGenerateContent?alt=sse');
    call
      .stream()
      .data(bytesOf([{ json: SAID }]))
      .end();
    await chat.done;
    expect(chat.reply.text).toMatch(/"Hi".*"stop".*\[DONE\]\n\n$/s);
    expect(chat.reply.text).not.toContain('usage');
    expect(bench.summary.tokens).toMatchObject({ input: 9, output: 2 });
  });

  test('that fails in its first event is given to another key', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call())
      .stream()
      .data(bytesOf([{ json: OVERLOADED }]))
      .end();
    const again = await transport.call(2);
    expect(again.request.headers).toMatchObject({ 'x-goog-api-key': 'sk-second' });
    again
      .stream()
      .data(bytesOf([{ json: SAID }]))
      .end();
    await chat.done;
    expect(chat.reply.text).toContain('[DONE]');
  });

  test('whose stream ends without a reason has failed', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    const cut = { candidates: [{ content: { parts: [{ text: 'H' }] }, index: 0 }] };
    (await transport.call())
      .stream()
      .data(bytesOf([{ json: cut }]))
      .end();
    await chat.done;
    expect(chat.reply.text).toMatch(/"error"/);
    expect(chat.reply.text).not.toContain('[DONE]');
  });

  test('of a day that is gone goes to another key, and the first one rests', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const violations = [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', quotaValue: '20' }];
    const details = [{ violations }, { retryDelay: '1s' }];
    const error = { code: 429, message: 'quota', status: 'RESOURCE_EXHAUSTED', details };
    (await transport.call()).answer({ error }, 429);
    (await transport.call(2)).answer(SAID);
    await chat.done;
    expect(bench.routes[0]?.quotas[0].restReason).toBe('exhausted');
    expect(chat.reply.json).toMatchObject({ choices: [{ message: { content: 'Hi' } }] });
  });

  test('that asks for what the model can’t do is refused before anything is sent', async () => {
    const { bench, transport } = setUp();
    const tools = [{ type: 'function', function: { name: 'look' } }];
    const chat = bench.chat({ tools, response_format: { type: 'json_object' } });
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'unsupported_value', details: { param: 'response_format' } });
    expect(transport.calls).toEqual([]);
  });
});

describe('an embedding', () => {
  const VECTORS = { embeddings: [{ values: [1, -0.5] }, { values: [0, 0.25] }] };
  const embed = async (body: object, answer: object = VECTORS) => {
    const { bench, transport } = setUp('gemini-embedding-001');
    const request = bench.chat(body, { operation: 'embeddings' });
    const call = await transport.call();
    call.answer(answer);
    await request.done;
    return { call, reply: request.reply };
  };

  test('of several texts is one request for each, in one call', async () => {
    const body = { input: ['a', 'b'], dimensions: 2, encoding_format: 'float', user: 'u', task_type: 'CLUSTERING' };
    const { call, reply } = await embed(body);
    expect(call.request.path).toBe('/v1/models/gemini-embedding-001:batchEmbedContents');
    const common = { model: 'models/gemini-embedding-001', outputDimensionality: 2, taskType: 'CLUSTERING' };
    expect(call.json).toEqual({
      requests: ['a', 'b'].map((text) => ({ ...common, content: { parts: [{ text }] } })),
    });
    expect(reply.headers).toMatchObject({ 'x-sluice-dropped': 'user' });
    expect(reply.json).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [1, -0.5] },
        { object: 'embedding', index: 1, embedding: [0, 0.25] },
      ],
      model: 'gemini-embedding-001',
      // Nobody said, so it is what was estimated.
      usage: { prompt_tokens: 10, total_tokens: 10 },
    });
  });

  test('of one text may be asked for in base64, and says what the vendor counted', async () => {
    const { call, reply } = await embed(
      { input: 'a', encoding_format: 'base64' },
      { embeddings: [{ values: [1, -0.5] }], usageMetadata: { promptTokenCount: 3 } },
    );
    expect(call.json).toEqual({
      requests: [{ model: 'models/gemini-embedding-001', content: { parts: [{ text: 'a' }] } }],
    });
    expect(reply.json).toMatchObject({ data: [{ embedding: 'AACAPwAAAL8=' }], usage: { prompt_tokens: 3 } });
  });

  test.each([
    ['token ids', [1, 2]],
    ['lists of token ids', [[1, 2], [3]]],
    ['texts and token ids', ['a', [1]]],
    ['more texts than the vendor takes', Array.from({ length: 101 }, () => 'a')],
  ])('of %s is refused by name', async (_what, input) => {
    const { bench, transport } = setUp('gemini-embedding-001');
    const request = bench.chat({ input }, { operation: 'embeddings' });
    await request.done;
    expect(request.error).toMatchObject({ code: 'unsupported_value', details: { param: 'input' } });
    expect(transport.calls).toEqual([]);
  });
});
