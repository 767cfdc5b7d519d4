import { USUAL_SHARE } from '../../../src/scheduler/shares/share.ts';
import type { TicketRequest } from '../../../src/scheduler/ticket.ts';
import { percentile, type Served, type SimulatedRequest, World, type WorldOptions } from './world.ts';

/** A client that offers so much, Poisson in time. */
export interface Contender {
  readonly name: string;
  /** Offered load as a multiple of what the keys serve in all. */
  readonly load: number;
  /** Mean size of its requests; sizes spread evenly by half of it. */
  readonly tokens: number;
  readonly share?: TicketRequest['share'];
  readonly maxWaitMs?: number;
}

export interface Standing {
  /** Of all that was served, in tokens. */
  readonly part: number;
  readonly waitsMs: readonly number[];
  /** Relative errors of waits that were foretold to be over a second, smallest first. */
  readonly errors: readonly number[];
  readonly served: readonly Served[];
}

export const TOKENS_PER_MINUTE = 200_000;

/** A bucket of tokens, whose level is spent, and clients that want more of it than there is. */
export class Contest {
  readonly world: World;
  readonly #contenders: readonly Contender[];
  /** Tokens a ms. */
  readonly #supply: number;

  constructor(contenders: readonly Contender[], options: Partial<WorldOptions> & { readonly keyCount?: number } = {}) {
    const { keyCount = 1, ...rest } = options;
    this.#contenders = contenders;
    this.#supply = (keyCount * TOKENS_PER_MINUTE) / 60_000;
    const plan = {
      unit: 'tokens',
      windowMs: 60_000,
      capacity: TOKENS_PER_MINUTE,
      algorithm: 'token-bucket',
      isGuess: false,
    } as const;
    const key = { truth: { tpm: TOKENS_PER_MINUTE }, told: [{ name: 'tpm', plan }] };
    const keys = Array.from({ length: keyCount }, () => key);
    this.world = new World({ keys, maxQueueSize: 1_000, seed: 7, ...rest }).openGates();
  }

  run(forMs: number): void {
    const { world } = this;
    const rates = this.#contenders.map(({ load, tokens }) => (load * this.#supply) / tokens);
    const perMs = rates.reduce((sum, rate) => sum + rate, 0);
    const end = world.clock.now() + forMs;
    for (;;) {
      const gapMs = -Math.log(1 - world.random()) / perMs;
      if (world.clock.now() + gapMs > end) break;
      world.clock.advance(gapMs);
      this.#submit(this.#contenders[drawFrom(rates, world.random() * perMs)] as Contender);
    }
    world.clock.advance(end - world.clock.now());
  }

  standing(name: string): Standing {
    const tokensOf = ({ request }: Served) => request.inputTokens + request.outputTokens;
    const sum = (served: readonly Served[]) => served.reduce((total, each) => total + tokensOf(each), 0);
    const served = this.world.served.filter(({ request }) => request.client === name);
    const waitsMs = served.map(({ arrivedAt, startedAt }) => startedAt - arrivedAt).sort((a, b) => a - b);
    const errors = served
      .filter(({ arrivedAt, predictedAt }) => predictedAt - arrivedAt > 1000)
      .map(({ arrivedAt, predictedAt, startedAt }) => Math.abs(startedAt - predictedAt) / (predictedAt - arrivedAt))
      .sort((a, b) => a - b);
    return { part: sum(served) / sum(this.world.served), waitsMs, errors, served };
  }

  /** Figures of each client, for people. */
  summary(): string {
    return this.#contenders
      .map(({ name }) => {
        const { part, waitsMs, errors } = this.standing(name);
        const [p50, p99] = [0.5, 0.99].map((share) => Math.round(percentile(waitsMs, share)));
        const [e50, e99] = [0.5, 0.99].map((share) => (percentile(errors, share) * 100).toFixed(1));
        return `${name}: ${(part * 100).toFixed(1)} %, waits ${p50} / ${p99} ms, foretold within ${e50} / ${e99} %`;
      })
      .join('; ');
  }

  #submit({ name, tokens, share = USUAL_SHARE, maxWaitMs }: Contender): void {
    const size = tokens * (0.5 + this.world.random());
    const [inputTokens, outputTokens] = [Math.round(size * 0.8), Math.round(size * 0.2)];
    const request: SimulatedRequest = { inputTokens, outputTokens, serviceMs: 1_500, client: name };
    this.world.submit(request, { share, ...(maxWaitMs === undefined ? {} : { maxWaitMs }) });
  }
}

/** Jain's index of what each got for what it was entitled to: 1 where all got the same part of it. */
export function jain(ratios: readonly number[]): number {
  const sum = ratios.reduce((total, ratio) => total + ratio, 0);
  const squares = ratios.reduce((total, ratio) => total + ratio * ratio, 0);
  return (sum * sum) / (ratios.length * squares);
}

function drawFrom(rates: readonly number[], at: number): number {
  let left = at;
  for (const [index, rate] of rates.entries()) {
    left -= rate;
    if (left < 0) return index;
  }
  return rates.length - 1;
}
