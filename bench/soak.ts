/**
 * Whether anything grows that should not: half an hour of whole answers and streams through the built program, with
 * failures of the upstream, clients that leave and requests that are refused among them.
 * `npm run soak -- --minutes 30 --rps 500 --streams 500 --out soak.txt`
 *
 * Every ten seconds Sluice's process collects its garbage and tells what is resident and what lives on its heap. The
 * first third of the time, ten minutes at most, is warm-up: connections are opened, and V8 and the allocator find the sizes
 * of their spaces. A straight line by least squares through the rest must not rise by more than 1 MB of resident memory in
 * ten minutes. Then the load ends, and sockets, timers and file descriptors have to be what they were before it. Exit code
 * 1 when one of these is missed, or an answer was not as it should be.
 *
 * Load, upstream and Sluice share the machine, so what was really reached stands in the report.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Program, type Vitals } from './support/program.ts';
import type { SoakJob, SoakReport } from './support/soak/load-job.ts';
import { trendOf } from './support/soak/trend.ts';
import { rounded } from './support/statistics.ts';
import { startSluice, startUpstream } from './support/subjects.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rps: { type: 'string', default: '500' },
    streams: { type: 'string', default: '500' },
    out: { type: 'string' },
  },
});
const MINUTES = Number(values.minutes);
const PROMPT_BYTES = 400;
const SAMPLE_MS = 10_000;
const WARM_UP_MS = Math.min(600_000, MINUTES * 20_000);
const MOST_MB_PER_10_MINUTES = 1;
const UPSTREAM = { delayMs: 60, gapMs: 1000, events: 30, failEvery: 500 };
/** Sockets whose other end has closed are gone, and books are written. */
const QUIET_MS = 5_000;
/** What a look may find under way: a write of the books, a timer. */
const STRAY = 2;

interface Sample {
  readonly atMinutes: number;
  readonly vitals: Vitals;
  readonly load: SoakReport;
}

if (values.out) writeFileSync(values.out, '');
const upstream = await startUpstream(UPSTREAM);
// As in its image: an arena for each of V8's threads grows by steps of a megabyte, whenever one of them happens to need it.
const sluice = await startSluice(upstream, { nodeOptions: ['--expose-gc'], env: { MALLOC_ARENA_MAX: '2' } });
const load = Program.node({ file: fileURLToPath(new URL('./soak-load.ts', import.meta.url)) }, []);
await load.told((message) => (message as { port?: number }).port);
say(
  `Node ${process.version}, ${availableParallelism()} cores; ${MINUTES} minutes, ${values.rps} requests/s asked for,`,
);
say(
  `${values.streams} streams of ${UPSTREAM.events} events, 1 in ${UPSTREAM.failEvery} answers of the upstream a 500.`,
);
// What is loaded on first use, such as a thread or a connection, is there before the start is looked at.
await ask({ do: 'begin', ...jobOf({ perSecond: 20, streams: 5 }) });
await sleep(3000);
await ask({ do: 'stop' });
await sleep(QUIET_MS);
const before = await sluice.vitals();

await ask({ do: 'begin', ...jobOf({ perSecond: Number(values.rps), streams: Number(values.streams) }) });
const samples: Sample[] = [];
const startedAt = performance.now();
while (performance.now() - startedAt < MINUTES * 60_000) {
  await sleep(SAMPLE_MS - ((performance.now() - startedAt) % SAMPLE_MS));
  samples.push({
    atMinutes: (performance.now() - startedAt) / 60_000,
    vitals: await sluice.vitals(),
    load: (await ask({ do: 'take' })) as SoakReport,
  });
  tell(samples.at(-1) as Sample);
}
await ask({ do: 'stop' });
// Connections to it are kept as long as it keeps them itself: with it they end.
await Promise.all([upstream, load].map((each) => each.stop()));
await sleep(QUIET_MS);
const after = await sluice.vitals();
await sluice.stop();
const breaches = judge();
for (const breach of breaches) say(`BREACH: ${breach}`);
say(breaches.length === 0 ? 'passed' : 'failed');
process.exit(breaches.length === 0 ? 0 : 1);

function jobOf({ perSecond, streams }: Pick<SoakJob, 'perSecond' | 'streams'>): SoakJob {
  const { origin, key } = sluice.target;
  return { origin, key, perSecond, streams, promptBytes: PROMPT_BYTES };
}

function ask(command: object): Promise<unknown> {
  const answer = load.told((message) => (message as { result?: unknown }).result);
  load.tell(command);
  return answer;
}

function tell({ atMinutes, vitals, load }: Sample): void {
  const failures = Object.entries(load.failures).map(([status, count]) => `${count} x ${status}`);
  say(
    `${rounded(atMinutes, 1)} min: resident ${megabytes(vitals.residentBytes)} MB, heap ${megabytes(vitals.heapUsedBytes)} ` +
      `of ${megabytes(vitals.heapTotalBytes)}, external ${megabytes(vitals.externalBytes)} (buffers ${megabytes(vitals.bufferBytes)}), handles ${vitals.handles}; ${rounded(load.whole / load.seconds, 0)} requests/s, ` +
      `${load.openStreams} streams, ${rounded(load.events / load.seconds, 0)} events/s, p50 ${rounded(load.p50Ms, 0)} ms, ` +
      `p99 ${rounded(load.p99Ms, 0)} ms, left ${load.aborted}, refused ${load.refused}, failed ${failures.join(', ') || 0}`,
  );
}

function judge(): string[] {
  const steady = samples.filter(({ atMinutes }) => atMinutes * 60_000 > WARM_UP_MS);
  const seconds = steady.reduce((sum, { load }) => sum + load.seconds, 0);
  const whole = steady.reduce((sum, { load }) => sum + load.whole, 0);
  const resident = growth(steady, ({ residentBytes }) => residentBytes);
  const heap = growth(steady, ({ heapUsedBytes }) => heapUsedBytes);
  const failed = samples.flatMap(({ load }) => Object.entries(load.failures));
  say(`\nAfter ${rounded(WARM_UP_MS / 60_000, 1)} minutes of warm-up, ${steady.length} looks after a collection each:`);
  say(`reached: ${rounded(whole / seconds, 0)} requests/s, ${steady.at(-1)?.load.openStreams} streams`);
  say(`resident: ${words(resident)}; heap in use: ${words(heap)}`);
  say(`before: ${left(before)}\nafterwards: ${left(after)}`);
  return [
    ...(resident.slope <= MOST_MB_PER_10_MINUTES ? [] : [`resident memory grows: ${words(resident)}`]),
    ...(failed.length === 0 ? [] : [`answers that nobody asked for: ${JSON.stringify(failed)}`]),
    ...(after.handles <= before.handles + STRAY ? [] : [`${after.handles - before.handles} file descriptors are left`]),
    ...Object.entries(after.resources).flatMap(([name, count]) => {
      const more = count - (before.resources[name] ?? 0);
      return more <= STRAY ? [] : [`${more} more of ${name}`];
    }),
  ];
}

/** In MB per ten minutes. */
function growth(of: readonly Sample[], read: (vitals: Vitals) => number): { slope: number; error: number } {
  return trendOf(of.map(({ atMinutes, vitals }) => ({ x: atMinutes / 10, y: read(vitals) / 1e6 })));
}

function words({ slope, error }: { slope: number; error: number }): string {
  return `${rounded(slope)} MB per 10 minutes (standard error ${rounded(error)})`;
}

function left({ handles, resources }: Vitals): string {
  const counts = Object.entries(resources).map(([name, count]) => `${count} ${name}`);
  return `${handles} file descriptors; ${counts.join(', ')}`;
}

function megabytes(bytes: number): number {
  return rounded(bytes / 1e6, 1);
}

function say(line: string): void {
  console.log(line);
  if (values.out) appendFileSync(values.out, `${line}\n`);
}
