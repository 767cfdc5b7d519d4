import { describe, expect, test } from 'vitest';
import { mistral } from '../../../src/providers/mistral/mistral.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';
import { startSimulator, startSluice } from '../../system/world.ts';
import { bytesOf } from '../contract-drive.ts';
import { answer, broken } from './chats.ts';

function setUp() {
  const transport = new ScriptedTransport();
  const target = { provider: mistral, keys: ['first', 'second'], changes: { model: 'mistral-small-latest' } };
  return { bench: new ProxyBench({ clock: new FakeClock(), transport, targets: [target] }), transport };
}

const SAID = answer({ content: 'Hi' });

describe('a chat', () => {
  test('is sent without a field that the vendor does not know', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true, stream_options: { include_usage: true }, user: 'u', logprobs: false });
    const call = await transport.call();
    expect(Object.keys(call.json as object).sort()).toEqual(['messages', 'model', 'stream']);
    call.stream().data(bytesOf(SAID.stream)).end();
    await chat.done;
    expect(chat.reply.text).toMatch(/"content":"Hi".*"usage":\{"prompt_tokens":30.*\[DONE\]\n\n$/s);
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-dropped': 'user' });
  });

  test('that broke off before it has said anything is given to another key', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call())
      .stream()
      .data(bytesOf([{ json: broken() }]))
      .end();
    (await transport.call(2)).stream().data(bytesOf(SAID.stream)).end();
    await chat.done;
    expect(chat.reply.text).toMatch(/"content":"Hi".*\[DONE\]\n\n$/s);
    expect(bench.summary.tokens).toMatchObject({ input: 30, output: 20 });
  });

  test('of a model that the plan leaves out goes to another key', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const refusal = { object: 'error', message: 'Rate limit exceeded', type: 'rate_limited', code: '1300' };
    (await transport.call()).answer(refusal, 429, { 'x-ratelimit-limit-req-minute': '0' });
    (await transport.call(2)).answer(SAID.whole);
    await chat.done;
    expect(chat.reply.json).toMatchObject({ choices: [{ message: { content: 'Hi' } }] });
    expect(bench.routes[0]?.isModelClosed).toBe(true);
  });
});

test('vectors come from the simulated vendor as OpenAI’s clients read them', async () => {
  const organizations = [{ keys: ['sk-sim'] }];
  await using simulator = await startSimulator({ vendor: 'mistral', models: ['mistral-embed'], organizations });
  const provider = { name: 'sim', type: 'mistral', base_url: `${simulator.url}/v1`, keys: ['sk-sim'] };
  await using sluice = await startSluice({
    providers: [provider],
    models: [{ name: 'mistral-embed', targets: [{ provider: 'sim' }] }],
  });
  const response = await fetch(`${sluice.url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mistral-embed', input: ['a', 'b'], encoding_format: 'base64' }),
  });
  const list = (await response.json()) as { data: { embedding: string }[] };
  expect(list).toMatchObject({ object: 'list', usage: { prompt_tokens: expect.any(Number) } });
  expect(list.data.map(({ embedding }) => typeof embedding)).toEqual(['string', 'string']);
});
