import { afterEach, expect } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { type Script, ScriptedUpstream } from '../support/scripted-upstream.ts';

/** May use every model. */
export const CLIENT_KEY = 'sk-client-of-this-test';
/** May use `gpt-4o-mini` alone. */
export const NARROW_KEY = 'sk-narrow-of-this-test';
const UPSTREAM_KEY = 'sk-upstream-of-this-test';

/** One line of the log about a request that has ended, or was refused before it began. */
export interface LoggedRequest {
  readonly id: string;
  readonly client: string | null;
  readonly status: number;
  readonly code: string | null;
  readonly attempts?: number;
}

/** A running Sluice, and what an official client needs to reach it. */
export interface World {
  /** Ends in `/v1`, as SDKs want it. */
  readonly baseURL: string;
  /** In the order in which they ended. */
  requests(): readonly LoggedRequest[];
  /** Everything that was logged, at the most talkative level. */
  log(): string;
}

export interface SimulatedWorld extends World {
  readonly simulator: Simulator;
}

export interface ScriptedWorld extends World {
  readonly upstream: ScriptedUpstream;
}

interface Settings {
  /** Laid over the sections of the configuration that every world has. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of the one provider, such as its `limits`. */
  readonly provider?: Readonly<Record<string, unknown>>;
}

interface SimulatedSettings extends Settings {
  readonly simulator?: Partial<SimulatorOptions>;
  /** Where the vendor's API begins; default `/v1`. */
  readonly basePath?: string;
}

interface Running {
  readonly app: App;
  readonly log: readonly string[];
  readonly closeUpstream: () => Promise<void>;
}

const running: Running[] = [];

// Whatever a client does, no lease stays open and no key is written down.
afterEach(async () => {
  const worlds = running.splice(0);
  try {
    for (const { app, log } of worlds) {
      await expect.poll(() => app.openLeases, { message: 'leases that are still open' }).toBe(0);
      for (const key of [CLIENT_KEY, NARROW_KEY, UPSTREAM_KEY]) expect(log.join('')).not.toContain(key);
    }
  } finally {
    for (const { app, closeUpstream } of worlds) {
      await app.closeNow();
      await closeUpstream();
    }
  }
});

/** Sluice in front of the simulator, both on free ports of loopback; checked and closed after the test. */
export async function startWorld({
  simulator: options = {},
  basePath = '/v1',
  ...settings
}: SimulatedSettings = {}): Promise<SimulatedWorld> {
  const organizations = [{ keys: [UPSTREAM_KEY] }];
  const simulator = createSimulator({ organizations, ...options }, systemClock, () => 0.5);
  const { url } = await simulator.listen();
  return { simulator, ...(await startSluice(url + basePath, () => simulator.close(), settings)) };
}

/** Sluice in front of an upstream that answers with exact bytes. */
export async function startScriptedWorld(script: Script, settings: Settings = {}): Promise<ScriptedWorld> {
  const upstream = await ScriptedUpstream.listen(script);
  return { upstream, ...(await startSluice(`${upstream.origin}/v1`, () => upstream.close(), settings)) };
}

async function startSluice(
  baseUrl: string,
  closeUpstream: () => Promise<void>,
  { config = {}, provider = {} }: Settings,
): Promise<World> {
  const keys = [{ name: 'first', key: UPSTREAM_KEY }];
  const text = JSON.stringify({
    server: { port: 0 },
    log: { level: 'trace', format: 'json' },
    state: { file: 'none' },
    clients: [
      { name: 'app', key: CLIENT_KEY },
      { name: 'narrow', key: NARROW_KEY, models: ['gpt-4o-mini'] },
    ],
    providers: [{ name: 'simulated', type: 'openai', base_url: baseUrl, keys, ...provider }],
    models: [
      { name: 'gpt-4o', targets: [{ provider: 'simulated', model: 'gpt-4o' }] },
      { name: 'gpt-4o-mini', targets: [{ provider: 'simulated', model: 'gpt-4o-mini' }] },
      { name: 'house/model', targets: [{ provider: 'simulated', model: 'gpt-4o' }] },
    ],
    ...config,
  });
  const loaded = loadConfig({ text, format: 'json', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(loaded.mistakes.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const log: string[] = [];
  const logStream = { write: (line: string) => log.push(line) };
  const app = await createApp(loaded.config, { clock: systemClock, logStream, version: '0.0.0', env: {} });
  const { url } = await app.listen();
  running.push({ app, log, closeUpstream });
  return {
    baseURL: `${url}/v1`,
    requests: () =>
      log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request' || msg === 'request refused'),
    log: () => log.join(''),
  };
}

/** What a call fails with; a call that does not fails the test. */
export async function failureOf(call: PromiseLike<unknown>): Promise<unknown> {
  let answered: unknown;
  try {
    answered = await call;
  } catch (error) {
    return error;
  }
  return expect.fail(`it was answered: ${JSON.stringify(answered)}`);
}
