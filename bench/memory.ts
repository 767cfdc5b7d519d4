/**
 * Memory: idle, with many streams open, and whether a crowd of clients is served without an error. Sluice and a bare
 * relay take turns in processes of their own; what counts is the resident set as the process itself reports it.
 * `npm run bench:memory -- --streams 2000 --clients 1000 --seconds 10`
 *
 * `--node-options=--max-semi-space-size=16` starts Sluice with them, to see what they are worth.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Generator } from './support/generator.ts';
import { rounded } from './support/statistics.ts';
import { type Subject, startBareProxy, startSluice, startUpstream } from './support/subjects.ts';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '2000' },
    clients: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    'node-options': { type: 'string', default: '' },
  },
});
const STREAMS = Number(values.streams);
const CLIENTS = Number(values.clients);
const SECONDS = Number(values.seconds);
const NODE_OPTIONS = values['node-options'].split(' ').filter((option) => option !== '');
const PROMPT_BYTES = 16 * 1024;
const UPSTREAM_DELAY_MS = 60;
const EVENT_GAP_MS = 1000;
const SETTLE_MS = 3000;

async function megabytes(subject: Subject): Promise<number> {
  return rounded((await subject.usage()).residentBytes / 1e6, 0);
}

/** The highest of a look a second. */
async function peakMegabytes(subject: Subject): Promise<number> {
  let peak = 0;
  for (let second = 0; second < SECONDS; second++) {
    peak = Math.max(peak, await megabytes(subject));
    await sleep(1000);
  }
  return peak;
}

async function measureStreams(start: (upstream: Subject) => Promise<Subject>): Promise<[string, object]> {
  const upstream = await startUpstream({ delayMs: UPSTREAM_DELAY_MS, gapMs: EVENT_GAP_MS });
  const generator = await Generator.start();
  const subject = await start(upstream);
  await sleep(SETTLE_MS);
  const idle = await megabytes(subject);
  await generator.open(subject.target, { streams: STREAMS, promptBytes: PROMPT_BYTES, perSecond: 400 });
  const peak = await peakMegabytes(subject);
  const { failed } = await generator.count();
  await generator.cut();
  await sleep(SETTLE_MS);
  const after = await megabytes(subject);
  await Promise.all([subject, upstream, generator].map((each) => each.stop()));
  return [subject.name, { 'idle MB': idle, 'streaming MB': peak, 'afterwards MB': after, failed }];
}

async function measureCrowd(start: (upstream: Subject) => Promise<Subject>): Promise<[string, object]> {
  const upstream = await startUpstream({ delayMs: UPSTREAM_DELAY_MS, gapMs: EVENT_GAP_MS });
  const generator = await Generator.start();
  const subject = await start(upstream);
  const job = { clients: CLIENTS, seconds: SECONDS, promptBytes: 4096 };
  const { served, failures, p50Ms, p99Ms } = await generator.clients(subject.target, job);
  const peak = await megabytes(subject);
  await Promise.all([subject, upstream, generator].map((each) => each.stop()));
  const failed = Object.entries(failures).map(([status, count]) => `${count} x ${status}`);
  const figures = {
    served,
    errors: failed.join(', ') || 0,
    'per second': rounded(served / SECONDS, 0),
    'p50 ms': rounded(p50Ms, 0),
    'p99 ms': rounded(p99Ms, 0),
    MB: peak,
  };
  return [subject.name, figures];
}

/** Without undici's request and Fastify's reply, which cost memory of their own. */
async function startBareRelay(upstream: Subject): Promise<Subject> {
  const bare = await startBareProxy(upstream);
  return { ...bare, target: { ...bare.target, prefix: '/relay' } };
}

const startMeasured = (upstream: Subject): Promise<Subject> => startSluice(upstream, { nodeOptions: NODE_OPTIONS });

console.log(`${STREAMS} streams, prompts of ${PROMPT_BYTES} bytes, an event each ${EVENT_GAP_MS} ms`);
console.table(Object.fromEntries([await measureStreams(startBareRelay), await measureStreams(startMeasured)]));
console.log(`${CLIENTS} clients on an upstream of ${UPSTREAM_DELAY_MS} ms, for ${SECONDS} s`);
console.table(Object.fromEntries([await measureCrowd(startBareRelay), await measureCrowd(startMeasured)]));
