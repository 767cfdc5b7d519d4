import { describe, expect, test, vi } from 'vitest';
import type { LimitPlan } from '../../../src/scheduler/limits/create-limits.ts';
import type { NamedPlan } from '../../../src/scheduler/quota.ts';
import { logNormal } from './random.ts';
import { percentile, type SimulatedRequest, World, type WorldOptions } from './world.ts';

vi.setConfig({ testTimeout: 180_000 });

const MINUTE_MS = 60_000;
const CHANGE_AT = 5;
const MINUTES = 9;

function told(name: 'rpm' | 'tpm', capacity: number, algorithm: LimitPlan['algorithm'] = 'token-bucket'): NamedPlan {
  const unit = name === 'rpm' ? 'requests' : 'tokens';
  return { name, plan: { unit, windowMs: MINUTE_MS, capacity, algorithm, isGuess: false } };
}

interface Setting {
  readonly world: WorldOptions;
  /** Three times what the keys serve. */
  readonly perSecond: number;
  readonly draw: (random: () => number) => SimulatedRequest;
}

const small = (): SimulatedRequest => ({ inputTokens: 100, outputTokens: 100, serviceMs: 1500 });

function chatty(random: () => number): SimulatedRequest {
  const outputTokens = Math.min(4_000, Math.ceil(logNormal(random, 400, 1)));
  const inputTokens = Math.ceil(logNormal(random, 600, 1));
  return { inputTokens, outputTokens, outputCap: 4_000, expectedOutput: 400, serviceMs: 500 + outputTokens * 5 };
}

const bucket: Setting = {
  world: { keys: [{ truth: { rpm: 600 }, told: [told('rpm', 600)] }] },
  perSecond: 30,
  draw: small,
};

const impatient: Setting = { ...bucket, world: { ...bucket.world, maxWaitMs: 5_000 } };

/** One request is a third of the longest wait. */
const coarse: Setting = {
  world: { keys: [{ truth: { rpm: 6 }, told: [told('rpm', 6)] }] },
  perSecond: 0.3,
  draw: small,
};

/** Outputs nobody knows, and windows that begin with nothing for most of a minute. */
const mixed: Setting = {
  world: {
    keys: [
      { truth: { rpm: 120 }, told: [told('rpm', 120)] },
      { truth: { tpm: 120_000 }, told: [told('tpm', 120_000)] },
      { truth: { rpm: { limit: 120, algorithm: 'sliding-log' } }, told: [told('rpm', 120, 'sliding-window')] },
      {
        truth: { rpm: { limit: 120, algorithm: 'fixed-window', anchor: 17_300 } },
        told: [told('rpm', 120, 'sliding-window')],
      },
    ],
  },
  perSecond: 24,
  draw: chatty,
};

/** How likely somebody who was told to come back does, by the minute in which that falls due. */
type Habit = (minute: number) => number;

const habits: Readonly<Record<string, Habit>> = {
  'nobody comes back': () => 0,
  'all come back': () => 1,
  'half of them come back': () => 0.5,
  'nobody comes back, then all do': (minute) => (minute < CHANGE_AT ? 0 : 1),
  'all come back, then nobody does': (minute) => (minute < CHANGE_AT ? 1 : 0),
};

interface Minute {
  returned: number;
  servedAtReturn: number;
  started: number;
  /** Turned away after they had been let in. */
  letDown: number;
  /** Of foretold waits over a second, as shares of the real wait. */
  readonly errors: number[];
}

class Story {
  readonly minutes: Minute[];
  readonly #world: World;
  readonly #setting: Setting;
  readonly #habit: Habit;
  readonly #returnedAt = new Map<string, number>();

  constructor(setting: Setting, habit: Habit) {
    this.#setting = setting;
    this.#habit = habit;
    this.#world = new World(setting.world).openGates();
    this.minutes = Array.from({ length: MINUTES + 4 }, () => ({
      returned: 0,
      servedAtReturn: 0,
      started: 0,
      letDown: 0,
      errors: [],
    }));
    this.#run();
  }

  sum(figure: 'returned' | 'servedAtReturn' | 'started' | 'letDown'): number {
    return this.minutes.reduce((sum, minute) => sum + minute[figure], 0);
  }

  #minute(at: number): Minute {
    return this.minutes[Math.floor(at / MINUTE_MS)] as Minute;
  }

  #run(): void {
    const { clock, random } = this.#world;
    for (let next = 0; clock.now() < MINUTES * MINUTE_MS; next += 1) {
      clock.advance((-Math.log(1 - random()) * 1000) / this.#setting.perSecond);
      this.#ask(`r${next}`, this.#setting.draw(random), false);
    }
    clock.advance(2 * MINUTE_MS);
    for (const { ticket, arrivedAt, predictedAt, startedAt } of this.#world.served) {
      const minute = this.#minute(arrivedAt);
      this.#minute(startedAt).started += 1;
      if (this.#returnedAt.get(ticket.request.placeKey()) === arrivedAt) minute.servedAtReturn += 1;
      const waitMs = startedAt - arrivedAt;
      if (predictedAt - arrivedAt > 1000) minute.errors.push(Math.abs(startedAt - predictedAt) / waitMs);
    }
    for (const { errors } of this.minutes) errors.sort((a, b) => a - b);
  }

  #ask(id: string, request: SimulatedRequest, isReturn: boolean): void {
    const { clock, random } = this.#world;
    const arrivedAt = clock.now();
    if (isReturn) {
      this.#minute(arrivedAt).returned += 1;
      this.#returnedAt.set(id, arrivedAt);
    }
    this.#world.submit(request, {
      placeKey: () => id,
      onRejection: (rejection) => {
        if (clock.now() > arrivedAt) this.#minute(clock.now()).letDown += 1;
        if (isReturn || !('retryAfterMs' in rejection) || rejection.retryAfterMs === null) return;
        clock.schedule(rejection.retryAfterMs + 50 * random(), () => {
          if (random() < this.#habit(clock.now() / MINUTE_MS)) this.#ask(id, request, true);
        });
      },
    });
  }
}

function show(name: string, story: Story): void {
  if (!process.env['SIM']) return;
  console.log(name);
  console.table(
    story.minutes.map(({ errors, ...rest }) => ({
      ...rest,
      p50: percentile(errors, 0.5),
      p99: percentile(errors, 0.99),
    })),
  );
}

describe.each(Object.entries(habits))('at three times the load, and %s', (habitName, habit) => {
  const exact = { 'a bucket': bucket, 'callers with little time': impatient, 'a key of six a minute': coarse };

  test.each(Object.entries(exact))('%s: every promise is kept, and every wait is as foretold', (name, setting) => {
    const story = new Story(setting, habit);
    show(`${name}, ${habitName}`, story);
    for (const { returned, servedAtReturn, letDown, errors } of story.minutes) {
      expect(servedAtReturn).toBe(returned);
      expect(letDown).toBe(0);
      expect(percentile(errors, 0.99)).toBeLessThanOrEqual(0.01);
    }
    // Nothing stands idle for somebody who does not come.
    const perMinute = (20 * setting.perSecond) | 0;
    for (const { started } of story.minutes.slice(1, MINUTES)) expect(started).toBeGreaterThanOrEqual(perMinute - 1);
  });

  test('keys of all kinds and outputs that nobody knows: promises are kept, and nobody waits in vain', () => {
    const story = new Story(mixed, habit);
    show(`mixed, ${habitName}`, story);
    for (const { returned, servedAtReturn } of story.minutes) {
      expect(servedAtReturn).toBeGreaterThanOrEqual(0.99 * returned);
    }
    expect(story.sum('letDown')).toBeLessThanOrEqual(0.005 * story.sum('started'));
  });
});
