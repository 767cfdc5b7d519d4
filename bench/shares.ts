/**
 * Who gets what where clients compete: real sockets, one key of so many tokens a minute, callers that come at random.
 * `npm run bench:shares -- --minutes 2`.
 *
 * Three contests: two clients of equal weight, one of which offers ten times as much; weights of three to one; an urgent
 * client that wants a third beside a low one that wants three times what there is. *Part* is of all tokens that were served,
 * *fair* the max-min share by weight of what was offered; waits are in the queue. The first minute spends what the bucket
 * holds and fills the queue; it does not count.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApp } from '../src/app.ts';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { createSimulator } from '../src/simulator/simulator.ts';
import { quantile } from './support/statistics.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '2' } } });
const MINUTES = Number(values.minutes);
const KEY = 'sk-bench-shares-a1';
const TOKENS_PER_MINUTE = 300_000;
const WARM_UP_MS = 60_000;
const MINUTE_MS = 60_000;
const UNTIL_MS = WARM_UP_MS + MINUTES * MINUTE_MS;

interface Contender {
  readonly name: string;
  /** Offered, as a multiple of what there is. */
  readonly load: number;
  readonly tokens: number;
  /** Of what there is. */
  readonly fair: number;
  readonly priority?: 'high' | 'low';
  readonly weight?: number;
}

const CONTESTS: readonly (readonly Contender[])[] = [
  [
    { name: 'greedy', load: 10, tokens: 400, fair: 0.5 },
    { name: 'modest', load: 1, tokens: 4_000, fair: 0.5 },
  ],
  [
    { name: 'three', load: 2, tokens: 1_000, fair: 0.75, weight: 3 },
    { name: 'one', load: 2, tokens: 1_000, fair: 0.25 },
  ],
  [
    { name: 'high', load: 0.33, tokens: 1_000, fair: 0.33, priority: 'high' },
    { name: 'low', load: 3, tokens: 1_000, fair: 0.67, priority: 'low' },
  ],
];

/** What came of one request; instants in ms since the contest began. */
interface Served {
  readonly client: string;
  readonly servedAt: number;
  readonly queueMs: number;
  readonly tokens: number;
}

for (const contenders of CONTESTS) {
  const { served, refusedUpstream } = await hold(contenders);
  // As long as both want more: what is left at the end is served without anybody beside it.
  const counted = served.filter(({ servedAt }) => servedAt >= WARM_UP_MS && servedAt < UNTIL_MS);
  const total = sum(counted);
  const parts = contenders.map(({ name, fair }) => sum(counted.filter(({ client }) => client === name)) / total / fair);
  console.table(
    Object.fromEntries(
      contenders.map(({ name, load, fair }) => {
        const waits = counted.filter(({ client }) => client === name).map(({ queueMs }) => queueMs);
        waits.sort((a, b) => a - b);
        const part = sum(counted.filter(({ client }) => client === name)) / total;
        const percent = (share: number) => Math.round(share * 1_000) / 10;
        const row = { offered: load, 'part %': percent(part), 'fair %': percent(fair), served: waits.length };
        return [name, { ...row, 'p50 ms': ms(waits, 0.5), 'p99 ms': ms(waits, 0.99) }];
      }),
    ),
  );
  console.log(`Jain ${jain(parts).toFixed(4)}, 429s upstream ${refusedUpstream}\n`);
}

async function hold(contenders: readonly Contender[]): Promise<{ served: Served[]; refusedUpstream: number }> {
  const simulator = createSimulator(
    {
      organizations: [{ keys: [KEY], limits: { tpm: TOKENS_PER_MINUTE } }],
      models: ['gpt-4o'],
      answer: { firstByteMs: { kind: 'uniform', min: 200, max: 600 } },
    },
    systemClock,
    Math.random,
  );
  const { url: vendor } = await simulator.listen();
  const app = await openSluice(vendor, contenders);
  const { url } = await app.listen();
  const began = performance.now();
  const served: Served[] = [];
  const since = () => performance.now() - began;
  const calls = await Promise.all(contenders.map((contender) => offer(contender, { url, since, served })));
  await Promise.all(calls.flat());
  const { received, admitted } = simulator.ledger();
  if (app.openLeases > 0) console.error(`${app.openLeases} leases are open`);
  await app.closeNow();
  await simulator.close();
  return { served, refusedUpstream: received - admitted };
}

interface Stage {
  readonly url: string;
  readonly since: () => number;
  readonly served: Served[];
}

async function offer({ name, load, tokens }: Contender, stage: Stage): Promise<Promise<void>[]> {
  const calls: Promise<void>[] = [];
  const meanGapMs = tokens / ((load * TOKENS_PER_MINUTE) / MINUTE_MS);
  for (let at = 0; ; ) {
    at += -Math.log(1 - Math.random()) * meanGapMs;
    if (at > UNTIL_MS) return calls;
    const waitMs = at - stage.since();
    if (waitMs > 0) await sleep(waitMs);
    calls.push(call(name, Math.round(tokens * (0.5 + Math.random())), stage));
  }
}

/** A prompt of so many tokens, about, and an answer of a few. */
async function call(client: string, tokens: number, { url, since, served }: Stage): Promise<void> {
  const askedAt = since();
  // None like another: one that is sent again has the place that was kept for the first.
  const messages = [{ role: 'user', content: `${askedAt} ${'word '.repeat(Math.max(1, tokens - 45))}` }];
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf(client)}` },
    body: JSON.stringify({ model: 'gpt-4o', max_completion_tokens: 30, messages }),
  });
  const answer = (await response.json()) as { readonly usage?: { readonly total_tokens: number } };
  const queueMs = Number(response.headers.get('x-sluice-queue-ms'));
  if (answer.usage) served.push({ client, servedAt: since(), queueMs, tokens: answer.usage.total_tokens });
}

async function openSluice(vendor: string, contenders: readonly Contender[]) {
  const text = JSON.stringify({
    server: { port: 0 },
    log: { level: 'error', requests: false, format: 'json' },
    state: { file: 'none' },
    defaults: { queue: { max_wait: '30s' } },
    providers: [{ type: 'openai', base_url: `${vendor}/v1`, keys: [KEY], limits: { tpm: TOKENS_PER_MINUTE } }],
    clients: contenders.map(({ name, priority = 'normal', weight = 1 }) => {
      return { name, key: keyOf(name), priority, weight };
    }),
  });
  const loaded = loadConfig({ text, format: 'json', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
  return await createApp(loaded.config, { clock: systemClock, logStream: process.stderr, version: 'bench', env: {} });
}

function keyOf(client: string): string {
  return `sk-client-${client}`;
}

function sum(served: readonly Served[]): number {
  return served.reduce((total, { tokens }) => total + tokens, 0);
}

function ms(sorted: readonly number[], share: number): number {
  return Math.round(quantile(sorted, share));
}

/** 1 where all got the same part of what they were entitled to. */
function jain(ratios: readonly number[]): number {
  const total = ratios.reduce((all, ratio) => all + ratio, 0);
  return total ** 2 / (ratios.length * ratios.reduce((all, ratio) => all + ratio ** 2, 0));
}
