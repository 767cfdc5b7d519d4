import { chargeOf } from '../../src/charge.ts';
import type { SchedulerEvent } from '../../src/scheduler/events.ts';
import type { Ending, Lease } from '../../src/scheduler/lease.ts';
import type { After, ModelRoutes } from '../../src/scheduler/model-routes.ts';
import { type NamedPlan, Quota } from '../../src/scheduler/quota.ts';
import type { Reading } from '../../src/scheduler/quota-limit.ts';
import type { Rejection } from '../../src/scheduler/rejection.ts';
import { type KeyState, Route } from '../../src/scheduler/route.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { failover } from '../../src/scheduler/strategies/failover.ts';
import type { Strategy } from '../../src/scheduler/strategies/strategy.ts';
import type { Ticket, TicketRequest } from '../../src/scheduler/ticket.ts';
import { FakeClock } from '../support/fake-clock.ts';

interface KeySetup {
  readonly limits: readonly NamedPlan[];
  /** Of the key alone. */
  readonly ownLimits?: readonly NamedPlan[];
  /** Keys that name the same one share it. */
  readonly quota?: string;
  readonly learns?: boolean;
  /** As at a start: nobody knows the level. */
  readonly hasClosedGate?: boolean;
}

interface OfficeOptions {
  readonly maxWaitMs?: number;
  readonly maxQueueSize?: number;
  /** By target; then each key is a target of its own. */
  readonly after?: readonly After[];
  /** Default: failover. */
  readonly strategy?: Strategy;
}

interface Ask {
  readonly tokens?: number;
  /** What is guessed to be reserved; default: `tokens`. */
  readonly reservedTokens?: number;
  readonly client?: string;
  readonly rejectsOnClientLimit?: boolean;
  readonly maxWaitMs?: number;
  readonly share?: TicketRequest['share'];
  readonly isStreamed?: boolean;
  readonly prefers?: string;
  /** Targets that can't serve it. */
  readonly notOn?: readonly number[];
  readonly mayGoElsewhere?: boolean;
  readonly isImpatient?: boolean;
  readonly onLease?: (lease: Lease) => void;
  /** Default: the office's. */
  readonly model?: ModelRoutes;
  /** What a new configuration makes of it, given what it was. */
  readonly renewed?: (request: TicketRequest) => TicketRequest | null;
}

/** A scheduler with named keys, asked for leases by name: what happens is a list of `name on key`. */
export class Office {
  readonly clock = new FakeClock();
  readonly events: SchedulerEvent[] = [];
  readonly scheduler: Scheduler;
  readonly log: string[] = [];
  readonly model: ModelRoutes;
  readonly #options: OfficeOptions;
  readonly #quotas = new Map<string, Quota>();
  readonly #keys = new Map<string, KeyState>();
  readonly #clients = new Map<string, Quota>();
  readonly #leases = new Map<string, Lease>();
  readonly #rejections = new Map<string, Rejection>();
  /** Everybody who was turned away, as often as it happened. */
  readonly rejectedNames: string[] = [];

  constructor(keys: Readonly<Record<string, KeySetup>>, options: OfficeOptions = {}) {
    this.#options = options;
    this.scheduler = new Scheduler({ clock: this.clock, random: () => 0, onEvent: (event) => this.events.push(event) });
    const upstream = { provider: 'p', model: 'm', restsUntil: 0, overloaded: null };
    const routes = Object.entries(keys).map(([name, setup]) => {
      const key: KeyState = { name, disabled: null };
      this.#keys.set(name, key);
      const quotas: [Quota, ...Quota[]] = [this.#quota(setup.quota ?? name, setup)];
      if (setup.ownLimits) quotas.push(this.#quota(`key ${name}`, { limits: setup.ownLimits }));
      return new Route({ id: name, key, upstream, quotas, random: () => 0 });
    });
    this.model = {
      name: 'm',
      strategy: options.strategy ?? failover,
      options: routes.map((route, index) => ({ route, target: options.after ? index : 0, index, weight: 1 })),
      after: options.after ?? [0],
    };
  }

  key(name: string): KeyState {
    return this.#keys.get(name) as KeyState;
  }

  quota(name: string): Quota {
    return this.#quotas.get(name) as Quota;
  }

  route(name: string): Route {
    return this.model.options.find(({ route }) => route.id === name)?.route as Route;
  }

  level(name: string): number {
    return this.quota(name).limits[0]?.primary.level(this.clock.now()) as number;
  }

  lease(name: string): Lease {
    return this.#leases.get(name) as Lease;
  }

  rejected(name: string): Rejection | undefined {
    return this.#rejections.get(name);
  }

  limitClient(client: string, limits: KeySetup['limits']): void {
    this.#clients.set(client, new Quota({ id: client, name: client, limits, learns: false, skewMs: 0 }));
  }

  ask(name: string, ask: Ask = {}): Ticket | null {
    const { tokens = 1, reservedTokens = tokens, client = 'anybody' } = ask;
    const cost = {
      reserved: chargeOf(reservedTokens, 0),
      expected: chargeOf(tokens, 0),
      certain: chargeOf(tokens, 0),
    };
    const { renewed } = ask;
    const request: TicketRequest = {
      ...(renewed && { renewed: () => renewed(request) }),
      id: name,
      client,
      model: ask.model ?? this.model,
      costs: this.model.after.map((_, target) => (ask.notOn?.includes(target) ? null : cost)),
      clientQuota: this.#clients.get(client) ?? null,
      rejectsOnClientLimit: ask.rejectsOnClientLimit ?? false,
      isStreamed: ask.isStreamed ?? false,
      prefers: ask.prefers ?? null,
      maxWaitMs: ask.maxWaitMs ?? this.#options.maxWaitMs ?? 30_000,
      share: ask.share,
      maxQueueSize: this.#options.maxQueueSize ?? 1_000,
      placeKey: () => name,
      mayGoElsewhere: ask.mayGoElsewhere ?? false,
      isImpatient: ask.isImpatient ?? false,
      onLease: (lease) => {
        this.#leases.set(name, lease);
        if (ask.onLease) ask.onLease(lease);
        else this.log.push(`${name} on ${lease.route.id}`);
      },
      onRejection: (rejection) => {
        this.rejectedNames.push(name);
        this.#rejections.set(name, rejection);
      },
    };
    return this.scheduler.submit(request);
  }

  answer(name: string, readings: readonly Reading[] = [], isGood = true): void {
    this.lease(name).headed(readings);
    if (isGood) this.lease(name).proved();
  }

  end(name: string, ending: Partial<Ending> = {}): void {
    this.lease(name).end({ charged: 'reserved', report: { kind: 'ok' }, ...ending });
  }

  #quota(name: string, { limits, learns = false, hasClosedGate = false }: KeySetup): Quota {
    const known = this.#quotas.get(name);
    if (known) return known;
    const quota = new Quota({ id: name, name, limits, learns, skewMs: 250 });
    if (!hasClosedGate) quota.gate.open();
    this.#quotas.set(name, quota);
    return quota;
  }
}
