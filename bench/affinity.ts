/**
 * What it is worth that conversations stay with the account that knows their prompts, and what it costs: fifty
 * conversations of ten turns over four accounts, each run with affinity and without, over real sockets, with vendors that
 * remember what they have read. `npm run bench:affinity -- --minutes 3 --only 60`
 *
 * Then the processor time that it adds to a request, by size of the prompt: all that the proxy does for it, from the parsed
 * body to the remembered turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApp } from '../src/app.ts';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { Affinity } from '../src/proxy/affinity/affinity.ts';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { createSimulator } from '../src/simulator/simulator.ts';
import { median, quantile, rounded } from './support/statistics.ts';
import { CHATS, MESSAGES, type TalkFormat } from './support/talk-formats.ts';
import { Talkers, TOKENS_PER_TURN } from './support/talkers.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    /** Parts of names. */
    only: { type: 'string', default: '' },
  },
});

interface Case {
  readonly name: string;
  readonly vendor: 'openai' | 'anthropic';
  readonly model: string;
  readonly format: TalkFormat;
  readonly limits: NonNullable<SimulatorOptions['organizations'][number]['limits']>;
  readonly binding: string;
  /** Turns that are begun, as a share of what the accounts serve. */
  readonly load: number;
}

/** Of each account. */
const TPM = 160_000;

const OPENAI = { vendor: 'openai', model: 'gpt-4o', format: CHATS, limits: { tpm: TPM }, binding: 'tpm' } as const;
const ANTHROPIC = {
  vendor: 'anthropic',
  model: 'claude-sonnet-4-5',
  format: MESSAGES,
  limits: { itpm: TPM, otpm: TPM },
  binding: 'itpm',
} as const;
const CASES: readonly Case[] = [
  { ...OPENAI, name: '60 %', load: 0.6 },
  { ...OPENAI, name: '200 %', load: 2 },
  { ...ANTHROPIC, name: '200 %, known input is free', load: 2 },
];
const KEYS = ['a', 'b', 'c', 'd'];
const WARM_UP_MS = 75_000;

async function run(each: Case, affinity: string): Promise<Readonly<Record<string, string | number>>> {
  const simulator = createSimulator(
    {
      vendor: each.vendor,
      models: [each.model],
      organizations: KEYS.map((name) => ({ keys: [`sk-bench-affinity-${name}`], limits: each.limits })),
      answer: {
        outputTokens: { kind: 'uniform', min: 20, max: 90 },
        firstByteMs: { kind: 'uniform', min: 50, max: 300 },
      },
      arrivalDelayMs: { kind: 'uniform', min: 5, max: 100 },
    },
    systemClock,
    Math.random,
  );
  const app = await openSluice(each, affinity, (await simulator.listen()).url);
  const { url } = await app.listen();
  const perSecond = (each.load * KEYS.length * TPM) / 60 / TOKENS_PER_TURN;
  const talkers = new Talkers({ ...each, perSecond, url, random: Math.random });
  await sleep(WARM_UP_MS);
  talkers.startMeasuring();
  simulator.reset({ keepLevels: true });
  await sleep(Number(values.minutes) * 60_000);
  const { limits, rateLimited } = simulator.ledger();
  const { turns, stayed, moved, cached, input, refused, waitsMs } = talkers;
  await talkers.stop();
  await app.closeNow();
  await simulator.close();
  const binding = limits.filter(({ name }) => name === each.binding);
  const charged = binding.reduce((sum, limit) => sum + limit.charged, 0);
  return {
    'turns served': turns,
    'stayed %': rounded((100 * stayed) / (stayed + moved), 1),
    'input from cache %': rounded((100 * cached) / input, 1),
    'charged, % of limits': rounded((100 * charged) / (Number(values.minutes) * KEYS.length * TPM), 1),
    'used %': rounded((100 * binding.reduce((sum, { utilisation }) => sum + utilisation, 0)) / binding.length, 1),
    'wait p50 s': rounded(median(waitsMs) / 1000, 1),
    'wait p99 s': rounded(quantile(waitsMs, 0.99) / 1000, 1),
    refused,
    'upstream 429s': rateLimited,
  };
}

function openSluice({ vendor, model, limits }: Case, affinity: string, origin: string) {
  const keys = KEYS.map((name) => ({ name, key: `sk-bench-affinity-${name}` }));
  const text = JSON.stringify({
    server: { port: 0 },
    log: { level: 'error', format: 'json' },
    state: { file: 'none' },
    defaults: { queue: { max_wait: '20s' }, affinity },
    providers: [{ type: vendor, base_url: `${origin}/v1`, keys, limits }],
    models: [{ name: model, targets: [{ provider: vendor }] }],
  });
  const loaded = loadConfig({ text, format: 'json', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(loaded.mistakes.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return createApp(loaded.config, { clock: systemClock, logStream: process.stderr, version: '0', env: {} });
}

/** Microseconds a request, the best of rounds: whatever else the machine does only adds. Each body is parsed anew. */
function costOf(messageCount: number, bytes: number, text: string): number {
  const content = text.repeat(Math.ceil(bytes / messageCount / Buffer.byteLength(text)));
  const affinity = new Affinity({ clock: systemClock });
  const rounds = Array.from({ length: 15 }, (_, round) => {
    const bodies = Array.from({ length: Math.ceil(4e6 / bytes) }, (_body, index) => {
      const messages = Array.from({ length: messageCount }, (_message, at) => {
        return {
          role: at % 2 === 0 ? 'user' : 'assistant',
          content: `${at === 0 ? `${round} ${index} ` : ''}${content}`,
        };
      });
      return JSON.parse(JSON.stringify({ messages })) as { messages: object[] };
    });
    const before = process.cpuUsage();
    for (const body of bodies) {
      const turns = { instructions: null, messages: body.messages };
      const about = { client: 'bench', model: 'gpt-4o', keptMs: 3_600_000, user: null };
      affinity.follow({ ...about, turns, body }).servedBy('upstream 0 a gpt-4o');
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / bodies.length;
  });
  return Math.min(...rounds);
}

const cases = CASES.filter(({ name }) => name.includes(values.only));
const rows: (readonly [string, Readonly<Record<string, string | number>>])[] = [];
for (const each of cases) {
  // Side by side, so that whatever else the machine does falls on both.
  const pair = ['1h', 'off'].map(async (affinity) => [`${each.name}, ${affinity}`, await run(each, affinity)] as const);
  rows.push(...(await Promise.all(pair)));
}
console.log(`50 conversations over four accounts, ${values.minutes} minutes`);
console.table(Object.fromEntries(rows));
console.log('processor time, us a request');
console.table({
  '1 message': { '4 kB': rounded(costOf(1, 4096, 'river ')), '400 kB': rounded(costOf(1, 409_600, 'river ')) },
  '9 messages': { '4 kB': rounded(costOf(9, 4096, 'river ')), '400 kB': rounded(costOf(9, 409_600, 'river ')) },
  '9 messages, Chinese': { '4 kB': rounded(costOf(9, 4096, '河流')), '400 kB': rounded(costOf(9, 409_600, '河流')) },
});
