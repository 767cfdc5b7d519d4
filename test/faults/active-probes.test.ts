import { expect, onTestFinished, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { configOf } from '../config/load.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { answer, ScriptedUpstream } from '../support/scripted-upstream.ts';

test('a server that nobody uses is asked over the network, and a probe under way ends with the process', async () => {
  const upstream = await ScriptedUpstream.listen((exchange) => {
    if (upstream.exchanges.length === 1) void exchange.write(answer('{"object":"list","data":[]}'));
  });
  onTestFinished(() => upstream.close());
  const config = configOf(`
server: { port: 0 }
state: { file: none }
providers: [{ type: vllm, base_url: "${upstream.origin}/v1", keys: [k], probe: { interval: 10s } }]
models: [{ name: m, targets: [{ provider: vllm }] }]
`);
  const clock = new FakeClock();
  const app = await createApp(config, { clock, logStream: { write: () => true }, version: '1.2.3', env: {} });
  clock.advance(11_000);
  const first = await upstream.exchange(1);
  expect(first).toMatchObject({ method: 'GET', target: '/v1/models' });
  expect(first.headers.get('authorization')).toBe('Bearer k');
  // The answer is on its way: the next interval begins when it has come.
  while (upstream.exchanges.length < 2) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
  }
  const { gone } = await upstream.exchange(2);
  await app.closeNow();
  await gone;
  expect(app.openLeases).toBe(0);
});
