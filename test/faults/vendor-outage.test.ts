import { expect, test } from 'vitest';
import { apiError, COMPLETION } from '../support/chat-answers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Chat, ProxyBench } from '../support/proxy-bench.ts';
import { type ScriptedCall, ScriptedTransport } from '../support/scripted-transport.ts';

/** Nine requests a second for four minutes; of the two vendors each takes eight a second. */
const REQUESTS_PER_S = 9;
const END_S = 240;
const DIES_AT_MS = 60_000;
const RETURNS_AT_MS = 120_000;
const LATENCY_MS = 600;
const FIRST_BYTE_MS = 5_000;
const STEP_MS = 10;
/** Good answers in a row after which a route is trusted with everything. */
const TRUSTED_AFTER = 64;

interface Outage {
  readonly name: string;
  /** Calls that it may cost. */
  readonly mostInVain: number;
  /** What a call meets that is sent while the vendor is dead. */
  readonly meet: (call: ScriptedCall, clock: FakeClock) => void;
}

const OUTAGES: readonly Outage[] = [
  {
    name: 'refuses connections',
    mostInVain: 30,
    meet: (call, clock) => void clock.schedule(1, () => call.fail('connect', false)),
  },
  {
    name: 'answers 500',
    mostInVain: 30,
    meet: (call, clock) => void clock.schedule(50, () => call.answer(apiError('boom'), 500)),
  },
  {
    name: 'has no capacity',
    mostInVain: 30,
    meet: (call, clock) =>
      void clock.schedule(50, () => call.answer(apiError('The engine is currently overloaded'), 503)),
  },
  {
    name: 'takes requests and says nothing',
    mostInVain: (2 * REQUESTS_PER_S * FIRST_BYTE_MS) / 1000 + 30,
    meet: (call, clock) => {
      call.sent();
      clock.schedule(FIRST_BYTE_MS, () => call.fail('first_byte_timeout'));
    },
  },
];

/** A call to the vendor that died, sent when it was back. */
interface Returned {
  readonly key: string;
  /** Calls of its key without an answer when it was sent, itself included. */
  readonly together: number;
  /** Good answers of its key since the vendor was back. */
  readonly proofs: number;
}

/** Two vendors in simulated time, the first of which dies for a minute. */
class World {
  readonly clock = new FakeClock();
  readonly bench: ProxyBench;
  readonly returned: Returned[] = [];
  /** Calls that the dead vendor was sent while it was dead. */
  inVain = 0;
  readonly latencies: { readonly at: number; readonly tookMs: number }[] = [];
  readonly chats: Chat[] = [];
  readonly #outage: Outage;
  readonly #unanswered = new Map<string, number>();
  readonly #proofs = new Map<string, number>();
  readonly #isHealthyInFlight = new Set<ScriptedCall>();

  constructor(outage: Outage) {
    this.#outage = outage;
    const transport = new ScriptedTransport();
    transport.onSend = (call) => this.#receive(call);
    this.bench = new ProxyBench({
      clock: this.clock,
      transport,
      targets: [
        { name: 'dying', origin: 'https://dying.example', keys: ['first', 'second'], rpm: 240 },
        { name: 'other', origin: 'https://other.example', keys: ['third'], rpm: 480 },
      ],
      maxWaitMs: 60_000,
      maxQueueSize: 1_000,
    });
  }

  async run(): Promise<void> {
    const { clock } = this;
    let asked = 0;
    while (clock.now() < END_S * 1000 || this.bench.summaries.length < asked) {
      const isDue = asked < END_S * REQUESTS_PER_S && clock.now() >= (asked * 1000) / REQUESTS_PER_S;
      if (isDue) this.#ask(asked++);
      await settled();
      if (!isDue) clock.advance(STEP_MS);
    }
  }

  /** The p-th part of the times that those took who came in between, in ms. */
  quantile(part: number, fromMs: number, toMs: number): number {
    const times = this.latencies.filter(({ at }) => at >= fromMs && at < toMs).map(({ tookMs }) => tookMs);
    return Math.round(times.toSorted((a, b) => a - b)[Math.floor(part * times.length)] ?? Number.NaN);
  }

  #ask(seed: number): void {
    const at = this.clock.now();
    const chat = this.bench.chat({ seed });
    this.chats.push(chat);
    void chat.done.then(() => this.latencies.push({ at, tookMs: this.clock.now() - at }));
  }

  #receive(call: ScriptedCall): void {
    const { clock } = this;
    const now = clock.now();
    const isDying = call.request.origin === 'https://dying.example';
    if (isDying && now >= DIES_AT_MS && now < RETURNS_AT_MS) {
      this.inVain += 1;
      this.#outage.meet(call, clock);
      return;
    }
    if (isDying && now >= RETURNS_AT_MS) this.#note(call);
    clock.schedule(LATENCY_MS, () => {
      const key = keyOf(call);
      if (this.#isHealthyInFlight.delete(call)) {
        this.#unanswered.set(key, (this.#unanswered.get(key) ?? 0) - 1);
        this.#proofs.set(key, (this.#proofs.get(key) ?? 0) + 1);
      }
      call.answer(COMPLETION);
    });
  }

  #note(call: ScriptedCall): void {
    const key = keyOf(call);
    const together = (this.#unanswered.get(key) ?? 0) + 1;
    this.#unanswered.set(key, together);
    this.#isHealthyInFlight.add(call);
    this.returned.push({ key, together, proofs: this.#proofs.get(key) ?? 0 });
  }
}

function keyOf({ request }: ScriptedCall): string {
  return String(request.headers['authorization']);
}

/** What was promised has run: no timer is involved. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test.each(OUTAGES)(
  'one of two vendors $name for a minute: no client sees it, and it is come back to step by step',
  async (outage) => {
    const world = new World(outage);
    await world.run();
    const { bench, chats, returned } = world;

    expect(chats.length).toBe(END_S * REQUESTS_PER_S);
    expect(chats.filter(({ error, reply }) => error !== null || reply.status !== 200)).toEqual([]);

    const before = world.quantile(0.99, 0, DIES_AT_MS);
    const during = world.quantile(0.99, DIES_AT_MS, RETURNS_AT_MS);
    const after = world.quantile(0.99, RETURNS_AT_MS + 60_000, END_S * 1000);
    console.info(
      `${outage.name}: p99 ${before} ms, in the outage ${during} ms, a minute later ${after} ms; ${world.inVain} sent in vain`,
    );
    expect(during).toBeLessThan(60_000);
    expect(after).toBeLessThan(2 * before + STEP_MS);
    // Each of its two keys finds out for itself, by what is under way for as long as it may be silent, and once a rest after that.
    expect(world.inVain).toBeLessThan(outage.mostInVain);

    expect(new Set(returned.map(({ key }) => key)).size).toBe(2);
    const early = returned.filter(({ proofs }) => proofs < TRUSTED_AFTER);
    expect(early[0]).toMatchObject({ together: 1, proofs: 0 });
    expect(early.filter(({ together, proofs }) => together > proofs + 1)).toEqual([]);

    expect(bench.scheduler).toMatchObject({ openLeases: 0, waiting: 0 });
    expect(bench.booked(2)).toBeLessThanOrEqual(480);
  },
);
