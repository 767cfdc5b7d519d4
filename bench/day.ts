/**
 * A day with a hundred keys in simulated time: how much of them is used in the hours when more is asked than they have,
 * what is refused upstream, how true foretold waits are, and the processor time that it all takes.
 * `npm run bench:day -- --hours 24 --peak 3`
 *
 * The load follows the hours: three tenths of what the keys have at night, `--peak` times that in the early afternoon. The
 * vendors are the simulator's limiters, behind delays of 5 to 250 ms each way.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { LimitPlan } from '../src/scheduler/limits/create-limits.ts';
import { logNormal } from '../test/scheduler/simulation/random.ts';
import { percentile, type SimulatedKey, type SimulatedRequest, World } from '../test/scheduler/simulation/world.ts';
import { rounded } from './support/statistics.ts';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '100' },
    hours: { type: 'string', default: '24' },
    'first-hour': { type: 'string', default: '0' },
    peak: { type: 'string', default: '3' },
  },
});
const KEYS = Number(values.keys);
const HOURS = Number(values.hours);
const FIRST_HOUR = Number(values['first-hour']);
const PEAK = Number(values.peak);
const HOUR_MS = 3_600_000;
const NIGHT = 0.3;
const PEAK_HOUR = 14;
/** Hours from the peak to a third of it. */
const PEAK_WIDTH = 1.25;

const LEAST_PROMPT = 50;
const MOST_PROMPT = 1_000;
const OUTPUT_MEAN = 150;
const OUTPUT_CV = 1.3;
const MOST_OUTPUT = 1_000;
const RPM = 2;
const TPM = 3_000;

interface Shape {
  readonly name: string;
  readonly key: SimulatedKey;
  /** Requests a minute. */
  readonly serves: number;
}

const windows: Partial<LimitPlan> = { algorithm: 'sliding-window' };
const meanTokens = (MOST_PROMPT - LEAST_PROMPT) / Math.log(MOST_PROMPT / LEAST_PROMPT) + OUTPUT_MEAN;
const shapes: readonly Shape[] = [
  { name: 'rpm bucket', key: requests({ truth: { rpm: RPM } }), serves: RPM },
  {
    name: 'tpm bucket',
    key: {
      truth: { tpm: TPM },
      told: [{ name: 'tpm', plan: plan({ unit: 'tokens', capacity: TPM }) }],
      hasHeaders: true,
    },
    serves: TPM / meanTokens,
  },
  {
    name: 'rpm log',
    key: requests({ truth: { rpm: { limit: RPM, algorithm: 'sliding-log' } } }, windows),
    serves: RPM,
  },
  {
    name: 'rpm fixed',
    key: requests({ truth: { rpm: { limit: RPM, algorithm: 'fixed-window', anchor: 17_300 } } }, windows),
    serves: RPM,
  },
];

function plan(overrides: Partial<LimitPlan> & Pick<LimitPlan, 'capacity'>): LimitPlan {
  return { unit: 'requests', windowMs: 60_000, algorithm: 'token-bucket', isGuess: false, ...overrides };
}

function requests({ truth }: Pick<SimulatedKey, 'truth'>, overrides: Partial<LimitPlan> = {}): SimulatedKey {
  return { truth, told: [{ name: 'rpm', plan: plan({ capacity: RPM, ...overrides }) }], hasHeaders: true };
}

/** Half of them without a cap; what is expected then is the mean, as it would have been learned. */
function draw(): SimulatedRequest {
  const { random } = world;
  const outputTokens = Math.min(MOST_OUTPUT, Math.ceil(logNormal(random, OUTPUT_MEAN, OUTPUT_CV)));
  return {
    inputTokens: Math.round(LEAST_PROMPT * (MOST_PROMPT / LEAST_PROMPT) ** random()),
    outputTokens,
    expectedOutput: OUTPUT_MEAN,
    ...(random() < 0.5 ? { outputCap: MOST_OUTPUT } : {}),
    serviceMs: 300 + outputTokens * 10,
  };
}

/** Times what the keys have. */
function loadAt(hour: number): number {
  return NIGHT + (PEAK - NIGHT) * Math.exp(-(((hour - PEAK_HOUR) / PEAK_WIDTH) ** 2));
}

/** Of each shape: charged over what could have been, all its keys together. */
function utilisation(): number[] {
  const charged = shapes.map(() => 0);
  const supply = shapes.map(() => 0);
  for (const [index, { limits }] of world.limiters.entries()) {
    const shape = index % shapes.length;
    for (const limit of limits) {
      const report = limit.report(world.clock.now());
      charged[shape] = (charged[shape] ?? 0) + report.charged;
      supply[shape] = (supply[shape] ?? 0) + report.supply;
    }
  }
  return charged.map((each, shape) => each / (supply[shape] ?? 0));
}

/** A line as soon as it is known: a day may take a while. */
function print(cells: readonly (string | number)[]): void {
  console.log(cells.map((cell) => String(cell).padStart(10)).join(' '));
}

/** Since the process began, or since then: other work on the machine is not in it. */
function cpuSeconds(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

function percent(share: number): string {
  return `${rounded(100 * share)} %`;
}

const keys = Array.from({ length: KEYS }, (_, index) => (shapes[index % shapes.length] as Shape).key);
const perMinute = keys.reduce((sum, _key, index) => sum + (shapes[index % shapes.length] as Shape).serves, 0);
const world = new World({ keys, delayMs: [5, 250] }).openGates();
console.log(
  `Node ${process.version}, ${availableParallelism()} cores. ${KEYS} keys serve ${Math.round(perMinute)} a minute.`,
);
const totals = { asked: 0, admitted: 0, refused: 0, expired: 0 };
const NAMES = shapes.map(({ name }) => name);
print(['hour', 'load', ...NAMES, 'served', '429s', 'in vain', 'error p50', 'p95', 'CPU s']);
for (let hour = FIRST_HOUR; hour < FIRST_HOUR + HOURS; hour++) {
  const load = loadAt(hour);
  const begun = process.cpuUsage();
  world.startMeasuring();
  world.offer((load * perMinute) / 60, HOUR_MS, draw);
  const errors = world.predictionErrors();
  print([
    `${hour}:00`,
    `${rounded(load)}x`,
    ...utilisation().map(percent),
    world.admitted,
    world.refusals,
    world.expired,
    percent(percentile(errors, 0.5)),
    percent(percentile(errors, 0.95)),
    rounded(cpuSeconds(begun), 1),
  ]);
  totals.asked += world.admitted + world.rejections.length;
  totals.admitted += world.admitted;
  totals.refused += world.refusals;
  totals.expired += world.expired;
}
console.log(
  `${totals.asked} asked, ${totals.admitted} served, ${totals.refused} refused upstream, ${totals.expired} waited in vain; ` +
    `${rounded(cpuSeconds(), 1)} s of this machine's processor.`,
);
