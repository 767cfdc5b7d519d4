import { expect, test } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';
import { bytesOf } from '../contract-drive.ts';
import { provider } from '../read-fixtures.ts';
import { said } from './openai-contract.ts';

const OUT_OF_ORDER = {
  message: 'EngineCore encountered an issue.',
  type: 'InternalServerError',
  param: null,
  code: 500,
};

/** How servers break off a stream that they have not begun to fill yet. */
const BROKEN = [
  [
    'vllm',
    'an error, and the usual end behind it',
    `data: ${JSON.stringify({ error: OUT_OF_ORDER })}\n\ndata: [DONE]\n\n`,
  ],
  ['llama-cpp', 'a field that no parser of events knows', `error: ${JSON.stringify(OUT_OF_ORDER)}\n\n`],
  ['openrouter', 'an error beside an empty choice', brokenChunk()],
] as const;

test.each(BROKEN)('%s breaks off by %s, and another key is asked', async (type, _way, body) => {
  const transport = new ScriptedTransport();
  const targets = [{ provider: provider(type), keys: ['first', 'second'] }];
  const bench = new ProxyBench({ clock: new FakeClock(), transport, targets });
  const chat = bench.chat({ stream: true });
  (await transport.call()).stream().data(Buffer.from(body)).end();
  (await transport.call(2))
    .stream()
    .data(bytesOf(said({ content: 'Hi there' }).stream))
    .end();
  await chat.done;
  expect(chat.reply.text).toMatch(/"there".*\[DONE\]\n\n$/s);
  expect(chat.reply.text).not.toContain('InternalServerError');
});

function brokenChunk(): string {
  const choices = [{ index: 0, delta: { content: '' }, finish_reason: 'error' }];
  return `data: ${JSON.stringify({ id: 'gen-1', choices, error: { code: 502, message: 'Provider disconnected' } })}\n\n`;
}
