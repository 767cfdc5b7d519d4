import { describe, expect, test, vi } from 'vitest';
import { type Contender, Contest, jain, TOKENS_PER_MINUTE } from './contest.ts';
import { percentile, type WorldOptions } from './world.ts';

vi.setConfig({ testTimeout: 180_000 });

const MINUTE_MS = 60_000;
const MEAN_TOKENS = 1_000;

const high = { priority: 'high', weight: 1 } as const;
const low = { priority: 'low', weight: 1 } as const;

/** Three minutes to spend what was saved and to fill the queue, then ten that count. */
function held(contenders: readonly Contender[], options: Partial<WorldOptions> = {}): Contest {
  const contest = new Contest(contenders, options);
  contest.run(3 * MINUTE_MS);
  contest.world.startMeasuring();
  contest.run(10 * MINUTE_MS);
  if (process.env['SIM'] === '1') process.stdout.write(`${contest.summary()}\n`);
  return contest;
}

function expectForetold(contest: Contest, names: readonly string[]): void {
  for (const name of names) {
    const { errors } = contest.standing(name);
    expect(percentile(errors, 0.5)).toBeLessThan(0.1);
    expect(percentile(errors, 0.99)).toBeLessThan(0.3);
  }
}

describe('two clients of equal weight, one of which offers ten times as much', () => {
  const sizes = [
    { of: 'of equal size', greedy: MEAN_TOKENS, modest: MEAN_TOKENS },
    { of: 'the modest one has larger requests', greedy: 300, modest: 3_000 },
    { of: 'the greedy one has larger requests', greedy: 3_000, modest: 300 },
  ];

  test.each(sizes)('share evenly what both want more of: $of', ({ greedy, modest }) => {
    const contest = held([
      { name: 'greedy', load: 10, tokens: greedy },
      { name: 'modest', load: 1, tokens: modest },
    ]);
    const parts = ['greedy', 'modest'].map((name) => contest.standing(name).part);
    expect(jain(parts.map((part) => part / 0.5))).toBeGreaterThan(0.999);
    expect(contest.world.utilisation('tpm')).toBeGreaterThan(0.995);
    expect(contest.world.refusals).toBe(0);
    expectForetold(contest, ['greedy', 'modest']);
  });

  test('the modest one gets all it wants where that is less than half, and hardly waits', () => {
    const contest = held([
      { name: 'greedy', load: 2.73, tokens: MEAN_TOKENS },
      { name: 'modest', load: 0.273, tokens: MEAN_TOKENS },
    ]);
    const modest = contest.standing('modest');
    const offered = 0.273 * 10 * TOKENS_PER_MINUTE;
    const tokens = modest.served.reduce((sum, { request }) => sum + request.inputTokens + request.outputTokens, 0);
    // Of what it did offer by chance, all was served.
    expect(tokens / offered).toBeGreaterThan(0.9);
    expect(contest.world.utilisation('tpm')).toBeGreaterThan(0.995);
    expect(percentile(modest.waitsMs, 0.5)).toBeLessThan(1_000);
    expect(percentile(modest.waitsMs, 0.99)).toBeLessThan(5_000);
    expectForetold(contest, ['greedy', 'modest']);
  });
});

test.each([
  { sizes: 'equal', of: [MEAN_TOKENS, MEAN_TOKENS] as const },
  { sizes: 'ten to one', of: [3_000, 300] as const },
])('weights of three to one are kept within two percent, sizes $sizes', ({ of: [large, small] }) => {
  const contest = held([
    { name: 'three', load: 2, tokens: large, share: { priority: 'normal', weight: 3 } },
    { name: 'one', load: 2, tokens: small },
  ]);
  expect(contest.standing('three').part / contest.standing('one').part / 3).toBeCloseTo(1, 1);
  expect(Math.abs(contest.standing('three').part - 0.75)).toBeLessThan(0.015);
  expectForetold(contest, ['three', 'one']);
});

describe('classes', () => {
  test('a high one hardly waits behind a queue of low ones, which finish all the same', () => {
    const contest = held([
      { name: 'high', load: 0.3, tokens: MEAN_TOKENS, share: high },
      { name: 'low', load: 3, tokens: MEAN_TOKENS, share: low },
    ]);
    const { waitsMs } = contest.standing('high');
    const alone = held([{ name: 'high', load: 0.3, tokens: MEAN_TOKENS, share: high }]).standing('high').waitsMs;
    // At most its own cost over the route's rate, or one lease in flight, longer than on its own, and the share of low.
    const ownCostMs = (1.5 * MEAN_TOKENS) / (TOKENS_PER_MINUTE / MINUTE_MS);
    expect((waitsMs.at(-1) as number) - (alone.at(-1) as number)).toBeLessThan(ownCostMs + 1_500);
    expect(percentile(waitsMs, 0.5)).toBeLessThan(ownCostMs);
    expect(contest.standing('low').part).toBeGreaterThan(0.65);
    expect(contest.world.utilisation('tpm')).toBeGreaterThan(0.995);
    expectForetold(contest, ['low']);
  });

  test('share a hundred to twenty to five where all want more', () => {
    const contest = held([
      { name: 'high', load: 2, tokens: MEAN_TOKENS, share: high },
      { name: 'normal', load: 2, tokens: MEAN_TOKENS },
      { name: 'low', load: 2, tokens: MEAN_TOKENS, share: low },
    ]);
    expect(contest.standing('high').part).toBeCloseTo(100 / 125, 2);
    expect(contest.standing('normal').part).toBeCloseTo(20 / 125, 2);
    expect(contest.standing('low').part).toBeCloseTo(5 / 125, 2);
    expectForetold(contest, ['high', 'normal', 'low']);
  });

  test('a class has its share however many clients it has', () => {
    const contest = held([
      ...['a', 'b', 'c'].map((name) => ({ name, load: 1, tokens: MEAN_TOKENS, share: high })),
      { name: 'normal', load: 2, tokens: MEAN_TOKENS },
    ]);
    for (const name of 'abc') expect(contest.standing(name).part).toBeCloseTo(100 / 120 / 3, 2);
    expect(contest.standing('normal').part).toBeCloseTo(20 / 120, 2);
  });

  test('that are strict leave the lower ones what the higher do not want', () => {
    const contest = held(
      [
        { name: 'high', load: 0.8, tokens: MEAN_TOKENS, share: high },
        { name: 'low', load: 2, tokens: MEAN_TOKENS, share: low },
      ],
      { classRule: 'strict' },
    );
    expect(contest.standing('high').part).toBeGreaterThan(0.75);
    expect(contest.standing('low').part).toBeGreaterThan(0.15);
    expect(contest.world.utilisation('tpm')).toBeGreaterThan(0.995);
  });
});

test('a client that gives up most of what waits loses no turn by it', () => {
  const contest = new Contest([
    { name: 'greedy', load: 2, tokens: MEAN_TOKENS },
    { name: 'fickle', load: 2, tokens: MEAN_TOKENS },
  ]);
  contest.run(3 * MINUTE_MS);
  contest.world.startMeasuring();
  for (let second = 0; second < 300; second += 1) {
    contest.run(1_000);
    const now = contest.world.clock.now();
    for (const ticket of contest.world.scheduler.door.waitingTickets()) {
      if (ticket.request.client === 'fickle' && now - ticket.arrivedAt > 5_000) contest.world.scheduler.cancel(ticket);
    }
  }
  expect(contest.standing('fickle').part).toBeGreaterThan(0.45);
  expect(contest.world.utilisation('tpm')).toBeGreaterThan(0.99);
});

test('those who come back when told are served, each at the rate of its own client', () => {
  const contest = new Contest([
    { name: 'greedy', load: 3, tokens: MEAN_TOKENS },
    { name: 'modest', load: 0.4, tokens: MEAN_TOKENS },
  ]);
  contest.run(3 * MINUTE_MS);
  const told = contest.world.rejections.length;
  let [returned, served] = [0, 0];
  const { world } = contest;
  for (let i = 0; i < 200; i += 1) {
    contest.run(1_000);
    const request = { inputTokens: 800, outputTokens: 200, serviceMs: 1_500, client: 'greedy' };
    const key = `returns ${i}`;
    world.submit(request, {
      placeKey: () => key,
      onRejection: (rejection) => {
        if (!('retryAfterMs' in rejection) || rejection.retryAfterMs === null) return;
        world.clock.schedule(rejection.retryAfterMs, () => {
          returned += 1;
          world.submit(request, {
            placeKey: () => key,
            onLease: (lease) => {
              served += 1;
              lease.end({ charged: 'reserved', report: { kind: 'ok' } });
            },
          });
        });
      },
    });
  }
  contest.run(2 * MINUTE_MS);
  expect(told).toBeGreaterThan(100);
  expect(returned).toBeGreaterThan(10);
  expect(served / returned).toBeGreaterThan(0.99);
});
