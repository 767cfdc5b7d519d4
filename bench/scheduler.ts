/**
 * What the scheduler costs, alone and on a clock that stands still: microseconds an operation, with 1
 * and 100 routes and 0, 100 and 10,000 tickets waiting. `npm run bench:scheduler -- --served 20000`
 *
 * submit: a newcomer that starts at once (nobody waits), or is foretold its start (somebody does). cancel: a waiting
 * ticket leaves. served: a request all in, from submission over wake-ups, plan, answer, end and settlement, while as many
 * wait as the row says; `exact`: it costs what was reserved; `refunds`: a sixth comes back, which makes the plan stale again
 * and again; `ten clients`: the same,
 * of ten clients in turn; `slow keys`: the same with keys that serve 6 a minute instead of 600, costs from 200 to 1,800 and answers that
 * are shorter or longer than expected, so that every settlement is news of its own to be planned with. longest: the longest
 * that the time of one request held the thread, with refunds.
 */
import { parseArgs } from 'node:util';
import { type Charge, chargeOf } from '../src/charge.ts';
import type { Cost } from '../src/scheduler/cost.ts';
import type { Lease } from '../src/scheduler/lease.ts';
import type { LimitPlan } from '../src/scheduler/limits/create-limits.ts';
import type { ModelRoutes } from '../src/scheduler/model-routes.ts';
import { Quota } from '../src/scheduler/quota.ts';
import { Route } from '../src/scheduler/route.ts';
import { Scheduler } from '../src/scheduler/scheduler.ts';
import { createStrategy } from '../src/scheduler/strategies/registry.ts';
import type { Ticket } from '../src/scheduler/ticket.ts';
import { FakeClock } from '../test/support/fake-clock.ts';
import { seeded } from '../test/tokens/texts.ts';
import { quantile, rounded } from './support/statistics.ts';

const { values } = parseArgs({ options: { served: { type: 'string', default: '20000' } } });
const SERVED = Number(values.served);
const ROUTES = [1, 100];
const WAITING = [0, 100, 10_000];
const CLIENTS = 10;
const BATCH = 500;
const BATCHES = 21;

const MINUTE_MS = 60_000;
const SERVICE_MS = 1000;
const REQUESTS_PER_MINUTE = 600;
const SLOW_REQUESTS_PER_MINUTE = 6;
const TOKENS_PER_REQUEST = 1000;
const NEVER_MS = 1e9;

const CHARGED = chargeOf(800, 200);
const EXACT: Cost = { reserved: CHARGED, expected: CHARGED, certain: CHARGED };
const REFUNDED: Cost = { reserved: chargeOf(800, 400), expected: CHARGED, certain: chargeOf(700, 0) };

function quotaOf(index: number, { isAmple, perMinute }: HallSettings): Quota {
  const factor = isAmple ? 1e6 : 1;
  const plan = (unit: 'requests' | 'tokens', capacity: number): LimitPlan => ({
    unit,
    windowMs: MINUTE_MS,
    capacity: capacity * factor,
    algorithm: 'token-bucket',
    isGuess: false,
    // Nothing to spend at the start: what is measured is a queue.
    burst: isAmple ? 1 : Math.min(1, 3 / perMinute),
  });
  const limits = [
    { name: 'rpm', plan: plan('requests', perMinute) },
    { name: 'tpm', plan: plan('tokens', perMinute * TOKENS_PER_REQUEST) },
  ];
  const quota = new Quota({ id: `q${index}`, name: `key-${index}`, limits, learns: true, skewMs: 250 });
  quota.gate.open();
  return quota;
}

interface HallSettings {
  /** Of each request; null: drawn, with an answer that is not as long as expected. */
  readonly cost: Cost | null;
  /** What each key serves. */
  readonly perMinute: number;
  /** Nobody ever has to wait. */
  readonly isAmple: boolean;
  /** Whoever is served is followed by another, so that the number of those who wait stays. */
  readonly replaces: boolean;
  /** How many clients compete. */
  readonly clients: number;
}

/** A scheduler with routes, and as many tickets waiting as wanted. */
class Hall {
  readonly clock = new FakeClock();
  readonly tickets: Ticket[] = [];
  served = 0;
  readonly #scheduler: Scheduler;
  readonly #model: ModelRoutes;
  readonly #settings: HallSettings;
  readonly #random = seeded(2);
  #ids = 0;

  constructor(routes: number, settings: HallSettings) {
    const random = seeded(1);
    this.#settings = settings;
    this.#scheduler = new Scheduler({ clock: this.clock, random });
    const upstream = { provider: 'p', model: 'm', restsUntil: 0, overloaded: null };
    const options = Array.from({ length: routes }, (_, index) => {
      const key = { name: `key-${index}`, disabled: null };
      const route = new Route({ id: `r${index}`, key, upstream, quotas: [quotaOf(index, settings)], random });
      return { route, target: 0, index, weight: 1 };
    });
    const strategy = createStrategy('headroom', () => 0);
    if (strategy === null) throw new Error('the strategy is gone');
    this.#model = { name: 'm', strategy, options, after: [0] };
  }

  get waiting(): number {
    return this.#scheduler.waiting;
  }

  submit(onLease: (lease: Lease) => void = (lease) => this.#serve(lease)): Ticket | null {
    const id = `t${this.#ids++}`;
    const cost = this.#settings.cost ?? this.#draw();
    return this.#scheduler.submit({
      id,
      client: `c${this.#ids % this.#settings.clients}`,
      model: this.#model,
      costs: [cost],
      clientQuota: null,
      rejectsOnClientLimit: false,
      maxWaitMs: NEVER_MS,
      maxQueueSize: NEVER_MS,
      placeKey: () => id,
      onLease,
      onRejection: ({ kind }) => {
        throw new Error(`rejected: ${kind}`);
      },
    });
  }

  cancel(ticket: Ticket): void {
    this.#scheduler.cancel(ticket);
  }

  fill(waiting: number): void {
    while (this.waiting < waiting) {
      const ticket = this.submit();
      if (ticket?.isWaiting) this.tickets.push(ticket);
    }
  }

  #serve(lease: Lease): void {
    this.clock.schedule(SERVICE_MS, () => {
      lease.headed([]);
      lease.proved();
      lease.end({ charged: this.#chargeFor(lease), report: { kind: 'ok' } });
      this.served += 1;
      if (this.#settings.replaces) this.submit();
    });
  }

  #draw(): Cost {
    const input = 100 + Math.floor(800 * this.#random());
    const output = 100 + Math.floor(800 * this.#random());
    return { reserved: chargeOf(input, 1.5 * output), expected: chargeOf(input, output), certain: chargeOf(input, 0) };
  }

  #chargeFor({ cost }: Lease): Charge {
    if (this.#settings.cost !== null) return CHARGED;
    const [, , input, output] = cost.expected;
    return chargeOf(input, 2 * output * this.#random());
  }
}

function microsOf(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) * 1000;
}

/** For what takes long enough: the kernel counts a thread's time in whole milliseconds. */
function cpuMicrosOf(work: () => void): number {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return user + system;
}

/** The quarter of the batches that nothing came between, neither a collection nor another process. */
function undisturbed(micros: readonly number[]): number {
  return quantile(micros, 0.25);
}

function measureGrant(routes: number): number {
  const hall = new Hall(routes, {
    cost: REFUNDED,
    perMinute: REQUESTS_PER_MINUTE,
    isAmple: true,
    replaces: false,
    clients: 1,
  });
  const batches = Array.from({ length: BATCHES }, () => {
    const leases: Lease[] = [];
    const micros = microsOf(() => {
      for (let each = 0; each < BATCH; each++) hall.submit((lease) => void leases.push(lease));
    });
    for (const lease of leases) lease.end({ charged: 'unsent', report: { kind: 'nothing' } });
    hall.clock.advance(1000);
    return micros / BATCH;
  });
  return undisturbed(batches);
}

/** Time stands still, so that nobody starts meanwhile. */
function measureQueue(routes: number, waiting: number): { submit: number; cancel: number } {
  const hall = new Hall(routes, {
    cost: REFUNDED,
    perMinute: REQUESTS_PER_MINUTE,
    isAmple: false,
    replaces: false,
    clients: 1,
  });
  hall.fill(waiting);
  const cancels: number[] = [];
  const submits = Array.from({ length: BATCHES }, () => {
    const added: Ticket[] = [];
    const micros = microsOf(() => {
      for (let each = 0; each < BATCH; each++) {
        const ticket = hall.submit();
        if (ticket) added.push(ticket);
      }
    });
    cancels.push(
      microsOf(() => {
        for (const ticket of added) hall.cancel(ticket);
      }) / BATCH,
    );
    return micros / BATCH;
  });
  return { submit: undisturbed(submits), cancel: undisturbed(cancels) };
}

function measureServed(
  { routes, waiting }: { routes: number; waiting: number },
  { cost, perMinute, clients = 1 }: Pick<HallSettings, 'cost' | 'perMinute'> & { readonly clients?: number },
): { served: number; longestMs: number } {
  const hall = new Hall(routes, { cost, perMinute, isAmple: waiting === 0, replaces: waiting > 0, clients });
  const count = perMinute < REQUESTS_PER_MINUTE ? SERVED / 5 : SERVED;
  hall.fill(waiting);
  let longestMs = 0;
  // One is served in a step, about, so that the steps themselves cost nothing.
  const stepMs = waiting === 0 ? 1 : MINUTE_MS / perMinute / routes;
  const run = (until: number): void => {
    while (hall.served < until) {
      const start = performance.now();
      if (waiting === 0) hall.submit();
      hall.clock.advance(stepMs);
      longestMs = Math.max(longestMs, performance.now() - start);
    }
  };
  run(count / 4);
  longestMs = 0;
  const before = hall.served;
  const micros = cpuMicrosOf(() => run(before + count));
  return { served: micros / (hall.served - before), longestMs };
}

const rows = ROUTES.flatMap((routes) =>
  WAITING.map((waiting) => {
    const { submit, cancel } =
      waiting === 0 ? { submit: measureGrant(routes), cancel: null } : measureQueue(routes, waiting);
    const row = { routes, waiting };
    const exact = measureServed(row, { cost: EXACT, perMinute: REQUESTS_PER_MINUTE }).served;
    const { served, longestMs } = measureServed(row, { cost: REFUNDED, perMinute: REQUESTS_PER_MINUTE });
    const shared = measureServed(row, { cost: REFUNDED, perMinute: REQUESTS_PER_MINUTE, clients: CLIENTS }).served;
    const slow = measureServed(row, { cost: null, perMinute: SLOW_REQUESTS_PER_MINUTE }).served;
    return [
      `${routes} routes, ${waiting} waiting`,
      {
        'submit us': rounded(submit),
        'cancel us': cancel === null ? '' : rounded(cancel),
        'served us, exact': rounded(exact, 1),
        'served us, refunds': rounded(served, 1),
        'served us, ten clients': rounded(shared, 1),
        'served us, slow keys': rounded(slow, 1),
        'longest ms': rounded(longestMs, 1),
        'submits/s': rounded(1e6 / submit, 0),
        'served/s': rounded(1e6 / served, 0),
      },
    ] as const;
  }),
);
console.table(Object.fromEntries(rows));
