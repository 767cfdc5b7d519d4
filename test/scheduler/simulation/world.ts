import { chargeOf } from '../../../src/charge.ts';
import { nanoUsdFor, type Price } from '../../../src/money.ts';
import type { Cost } from '../../../src/scheduler/cost.ts';
import type { Lease } from '../../../src/scheduler/lease.ts';
import type { SavedBooks } from '../../../src/scheduler/limit-store.ts';
import type { ModelRoutes } from '../../../src/scheduler/model-routes.ts';
import { type NamedPlan, Quota } from '../../../src/scheduler/quota.ts';
import type { Reading, Spent } from '../../../src/scheduler/quota-limit.ts';
import type { Rejection } from '../../../src/scheduler/rejection.ts';
import { Route } from '../../../src/scheduler/route.ts';
import { foundBooks, restoreBooks, saveBooks } from '../../../src/scheduler/saved-books.ts';
import { Scheduler } from '../../../src/scheduler/scheduler.ts';
import type { ClassRule } from '../../../src/scheduler/shares/share.ts';
import { createStrategy } from '../../../src/scheduler/strategies/registry.ts';
import type { Strategy } from '../../../src/scheduler/strategies/strategy.ts';
import type { Ticket, TicketRequest } from '../../../src/scheduler/ticket.ts';
import type { LimitsOptions } from '../../../src/simulator/limits/limit-spec.ts';
import type { UpstreamLimit } from '../../../src/simulator/limits/upstream-limit.ts';
import { createUpstreamLimiter, type UpstreamLimiter } from '../../../src/simulator/limits/upstream-limiter.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from './random.ts';

/** From one write of the books to the next. */
export const WRITE_EVERY_MS = 2_000;

/** One key: what its vendor enforces, and what Sluice was told. */
export interface SimulatedKey {
  readonly truth: LimitsOptions;
  readonly told: readonly NamedPlan[];
  /** Whether answers carry readings. */
  readonly hasHeaders?: boolean;
  /** Keys of one organisation share its quota and its limiter. */
  readonly organisation?: string;
  /** Makes each key a target of its own: keys of one target cost the same. */
  readonly price?: Price;
}

export interface SimulatedRequest {
  readonly inputTokens: number;
  /** What will really be produced. */
  readonly outputTokens: number;
  /** What is booked for it, where neither we nor the vendor can know it; default: what will be produced, which both know. */
  readonly expectedOutput?: number;
  /** The client's cap. */
  readonly outputCap?: number;
  /** Of the prompt, what the vendor's limiter gives back at the end though its usage counts it. */
  readonly cachedTokens?: number;
  readonly serviceMs: number;
  readonly client?: string;
  /** Called with the last byte. */
  readonly onServed?: (route: Route) => void;
}

export interface WorldOptions {
  readonly keys: readonly SimulatedKey[];
  readonly strategy?: string;
  readonly classRule?: ClassRule;
  readonly maxWaitMs?: number;
  readonly maxQueueSize?: number;
  /** What the vendor's limiter keeps: the usage, or what it reserved. */
  readonly settlesTo?: 'usage' | 'reserved';
  /** A refusal says when to come back. */
  readonly hasHints?: boolean;
  /** One way; the spread of both is what the skew must hold. */
  readonly delayMs?: readonly [number, number];
  readonly seed?: number;
}

export interface Served {
  readonly ticket: Ticket;
  readonly arrivedAt: number;
  readonly predictedAt: number;
  readonly startedAt: number;
  readonly route: Route;
  readonly request: SimulatedRequest;
}

/** Keys, their vendors and a scheduler, in simulated time. */
export class World {
  readonly clock: FakeClock;
  readonly random: () => number;
  readonly scheduler: Scheduler;
  readonly limiters: UpstreamLimiter[] = [];
  readonly quotas: Quota[] = [];
  readonly model: ModelRoutes;
  readonly served: Served[] = [];
  readonly rejections: Rejection[] = [];
  refusals = 0;
  admitted = 0;
  expired = 0;
  #options: WorldOptions;
  #limiterOf = new Map<Route, UpstreamLimiter>();
  #next = 0;
  #isGone = false;

  constructor(options: WorldOptions, before?: { readonly clock: FakeClock; readonly limiters: UpstreamLimiter[] }) {
    this.clock = before?.clock ?? new FakeClock();
    this.#options = options;
    this.random = seededRandom(options.seed ?? 1);
    this.scheduler = new Scheduler({
      clock: this.clock,
      random: this.random,
      classRule: options.classRule ?? 'weighted',
    });
    const upstream = { provider: 'sim', model: 'm', restsUntil: 0, overloaded: null };
    const shared = new Map<string, { quota: Quota; limiter: UpstreamLimiter }>();
    const routes = options.keys.map((key, index) => {
      const name = key.organisation ?? `key-${index}`;
      const own = shared.get(name) ?? {
        quota: new Quota({ id: name, name, limits: key.told, learns: true, skewMs: 250 }),
        limiter: before?.limiters[this.limiters.length] ?? createUpstreamLimiter(key.truth, this.clock.now()),
      };
      if (!shared.has(name)) {
        this.limiters.push(own.limiter);
        this.quotas.push(own.quota);
      }
      shared.set(name, own);
      const route = new Route({
        id: `route-${index}`,
        key: { name: `key-${index}`, disabled: null },
        upstream,
        quotas: [own.quota],
        random: this.random,
      });
      this.#limiterOf.set(route, own.limiter);
      return route;
    });
    this.model = {
      name: 'm',
      strategy: createStrategy(options.strategy ?? 'headroom', this.random) as Strategy,
      options: routes.map((route, index) => ({ route, target: this.#hasPrices ? index : 0, index, weight: 1 })),
      after: options.keys.map(() => 0),
    };
  }

  /** Levels are known from the start, as after an orderly restart. */
  openGates(): this {
    for (const quota of this.quotas) quota.gate.open();
    return this;
  }

  submit(request: SimulatedRequest, overrides: Partial<TicketRequest> = {}): Ticket | null {
    const id = `r${this.#next++}`;
    const arrivedAt = this.clock.now();
    const known: { ticket: Ticket | null; predictedAt: number } = { ticket: null, predictedAt: arrivedAt };
    const ticket = this.scheduler.submit({
      id,
      client: request.client ?? 'c',
      model: this.model,
      costs: this.#options.keys.map(() => costOf(request)),
      prices: this.#options.keys.map(({ price }) =>
        price ? nanoUsdFor({ ...request, cachedInputTokens: 0 }, price) : null,
      ),
      clientQuota: null,
      rejectsOnClientLimit: false,
      maxWaitMs: this.#options.maxWaitMs ?? 30_000,
      maxQueueSize: this.#options.maxQueueSize ?? 100_000,
      placeKey: () => id,
      onLease: (lease) => {
        if (lease.ticket.excluded === null && lease.ticket.notBefore === 0) {
          const predictedAt = known.ticket === null ? arrivedAt : known.predictedAt;
          const startedAt = this.clock.now();
          this.served.push({ ticket: lease.ticket, arrivedAt, predictedAt, startedAt, route: lease.route, request });
        }
        this.#send(lease, request);
      },
      onRejection: (rejection) => {
        this.rejections.push(rejection);
        if ('hasWaited' in rejection && rejection.hasWaited) this.expired += 1;
      },
      ...overrides,
    });
    known.ticket = ticket;
    known.predictedAt = ticket?.predictedAt ?? arrivedAt;
    return ticket;
  }

  /** Offers Poisson arrivals at a rate for a time, then stands still at its end. */
  offer(perSecond: number, forMs: number, draw: () => SimulatedRequest): void {
    const end = this.clock.now() + forMs;
    for (;;) {
      const gap = (-Math.log(1 - this.random()) * 1000) / perSecond;
      if (this.clock.now() + gap > end) break;
      this.clock.advance(gap);
      this.submit(draw());
    }
    this.clock.advance(end - this.clock.now());
  }

  /** Another program uses the first key's quota, at a rate a second, for as long as the world is. */
  useElsewhere(perSecond: number, size: { readonly input: number; readonly output: number }): void {
    const limiter = this.limiters[0] as UpstreamLimiter;
    const next = () => {
      const now = this.clock.now();
      const verdict = limiter.admit(now, { input: size.input, outputCap: size.output });
      if (verdict.isAdmitted) limiter.finish(now, verdict.handle, size);
      this.clock.schedule((-Math.log(1 - this.random()) * 1000) / perSecond, next);
    };
    next();
  }

  /** The process ends in good order and starts again; upstreams notice nothing. */
  restart(): World {
    return this.#startAgain(this.write(true));
  }

  /** What a store would be given now. */
  write(isFinal: boolean): SavedBooks {
    return saveBooks({ quotas: this.quotas, before: null }, this.clock, isFinal);
  }

  /** The process is gone at once, and starts again some time later with the books that it wrote last. */
  crash(books: SavedBooks, awayMs: number): World {
    this.#isGone = true;
    this.scheduler.stop();
    this.clock.advance(awayMs);
    return this.#startAgain(books);
  }

  #startAgain(books: SavedBooks): World {
    const next = new World(this.#options, { clock: this.clock, limiters: this.limiters });
    restoreBooks(next.quotas, foundBooks(books, WRITE_EVERY_MS), this.clock);
    return next;
  }

  /** Figures count from here. */
  startMeasuring(): void {
    const now = this.clock.now();
    for (const limiter of this.limiters) for (const limit of limiter.limits) limit.restart(now);
    this.refusals = 0;
    this.admitted = 0;
    this.served.length = 0;
    this.rejections.length = 0;
    this.expired = 0;
  }

  /** Charged over what could have been charged, of one limit over all keys. */
  utilisation(name: string): number {
    let charged = 0;
    let supply = 0;
    for (const limiter of this.limiters) {
      for (const limit of limiter.limits) {
        if (limit.spec.name !== name) continue;
        const report = limit.report(this.clock.now());
        charged += report.charged;
        supply += report.supply;
      }
    }
    return charged / supply;
  }

  /** Relative errors of predicted waits over a second, smallest first. */
  predictionErrors(): number[] {
    return this.served
      .filter(({ arrivedAt, predictedAt }) => predictedAt - arrivedAt > 1000)
      .map(({ arrivedAt, predictedAt, startedAt }) => Math.abs(startedAt - predictedAt) / (predictedAt - arrivedAt))
      .sort((a, b) => a - b);
  }

  #send(lease: Lease, request: SimulatedRequest): void {
    if (this.#isGone) return;
    const limiter = this.#limiterOf.get(lease.route) as UpstreamLimiter;
    this.clock.schedule(this.#delay(), () => {
      const verdict = limiter.admit(this.clock.now(), { input: request.inputTokens, outputCap: knownOutput(request) });
      if (!verdict.isAdmitted) {
        this.refusals += 1;
        const retryAfterMs = (this.#options.hasHints ?? true) ? verdict.waitMs : null;
        const spent = this.#hasHeaders(lease.route) ? [spentOf(verdict.limit, this.clock.now())] : [];
        this.clock.schedule(this.#delay(), () => this.#refused(lease, retryAfterMs, spent));
        return;
      }
      this.admitted += 1;
      const readings = this.#readings(lease.route, limiter);
      this.clock.schedule(this.#delay(), () => this.#answered(lease, readings));
      this.clock.schedule(request.serviceMs, () => {
        const { inputTokens, outputTokens, cachedTokens = 0 } = request;
        limiter.finish(this.clock.now(), verdict.handle, { input: inputTokens - cachedTokens, output: outputTokens });
        this.clock.schedule(this.#delay(), () => {
          if (this.#isGone) return;
          this.#answered(lease, readings);
          const usage = chargeOf(request.inputTokens, request.outputTokens);
          lease.end({ charged: this.#options.settlesTo === 'reserved' ? 'reserved' : usage, report: { kind: 'ok' } });
          request.onServed?.(lease.route);
        });
      });
    });
  }

  #answered(lease: Lease, readings: readonly Reading[]): void {
    if (this.#isGone) return;
    lease.headed(readings);
    lease.proved();
  }

  #refused(lease: Lease, retryAfterMs: number | null, spent: readonly Spent[]): void {
    if (this.#isGone) return;
    lease.headed([]);
    lease.end({ charged: [0, 0, 0, 0, 0], report: { kind: 'wait', retryAfterMs, spent } });
    this.scheduler.again(lease.ticket, { exclude: [], notBeforeMs: 0 });
  }

  #readings(route: Route, limiter: UpstreamLimiter): Reading[] {
    if (!this.#hasHeaders(route)) return [];
    return limiter.limits.flatMap((limit): Reading[] => {
      const { unit, windowMs } = limit.spec;
      if (unit !== 'requests' && unit !== 'total') return [];
      const remaining = Math.max(0, Math.floor(limit.read(this.clock.now()).level));
      return [{ unit: unit === 'total' ? 'tokens' : 'requests', windowMs, limit: limit.spec.limit, remaining }];
    });
  }

  get #hasPrices(): boolean {
    return this.#options.keys.some(({ price }) => price);
  }

  #hasHeaders(route: Route): boolean {
    const index = this.model.options.findIndex((option) => option.route === route);
    return this.#options.keys[index]?.hasHeaders ?? false;
  }

  #delay(): number {
    const [low, high] = this.#options.delayMs ?? [1, 80];
    return low + (high - low) * this.random();
  }
}

function spentOf(limit: UpstreamLimit, now: number): Spent {
  const { unit, windowMs, limit: capacity } = limit.spec;
  const used = capacity - Math.floor(limit.read(now).level);
  return { unit: unit === 'total' ? 'tokens' : 'requests', windowMs, limit: capacity, used };
}

/** What a vendor can know of an output on arrival: its cap. Where we know it exactly, so does the cap. */
function knownOutput({ outputCap, expectedOutput, outputTokens }: SimulatedRequest): number | null {
  return outputCap ?? (expectedOutput === undefined ? outputTokens : null);
}

function costOf(request: SimulatedRequest): Cost {
  const reservedOutput = request.outputCap ?? request.expectedOutput ?? request.outputTokens;
  const expectedOutput = request.expectedOutput ?? request.outputTokens;
  return {
    reserved: chargeOf(request.inputTokens, reservedOutput),
    expected: chargeOf(request.inputTokens, expectedOutput),
    certain: chargeOf(request.inputTokens, request.outputCap ?? 0),
  };
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
