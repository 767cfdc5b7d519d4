/**
 * What hedging makes of heads that are slow now and then: real sockets, two keys of two accounts, 5 % of the upstream's heads
 * two seconds late. `npm run bench:hedging -- --seconds 30 --rate 100`.
 *
 * Three worlds under the same load: without hedging, with a time that is set, and with one that is learned. A fourth has
 * quota for just what is asked, so that its limits are never at 30 % of their capacity: nothing may be sent twice there.
 * *More* are the upstream's requests beyond the clients'. First bytes are those that a client sees, in ms.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApp } from '../src/app.ts';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { createSimulator } from '../src/simulator/simulator.ts';
import { quantile } from './support/statistics.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, rate: { type: 'string', default: '100' } },
});
const RATE = Number(values.rate);
const SECONDS = Number(values.seconds);
/** Until nobody has to find out any more what the keys give, and some requests have come of which a share may be sent twice. */
const WARM_UP_SECONDS = 15;
const KEYS = ['sk-bench-hedging-a1', 'sk-bench-hedging-b2'];
const PLENTY = { rpm: 120_000, tpm: 50_000_000 };
/** For each of two keys, in a bucket of three seconds' worth. */
const SCARCE = { rpm: { limit: RATE * 30, burst: 0.05 }, tpm: 50_000_000 };

interface Row {
  readonly requests: number;
  readonly failed: number;
  readonly 'p50 ms': number;
  readonly 'p99 ms': number;
  readonly 'more %': number;
}

const rows: Record<string, Row> = {};
rows['without'] = await run({}, PLENTY);
rows['after 250 ms'] = await run({ hedge: { after: '250ms' } }, PLENTY);
rows['after what is learned'] = await run({ hedge: {} }, PLENTY);
rows['scarce quota, after 250 ms'] = await run({ hedge: { after: '250ms' } }, SCARCE);
console.log(`${RATE} streams a second for ${SECONDS} s, 5 % of the heads 2 s late`);
console.table(rows);

async function run(hedge: object, limits: object): Promise<Row> {
  const simulator = createSimulator(
    {
      organizations: KEYS.map((key) => ({ keys: [key] })),
      models: ['gpt-4o'],
      answer: { firstByteMs: { kind: 'uniform', min: 40, max: 120 } },
      faults: [{ kind: 'slow_head', rate: 0.05, delayMs: 2_000 }],
    },
    systemClock,
    Math.random,
  );
  const { url: vendor } = await simulator.listen();
  const app = await openSluice(vendor, { ...hedge, limits });
  const { url } = await app.listen();
  await load(url, WARM_UP_SECONDS);
  simulator.reset({ keepLevels: true });
  const times = await load(url, SECONDS);
  const served = times.filter((time) => time !== null).sort((a, b) => a - b);
  const more = (simulator.ledger().received / times.length - 1) * 100;
  if (app.openLeases > 0) console.error(`${app.openLeases} leases are open`);
  await app.closeNow();
  await simulator.close();
  return {
    requests: times.length,
    failed: times.length - served.length,
    'p50 ms': Math.round(quantile(served, 0.5)),
    'p99 ms': Math.round(quantile(served, 0.99)),
    'more %': Math.round(more * 100) / 100,
  };
}

/** First bytes, in ms; null for each that was not served. */
async function load(url: string, seconds: number): Promise<readonly (number | null)[]> {
  const chats: Promise<number | null>[] = [];
  const startedAt = performance.now();
  for (let number = 0; number < RATE * seconds; number += 1) {
    const waitMs = startedAt + (number * 1_000) / RATE - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    chats.push(firstByteMs(url, number));
  }
  return await Promise.all(chats);
}

/** Null: it was not served. */
async function firstByteMs(url: string, number: number): Promise<number | null> {
  const since = performance.now();
  const messages = [{ role: 'user', content: `Hello ${number}` }];
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', stream: true, max_completion_tokens: 20, messages }),
  });
  let tookMs: number | null = null;
  for await (const _chunk of response.body ?? []) tookMs ??= performance.now() - since;
  return response.ok ? tookMs : null;
}

async function openSluice(vendor: string, { limits, ...more }: { readonly limits: object }) {
  const text = JSON.stringify({
    server: { port: 0 },
    log: { level: 'error', requests: false, format: 'json' },
    state: { file: 'none' },
    providers: [{ type: 'openai', base_url: `${vendor}/v1`, keys: KEYS, limits }],
    models: [{ name: 'gpt-4o', targets: [{ provider: 'openai', model: 'gpt-4o' }] }],
    ...more,
  });
  const loaded = loadConfig({ text, format: 'json', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
  return await createApp(loaded.config, { clock: systemClock, logStream: process.stderr, version: 'bench', env: {} });
}
