/**
 * One of two vendors is dead for a minute, at a load that the other can carry alone: what clients see of it, and how the
 * dead one is taken up again. `npm run bench:outage -- --how refuse --per-second 50`
 *
 * `--how`: `refuse` closes its port, `hang` answers nothing, `500` and `503` answer at once. Vendors are simulated, Sluice
 * is started as the command is, in a process of its own. Exit code 1 when a client saw an error, or when the vendor that
 * came back was asked for more in a tenth of a second than half again what it was asked for before. A stream whose
 * content has begun when the vendor dies can't be begun anew elsewhere: those are counted apart.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { systemClock } from '../src/clock.ts';
import type { FaultKind } from '../src/simulator/faults.ts';
import { createSimulator, type Simulator } from '../src/simulator/simulator.ts';
import { seeded } from '../test/tokens/texts.ts';
import { Program } from './support/program.ts';
import { quantile, rounded } from './support/statistics.ts';

const { values } = parseArgs({
  options: {
    how: { type: 'string', default: 'refuse' },
    'per-second': { type: 'string', default: '50' },
    'dead-seconds': { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});
const PER_SECOND = Number(values['per-second']);
const DEAD_MS = 1_000 * Number(values['dead-seconds']);
const BEFORE_MS = 30_000;
const AFTER_MS = 40_000;
const SLOT_MS = 100;
/** Half again what it was asked for before, in the fullest slot. */
const MOST_GROWTH = 1.5;
/** Each vendor has two keys that carry this share more than the whole load. */
const HEADROOM = 1.25;
const MODEL = 'gpt-4o';
const NAMES = ['first', 'second'] as const;
const KEYS_EACH = 2;
const STREAMED = 0.5;

interface Ended {
  readonly sentAt: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
  /** The status, or what else it ended in. */
  readonly end: string;
}

const random = seeded(Number(values.seed));
const vendors = NAMES.map(createVendor);
const urls: string[] = [];
for (const vendor of vendors) urls.push((await vendor.listen()).url);
const folder = mkdtempSync(join(tmpdir(), 'sluice-outage-'));
const file = join(folder, 'config.json');
writeFileSync(file, JSON.stringify(config()));
const sluice = Program.node({ file: fileURLToPath(new URL('./watched-sluice.ts', import.meta.url)) }, [file]);
const url = await sluice.told((message) => (message as { url?: string }).url);
const pool = new Pool(url, { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

const ended: Ended[] = [];
const underWay = new Set<Promise<void>>();
const marks = { begun: performance.now(), died: 0, back: 0 };
const loading = new AbortController();
void offer();
await sleep(BEFORE_MS);
const [first] = vendors as [Simulator];
marks.died = performance.now();
await kill();
await sleep(DEAD_MS);
await revive();
marks.back = performance.now();
await sleep(AFTER_MS);
loading.abort();
await Promise.all(underWay);
const problems = report();
for (const problem of problems) console.log(`MISSED: ${problem}`);
await pool.destroy();
await sluice.stop();
for (const vendor of vendors) await vendor.close();
rmSync(folder, { recursive: true, force: true });
process.exit(problems.length === 0 ? 0 : 1);

function createVendor(name: string): Simulator {
  const organizations = keysOf(name).map(({ key }) => ({ keys: [key], limits: { rpm: rpm() } }));
  const answer = {
    firstByteMs: { kind: 'uniform', min: 80, max: 250 },
    tokensPerSecond: 200,
    outputTokens: { kind: 'uniform', min: 10, max: 60 },
  } as const;
  return createSimulator({ organizations, models: [MODEL], answer }, systemClock, seeded(name.length));
}

function keysOf(name: string) {
  return Array.from({ length: KEYS_EACH }, (_, index) => ({
    name: `${name}-${index}`,
    key: `sk-outage-${name}-${index}`,
  }));
}

/** Of one key. */
function rpm(): number {
  return Math.round((60 * PER_SECOND * HEADROOM) / KEYS_EACH);
}

function config(): object {
  return {
    server: { port: 0 },
    log: { level: 'warn', format: 'json', requests: false },
    state: { file: 'none' },
    defaults: { queue: { max_wait: '10s' }, timeouts: { connect: '1s', first_byte: '3s', idle: '3s' } },
    providers: NAMES.map((name, index) => ({
      name,
      type: 'openai',
      base_url: `${urls[index]}/v1`,
      keys: keysOf(name),
      limits: { rpm: rpm() },
    })),
    models: [{ name: MODEL, targets: NAMES.map((provider) => ({ provider, model: MODEL })) }],
  };
}

async function kill(): Promise<void> {
  if (values.how === 'refuse') await first.close();
  else first.setFaults([{ kind: values.how as FaultKind }]);
}

async function revive(): Promise<void> {
  if (values.how === 'refuse') await first.listen(Number(new URL(urls[0] ?? '').port));
  else first.setFaults([]);
}

/** At the instants of a Poisson process. */
async function offer(): Promise<void> {
  let nth = 0;
  for (let at = performance.now(); !loading.signal.aborted; at += (-Math.log(1 - random()) * 1_000) / PER_SECOND) {
    await sleep(Math.max(0, at - performance.now()));
    const call: Promise<void> = ask(nth++).finally(() => underWay.delete(call));
    underWay.add(call);
  }
}

async function ask(nth: number): Promise<void> {
  const sentAt = performance.now();
  const isStreaming = random() < STREAMED;
  const body = JSON.stringify({
    model: MODEL,
    max_tokens: 100,
    stream: isStreaming,
    messages: [{ role: 'user', content: `Number ${nth}` }],
  });
  const tell = (end: string, firstByteMs: number): void => {
    ended.push({ sentAt, firstByteMs, totalMs: performance.now() - sentAt, end });
  };
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await pool.request({ method: 'POST', path: '/v1/chat/completions', headers, body });
    const firstByteMs = performance.now() - sentAt;
    const text = await answer.body.text();
    const isWhole = !isStreaming || text.trimEnd().endsWith('data: [DONE]');
    const isBroken = answer.statusCode === 200 && !isWhole;
    tell(isBroken ? 'broke off' : String(answer.statusCode), firstByteMs);
  } catch {
    tell('connection lost', performance.now() - sentAt);
  }
}

/** Prints what was seen; returns what should not have been. */
function report(): string[] {
  const phases = [
    phase('before', marks.begun, marks.died),
    phase('dead', marks.died, marks.back),
    phase('afterwards', marks.back, Number.POSITIVE_INFINITY),
  ];
  const [before, dead] = phases as [Phase, Phase];
  const carried = (PER_SECOND * 100) / (HEADROOM * PER_SECOND);
  console.log(
    `${PER_SECOND} requests/s, ${rounded(carried, 0)} % of what one vendor carries; the first is dead (${values.how}) for ${DEAD_MS / 1_000} s`,
  );
  console.table(Object.fromEntries(phases.map(({ name, row }) => [name, row])));
  const growth = { p50: dead.p50Ms - before.p50Ms, p99: dead.p99Ms - before.p99Ms };
  console.log(`First byte while it is dead: p50 + ${rounded(growth.p50, 0)} ms, p99 + ${rounded(growth.p99, 0)} ms`);
  const usual = slotsBetween(marks.begun + 5_000, marks.died);
  const taken = slotsBetween(marks.back, marks.back + AFTER_MS);
  const seconds = Array.from({ length: 20 }, (_, second) => sum(taken.slice(10 * second, 10 * second + 10)));
  console.log(`Asked of the first vendor in each second from its return on: ${seconds.join(' ')}`);
  console.log(`And in each 100 ms of the first five: ${taken.slice(0, 50).join(' ')}`);
  const most = Math.max(...taken);
  const usualMost = Math.max(...usual);
  console.log(
    `At most in 100 ms: ${most} afterwards, ${usualMost} before (mean ${rounded(sum(usual) / usual.length, 1)})`,
  );
  const errors = phases.flatMap(({ name, errors }) => errors.map((end) => `${end} (${name})`));
  return [
    ...(errors.length === 0 ? [] : [`clients saw ${errors.length} errors: ${[...new Set(errors)].join(', ')}`]),
    ...(most <= MOST_GROWTH * usualMost ? [] : [`${most} requests in 100 ms to the vendor that is back`]),
  ];
}

interface Phase {
  readonly name: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: readonly string[];
  readonly row: Readonly<Record<string, string | number>>;
}

function phase(name: string, from: number, until: number): Phase {
  const own = ended.filter(({ sentAt }) => sentAt >= from && sentAt < until);
  const waits = own.map(({ firstByteMs }) => firstByteMs);
  const cut = own.filter((each) => each.end === 'broke off' && isAtDeath(each)).length;
  const errors = own.filter((each) => each.end !== '200' && !(each.end === 'broke off' && isAtDeath(each)));
  const p50Ms = quantile(waits, 0.5);
  const p99Ms = quantile(waits, 0.99);
  const row = {
    requests: own.length,
    errors: errors.length,
    'cut by the death': cut,
    'first byte p50 ms': rounded(p50Ms, 0),
    'p99 ms': rounded(p99Ms, 0),
    'longest ms': rounded(Math.max(...waits), 0),
    'whole p99 ms': rounded(
      quantile(
        own.map(({ totalMs }) => totalMs),
        0.99,
      ),
      0,
    ),
  };
  return { name, p50Ms, p99Ms, errors: errors.map(({ end }) => end), row };
}

function isAtDeath({ sentAt, totalMs }: Ended): boolean {
  return sentAt < marks.died && sentAt + totalMs >= marks.died;
}

/** Requests that the first vendor was sent, in each slot of that time. */
function slotsBetween(from: number, until: number): number[] {
  const { requests, uptimeMs } = first.ledger();
  const startedAt = performance.now() - uptimeMs;
  const slots = Array.from({ length: Math.floor((until - from) / SLOT_MS) }, () => 0);
  for (const { arrivedMs } of requests) {
    const index = Math.floor((startedAt + arrivedMs - from) / SLOT_MS);
    if (index >= 0 && index < slots.length) slots[index] = (slots[index] ?? 0) + 1;
  }
  return slots;
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, each) => total + each, 0);
}
