/**
 * Every vendor with nothing but its keys configured, asked for three times what they serve: what it costs to learn the
 * limits, and what is used of them afterwards. Real sockets, each vendor simulated with its own limiter, headers and
 * refusals. `npm run bench:vendors -- --only anthropic,gemini --minutes 3`.
 *
 * Learning is over after the first window of what is limited; the ledger begins anew then, at the beginning of a window
 * where the vendor has some. *Used* is the share of the tightest limit that was charged of what could have been.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApp } from '../src/app.ts';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config/load-config.ts';
import type { Ledger } from '../src/simulator/ledger.ts';
import { createSimulator } from '../src/simulator/simulator.ts';
import { rounded } from './support/statistics.ts';
import { VENDOR_CASES, type VendorCase } from './support/vendor-cases.ts';
import { VendorLoad } from './support/vendor-load.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    minutes: { type: 'string', default: '3' },
    load: { type: 'string', default: '3' },
  },
});
const MINUTE_MS = 60_000;
const LEARNING_MINUTES = 2;
/** Just behind the beginning of a fixed window, and before the end of the last one. */
const EDGE_MS = 300;
const KEYS = ['sk-bench-vendors-a1', 'sk-bench-vendors-b2'];
const cases = VENDOR_CASES.filter(({ vendor }) => values.only?.split(',').includes(vendor) ?? true);

const rows = await Promise.all(cases.map(async (each) => [each.vendor, await run(each)] as const));
console.log(
  `${values.load}x, two keys of two accounts, ${values.minutes} minutes after ${LEARNING_MINUTES} of learning`,
);
console.table(Object.fromEntries(rows));

async function run(vendorCase: VendorCase): Promise<Readonly<Record<string, string | number>>> {
  const { vendor, limits, answer, perMinute, charge, models } = vendorCase;
  const organizations = KEYS.map((key) => ({ keys: [key], limits }));
  const options = {
    vendor,
    organizations,
    models,
    answer,
    arrivalDelayMs: { kind: 'uniform', min: 5, max: 100 } as const,
    ...vendorCase.options,
  };
  const simulator = createSimulator(options, systemClock, Math.random);
  const { url: vendorUrl } = await simulator.listen();
  const sluice = await openSluice(vendorCase, vendorUrl);
  const load = new VendorLoad(sluice.url, vendorCase, (Number(values.load) * KEYS.length * perMinute) / MINUTE_MS);
  await sleep(LEARNING_MINUTES * MINUTE_MS);
  await untilWindowBegins();
  const learning = simulator.ledger();
  simulator.reset({ keepLevels: true });
  await sleep(Number(values.minutes) * MINUTE_MS - 2 * EDGE_MS);
  const ledger = simulator.ledger();
  await load.stop();
  const openLeases = sluice.app.openLeases;
  await sluice.app.closeNow();
  await simulator.close();
  return {
    'refused while learning, most of a key': mostOfAKey(learning),
    admitted: ledger.admitted,
    '429s afterwards': ledger.rateLimited,
    used: usedOf(ledger, charge),
    'bar for 429s': vendorCase.hasHeaders ? '0' : '1 %',
    'clients: served / told to come back / failed': load.told,
    'open leases': openLeases,
  };
}

async function openSluice({ type, basePath, models }: VendorCase, vendorUrl: string) {
  const provider = { type, base_url: `${vendorUrl}${basePath}`, keys: KEYS };
  const text = JSON.stringify({
    server: { port: 0 },
    log: { level: 'error', format: 'json' },
    state: { file: 'none' },
    defaults: { queue: { max_wait: '20s' } },
    providers: [provider],
    models: models.map((name) => ({ name, targets: [{ provider: type }] })),
  });
  const loaded = loadConfig({ text, format: 'json', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(loaded.mistakes.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const app = await createApp(loaded.config, { clock: systemClock, logStream: process.stderr, version: '0', env: {} });
  return { app, url: (await app.listen()).url };
}

function mostOfAKey({ keys }: Ledger): number {
  return Math.max(...keys.map(({ refused }) => refused));
}

function usedOf({ limits }: Ledger, name: string): string {
  const binding = limits.filter((limit) => limit.name === name);
  const shares = binding.map(({ utilisation }) => `${rounded(100 * utilisation)} %`);
  return `${name}: ${shares.join(', ')}`;
}

async function untilWindowBegins(): Promise<void> {
  await sleep(MINUTE_MS - (Date.now() % MINUTE_MS) + EDGE_MS);
}
