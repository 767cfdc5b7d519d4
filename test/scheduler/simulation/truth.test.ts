import { describe, expect, test, vi } from 'vitest';
import type { LimitPlan } from '../../../src/scheduler/limits/create-limits.ts';
import type { NamedPlan } from '../../../src/scheduler/quota.ts';
import { logNormal, seededRandom } from './random.ts';
import { percentile, type SimulatedRequest, World, WRITE_EVERY_MS } from './world.ts';

vi.setConfig({ testTimeout: 180_000 });

const MINUTE_MS = 60_000;

function told(name: 'rpm' | 'tpm', capacity: number, overrides: Partial<LimitPlan> = {}): NamedPlan {
  const unit = name === 'rpm' ? 'requests' : 'tokens';
  return {
    name,
    plan: { unit, windowMs: MINUTE_MS, capacity, algorithm: 'token-bucket', isGuess: false, ...overrides },
  };
}

/** Prints figures when asked to: a bar that is met tells nothing of by how much. */
function show(name: string, figures: Record<string, number>): void {
  if (process.env['SIM']) console.log(name, figures);
}

const small: SimulatedRequest = { inputTokens: 100, outputTokens: 100, serviceMs: 1500 };

describe('what a vendor charges', () => {
  test('outputs nobody knows, reserved at their cap and refunded: all of it is used, without a refusal', () => {
    const world = new World({ keys: [{ truth: { tpm: 200_000 }, told: [told('tpm', 200_000)] }] }).openGates();
    const draw = (): SimulatedRequest => {
      const outputTokens = Math.min(4_000, Math.ceil(logNormal(world.random, 400, 1)));
      return {
        inputTokens: 600,
        outputTokens,
        outputCap: 4_000,
        expectedOutput: 400,
        serviceMs: 500 + outputTokens * 5,
      };
    };
    world.offer(10, 3 * MINUTE_MS, draw);
    world.startMeasuring();
    world.offer(10, 10 * MINUTE_MS, draw);
    const errors = world.predictionErrors();
    const figures = {
      utilisation: world.utilisation('tpm'),
      refusals: world.refusals,
      p50: percentile(errors, 0.5),
      p99: percentile(errors, 0.99),
    };
    show('reserved and refunded', figures);
    expect(figures.refusals).toBe(0);
    expect(figures.utilisation).toBeGreaterThanOrEqual(0.99);
    expect(figures.p50).toBeLessThanOrEqual(0.05);
    expect(figures.p99).toBeLessThanOrEqual(0.15);
  });

  test("reserved and never refunded: all of the vendor's own count is used", () => {
    const truth = { tpm: { limit: 200_000, algorithm: 'fixed-window', charge: 'keep' } } as const;
    const limits = [told('tpm', 200_000, { algorithm: 'sliding-window', burst: 1 })];
    const world = new World({ keys: [{ truth, told: limits }], settlesTo: 'reserved' }).openGates();
    const draw = (): SimulatedRequest => ({
      inputTokens: 600,
      outputTokens: 300,
      outputCap: 1_400,
      expectedOutput: 1_400,
      serviceMs: 2_000,
    });
    world.offer(5, 3 * MINUTE_MS, draw);
    world.startMeasuring();
    world.offer(5, 10 * MINUTE_MS, draw);
    const figures = { utilisation: world.utilisation('tpm'), refusals: world.refusals };
    show('never refunded', figures);
    expect(figures.refusals).toBe(0);
    expect(figures.utilisation).toBeGreaterThanOrEqual(0.99);
  });

  test('charged at the end: booked as in flight until then, so nothing is overrun', () => {
    const truth = { tpm: { limit: 200_000, algorithm: 'sliding-log', charge: 'at-end' } } as const;
    const limits = [{ ...told('tpm', 200_000, { algorithm: 'sliding-window', burst: 1 }), isChargedAtEnd: true }];
    const world = new World({ keys: [{ truth, told: limits }] }).openGates();
    const draw = (): SimulatedRequest => ({ inputTokens: 800, outputTokens: 200, serviceMs: 5_000 });
    world.offer(10, 3 * MINUTE_MS, draw);
    world.startMeasuring();
    world.offer(10, 60 * MINUTE_MS, draw);
    const figures = { utilisation: world.utilisation('tpm'), refusals: world.refusals };
    show('charged at the end', figures);
    expect(figures.refusals).toBe(0);
    expect(figures.utilisation).toBeGreaterThanOrEqual(0.98 * (60 / 65));
  });
});

describe('what is learned from outside', () => {
  test('two hundred at once on a key of three a minute that nobody knows: heads teach it with two refusals at most', () => {
    const world = new World({ keys: [{ truth: { rpm: 3 }, told: [], hasHeaders: true }], maxWaitMs: MINUTE_MS });
    for (let i = 0; i < 200; i += 1) world.submit(small);
    world.clock.advance(MINUTE_MS);
    show('unknown, headers', { refusals: world.refusals, admitted: world.admitted });
    expect(world.refusals).toBeLessThanOrEqual(2);
    expect(world.admitted).toBeGreaterThanOrEqual(5);
  });

  test('the same without heads that tell, with hints and without: five refusals at most', () => {
    for (const hasHints of [true, false]) {
      const world = new World({ keys: [{ truth: { rpm: 3 }, told: [] }], maxWaitMs: MINUTE_MS, hasHints });
      for (let i = 0; i < 200; i += 1) world.submit(small);
      world.clock.advance(MINUTE_MS);
      show(`unknown, ${hasHints ? '' : 'no '}hints`, { refusals: world.refusals, admitted: world.admitted });
      expect(world.refusals).toBeLessThanOrEqual(5);
    }
  });

  test('limits that heads teach are used to the full after one window', () => {
    const world = new World({ keys: [{ truth: { rpm: 600 }, told: [], hasHeaders: true }] });
    world.offer(30, 2 * MINUTE_MS, () => small);
    const learning = world.refusals;
    world.startMeasuring();
    world.offer(30, 5 * MINUTE_MS, () => small);
    show('learned', { learning, refusals: world.refusals, utilisation: world.utilisation('rpm') });
    expect(learning).toBeLessThanOrEqual(2);
    expect(world.refusals).toBe(0);
    expect(world.utilisation('rpm')).toBeGreaterThanOrEqual(0.99);
  });

  test('truthful heads of a vendor that nobody else uses change nothing and cost no refusal', () => {
    const truth = { rpm: 300, tpm: 200_000 };
    const limits = [told('rpm', 300), told('tpm', 200_000)];
    const world = new World({ keys: [{ truth, told: limits, hasHeaders: true }] }).openGates();
    const draw = () => ({ inputTokens: 400 + Math.floor(400 * world.random()), outputTokens: 200, serviceMs: 2_000 });
    world.offer(15, 3 * MINUTE_MS, draw);
    world.startMeasuring();
    world.offer(15, 10 * MINUTE_MS, draw);
    show('truthful', { refusals: world.refusals, utilisation: world.utilisation('tpm') });
    expect(world.refusals).toBe(0);
    expect(world.utilisation('tpm')).toBeGreaterThanOrEqual(0.99);
  });

  test('tokens that the vendor does not count are given back, though its usage names them', () => {
    const world = new World({ keys: [{ truth: { tpm: 200_000 }, told: [told('tpm', 200_000)], hasHeaders: true }] });
    const draw = (): SimulatedRequest => ({ inputTokens: 800, cachedTokens: 500, outputTokens: 200, serviceMs: 2_000 });
    world.offer(20, 3 * MINUTE_MS, draw);
    world.startMeasuring();
    world.offer(20, 30 * MINUTE_MS, draw);
    show('cached', { refusals: world.refusals, utilisation: world.utilisation('tpm') });
    expect(world.refusals).toBe(0);
    expect(world.utilisation('tpm')).toBeGreaterThanOrEqual(0.99);
  });

  test('books that begin far too low are put right, also while half of the outputs have no cap', () => {
    const world = new World({ keys: [{ truth: { tpm: 200_000 }, told: [told('tpm', 200_000)], hasHeaders: true }] });
    world.quotas[0]?.limits[0]?.primary.take(190_000, world.clock.now());
    const draw = (): SimulatedRequest => ({
      ...{ inputTokens: 600, outputTokens: 400, expectedOutput: 400, serviceMs: 2_500 },
      ...(world.random() < 0.5 ? { outputCap: 4_000 } : {}),
    });
    world.startMeasuring();
    world.offer(10, 10 * MINUTE_MS, draw);
    show('too low', { refusals: world.refusals, utilisation: world.utilisation('tpm') });
    expect(world.refusals).toBe(0);
    expect(world.utilisation('tpm')).toBeGreaterThanOrEqual(0.99);
  });

  test('another program on the same key: its share is left to it, and refusals are rare', () => {
    const world = new World({ keys: [{ truth: { tpm: 200_000 }, told: [told('tpm', 200_000)], hasHeaders: true }] });
    world.useElsewhere(1, { input: 800, output: 200 });
    const draw = (): SimulatedRequest => ({ inputTokens: 800, outputTokens: 200, serviceMs: 2_000 });
    world.offer(10, 3 * MINUTE_MS, draw);
    world.startMeasuring();
    world.offer(10, 10 * MINUTE_MS, draw);
    const share = world.refusals / (world.refusals + world.admitted);
    show('foreign use', {
      share,
      utilisation: world.utilisation('tpm'),
      ours: world.admitted,
      refused: world.refusals,
    });
    expect(world.utilisation('tpm')).toBeGreaterThanOrEqual(0.99);
    expect(share).toBeLessThanOrEqual(0.02);
  });

  test('a limit that is halved is noticed by the next heads', () => {
    const limits = [told('tpm', 400_000)];
    const world = new World({ keys: [{ truth: { tpm: 200_000 }, told: limits, hasHeaders: true }] }).openGates();
    world.offer(20, 2 * MINUTE_MS, () => ({ ...small, inputTokens: 900 }));
    const learning = world.refusals;
    world.startMeasuring();
    world.offer(20, 5 * MINUTE_MS, () => ({ ...small, inputTokens: 900 }));
    show('halved', { learning, refusals: world.refusals, utilisation: world.utilisation('tpm') });
    expect(learning).toBeLessThanOrEqual(10);
    expect(world.refusals).toBe(0);
    expect(world.utilisation('tpm')).toBeGreaterThanOrEqual(0.99);
  });
});

describe('a restart in the middle of three times the load', () => {
  const cases = [
    { name: 'a bucket with heads', truth: { rpm: 600 }, limits: [told('rpm', 600)], hasHeaders: true },
    { name: 'a bucket without heads', truth: { rpm: 600 }, limits: [told('rpm', 600)], hasHeaders: false },
    {
      name: 'a window without heads',
      truth: { rpm: { limit: 600, algorithm: 'sliding-log' } },
      limits: [told('rpm', 600, { algorithm: 'sliding-window' })],
      hasHeaders: false,
    },
  ] as const;

  test.each(cases)('in good order costs no refusal: $name', ({ truth, limits, hasHeaders }) => {
    const before = new World({ keys: [{ truth, told: limits, hasHeaders }] }).openGates();
    before.offer(30, 2 * MINUTE_MS, () => small);
    before.scheduler.drain(0);
    before.clock.advance(3_000);
    const after = before.restart();
    after.offer(30, 2 * MINUTE_MS, () => small);
    show('restart', { refusals: after.refusals, admitted: after.admitted });
    expect(after.refusals).toBe(0);
    expect(after.admitted).toBeGreaterThan(1_000);
  });

  test.each(cases)(
    'at any moment of it, without a last write, costs no refusal: $name',
    ({ truth, limits, hasHeaders }) => {
      const random = seededRandom(11);
      let world = new World({ keys: [{ truth, told: limits, hasHeaders }] }).openGates();
      let refusals = 0;
      let admitted = 0;
      for (let crash = 0; crash < 20; crash += 1) {
        let books = world.write(false);
        for (let writes = Math.floor(random() * 20); writes > 0; writes -= 1) {
          world.offer(30, WRITE_EVERY_MS, () => small);
          books = world.write(false);
        }
        world.offer(30, random() * WRITE_EVERY_MS, () => small);
        refusals += world.refusals;
        admitted += world.admitted;
        world = world.crash(books, random() * 3_000);
      }
      show('crashes', { refusals, admitted });
      expect(refusals).toBe(0);
      expect(admitted).toBeGreaterThan(1_000);
    },
  );
});

describe('callers that obey', () => {
  test('whoever comes back when told is served, at three times the load', () => {
    const world = new World({
      keys: [{ truth: { rpm: 600 }, told: [told('rpm', 600)] }],
      maxWaitMs: 20_000,
    }).openGates();
    let first = 0;
    let returned = 0;
    const obedient = new Set<string>();
    const ask = (id: string, isReturn: boolean) => {
      world.submit(small, {
        placeKey: () => id,
        onRejection: (rejection) => {
          if (isReturn || !('retryAfterMs' in rejection) || rejection.retryAfterMs === null) return;
          world.clock.schedule(rejection.retryAfterMs, () => {
            returned += 1;
            obedient.add(id);
            ask(id, true);
          });
        },
      });
    };
    for (let second = 0; second < 300; second += 1) {
      for (let i = 0; i < 30; i += 1) {
        world.clock.advance(1000 / 30);
        ask(`r${first++}`, false);
      }
    }
    world.clock.advance(2 * MINUTE_MS);
    const ids = new Set(world.served.map(({ ticket }) => ticket.request.placeKey()));
    const served = [...obedient].filter((id) => ids.has(id)).length;
    show('obedient', { first, returned, served, refusals: world.refusals });
    expect(returned).toBeGreaterThan(1_000);
    expect(served / returned).toBeGreaterThanOrEqual(0.99);
  });
});
