/**
 * How long an estimate blocks the event loop, and how wrong it is, by kind and size of text. Every text is new to all
 * caches. `node bench/tokens.ts`
 *
 * block: the synchronous part of one estimate, longest of the rounds, by the clock and by the processor time of this
 * thread (where they differ, the machine gave the time to somebody else). loop: the longest delay that a
 * 1 ms timer saw from the call to the answer (it contains the timer's own millisecond and whatever else runs here).
 * error alone: extrapolated, no worker. error: with the worker. answer: until the estimate is there, with the worker.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../src/clock.ts';
import { loadEncoding } from '../src/tokens/encoding.ts';
import { TextCounter } from '../src/tokens/text-counter.ts';
import { createTokenCounter } from '../src/tokens/token-counter.ts';
import { TokenWorker } from '../src/workers/token-worker.ts';
import { CHARS_PER_TOKEN, KINDS, nestedTools, seeded, textOf } from '../test/tokens/texts.ts';

const ROUNDS = 5;
const MODEL = 'gpt-4o';

interface Case {
  readonly name: string;
  /** The request of a round; the seed makes it new. */
  readonly request: (seed: number) => unknown;
  /** LLM tokens of that request, counted in full. */
  readonly truth: (seed: number) => number;
}

interface Row {
  name: string;
  'block max ms': number;
  'block cpu ms': number;
  'loop max ms': number;
  'answer ms': number;
  'error alone %': number;
  'error %': number;
}

const full = new TextCounter(await loadEncoding('o200k_base'), 0);
const worker = new TokenWorker({ clock: systemClock });

function countAll(text: string): number {
  return full.count([text], () => false).tokens[0] ?? 0;
}

/** Per round counters without memory of earlier rounds: a fresh text is a fresh text. */
async function freshCounter(isAlone: boolean) {
  const counter = createTokenCounter({ now: systemClock.now, worker: isAlone ? null : worker });
  await counter.preload([MODEL]);
  return counter;
}

function textCase(name: string, make: (seed: number) => string): Case {
  return {
    name,
    request: (seed) => ({ messages: [{ role: 'user', content: make(seed) }] }),
    truth: (seed) => countAll(make(seed)) + 7,
  };
}

function runOf(units: readonly number[], length: number, seed: number): string {
  const random = seeded(seed);
  const [from, to] = [units[0] ?? 0, units[1] ?? 0];
  const codes = Array.from({ length }, () => from + Math.floor(random() * (to - from)));
  return codes.map((code) => String.fromCodePoint(code)).join('');
}

const sized: Case[] = KINDS.flatMap((kind) =>
  [1000, 10_000, 100_000].map((tokens) =>
    textCase(`${kind} ${tokens / 1000}k tokens`, (seed) => textOf(kind, tokens * CHARS_PER_TOKEN[kind], seed)),
  ),
);

const tools: Case[] = [1, 12, 120].map((count) => ({
  name: `nested tools x ${count}`,
  request: (seed) => ({ messages: [], tools: nestedTools(count, seed) }),
  truth: (seed) => countAll(JSON.stringify(nestedTools(count, seed))),
}));

const megabyte = KINDS.map((kind) => {
  const bytesPerChar = Buffer.byteLength(textOf(kind, 10_000)) / textOf(kind, 10_000).length;
  return textCase(`${kind} 1 MB`, (seed) => textOf(kind, 1e6 / bytesPerChar, seed));
});

const hostile: Case[] = [
  textCase('"a" x 400k', () => 'a'.repeat(400_000)),
  textCase('"=" x 1M', () => '='.repeat(1e6)),
  textCase('space x 1M', () => ' '.repeat(1e6)),
  textCase('random CJK 32k', (seed) => runOf([0x4e00, 0x9000], 32_000, seed)),
  textCase('random CJK 1 MB', (seed) => runOf([0x4e00, 0x9000], 333_333, seed)),
  textCase('emoji 40k', (seed) => runOf([0x1f300, 0x1f600], 40_000, seed)),
  textCase('emoji 1 MB', (seed) => runOf([0x1f300, 0x1f600], 250_000, seed)),
  textCase('random letters 1 MB', (seed) => runOf([0x61, 0x7b], 1e6, seed)),
  {
    name: '50k messages',
    request: (seed) => ({
      messages: Array.from({ length: 50_000 }, (_, index) => ({ role: 'user', content: `hi ${index + seed}` })),
    }),
    truth: (seed) =>
      Array.from({ length: 50_000 }, (_, index) => countAll(`hi ${index + seed}`) + 4).reduce(
        (sum, each) => sum + each,
        3,
      ),
  },
];

function cpuMsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

async function measure({ name, request, truth }: Case): Promise<Row> {
  let blockMs = 0;
  let cpuMs = 0;
  const errors = { alone: 0, worker: 0 };
  let loopMs = 0;
  let answerMs = 0;
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const real = truth(seed);
    const alone = await (await freshCounter(true)).estimate(request(seed), MODEL);
    errors.alone = Math.max(errors.alone, Math.abs(alone.inputTokens / real - 1));
    const counter = await freshCounter(false);
    const body = JSON.parse(JSON.stringify(request(seed))) as unknown;
    await sleep(5);
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    await sleep(3);
    const cpu = process.threadCpuUsage();
    const start = performance.now();
    const estimate = counter.estimate(body, MODEL);
    blockMs = Math.max(blockMs, performance.now() - start);
    cpuMs = Math.max(cpuMs, cpuMsSince(cpu));
    const { inputTokens } = await estimate;
    answerMs = Math.max(answerMs, performance.now() - start);
    await sleep(3);
    loop.disable();
    loopMs = Math.max(loopMs, loop.max / 1e6);
    errors.worker = Math.max(errors.worker, Math.abs(inputTokens / real - 1));
  }
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    name,
    'block max ms': round(blockMs),
    'block cpu ms': round(cpuMs),
    'loop max ms': round(loopMs),
    'answer ms': round(answerMs),
    'error alone %': round(errors.alone * 100),
    'error %': round(errors.worker * 100),
  };
}

/** The hot path: a prompt of 4 kB whose words are known, and a conversation of which only the last turn is new. */
async function measureHotPath(): Promise<void> {
  const counter = await freshCounter(true);
  // The best of the batches: the one that nobody else's work came between.
  const time = (requests: readonly unknown[]): number => {
    const batches = Array.from({ length: 10 }, (_, batch) => requests.filter((_, index) => index % 10 === batch));
    const figures = batches.map((batch) => {
      const start = performance.now();
      for (const request of batch) void counter.estimate(request, MODEL);
      return ((performance.now() - start) / batch.length) * 1000;
    });
    return Math.min(...figures);
  };
  const prompts = Array.from({ length: 400 }, (_, seed) => ({
    messages: [{ role: 'user', content: textOf('english', 4096, seed) }],
  }));
  time(prompts.slice(0, 200));
  console.log(`4 kB English prompt, new, vocabulary warm: ${time(prompts.slice(200)).toFixed(1)} us`);
  const turns = Array.from({ length: 100 }, (_, seed) => ({ role: 'user', content: textOf('english', 4096, seed) }));
  const copies = Array.from({ length: 20 }, () => JSON.parse(JSON.stringify({ messages: turns })) as unknown);
  time(copies.slice(0, 10));
  console.log(`each 4 kB message counted before: ${(time(copies.slice(10)) / turns.length).toFixed(2)} us`);
}

await measureHotPath();
// The first job starts the thread and loads its vocabulary; not what is measured here.
await worker.count({ encoding: 'o200k_base', texts: ['start'] });
const rows: Row[] = [];
for (const each of [...sized, ...tools, ...megabyte, ...hostile]) rows.push(await measure(each));
console.table(Object.fromEntries(rows.map(({ name, ...figures }) => [name, figures])));
console.log(`longest block: ${Math.max(...rows.map((row) => row['block max ms']))} ms`);
console.log(`longest block by processor time: ${Math.max(...rows.map((row) => row['block cpu ms']))} ms`);
console.log(`largest error alone: ${Math.max(...rows.map((row) => row['error alone %']))} %`);
console.log(`largest error with the worker: ${Math.max(...rows.map((row) => row['error %']))} %`);
await worker.close();
