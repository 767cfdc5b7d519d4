/**
 * What standing in between costs: processor time a request and a streamed event, and added latency. Sluice with limiter,
 * estimate, settlement and log line, against a bare pass-through, nginx where it is installed, and nothing, in
 * interleaved rounds. `npm run bench:overhead -- --rounds 5 --seconds 4 --only json`
 *
 * `--also DIR` measures another build beside this one, `--profile DIR` leaves Sluice's profile there.
 *
 * Every part is a process of its own: load generator, subject, upstream. Processor time is the subject's own account of
 * all its threads. Requests come as a Poisson process, each with a new prompt; streamed events come one by one, since in a
 * burst one wake-up serves many and hides what each costs. A figure is the median of its rounds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Generator } from './support/generator.ts';
import type { Target } from './support/load-job.ts';
import { median, rounded } from './support/statistics.ts';
import { type Subject, startBareProxy, startNginx, startSluice, startUpstream } from './support/subjects.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    'warm-up': { type: 'string', default: '15' },
    rate: { type: 'string', default: '500' },
    streams: { type: 'string', default: '100' },
    'gap-ms': { type: 'string', default: '20' },
    only: { type: 'string', default: 'json,streams' },
    also: { type: 'string' },
    profile: { type: 'string' },
  },
});
const ROUNDS = Number(values.rounds);
const SECONDS = Number(values.seconds);
const WARM_UP_SECONDS = Number(values['warm-up']);
const PER_SECOND = Number(values.rate);
const STREAMS = Number(values.streams);
const UPSTREAM_DELAY_MS = 60;
const PROMPT_BYTES = 4096;

interface JsonRound {
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

interface StreamRound {
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly failed: number;
}

/** Code that is still being compiled costs several times as much, and it takes thousands of requests until it is done. */
async function warmUp(generator: Generator, target: Target): Promise<void> {
  await generator.paced(target, { perSecond: 100, seconds: 2, promptBytes: PROMPT_BYTES });
  await generator.clients(target, { clients: 40, seconds: WARM_UP_SECONDS, promptBytes: PROMPT_BYTES });
}

async function measureJson(generator: Generator, subject: Subject): Promise<JsonRound> {
  const job = { perSecond: PER_SECOND, seconds: SECONDS, promptBytes: PROMPT_BYTES };
  const before = await subject.usage();
  const report = await generator.paced(subject.target, job);
  const { cpuMicros } = await subject.usage();
  const failed = Object.values(report.failures).reduce((sum, each) => sum + each, 0);
  return { ...report, failed, cpuMicros: (cpuMicros - before.cpuMicros) / (report.served + failed) };
}

async function measureStreams(generator: Generator, subject: Subject): Promise<StreamRound> {
  await generator.open(subject.target, { streams: STREAMS, promptBytes: PROMPT_BYTES, perSecond: 500 });
  await sleep(300);
  const [start, before] = [await generator.count(), await subject.usage()];
  await sleep(SECONDS * 1000);
  const [end, after] = [await generator.count(), await subject.usage()];
  await generator.cut();
  await sleep(300);
  const events = end.events - start.events;
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / events,
    perSecond: events / SECONDS,
    failed: end.failed,
  };
}

/** In turn, so that whatever else the machine does falls on all of them. The first round only warms up. */
async function interleaved<R>(
  subjects: readonly Subject[],
  measure: (subject: Subject, round: number) => Promise<R>,
): Promise<Map<string, R[]>> {
  const results = new Map<string, R[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const subject of subjects) {
      const result = await measure(subject, round);
      if (round > 0) results.get(subject.name)?.push(result);
    }
  }
  return results;
}

function baseOf(medians: ReadonlyMap<string, number>, name: string): number {
  return medians.get(name) ?? Number.NaN;
}

function tableJson(results: ReadonlyMap<string, JsonRound[]>): void {
  const of = (figure: keyof JsonRound): Map<string, number> =>
    new Map([...results].map(([name, rounds]) => [name, median(rounds.map((round) => round[figure]))]));
  const [cpu, p50, p99] = [of('cpuMicros'), of('p50Ms'), of('p99Ms')];
  const rows = [...results].map(([name, rounds]) => [
    name,
    {
      'cpu us/request': rounded(baseOf(cpu, name), 0),
      'x bare': rounded(baseOf(cpu, name) / baseOf(cpu, BARE)),
      'p50 ms': rounded(baseOf(p50, name)),
      'p99 ms': rounded(baseOf(p99, name)),
      'added p50 ms': rounded(baseOf(p50, name) - baseOf(p50, DIRECT)),
      'added p99 ms': rounded(baseOf(p99, name) - baseOf(p99, DIRECT)),
      failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
    },
  ]);
  console.log(`${PER_SECOND} requests/s, prompts of ${PROMPT_BYTES} bytes, upstream ${UPSTREAM_DELAY_MS} ms`);
  console.table(Object.fromEntries(rows));
}

function tableStreams(results: ReadonlyMap<string, StreamRound[]>): void {
  const cpu = new Map([...results].map(([name, rounds]) => [name, median(rounds.map((round) => round.cpuMicros))]));
  const rows = [...results].map(([name, rounds]) => [
    name,
    {
      'cpu us/event': rounded(baseOf(cpu, name), 1),
      'x bare': rounded(baseOf(cpu, name) / baseOf(cpu, BARE)),
      'events/s': rounded(median(rounds.map(({ perSecond }) => perSecond)), 0),
      failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
    },
  ]);
  console.log(`${STREAMS} streams, an event each ${values['gap-ms']} ms`);
  console.table(Object.fromEntries(rows));
}

const upstream = await startUpstream({ delayMs: UPSTREAM_DELAY_MS, gapMs: Number(values['gap-ms']) });
const bare = await startBareProxy(upstream);
const profiling = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
const sluice = await startSluice(upstream, { nodeOptions: profiling });
const other = values.also === undefined ? null : await startSluice(upstream, { dist: values.also });
const nginx = await startNginx(upstream);
if (!nginx) console.log('nginx is not installed: left out');
const relay = { ...bare, target: { ...bare.target, prefix: '/relay' } };
const BARE = bare.name;
const DIRECT = upstream.name;
const generator = await Generator.start();
const proxies = [bare, nginx, sluice, other].filter((each) => each !== null);
const parts = values.only.split(',');
if (parts.includes('json')) {
  for (const { target } of [upstream, ...proxies]) await warmUp(generator, target);
  tableJson(
    await interleaved([upstream, ...proxies, { ...relay, name: 'bare, without request and reply' }], (subject) =>
      measureJson(generator, subject),
    ),
  );
}
if (parts.includes('streams')) {
  const streaming = proxies.map((each) => (each === bare ? relay : each));
  tableStreams(await interleaved(streaming, (subject) => measureStreams(generator, subject)));
}
await Promise.all([...proxies, upstream, generator].map((each) => each.stop()));
