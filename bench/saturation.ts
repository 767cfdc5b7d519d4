/**
 * What is used of limited keys, and what waiting is like, when more is asked of them than they have: real sockets, the
 * simulated vendor and Sluice in processes of their own. `npm run bench:saturation -- --minutes 2`, or `-- --quick` for a
 * look in less than a minute, which is too short for windows of a minute.
 *
 * How many requests a second the keys serve depends on who gets which: small ones go where tokens are scarce, and then it
 * is far more than of mean ones. So a load is a multiple of what was served in a minute of too much.
 *
 * The vendor's own ledger says what was charged and what could have been; it shares no code with the scheduler. What was
 * foretold is read at the scheduler's entrance in Sluice's process. The order of the runs: from idle to too much, which is
 * also what finds the capacity; three times that; the same with callers that come back when told; once; half. `--only
 * overload,obedient,light` takes parts of it.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { draw } from '../src/simulator/distribution.ts';
import { seeded } from '../test/tokens/texts.ts';
import { Callers } from './support/saturation/callers.ts';
import { figuresOf, limitFigures, type Observation, returnFigures } from './support/saturation/figures.ts';
import { aggregate, MODEL, OUTPUT, PHASE_MS, WARM_KEY } from './support/saturation/keys.ts';
import { Prompts } from './support/saturation/prompts.ts';
import { Stage } from './support/saturation/stage.ts';
import { rounded } from './support/statistics.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    'max-wait': { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: 'overload,obedient,light' },
    quick: { type: 'boolean', default: false },
  },
});
const MINUTES = Number(values.minutes);
const PARTS = values.only.split(',');
const IS_QUICK = values.quick;
const SEED = Number(values.seed);
const MINUTE_MS = 60_000;
const MOST_OFFSET_MS = 2_000;
/** The ledger is read before the next fixed window begins: what one can't have used yet must not count. */
const GUARD_MS = 200;
const STOCK = IS_QUICK ? 100 : 400;
const AT_ONCE = 50;

const clockOffsetMs = Math.round((2 * seeded(SEED)() - 1) * MOST_OFFSET_MS);
const prompts = new Prompts(STOCK, SEED);
const stage = await Stage.open({ clockOffsetMs, maxWait: values['max-wait'] ?? (IS_QUICK ? '10s' : '30s') });
const meanTokens = (await meanPromptTokens()) + meanOutputTokens();
const assumed = aggregate(meanTokens);
console.log(
  `Node ${process.version}, ${availableParallelism()} cores. Vendor's clock ${clockOffsetMs} ms ahead. ` +
    `A mean request costs ${Math.round(meanTokens)} tokens: ${rounded(assumed)} like it a second use up all keys.`,
);
/** When the ledger began anew: what is measured begins there, and not when all has been read. */
let lookedAt = performance.now();
const callers = new Callers(stage.sluiceUrl, prompts);
if (IS_QUICK) await quick();
else await whole();
await callers.stop();
console.log(`Open leases at the end: ${await openLeases()}`);
await stage.close();

async function quick(): Promise<void> {
  callers.perSecond = 8 * assumed;
  await measure('from idle to 8x, 10 s: what the keys have saved up is spent', 10_000);
  callers.perSecond = 4 * assumed;
  await measure('4x, 25 s: too short to judge windows by', 25_000);
}

async function whole(): Promise<void> {
  callers.perSecond = 4 * assumed;
  await measure('from idle to 4x of mean requests, one minute', MINUTE_MS);
  // What was saved up before is spent now: from here on a minute serves what a minute brings.
  const { ledger } = await measure('4x of mean requests, one more minute', MINUTE_MS);
  const capacity = ledger.admitted / 60;
  console.log(`\nThe keys serve ${rounded(capacity)} a second: that is 1x from here on.`);
  callers.perSecond = 3 * capacity;
  if (PARTS.includes('overload')) {
    await untilWindowBegins();
    await measure(`3x, ${MINUTES} minutes`, MINUTES * MINUTE_MS - GUARD_MS);
  }
  if (PARTS.includes('obedient')) await obedient();
  for (const load of PARTS.includes('light') ? [1, 0.5] : []) {
    callers.perSecond = load * capacity;
    await sleep(MINUTE_MS / 2);
    await untilWindowBegins();
    await measure(`${load}x, ${MINUTES} minutes`, MINUTES * MINUTE_MS - GUARD_MS);
  }
}

/**
 * Three times the load of callers that come back when told, one in ten of them in half the time. Nobody came back until
 * now, so those of the first minute are made promises on the strength of that.
 */
async function obedient(): Promise<void> {
  await observe();
  callers.manner = () => (prompts.random() < 0.1 ? 'hurries' : 'obeys');
  const cohorts = ['first minute', 'second minute', 'third minute'];
  for (const cohort of cohorts) {
    callers.cohort = cohort;
    await sleep(MINUTE_MS);
  }
  // Others go on like them, so that those who come back find the same crowd.
  callers.cohort = 'later';
  await sleep(1.5 * MINUTE_MS);
  callers.cohort = '';
  callers.manner = () => 'leaves';
  const { stories, ledger } = await observe();
  const rows = cohorts.flatMap((cohort) =>
    (['obeys', 'hurries'] as const).map((manner) => {
      const { returned, servedAtOnce, servedInTheEnd } = returnFigures(stories, { manner, cohort });
      const share = percent(servedAtOnce / returned);
      return [`${cohort}, ${manner}`, { returned, 'served at the first return': servedAtOnce, share, servedInTheEnd }];
    }),
  );
  console.log(
    `\nRefused at 3x, and back when told (obeys) or in half the time (hurries). Upstream 429s: ${ledger.rateLimited}`,
  );
  console.table(Object.fromEntries(rows));
}

async function measure(name: string, forMs: number): Promise<Observation> {
  await observe();
  await sleep(lookedAt + forMs - performance.now());
  const observation = await observe();
  show(name, observation);
  return observation;
}

/** Whoever was cut has a moment to be settled. */
async function openLeases(): Promise<number> {
  for (let looks = 0; looks < 20 && (await stage.openLeases()) > 0; looks++) await sleep(100);
  return stage.openLeases();
}

/** All that was seen since the last look. */
async function observe(): Promise<Observation> {
  const ledger = await stage.ledger();
  await stage.resetLedger();
  lookedAt = performance.now();
  return { ledger, notes: await stage.notes(), stories: callers.take() };
}

function show(name: string, observation: Observation): void {
  const figures = figuresOf(observation);
  console.log(`\n${name}`);
  const rows = limitFigures(observation.ledger).map(({ key, charged, supply, utilisation, left, refused }) => [
    `${key.name} (${key.binding})`,
    {
      charged: Math.round(charged),
      'could be': Math.round(supply),
      used: percent(utilisation),
      'left at the end': Math.round(left),
      'bar at 3x': percent(key.bar),
      '429s': refused,
    },
  ]);
  console.table(Object.fromEntries(rows));
  console.table({
    'admitted / upstream 429s': `${figures.admitted} / ${figures.refusedUpstream}`,
    'upstream 429s: limit, asked, too early by': figures.refusals,
    'time with somebody waiting': percent(figures.waitingShare),
    'wait p50 / p99': `${seconds(figures.waitP50Ms)} / ${seconds(figures.waitP99Ms)}`,
    'error of foretold waits over 1 s, p50 / p95': `${percent(figures.errorP50)} / ${percent(figures.errorP95)} (${seconds(figures.errorP95Ms)}; ${figures.foretold} waits)`,
    'waited in vain': figures.expired,
    'out of order': figures.outOfOrder,
    'refused at the door, answered in p50 / p99': `${figures.rejections}, ${rounded(figures.rejectionP50Ms, 1)} / ${rounded(figures.rejectionP99Ms, 1)} ms`,
    'other failures': figures.failures,
  });
}

/** Returns just after the vendor's fixed window has begun: part of one can't be compared with what the whole admits. */
async function untilWindowBegins(): Promise<void> {
  const vendorNow = Date.now() + clockOffsetMs;
  const sinceMs = (((vendorNow - PHASE_MS) % MINUTE_MS) + MINUTE_MS) % MINUTE_MS;
  await sleep(MINUTE_MS - sinceMs + GUARD_MS / 4);
}

/** Has the vendor look at every text once, so that it counts none while it is measured, and says how long they are. */
async function meanPromptTokens(): Promise<number> {
  const counts: number[] = [];
  for (let first = 0; first < prompts.texts.length; first += AT_ONCE) {
    counts.push(...(await Promise.all(prompts.texts.slice(first, first + AT_ONCE).map(countedByVendor))));
  }
  return counts.reduce((sum, each) => sum + each, 0) / counts.length;
}

async function countedByVendor(content: string): Promise<number> {
  const answer = await fetch(`${stage.vendorUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${WARM_KEY}` },
    body: JSON.stringify({ model: MODEL, max_tokens: 1, messages: [{ role: 'user', content }] }),
  });
  const { usage } = (await answer.json()) as { usage: { prompt_tokens: number } };
  return usage.prompt_tokens;
}

function meanOutputTokens(): number {
  const random = seeded(SEED);
  const draws = 10_000;
  let sum = 0;
  for (let drawn = 0; drawn < draws; drawn++) sum += draw(OUTPUT, random);
  return sum / draws;
}

function percent(share: number): string {
  return Number.isNaN(share) ? '-' : `${rounded(100 * share)} %`;
}

function seconds(ms: number): string {
  return Number.isNaN(ms) ? '-' : `${rounded(ms / 1000)} s`;
}
