import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createApp } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { ROOT } from './source-imports.ts';

const docs = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

const CLIENT_KEY = 'a-client-of-this-test';
const AUTHORIZATION = { authorization: `Bearer ${CLIENT_KEY}` };

/** Sluice with one key of one request a minute, and one client with a budget; gives its URL. */
async function startNarrow(): Promise<string> {
  const organizations = [{ keys: ['sk-of-this-test'], limits: { rpm: { limit: 1, capacity: 1 } } }];
  const simulator = createSimulator({ organizations }, systemClock, () => 0.5);
  const upstream = await simulator.listen();
  const text = JSON.stringify({
    server: { port: 0, shutdown_grace: '1s' },
    log: { level: 'silent' },
    state: { file: 'none' },
    defaults: { queue: { max_wait: '5m' } },
    providers: [{ type: 'openai', base_url: `${upstream.url}/v1`, keys: ['sk-of-this-test'], limits: { rpm: 1 } }],
    clients: [{ name: 'web', key: CLIENT_KEY, budget: { usd: 1, per: 'day' } }],
    models: [{ name: 'gpt-4o', targets: [{ provider: 'openai', price: { input: 2.5, output: 10 } }] }],
  });
  const loaded = loadConfig({ text, format: 'json', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
  const logStream = { write: () => true };
  const app = await createApp(loaded.config, { clock: systemClock, logStream, version: '0.0.0', env: {} });
  const { url } = await app.listen();
  onTestFinished(async () => {
    await app.closeNow();
    await simulator.close();
  });
  return url;
}

function ask(url: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...AUTHORIZATION },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] }),
    ...(signal ? { signal } : {}),
  });
}

/** Paths of all values, such as `quotas[].limits[].unit`; a `route` is told of as a whole. */
function pathsOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, `${path}[]`));
  if (typeof value !== 'object' || value === null || path.endsWith('.route')) return [path];
  return Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, path === '' ? key : `${path}.${key}`));
}

it('docs/operations.md explains every field of /queue, and none that is not there', async () => {
  const url = await startNarrow();
  const queue = async (): Promise<Record<string, unknown[]>> => {
    const answer = await fetch(`${url}/queue`, { headers: AUTHORIZATION });
    return JSON.parse(await answer.text());
  };

  await (await ask(url)).text();
  const leaving = new AbortController();
  const waiting = ask(url, leaving.signal).catch(() => null);
  await expect.poll(async () => (await queue())['tickets']?.length).toBe(1);

  const shown = new Set(pathsOf(await queue(), ''));
  const explained = [...docs.matchAll(/^\| `((?:[a-z]+\[\]|budget)\.[A-Za-z[\].]+)` \|/gm)].map(
    ([, path = '']) => path,
  );
  expect(explained.toSorted()).toEqual([...shown].toSorted());

  leaving.abort();
  await waiting;
});
