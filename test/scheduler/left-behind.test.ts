import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lease } from '../../src/scheduler/lease.ts';
import type { ModelRoutes } from '../../src/scheduler/model-routes.ts';
import type { NamedPlan } from '../../src/scheduler/quota.ts';
import type { ShareTerms } from '../../src/scheduler/shares/share.ts';
import type { Ticket, TicketRequest } from '../../src/scheduler/ticket.ts';
import { Office } from './office.ts';

const rpm = (capacity: number): NamedPlan => ({
  name: 'rpm',
  plan: { unit: 'requests', windowMs: 60_000, capacity, algorithm: 'token-bucket', isGuess: false },
});

const CLIENTS = ['one', 'two', 'three'] as const;
const PRIORITIES = ['high', 'normal', 'low'] as const;
const USUAL: ShareTerms = { priority: 'normal', weight: 1 };

/** Three keys, of which each model has some; what clients are, and which model it is that they mean, changes. */
class Turmoil {
  readonly office = new Office(
    { a: { limits: [rpm(3)] }, b: { limits: [rpm(2)] }, c: { limits: [rpm(2)] } },
    { maxWaitMs: 60_000 },
  );
  readonly models: readonly ModelRoutes[];
  readonly shares = new Map<string, ShareTerms>();
  readonly tickets = new Set<Ticket>();
  readonly withdrawn: Ticket[] = [];
  leases: Lease[] = [];
  /** What the models that clients ask for are made of by now. */
  readonly #served = [0, 1, 2];
  readonly #asked = new Map<string, number>();
  #takesTime = false;
  #count = 0;

  constructor() {
    const subsets = [['a'], ['b'], ['c'], ['a', 'b'], ['b', 'c']];
    this.models = subsets.map((names) => this.#modelOf(names));
  }

  ask({
    client,
    tokens,
    maxWaitMs,
    model,
  }: {
    client: string;
    tokens: number;
    maxWaitMs: number;
    model: number;
  }): void {
    const name = String(this.#count++);
    this.#asked.set(name, model);
    const ticket = this.office.ask(name, {
      ...{ client, tokens, maxWaitMs, model: this.#modelFor(name) },
      share: this.#shareOf(client),
      renewed: (request) => this.#renewed(request),
      onLease: (lease) => {
        this.tickets.add(lease.ticket);
        this.leases.push(lease);
      },
    });
    if (ticket) this.tickets.add(ticket);
  }

  /** Another configuration. */
  reload(change: {
    model: number;
    as: number;
    client: string;
    priority: ShareTerms['priority'];
    takesTime: boolean;
  }): void {
    this.#served[change.model] = change.as;
    this.shares.set(change.client, { priority: change.priority, weight: 1 });
    this.#takesTime = change.takesTime;
    this.office.scheduler.changed();
    for (const ticket of this.tickets) if (ticket.state === 'withdrawn') this.#withdraw(ticket);
    this.#takesTime = false;
  }

  end(which: number, how: 'ok' | 'failed' | 'gone'): void {
    const lease = this.leases.splice(which % Math.max(1, this.leases.length), 1)[0];
    if (!lease) return;
    if (how === 'ok') lease.proved();
    const kind = how === 'gone' ? 'nothing' : how;
    lease.end({ charged: how === 'ok' ? [1, 5, 5, 0, 0] : 'unsent', report: { kind } });
    const isOther = this.leases.some(({ ticket }) => ticket === lease.ticket);
    if (how !== 'failed' || isOther) return;
    this.office.scheduler.again(lease.ticket, { exclude: [], notBeforeMs: (which % 5) * 15_000 });
    if (lease.ticket.state === 'withdrawn') this.#withdraw(lease.ticket);
  }

  hedge(which: number): void {
    const first = this.leases[which % Math.max(1, this.leases.length)];
    const second = first && this.office.scheduler.hedge(first);
    if (second) this.leases.push(second);
  }

  cancel(which: number): void {
    const ticket = [...this.tickets][which % Math.max(1, this.tickets.size)];
    if (ticket) this.office.scheduler.cancel(ticket);
  }

  resume(): void {
    const ticket = this.withdrawn.shift();
    if (ticket) this.office.scheduler.resume(ticket, this.#now(ticket.request));
  }

  check(): void {
    const waiting = this.office.scheduler.door.waitingTickets();
    expect(new Set(waiting).size).toBe(waiting.length);
    expect(waiting).toHaveLength(this.office.scheduler.waiting);
    expect(new Set(waiting)).toEqual(new Set([...this.tickets].filter(({ isWaiting }) => isWaiting)));
    expect(this.office.scheduler.openLeases).toBe(this.leases.length);
    for (const { share } of this.tickets) {
      const own = waiting.filter((each) => each.share === share).length;
      const ofClass = waiting.filter((each) => each.share.class === share.class).length;
      expect([share.waiting, share.class.waiting]).toEqual([own, ofClass]);
    }
    for (const { share, line } of this.tickets) {
      const own = waiting.filter((each) => each.share === share && each.line.flow === line.flow);
      const tokens = own.reduce((sum, { shareTokens }) => sum + shareTokens, 0);
      expect(line.flow.waitingTokens(share, this.office.clock.now())).toBeCloseTo(tokens, 5);
      expect(line.queue.size).toBe(waiting.filter((each) => each.line === line).length);
    }
  }

  finish(): void {
    while (this.withdrawn.length > 0) this.resume();
    for (let turn = 0; turn < 200 && (this.leases.length > 0 || this.office.scheduler.waiting > 0); turn += 1) {
      while (this.leases.length > 0) this.end(0, 'ok');
      this.office.clock.advance(5_000);
    }
  }

  #withdraw(ticket: Ticket): void {
    if (!this.withdrawn.includes(ticket)) this.withdrawn.push(ticket);
  }

  #shareOf(client: string): ShareTerms {
    return this.shares.get(client) ?? USUAL;
  }

  #now(request: TicketRequest): TicketRequest {
    return { ...request, model: this.#modelFor(request.id), share: this.#shareOf(request.client) };
  }

  #modelFor(id: string): ModelRoutes {
    return this.models[this.#served[this.#asked.get(id) as number] as number] as ModelRoutes;
  }

  #renewed(request: TicketRequest): TicketRequest | null {
    return this.#takesTime ? null : this.#now(request);
  }

  #modelOf(names: readonly string[]): ModelRoutes {
    const { model } = this.office;
    const options = model.options.filter(({ route }) => names.includes(route.id));
    return { ...model, options: options.map((option, index) => ({ ...option, index })) };
  }
}

const client = fc.constantFrom(...CLIENTS);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      client,
      model: fc.nat(2),
      tokens: fc.integer({ min: 1, max: 900 }),
      maxWaitMs: fc.constantFrom(20_000, 90_000, 300_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(99),
      how: fc.constantFrom('ok' as const, 'failed' as const, 'gone' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hedge' as const), which: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resume' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('reload' as const),
      model: fc.nat(2),
      as: fc.nat(4),
      client,
      priority: fc.constantFrom(...PRIORITIES),
      takesTime: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 15_000 }) }) },
);

test('whatever comes, goes, fails and is configured anew, nobody waits twice and nothing is left behind', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }), (steps) => {
      const turmoil = new Turmoil();
      for (const each of steps) {
        if (each.do === 'ask') turmoil.ask(each);
        else if (each.do === 'end') turmoil.end(each.which, each.how);
        else if (each.do === 'hedge') turmoil.hedge(each.which);
        else if (each.do === 'cancel') turmoil.cancel(each.which);
        else if (each.do === 'resume') turmoil.resume();
        else if (each.do === 'reload') turmoil.reload(each);
        else turmoil.office.clock.advance(each.ms);
        turmoil.check();
      }
      turmoil.finish();
      turmoil.check();
      expect(turmoil.office.scheduler.waiting).toBe(0);
      expect(turmoil.leases).toHaveLength(0);
      expect(turmoil.office.model.options.map(({ route }) => route.inFlight)).toEqual([0, 0, 0]);
    }),
    { numRuns: 100 },
  );
});
