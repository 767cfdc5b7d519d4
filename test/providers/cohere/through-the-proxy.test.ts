import { describe, expect, test } from 'vitest';
import { cohere } from '../../../src/providers/cohere/cohere.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';
import { startSimulator, startSluice } from '../../system/world.ts';
import { bytesOf } from '../contract-drive.ts';
import { answer, ending, opening } from './chats.ts';

function setUp() {
  const transport = new ScriptedTransport();
  const target = { provider: cohere, keys: ['first', 'second'], changes: { model: 'command-a-03-2025' } };
  return { bench: new ProxyBench({ clock: new FakeClock(), transport, targets: [target] }), transport };
}

const SAID = answer({ text: 'Hi' });

describe('a chat', () => {
  test('is asked with the key as a bearer token, and what was really read is counted', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ user: 'u', store: true });
    const call = await transport.call();
    expect(call.request).toMatchObject({ path: '/v1/v2/chat', headers: { authorization: 'Bearer sk-first' } });
    call.answer(SAID.whole);
    await chat.done;
    expect(chat.reply.json).toMatchObject({ object: 'chat.completion', choices: [{ message: { content: 'Hi' } }] });
    expect(chat.reply.headers).toMatchObject({ 'x-sluice-dropped': 'user, store' });
    expect(bench.summary.tokens).toMatchObject({ input: 30, output: 20 });
  });

  test('is streamed without usage, for which nobody has asked', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    const call = await transport.call();
    expect(call.json).not.toHaveProperty('stream_options');
    call.stream().data(bytesOf(SAID.stream)).end();
    await chat.done;
    expect(chat.reply.text).toMatch(/"content":"Hi".*"stop".*\[DONE\]\n\n$/s);
    expect(chat.reply.text).not.toContain('"usage":{');
    expect(bench.summary.tokens).toMatchObject({ input: 30, output: 20 });
  });

  test.each(['ERROR', 'TIMEOUT'])('that ends by %s, though with a 200, is given to another key', async (reason) => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    (await transport.call()).answer(answer({ text: 'Onc' }, reason).whole);
    (await transport.call(2)).answer(SAID.whole);
    await chat.done;
    expect(chat.reply.json).toMatchObject({ choices: [{ message: { content: 'Hi' } }] });
  });

  test('whose stream breaks off before it has said anything is given to another key', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    const broken = [opening(), ending({ finish_reason: 'ERROR' })];
    (await transport.call()).stream().data(bytesOf(broken)).end();
    (await transport.call(2)).stream().data(bytesOf(SAID.stream)).end();
    await chat.done;
    expect(chat.reply.text).toMatch(/"content":"Hi".*\[DONE\]\n\n$/s);
  });

  test('whose stream ends without its last event has failed', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat({ stream: true });
    (await transport.call())
      .stream()
      .data(bytesOf(SAID.stream.slice(0, 4)))
      .end();
    await chat.done;
    expect(chat.reply.text).toMatch(/"error"/);
    expect(chat.reply.text).not.toContain('[DONE]');
  });

  test('of a trial whose month is gone goes to another key, and the first one rests', async () => {
    const { bench, transport } = setUp();
    const chat = bench.chat();
    const message = 'You are using a Trial key, which is limited to 1000 API calls / month.';
    (await transport.call()).answer({ id: 'e0', message }, 429);
    (await transport.call(2)).answer(SAID.whole);
    await chat.done;
    expect(bench.routes[0]?.quotas[0].restReason).toBe('exhausted');
  });
});

test('vectors come from the simulated vendor as OpenAI’s clients read them', async () => {
  const organizations = [{ keys: ['sk-sim'] }];
  await using simulator = await startSimulator({ vendor: 'cohere', models: ['embed-v4.0'], organizations });
  const provider = { name: 'sim', type: 'cohere', base_url: `${simulator.url}/v2`, keys: ['sk-sim'] };
  await using sluice = await startSluice({
    providers: [provider],
    models: [{ name: 'embed-v4.0', targets: [{ provider: 'sim' }] }],
  });
  const response = await fetch(`${sluice.url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'embed-v4.0', input: ['a', 'b'], dimensions: 4, encoding_format: 'base64' }),
  });
  const list = (await response.json()) as { data: { embedding: string }[] };
  expect(list).toMatchObject({ object: 'list', usage: { prompt_tokens: expect.any(Number) } });
  expect(list.data.map(({ embedding }) => Buffer.from(embedding, 'base64').length)).toEqual([16, 16]);
});
