import { expect, test, vi } from 'vitest';
import type { LimitPlan } from '../../../src/scheduler/limits/create-limits.ts';
import type { LimitsOptions } from '../../../src/simulator/limits/limit-spec.ts';
import { percentile, type SimulatedRequest, World } from './world.ts';

vi.setConfig({ testTimeout: 180_000 });

const MINUTE_MS = 60_000;
const PHASE_MS = 17_300;

interface Case {
  readonly name: string;
  readonly truth: LimitsOptions;
  readonly told: readonly { readonly name: string; readonly plan: LimitPlan }[];
  readonly keys?: number;
  /** Requests per second that the keys can serve together. */
  readonly capacity: number;
  readonly request: (random: () => number) => SimulatedRequest;
  readonly binding: string;
  readonly atLeast: number;
  readonly predictionP99?: number;
  /** Long enough that one request more or less does not matter. */
  readonly minutes?: number;
}

function plan(overrides: Partial<LimitPlan> & Pick<LimitPlan, 'capacity'>): LimitPlan {
  return { unit: 'requests', windowMs: MINUTE_MS, algorithm: 'token-bucket', isGuess: false, ...overrides };
}

const small = (): SimulatedRequest => ({ inputTokens: 100, outputTokens: 100, serviceMs: 1500 });

function tokensOf(mean: number): SimulatedRequest {
  return { inputTokens: mean * 0.8, outputTokens: mean * 0.2, serviceMs: 2000 };
}

const cases: readonly Case[] = [
  {
    name: 'a bucket of requests',
    truth: { rpm: 600 },
    told: [{ name: 'rpm', plan: plan({ capacity: 600 }) }],
    capacity: 10,
    request: small,
    binding: 'rpm',
    atLeast: 0.995,
    predictionP99: 0.05,
  },
  {
    name: 'a bucket of tokens with costs of a tenth of it',
    truth: { tpm: 200_000 },
    told: [{ name: 'tpm', plan: plan({ unit: 'tokens', capacity: 200_000 }) }],
    capacity: 1 / 6,
    request: (random) => tokensOf(10_000 + 20_000 * random()),
    minutes: 60,
    binding: 'tpm',
    atLeast: 0.995,
    predictionP99: 0.05,
  },
  {
    name: 'ten keys with buckets of many sizes',
    keys: 10,
    truth: { rpm: 300, tpm: 100_000 },
    told: [
      { name: 'rpm', plan: plan({ capacity: 300 }) },
      { name: 'tpm', plan: plan({ unit: 'tokens', capacity: 100_000 }) },
    ],
    capacity: 10 * 1.6,
    request: (random) => tokensOf(500 + 1000 * random()),
    binding: 'tpm',
    atLeast: 0.995,
    predictionP99: 0.05,
  },
  {
    name: 'a sliding window of requests',
    truth: { rpm: { limit: 600, algorithm: 'sliding-log' } },
    told: [{ name: 'rpm', plan: plan({ capacity: 600, algorithm: 'sliding-window' }) }],
    capacity: 10,
    request: small,
    binding: 'rpm',
    atLeast: 0.99,
    predictionP99: 0.15,
  },
  {
    name: 'a sliding window of tokens, costs of 5 % of it',
    truth: { tpm: { limit: 200_000, algorithm: 'sliding-log' } },
    told: [{ name: 'tpm', plan: plan({ unit: 'tokens', capacity: 200_000, algorithm: 'sliding-window' }) }],
    capacity: 1 / 3,
    request: (random) => tokensOf(5_000 + 10_000 * random()),
    minutes: 60,
    binding: 'tpm',
    atLeast: 0.97,
  },
  {
    name: 'a fixed window of unknown phase',
    truth: { rpm: { limit: 600, algorithm: 'fixed-window', anchor: PHASE_MS } },
    told: [{ name: 'rpm', plan: plan({ capacity: 600, algorithm: 'sliding-window' }) }],
    capacity: 10,
    request: small,
    binding: 'rpm',
    atLeast: 0.99,
    predictionP99: 0.15,
  },
  {
    name: 'slices of ten seconds',
    truth: { rpm: { limit: 600, algorithm: 'slices', sliceMs: 10_000 } },
    told: [{ name: 'rpm', plan: plan({ capacity: 600, algorithm: 'sliding-window', sliceMs: 10_000 }) }],
    capacity: 10,
    request: small,
    binding: 'rpm',
    atLeast: 0.97,
  },
  {
    name: 'slots',
    truth: { concurrency: { limit: 8 } },
    told: [
      { name: 'concurrency', plan: plan({ unit: 'in_flight', windowMs: 0, capacity: 8, algorithm: 'in-flight' }) },
    ],
    capacity: 8 / 1.7,
    request: small,
    binding: 'concurrency',
    atLeast: 0.97 * (1500 / (1500 + 81 + 100)),
  },
];

for (const { name, truth, told, keys = 1, minutes = 5, capacity, request, binding, atLeast, predictionP99 } of cases) {
  test(`three times the load on ${name} uses it up without one refusal`, () => {
    const world = new World({ keys: Array.from({ length: keys }, () => ({ truth, told })) }).openGates();
    const draw = () => request(world.random);
    // Measuring begins where a fixed window does: a part of one can't be compared with what the whole admits.
    world.offer(3 * capacity, 3 * MINUTE_MS + PHASE_MS, draw);
    world.startMeasuring();
    world.offer(3 * capacity, minutes * MINUTE_MS, draw);
    const errors = world.predictionErrors();
    const figures = {
      utilisation: world.utilisation(binding),
      refusals: world.refusals,
      p50: percentile(errors, 0.5),
      p99: percentile(errors, 0.99),
      expired: world.expired / (world.served.length + world.expired),
    };
    if (process.env['SIM']) console.log(name, figures, world.served.length);
    expect(figures.refusals).toBe(0);
    expect(figures.utilisation).toBeGreaterThanOrEqual(atLeast);
    expect(figures.expired).toBeLessThanOrEqual(0.005);
    if (predictionP99 !== undefined) expect(figures.p99).toBeLessThanOrEqual(predictionP99);
  });
}
