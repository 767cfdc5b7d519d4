/**
 * What standing in between costs: processor time a request and a streamed event, and added latency. Sluice with limiter,
 * estimate, settlement and log line, against a bare pass-through, nginx where it is installed, and nothing, in
 * interleaved rounds. `npm run bench:overhead -- --rounds 5 --seconds 4 --only json`
 *
 * Every part is a process of its own: load generator, subject, upstream. Processor time is the subject's own account of
 * all its threads. Requests come as a Poisson process, each with a new prompt; streamed events come one by one, since in a
 * burst one wake-up serves many and hides what each costs. A figure is the median of its rounds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Generator } from './support/generator.ts';
import { median, rounded } from './support/statistics.ts';
import { type Subject, startBareProxy, startNginx, startSluice, startUpstream } from './support/subjects.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    rate: { type: 'string', default: '500' },
    streams: { type: 'string', default: '100' },
    'gap-ms': { type: 'string', default: '20' },
    only: { type: 'string', default: 'json,streams' },
    profile: { type: 'string' },
  },
});
const ROUNDS = Number(values.rounds);
const SECONDS = Number(values.seconds);
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
const sluice = await startSluice(upstream, profiling);
const nginx = await startNginx(upstream);
if (!nginx) console.log('nginx is not installed: left out');
const BARE = bare.name;
const DIRECT = upstream.name;
const generator = await Generator.start();
const proxies = [bare, ...(nginx ? [nginx] : []), sluice];
const parts = values.only.split(',');
if (parts.includes('json')) {
  // Cold code costs many times as much: a backlog from the first second would still be there in the second round.
  const gentle = { perSecond: PER_SECOND / 5, seconds: 4, promptBytes: PROMPT_BYTES };
  for (const { target } of [upstream, ...proxies]) await generator.paced(target, gentle);
  tableJson(await interleaved([upstream, ...proxies], (subject) => measureJson(generator, subject)));
}
if (parts.includes('streams')) {
  tableStreams(await interleaved(proxies, (subject) => measureStreams(generator, subject)));
}
await Promise.all([...proxies, upstream, generator].map((each) => each.stop()));
