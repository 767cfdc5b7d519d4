import { describe, expect, it, vi } from 'vitest';
import { World, type WorldOptions } from '../../scheduler/simulation/world.ts';
import { Conversations } from './conversations.ts';

vi.setConfig({ testTimeout: 120_000 });

const MINUTE_MS = 60_000;
const QUOTAS = 4;
const MEASURED_MS = 10 * MINUTE_MS;

interface Case {
  readonly name: string;
  /** LLM tokens a minute of each of the four quotas. */
  readonly tpm: number;
  readonly algorithm: 'token-bucket' | 'sliding-window';
  /** Between an answer and the next turn, for 60 % load and for more than the quotas serve. */
  readonly thinkMs: readonly [sixty: number, overload: number];
}

const CASES: readonly Case[] = [
  { name: 'buckets', tpm: 220_000, algorithm: 'token-bucket', thinkMs: [9_200, 2_500] },
  { name: 'sliding windows', tpm: 220_000, algorithm: 'sliding-window', thinkMs: [9_200, 2_500] },
  { name: 'buckets of ten turns a minute', tpm: 20_000, algorithm: 'token-bucket', thinkMs: [120_000, 60_000] },
];

function talk({ tpm, algorithm }: Case, about: { thinkMs: number; hasAffinity: boolean; strategy?: string }) {
  const { strategy = 'headroom', ...options } = about;
  const truth = { tpm: { limit: tpm, algorithm: algorithm === 'token-bucket' ? algorithm : 'sliding-log' } } as const;
  const plan = { unit: 'tokens', capacity: tpm, windowMs: MINUTE_MS, algorithm, isGuess: false, burst: 1 } as const;
  const keys: WorldOptions['keys'] = Array.from({ length: QUOTAS }, () => ({ truth, told: [{ name: 'tpm', plan }] }));
  const world = new World({ keys, strategy, seed: 5 }).openGates();
  const conversations = new Conversations(world, options).start();
  world.clock.advance(5 * MINUTE_MS);
  conversations.startMeasuring();
  world.clock.advance(MEASURED_MS);
  const used = world.utilisation('tpm');
  conversations.stop();
  return { conversations, stayed: conversations.shareThatStayed, used, refusals: world.refusals };
}

describe('50 conversations of ten turns over four quotas', () => {
  it.each(CASES)('stay where they are at 60 % load: $name', (each) => {
    const thinkMs = each.thinkMs[0];
    const [kept, spread] = [true, false].map((hasAffinity) => talk(each, { thinkMs, hasAffinity }));
    expect(kept?.used).toBeGreaterThan(0.55);
    expect(kept?.used).toBeLessThan(0.65);
    expect(kept?.stayed).toBeGreaterThanOrEqual(0.9);
    expect(spread?.stayed).toBeLessThan(0.5);
  });

  it.each(CASES)('cost no more than a hundredth of the utilisation when there is too much to do: $name', (each) => {
    const thinkMs = each.thinkMs[1];
    const [kept, spread] = [true, false].map((hasAffinity) => talk(each, { thinkMs, hasAffinity }));
    expect(spread?.used).toBeGreaterThan(0.95);
    expect(kept?.used).toBeGreaterThanOrEqual((spread?.used ?? 1) - 0.01);
    expect(kept?.refusals).toBe(0);
  });

  it('are spread as the strategy says when they are new', () => {
    const { conversations, stayed } = talk(CASES[0] as Case, {
      thinkMs: 9_200,
      hasAffinity: true,
      strategy: 'round-robin',
    });
    const opened = [...conversations.opened.values()];
    const total = opened.reduce((sum, each) => sum + each, 0);
    expect(stayed).toBeGreaterThanOrEqual(0.9);
    expect(opened).toHaveLength(QUOTAS);
    for (const count of opened) expect(Math.abs(count / total - 1 / QUOTAS)).toBeLessThan(0.02);
  });
});
