import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nanoUsdFor, toUsd } from '../../src/money.ts';
import { seededRandom } from '../scheduler/simulation/random.ts';
import { startProcess } from '../support/sluice-process.ts';
import { CHAT, KEYS, pause, provider, startSimulator } from '../system/world.ts';

const CLIENT_KEY = 'sk-client-of-this-test';
const HEADERS = { 'content-type': 'application/json', authorization: `Bearer ${CLIENT_KEY}` };
const LIVES = 3;
const LIMIT_USD = 100;

/** Longer than a write of the books takes. No model answers sooner. */
const ANSWER_MS = 250;

test('kill -9 at any moment forgets nothing that a client has spent', { timeout: 120_000 }, async () => {
  const organizations = [{ keys: [{ name: 'good', key: KEYS.good }] }];
  await using vendor = await startSimulator({ organizations, answer: { firstByteMs: ANSWER_MS } });
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kill-budget-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = {
    server: { port: 0 },
    state: { file: 'state.json' },
    log: { level: 'warn', format: 'json' },
    clients: [{ name: 'web', key: CLIENT_KEY, budget: { usd: LIMIT_USD, per: 'total' } }],
    providers: [provider(vendor.url, [{ name: 'good', key: KEYS.good }])],
    models: [{ name: 'gpt-4o', targets: [{ provider: 'sim', price: { input: 1_000, output: 1_000 } }] }],
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));

  const random = seededRandom(4);
  let answeredUsd = 0;
  const call = async (url: string): Promise<void> => {
    const usd = await costOf(url);
    answeredUsd += usd;
  };
  for (let life = 0; life < LIVES; life += 1) {
    const sluice = await startProcess(folder);
    expect(await spentAt(sluice.url)).toBeGreaterThanOrEqual(answeredUsd);
    const end = performance.now() + 300 + random() * 2_500;
    const calls: Promise<void>[] = [];
    while (performance.now() < end) {
      calls.push(call(sluice.url));
      await pause(random() * 120);
    }
    await sluice.kill();
    await Promise.all(calls);
  }
  const last = await startProcess(folder);
  const spentUsd = await spentAt(last.url);
  await last.kill();
  if (process.env['SIM']) console.log('spent', { answeredUsd, spentUsd });
  expect(answeredUsd).toBeGreaterThan(0);
  expect(spentUsd).toBeGreaterThanOrEqual(answeredUsd);
  // What was in flight or waited is taken to have been spent, and about as much again as came lately; not all there is.
  expect(spentUsd).toBeLessThan(LIMIT_USD);
});

async function spentAt(url: string): Promise<number> {
  const { budget } = JSON.parse(await (await fetch(`${url}/queue`, { headers: HEADERS })).text()) as {
    readonly budget: { readonly spentUsd: number };
  };
  return budget.spentUsd;
}

/** What the client has got for its money; nothing where the connection broke. */
async function costOf(url: string): Promise<number> {
  try {
    const body = JSON.stringify({ ...CHAT, max_tokens: 24 });
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: HEADERS, body });
    const { usage } = JSON.parse(await response.text()) as {
      readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
    };
    if (!usage) return 0;
    const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage;
    const price = { input: 1_000, cachedInput: 1_000, output: 1_000 };
    return toUsd(nanoUsdFor({ inputTokens, cachedInputTokens: 0, outputTokens }, price));
  } catch {
    return 0;
  }
}
