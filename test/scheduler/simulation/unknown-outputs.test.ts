import { describe, expect, test, vi } from 'vitest';
import type { LimitsOptions } from '../../../src/simulator/limits/limit-spec.ts';
import { logNormal } from './random.ts';
import { type SimulatedRequest, World } from './world.ts';

vi.setConfig({ testTimeout: 180_000 });

const MINUTE_MS = 60_000;

interface Traffic {
  readonly tokensPerMinute: number;
  readonly keys: number;
  readonly promptTokens: (random: () => number) => number;
  /** Log-normal: the mean, its deviation over the mean, and what no answer exceeds. */
  readonly output: { readonly mean: number; readonly cv: number; readonly most: number };
  readonly msPerOutputToken: number;
  readonly delayMs: readonly [number, number];
  readonly minutes: number;
}

/** Eight answers under way at any time; a request costs half a percent of the limit. */
const large: Traffic = {
  tokensPerMinute: 200_000,
  keys: 1,
  promptTokens: () => 600,
  output: { mean: 400, cv: 1, most: 4_000 },
  msPerOutputToken: 5,
  delayMs: [1, 80],
  minutes: 30,
};

/** A request costs a sixth of the limit, and two thirds of it where it has a cap: one answer is mostly alone. */
const tiny: Traffic = {
  tokensPerMinute: 3_000,
  keys: 5,
  promptTokens: (random) => Math.round(50 * 20 ** random()),
  output: { mean: 150, cv: 1.3, most: 1_000 },
  msPerOutputToken: 10,
  delayMs: [5, 250],
  minutes: 120,
};

interface Outcome {
  readonly utilisation: number;
  readonly refusals: number;
  readonly admitted: number;
}

interface Run {
  readonly traffic: Traffic;
  /** Share of requests that have a cap. */
  readonly capped: number;
  readonly hasHeaders: boolean;
  readonly vendor?: Exclude<LimitsOptions['tpm'], number | undefined> | object;
}

/** Three times what the keys can serve: the mean is what has been learned of outputs. */
function run({ traffic, capped, hasHeaders, vendor = {} }: Run): Outcome {
  const { tokensPerMinute: limit, keys, output, delayMs } = traffic;
  const told = {
    name: 'tpm',
    plan: { unit: 'tokens', windowMs: MINUTE_MS, capacity: limit, algorithm: 'token-bucket', isGuess: false },
  } as const;
  const key = { truth: { tpm: { limit, ...vendor } }, told: [told], hasHeaders };
  const world = new World({ keys: Array.from({ length: keys }, () => key), delayMs }).openGates();
  const draw = (): SimulatedRequest => {
    const outputTokens = Math.min(output.most, Math.ceil(logNormal(world.random, output.mean, output.cv)));
    return {
      inputTokens: traffic.promptTokens(world.random),
      outputTokens,
      expectedOutput: output.mean,
      ...(world.random() < capped ? { outputCap: output.most } : {}),
      serviceMs: 500 + outputTokens * traffic.msPerOutputToken,
    };
  };
  const meanTokens = Array.from({ length: 1_000 }, draw).reduce((sum, each) => sum + sizeOf(each), 0) / 1_000;
  const perSecond = (3 * keys * limit) / 60 / meanTokens;
  world.offer(perSecond, 3 * MINUTE_MS, draw);
  world.startMeasuring();
  world.offer(perSecond, traffic.minutes * MINUTE_MS, draw);
  return { utilisation: world.utilisation('tpm'), refusals: world.refusals, admitted: world.admitted };
}

function sizeOf({ inputTokens, outputTokens }: SimulatedRequest): number {
  return inputTokens + outputTokens;
}

/** Prints figures when asked to: a bar that is met tells nothing of by how much. */
function show(name: string, outcome: Outcome): void {
  if (process.env['SIM']) console.log(name, outcome);
}

describe.each([
  { heads: 'with truthful heads', hasHeaders: true },
  { heads: 'without heads', hasHeaders: false },
])('outputs that nobody knows, at three times the load, $heads', ({ heads, hasHeaders }) => {
  test.each([
    { name: 'all capped', traffic: large, capped: 1 },
    { name: 'half capped', traffic: large, capped: 0.5 },
    { name: 'none capped', traffic: large, capped: 0 },
    { name: 'half capped, on keys of 3,000 a minute', traffic: tiny, capped: 0.5 },
    { name: 'none capped, on keys of 3,000 a minute', traffic: tiny, capped: 0 },
  ])('are used up, and of five thousand two at most are refused: $name', ({ name, traffic, capped }) => {
    const outcome = run({ traffic, capped, hasHeaders });
    show(`${name}, ${heads}`, outcome);
    expect(outcome.refusals).toBeLessThanOrEqual(2);
    expect(outcome.utilisation).toBeGreaterThanOrEqual(0.995);
  });

  test.each([
    { name: 'the larger of prompt and cap', capped: 1, vendor: { reserve: 'larger' } },
    { name: 'the prompt alone', capped: 0.5, vendor: { reserve: 'prompt' } },
    { name: 'more than the prompt where there is no cap', capped: 0, vendor: { assumedOutput: 400 } },
  ])('and the same whatever the vendor reserves: $name', ({ name, capped, vendor }) => {
    const outcome = run({ traffic: large, capped, hasHeaders, vendor });
    show(`reserves ${name}, ${heads}`, outcome);
    expect(outcome.refusals).toBeLessThanOrEqual(2);
    expect(outcome.utilisation).toBeGreaterThanOrEqual(0.99);
  });
});
