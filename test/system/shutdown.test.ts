import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { CHAT, KEYS, provider, type Sluice, startSimulator, startSluice, until } from './world.ts';

const keys = [{ name: 'good', key: KEYS.good }];

function chat(fields: object): string {
  return RawClient.post('/v1/chat/completions', { ...CHAT, ...fields });
}

async function client(sluice: Sluice, bytes: string): Promise<RawClient> {
  const made = await RawClient.connect(Number(new URL(sluice.url).port));
  await made.send(bytes);
  return made;
}

test('an end in the middle of everything keeps to its grace, and gives everyone last words', async () => {
  const organizations = [{ keys }];
  await using slow = await startSimulator({ organizations, answer: { tokensPerSecond: 20, outputTokens: 1_000 } });
  await using endless = await startSimulator({ organizations, answer: { outputTokens: 400_000 } });
  const sluice = await startSluice({
    server: { port: 0, shutdown_grace: '1s' },
    providers: [
      provider(slow.url, keys),
      { ...provider(slow.url, keys, { limits: { concurrency: 1 } }), name: 'narrow' },
      { ...provider(endless.url, keys), name: 'endless' },
    ],
    models: ['sim', 'narrow', 'endless'].map((name) => ({ name, targets: [{ provider: name, model: 'gpt-4o' }] })),
  });
  const streaming = await client(sluice, chat({ model: 'sim', stream: true }));
  await streaming.until((text) => text.includes('"content"'));
  const whole = await client(sluice, chat({ model: 'sim' }));
  const holder = await client(sluice, chat({ model: 'narrow', stream: true }));
  await holder.until((text) => text.includes('"content"'));
  const queued = await client(sluice, chat({ model: 'narrow' }));
  const queuedStream = await client(sluice, chat({ model: 'narrow', stream: true }));
  const uploading = await client(sluice, chat({ model: 'sim' }).slice(0, -20));
  const inHead = await client(sluice, 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n');
  const idle = await client(sluice, 'GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
  const paused = await client(sluice, chat({ model: 'endless', stream: true }));
  await paused.until((text) => text.includes('"content"'));
  paused.stopReading();
  await until(async () => (await sluice.queue()).models.reduce((sum, { waiting }) => sum + waiting, 0) === 2);

  await sluice.app.close();

  expect(sluice.app.openLeases).toBe(0);
  // The upload that was cut off is told of in the next turn.
  await until(() => sluice.app.heldBodyBytes === 0);
  for (const each of [streaming, holder]) {
    const text = await each.rest();
    expect(text).toContain('"code":"shutting_down"');
    // The last chunk of the body: it has ended, and was not cut.
    expect(text).toMatch(/0\r\n\r\n$/);
  }
  expect(await whole.rest()).toMatch(/^HTTP\/1.1 503 .*"code":"shutting_down"/s);
  for (const each of [queued, queuedStream]) expect(await each.rest()).toMatch(/^HTTP\/1.1 503 .*shutting_down/s);
  for (const each of [uploading, inHead, idle, paused]) {
    each.readOn();
    await each.rest();
  }
  await until(() => slow.simulator.ledger().inFlight + endless.simulator.ledger().inFlight === 0);
  await expect(fetch(`${sluice.url}/health`)).rejects.toThrow();
});

const SPOILT_STATES: readonly ((good: string) => string)[] = [
  () => '',
  () => 'null',
  () => '[]',
  () => '{}',
  (good) => good.slice(0, -10),
  (good) => good.replaceAll(/\d+/g, '-1'),
  (good) => good.replaceAll(/\d+(\.\d+)?/g, '1e308'),
  (good) => good.replaceAll(/\d+(\.\d+)?/g, 'null'),
  (good) => good.replaceAll(/\d+(\.\d+)?/g, '"x"'),
  (good) => good.replaceAll('[', '{"a":[').replaceAll(']', ']}'),
  (good) => good.replaceAll('"tokens"', '"__proto__"').replaceAll('"requests"', '"nothing"'),
];

test('whatever stands in the state file, the server starts and serves', async () => {
  await using vendor = await startSimulator({ organizations: [{ keys }] });
  const folder = await mkdtemp(join(tmpdir(), 'books-'));
  const file = join(folder, 'state.json');
  const config = {
    state: { file },
    defaults: { queue: { max_wait: '2s' } },
    providers: [provider(vendor.url, keys, { limits: { rpm: 600, tpm: 100_000, rpd: 10_000 } })],
  };
  const first = await startSluice(config);
  expect((await first.chat()).status).toBe(200);
  await first.app.close();
  const good = await readFile(file, 'utf8');
  for (const [index, spoil] of SPOILT_STATES.entries()) {
    await writeFile(file, spoil(good));
    const sluice = await startSluice(config);
    const answer = await sluice.chat();
    await sluice.app.close();
    expect(answer.status, `${index}: ${answer.text} after ${spoil(good)}`).toBe(200);
  }
  await rm(folder, { recursive: true });
});
