import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/scheduler/lease.ts';
import { logNormal, seededRandom } from './random.ts';
import { World } from './world.ts';

const NOTHING = [0, 0, 0, 0, 0] as const;

interface Speeds {
  /** Mean ms to the first byte, by key. */
  readonly means: readonly number[];
  readonly rpm?: readonly number[];
  readonly strategy?: string;
}

/** Routes that answer at speeds of their own, spread as real ones are (standard deviation half the mean). */
class Race {
  readonly world: World;
  readonly means: number[];
  readonly started: number[] = [];
  readonly latencies: number[] = [];
  /** Of these routes every request fails at once. */
  readonly broken = new Set<number>();
  /** Of these none is answered; the client leaves after ten seconds. */
  readonly hanging = new Set<number>();
  readonly #random = seededRandom(7);

  constructor({ means, rpm = means.map(() => 1_000_000), strategy = 'lowest-latency' }: Speeds) {
    this.means = [...means];
    const plan = {
      unit: 'requests',
      windowMs: 60_000,
      algorithm: 'token-bucket',
      isGuess: false,
      skewMs: 250,
    } as const;
    this.world = new World({
      strategy,
      keys: rpm.map((capacity) => ({
        truth: {},
        told: [{ name: 'rpm', plan: { ...plan, capacity, burst: 1 } }],
      })),
    }).openGates();
  }

  run(count: number, everyMs: number): this {
    for (let i = 0; i < count; i += 1) {
      this.world.submit(REQUEST, { isStreamed: true, onLease: (lease) => this.#serve(lease) });
      this.world.clock.advance(everyMs);
    }
    return this;
  }

  /** Of the requests started since the nth, how many went to the key. */
  share(key: number, from = 0): number {
    const started = this.started.slice(from);
    return started.filter((each) => each === key).length / started.length;
  }

  #serve(lease: Lease): void {
    const key = lease.option.index;
    this.started.push(key);
    if (this.broken.has(key)) {
      this.world.clock.schedule(20, () => lease.end({ charged: NOTHING, report: { kind: 'failed' } }));
      return;
    }
    if (this.hanging.has(key)) {
      this.world.clock.schedule(10_000, () => lease.end({ charged: NOTHING, report: { kind: 'nothing' } }));
      return;
    }
    const tookMs = logNormal(this.#random, this.means[key] as number, 0.5);
    this.latencies.push(tookMs);
    this.world.clock.schedule(tookMs, () => {
      lease.headed([]);
      lease.proved();
    });
    this.world.clock.schedule(tookMs + 2_000, () => lease.end({ charged: 'reserved', report: { kind: 'ok' } }));
  }
}

const REQUEST = { inputTokens: 1, outputTokens: 0, serviceMs: 0 };

describe('lowest-latency, in simulated time', () => {
  it.each([
    [1, 1_000],
    [20, 50],
  ])('gives the fastest of four routes 80 % of the requests and more, at %i a second', (_perSecond, everyMs) => {
    const race = new Race({ means: [1_200, 400, 1_000, 1_500] }).run(2_000, everyMs);
    expect(race.share(1)).toBeGreaterThanOrEqual(0.8);
  });

  it('uses the slower ones for what the fastest cannot afford, and makes nobody wait', () => {
    const race = new Race({ means: [1_200, 400], rpm: [1_000_000, 60] }).run(600, 500);
    expect(race.started).toHaveLength(600);
    expect(race.world.scheduler.waiting).toBe(0);
    // Sixty to begin with and one a second, of two.
    expect(race.share(1)).toBeGreaterThan(0.95 * ((60 + 300) / 600));
  });

  it.each([
    [2, 120],
    [4, 360],
  ])('of %i routes, finds one that has become the fastest again within %i requests', (count, within) => {
    const others = Array.from({ length: count - 2 }, () => 2_000);
    const race = new Race({ means: [5_000, 800, ...others] }).run(400, 200);
    expect(race.share(1, 100)).toBeGreaterThan(0.8);
    race.means[0] = 200;
    race.run(within, 200).run(400, 200);
    expect(race.share(0, 400 + within)).toBeGreaterThan(0.8);
  });

  it('leaves a route that fails fast, and comes back to it when it works', () => {
    const race = new Race({ means: [300, 900] }).run(200, 200);
    race.broken.add(0);
    race.run(300, 200);
    expect(race.share(0, 200)).toBeLessThan(0.1);
    race.broken.clear();
    race.run(400, 200).run(300, 200);
    expect(race.share(0, 900)).toBeGreaterThan(0.8);
  });

  it('leaves a route that hangs long before anything of it has timed out', () => {
    const race = new Race({ means: [300, 900] }).run(200, 100);
    race.hanging.add(0);
    race.run(90, 100);
    expect(race.share(0, 200)).toBeLessThan(0.2);
  });

  it('is faster than taking each in turn', () => {
    const means = [1_200, 400, 1_000, 1_500];
    const [fast, turns] = ['lowest-latency', 'round-robin'].map((strategy) =>
      new Race({ means, strategy }).run(1_000, 100),
    );
    expect(mean(fast?.latencies)).toBeLessThan(0.6 * mean(turns?.latencies));
  });
});

function mean(values: readonly number[] = []): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}
