/**
 * Everything fails, by a plan that a seed makes: random faults on random keys, vendors that restart, a wall clock that
 * jumps, a configuration that is written anew, sometimes as nobody can read it, two hundred clients of which some leave, some read slowly and some come back when told.
 * `npm run chaos -- --minutes 10 --seed 1 --clients 200`
 *
 * Vendors are simulated, each with its own limiter and books; Sluice is started as the command is, in a process of its
 * own. What must hold, or the exit code is 1 and the seed and what was found are printed:
 *
 * - Each request ends: in an answer that is whole, in one whose break is told in band, or in an error of `docs/errors.md`
 *   with its status. No connection is lost.
 * - 99 % of the requests that had a healthy route are answered with 200: `Health` says what that is.
 * - Nothing in the log says error, nothing is rejected unseen, Node warns of nothing.
 * - Afterwards no lease is open, no body is held, and sockets, timers and descriptors are what they were.
 * - Sluice never believes in more than a vendor has left, by more than 1 % of the limit. After a calm minute, in which
 *   heads and windows have put right what it had to guess, and a burst that draws the limits down, both say the same.
 */
import { availableParallelism } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type BookedLimit, compareBooks } from './support/chaos/books.ts';
import { Callers, type Story } from './support/chaos/callers.ts';
import {
  bookFindings,
  errorOf,
  servedFindings,
  servedOf,
  stateFindings,
  storyFindings,
  storyLine,
} from './support/chaos/findings.ts';
import { Health, LOOK_MS } from './support/chaos/health.ts';
import { type ChaosEvent, planOf } from './support/chaos/plan.ts';
import { CLIENTS } from './support/chaos/sluice-config.ts';
import { VENDOR_SPECS } from './support/chaos/vendor-specs.ts';
import { World } from './support/chaos/world.ts';
import { quantile, rounded } from './support/statistics.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    clients: { type: 'string', default: '200' },
    calm: { type: 'string', default: '65' },
  },
});
const SEED = Number(values.seed ?? Math.floor(1e6 * Math.random()));
const FOR_MS = Number(values.minutes) * 60_000;
const CALM_CLIENTS = 20;
/** What was freed counts as free a moment after the last byte, two seconds at most. */
const SETTLE_MS = 2_500;
/** Sockets whose other end has closed are gone. */
const CLOSE_MS = 2_000;

const plan = planOf(SEED, FOR_MS, VENDOR_SPECS);
console.log(
  `Seed ${SEED}: ${values.clients} clients, ${values.minutes} minutes, ${plan.length} events. Node ${process.version}, ${availableParallelism()} cores.`,
);
const world = await World.open(SEED);
const findings: string[] = [];
let isOver = false;
void world.ended().then((how) => {
  if (isOver) return;
  console.log(`FOUND: Sluice has ended: ${how}. Seed ${SEED}.`);
  process.exit(1);
});
const before = await world.state();
const health = new Health(world.vendors);
const looking = setInterval(() => health.look(performance.now()), LOOK_MS);
const lag = monitorEventLoopDelay({ resolution: 10 });
lag.enable();

const callers = new Callers(world.url, SEED);
const startedAt = performance.now();
callers.start(Number(values.clients));
await Promise.all([world.play(plan, startedAt), sleep(FOR_MS)]);
await callers.end();
await sleep(SETTLE_MS);
const booksAfterChaos = await books();
findings.push(...bookFindings(booksAfterChaos, false));

const calm = new Callers(world.url, SEED + 1);
calm.start(CALM_CLIENTS);
await sleep(1_000 * Number(values.calm));
await calm.end();
await calm.burst();
await sleep(SETTLE_MS);
const booksAfterCalm = await books();
findings.push(...bookFindings(booksAfterCalm, true));
clearInterval(looking);

const stories = [...callers.stories, ...calm.stories];
findings.push(...storyFindings(stories), ...servedFindings(servedOf(stories, health)));
await world.closeVendors();
await sleep(CLOSE_MS);
const after = await world.state();
findings.push(...stateFindings(after, before));
isOver = true;
await world.close();
report();
process.exit(findings.length === 0 ? 0 : 1);

function books(): Promise<BookedLimit[]> {
  return compareBooks(world.url, CLIENTS[0].key, world.vendors);
}

function report(): void {
  const { counted, served, unserved } = servedOf(stories, health);
  for (const story of unserved.slice(0, 10)) console.log(`not served: ${storyLine(story)}`);
  console.table(countBy(plan, nameOfEvent));
  console.table(countBy(stories, nameOfEnd));
  const waits = stories.filter(({ status }) => status === 200).map(({ headAt, sentAt }) => (headAt ?? 0) - sentAt);
  console.table({
    requests: stories.length,
    'uploads broken off': callers.halfUploads + calm.halfUploads,
    'with a healthy route / served': `${counted} / ${served} (${rounded((100 * served) / counted, 2)} %)`,
    'first byte p50 / p99': `${rounded(quantile(waits, 0.5), 0)} / ${rounded(quantile(waits, 0.99), 0)} ms`,
    'books and vendors differ after the chaos, at most': worst(booksAfterChaos),
    'and after calm and burst': worst(booksAfterCalm),
    'changes of routes': after.logged['route changed'] ?? 0,
    'reloads, and files refused': `${after.logged['configuration reloaded'] ?? 0}, ${refusedFiles()}`,
    'open leases, bytes held, descriptors more': `${after.openLeases}, ${after.heldBodyBytes}, ${after.handles - before.handles}`,
    'resident MB at the start / end': `${rounded(before.residentBytes / 1e6, 0)} / ${rounded(after.residentBytes / 1e6, 0)}`,
    'this process was late by, p99': `${rounded(lag.percentile(99) / 1e6, 0)} ms`,
  });
  for (const finding of findings) console.log(`FOUND: ${finding}`);
  console.log(`Seed ${SEED}: ${findings.length === 0 ? 'passed' : `${findings.length} findings`}`);
}

function refusedFiles(): number {
  return Object.entries(after.logged).find(([message]) => message.startsWith('configuration refused'))?.[1] ?? 0;
}

function worst(of: readonly BookedLimit[]): string {
  const [most] = of.toSorted((a, b) => Math.abs(errorOf(b)) - Math.abs(errorOf(a)));
  if (!most) return 'nothing compared';
  return `${rounded(100 * errorOf(most), 2)} % (${most.quota} ${most.limit}; ${of.length} limits)`;
}

function nameOfEvent(event: ChaosEvent): string {
  return event.kind === 'fault' ? event.fault : event.kind;
}

function nameOfEnd({ end }: Story): string {
  return 'code' in end ? `${end.kind}: ${end.code}` : end.kind;
}

function countBy<Item>(items: readonly Item[], nameOf: (item: Item) => string): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => a.localeCompare(b)));
}
