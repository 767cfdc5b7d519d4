import { expect } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { RawClient } from '../support/raw-client.ts';
import { KEYS, provider, type SimulatorAt, type Sluice, startSimulator, startSluice, until } from '../system/world.ts';

/** By the day: next to nothing comes back while a test runs, so both sides must agree to the last request and token. */
const REQUESTS = 10_000;
const TOKENS = 200_000;
const ROUNDING = 1;

export interface ServedOptions {
  readonly answer?: SimulatorOptions['answer'];
  /** Of the day; for answers that would use up the usual ones. */
  readonly tokens?: number;
  /** Laid over the server's settings, the provider's and the model's. */
  readonly server?: object;
  readonly provider?: object;
  readonly queue?: object;
  readonly config?: object;
  /** Where the provider is, instead of the vendor's own address. */
  readonly via?: (vendorPort: number) => Promise<number>;
}

interface Level {
  readonly ours: number;
  readonly vendors: number;
}

interface Levels {
  readonly rpd: Level;
  readonly tpd: Level;
}

/** A whole Sluice before one simulated vendor, both on sockets. */
export interface ServedWorld extends AsyncDisposable {
  readonly sluice: Sluice;
  readonly vendor: SimulatorAt;
  readonly port: number;
  connect(): Promise<RawClient>;
  levels(): Promise<Levels>;
  /** After everything: nothing is held, and the books say what the vendor's own say. */
  expectBooks(): Promise<void>;
  /** Where nobody tells what the vendor has charged: never less than that is booked, nor more than so many tokens. */
  expectCautiousBooks(mostTokens: number): Promise<void>;
  /** Besides, the next caller is served as if nothing had been. */
  expectWell(): Promise<void>;
}

export async function servedWorld(options: ServedOptions = {}): Promise<ServedWorld> {
  await using stack = new AsyncDisposableStack();
  const limits = { rpd: REQUESTS, tpd: options.tokens ?? TOKENS };
  const organizations = [{ name: 'one', keys: [{ name: 'good', key: KEYS.good }], limits }];
  const vendor = stack.use(
    await startSimulator({ organizations, models: ['gpt-4o'], ...(options.answer ? { answer: options.answer } : {}) }),
  );
  const vendorPort = Number(new URL(vendor.url).port);
  const at = options.via ? `http://127.0.0.1:${await options.via(vendorPort)}` : vendor.url;
  const keys = [{ name: 'good', key: KEYS.good }];
  const sluice = stack.use(
    await startSluice({
      server: { port: 0, ...options.server },
      providers: [provider(at, keys, { limits, ...options.provider })],
      models: [
        {
          name: 'gpt-4o',
          queue: { max_wait: '20s', ...options.queue },
          targets: [{ provider: 'sim', model: 'gpt-4o' }],
        },
      ],
      ...options.config,
    }),
  );
  const port = Number(new URL(sluice.url).port);
  const world = { sluice, vendor, port };
  const owned = stack.move();
  return {
    ...world,
    connect: () => RawClient.connect(port),
    levels: () => levels(world),
    expectBooks: () => expectBooks(world),
    expectCautiousBooks: (mostTokens) => expectBooks(world, mostTokens),
    expectWell: async () => {
      const { status } = await sluice.chat({ max_completion_tokens: 5 });
      expect(status).toBe(200);
      await expectBooks(world);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function expectBooks(world: Pick<ServedWorld, 'sluice' | 'vendor'>, mostTokens = ROUNDING): Promise<void> {
  const { sluice, vendor } = world;
  await until(() => sluice.app.openLeases === 0 && sluice.app.heldBodyBytes === 0);
  await until(() => vendor.simulator.ledger().inFlight === 0);
  const agree = ({ rpd, tpd }: Levels): boolean => {
    const tooMuch = tpd.ours - tpd.vendors;
    return Math.abs(rpd.ours - rpd.vendors) < ROUNDING && tooMuch < ROUNDING && tooMuch > -mostTokens;
  };
  await expect.poll(() => levels(world), { timeout: 10_000 }).toSatisfy(agree);
  expect(sluice.log.join('')).not.toContain('internal_error');
  expect(sluice.log.join('')).not.toContain('unexpected failure');
}

async function levels({ sluice, vendor }: Pick<ServedWorld, 'sluice' | 'vendor'>): Promise<Levels> {
  const { quotas } = await sluice.queue();
  const ours = new Map(quotas.flatMap(({ limits }) => limits).map(({ limit, level }) => [limit, level]));
  const theirs = new Map(vendor.simulator.ledger().limits.map(({ name, level }) => [name, level]));
  const of = (name: string) => ({ ours: ours.get(name) ?? Number.NaN, vendors: theirs.get(name) ?? Number.NaN });
  return { rpd: of('rpd'), tpd: of('tpd') };
}

/** Status and error code of the only answer in a text. */
export function answerIn(text: string): { readonly status: number; readonly code: string | null } {
  const code = /"code":"(\w+)"/.exec(text)?.[1] ?? null;
  return { status: Number(text.split(' ')[1]), code };
}
