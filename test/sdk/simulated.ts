import { afterEach, expect } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { SimulatorOptions, VendorName } from '../../src/simulator/options.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';

/** The one key of every simulated vendor. */
export const KEY = 'sk-of-this-test';

export interface Simulated {
  readonly simulator: Simulator;
  /** Without a path. */
  readonly url: string;
}

const running: Simulator[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

/** A vendor on a free port of loopback, closed after the test. Its answers have 24 tokens unless told otherwise. */
export async function startVendor(vendor: VendorName, options: Partial<SimulatorOptions> = {}): Promise<Simulated> {
  const organizations = [{ keys: [KEY], limits: {} }];
  const simulator = createSimulator({ organizations, ...options, vendor }, systemClock, () => 0.5);
  running.push(simulator);
  const { url } = await simulator.listen();
  return { simulator, url };
}

/** Every model of the one key may be asked once. */
export const ONCE: Partial<SimulatorOptions> = { organizations: [{ keys: [KEY], limits: { rpm: 1 } }] };

/** What a call fails with; a call that does not fails the test. */
export async function failure(call: PromiseLike<unknown>): Promise<Error> {
  let answered: unknown;
  try {
    answered = await call;
  } catch (error) {
    if (error instanceof Error) return error;
    return expect.fail(`it threw what is no error: ${JSON.stringify(error)}`);
  }
  return expect.fail(`it was answered: ${JSON.stringify(answered)}`);
}

export async function collected<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
