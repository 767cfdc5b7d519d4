/**
 * What the scheduler itself costs, without sockets: microseconds an operation with 1 and 100 routes and 0, 100 and 10,000
 * tickets waiting. `npm run bench:scheduler`
 *
 * Time is simulated, so nothing but the scheduler's own work is measured; each figure is the best of several batches,
 * since whatever else the machine does can only add to one.
 */
import { chargeOf } from '../src/charge.ts';
import type { Cancel, Clock } from '../src/clock.ts';
import type { Cost } from '../src/scheduler/cost.ts';
import type { Lease } from '../src/scheduler/lease.ts';
import type { LimitPlan } from '../src/scheduler/limits/create-limits.ts';
import type { ModelRoutes } from '../src/scheduler/model-routes.ts';
import { Quota } from '../src/scheduler/quota.ts';
import { Route } from '../src/scheduler/route.ts';
import { Scheduler } from '../src/scheduler/scheduler.ts';
import { headroom } from '../src/scheduler/strategies/headroom.ts';
import type { Ticket, TicketRequest } from '../src/scheduler/ticket.ts';

const MINUTE_MS = 60_000;
/** Small enough to be used up before the measuring begins, or too large for that. */
const USED_UP = 600;
const PLENTY = 6_000_000;
const TOKENS = 1_000;
const BATCH = 500;
const BATCHES = 7;

/** Moves only when it is told to; remembers the one timer that the scheduler sets. */
class BenchClock implements Clock {
  #now = 0;
  #task: (() => void) | null = null;
  #at = Number.POSITIVE_INFINITY;

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  schedule(delayMs: number, task: () => void): Cancel {
    this.#at = this.#now + delayMs;
    this.#task = task;
    return () => {
      this.#task = null;
    };
  }

  /** To the timer, which runs. */
  step(): void {
    const task = this.#task;
    if (task === null) throw new Error('nothing is scheduled, so nothing would ever happen');
    this.#task = null;
    this.#now = Math.max(this.#now, this.#at);
    task();
  }
}

const cost: Cost = { reserved: chargeOf(TOKENS, 0), expected: chargeOf(TOKENS, 0), certain: chargeOf(TOKENS, 0) };

class Bench {
  readonly clock = new BenchClock();
  readonly scheduler = new Scheduler({ clock: this.clock, random: () => 0.5, settleLagMs: 0 });
  readonly leases: Lease[] = [];
  readonly #model: ModelRoutes;
  #next = 0;

  constructor(routes: number, requestsAMinute: number) {
    const upstream = { provider: 'p', model: 'm', restsUntil: 0, overloaded: null };
    this.#model = {
      name: 'm',
      strategy: headroom,
      options: Array.from({ length: routes }, (_, index) => {
        const name = `key-${index}`;
        const quota = new Quota({ id: name, name, limits: limits(requestsAMinute), learns: false, skewMs: 250 });
        const key = { name, disabled: null };
        const route = new Route({ id: name, key, upstream, quotas: [quota], random: () => 0.5 });
        return { route, target: 0, index, weight: 1 };
      }),
      after: [0],
    };
  }

  submit(): Ticket | null {
    const request: TicketRequest = {
      id: 'r',
      client: 'c',
      model: this.#model,
      costs: [cost],
      clientQuota: null,
      rejectsOnClientLimit: false,
      maxWaitMs: 1e9,
      maxQueueSize: 1e9,
      placeKey: () => String(this.#next++),
      onLease: (lease) => this.leases.push(lease),
      onRejection: (rejection) => {
        throw new Error(`rejected: ${rejection.kind}`);
      },
    };
    return this.scheduler.submit(request);
  }

  /** Uses up what all keys hold, then lets so many wait. */
  fill(waiting: number): void {
    while (this.scheduler.waiting === 0) this.submit();
    while (this.scheduler.waiting < waiting) this.submit();
  }

  endAll(): void {
    for (const lease of this.leases.splice(0)) {
      lease.headed([]);
      lease.proved();
      lease.end({ charged: cost.reserved, report: { kind: 'ok' } });
    }
  }
}

function limits(requestsAMinute: number): { name: string; plan: LimitPlan }[] {
  const bucket = { windowMs: MINUTE_MS, algorithm: 'token-bucket', isGuess: false } as const;
  return [
    { name: 'rpm', plan: { ...bucket, unit: 'requests', capacity: requestsAMinute } },
    { name: 'tpm', plan: { ...bucket, unit: 'tokens', capacity: requestsAMinute * TOKENS } },
  ];
}

/** Microseconds for each of `count` operations, in the best of several batches. */
function best(batches: number, count: number, run: () => void): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < batches; batch += 1) {
    const began = performance.now();
    run();
    fastest = Math.min(fastest, performance.now() - began);
  }
  return (fastest * 1000) / count;
}

/** A request that starts at once, is answered and ends, with nobody waiting. */
function grantAtOnce(routes: number): number {
  const bench = new Bench(routes, PLENTY);
  return best(BATCHES, BATCH, () => {
    for (let i = 0; i < BATCH; i += 1) {
      bench.submit();
      bench.endAll();
    }
  });
}

function waitingFigures(routes: number, waiting: number): { acquire: number; cancel: number; served: number } {
  const bench = new Bench(routes, USED_UP);
  bench.fill(waiting);
  const tickets: Ticket[] = [];
  let cancel = Number.POSITIVE_INFINITY;
  const acquire = best(BATCHES, BATCH, () => {
    cancel = Math.min(cancel, leaveAll(bench, tickets));
    for (let i = 0; i < BATCH; i += 1) tickets.push(bench.submit() as Ticket);
  });
  leaveAll(bench, tickets);
  const served = best(BATCHES, BATCH, () => {
    for (let i = 0; i < BATCH; ) {
      while (bench.leases.length === 0) bench.clock.step();
      i += bench.leases.length;
      for (const _ of bench.leases) bench.submit();
      bench.endAll();
    }
  });
  return { acquire, cancel, served };
}

function leaveAll({ scheduler }: Bench, tickets: Ticket[]): number {
  if (tickets.length === 0) return Number.POSITIVE_INFINITY;
  const began = performance.now();
  for (const ticket of tickets) scheduler.cancel(ticket);
  const micros = ((performance.now() - began) * 1000) / tickets.length;
  tickets.length = 0;
  return micros;
}

const rows: Record<string, string>[] = [];
for (const routes of [1, 100]) {
  rows.push({ routes: String(routes), waiting: '0', 'start at once, answer, end': grantAtOnce(routes).toFixed(1) });
  for (const waiting of [100, 10_000]) {
    const { acquire, cancel, served } = waitingFigures(routes, waiting);
    rows.push({
      routes: String(routes),
      waiting: String(waiting),
      'join and foretell': acquire.toFixed(1),
      leave: cancel.toFixed(2),
      'join, wait, start, answer, end': served.toFixed(1),
    });
  }
}
console.log('microseconds an operation');
console.table(rows);
