import { loadConfig } from '../config/load-config.ts';
import type { Overrides } from '../config/normalise.ts';
import type { Ledger } from '../simulator/ledger.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import type { CliIo } from './io.ts';
import { listen, type StartServices } from './start.ts';

/** A key of the simulated vendor; amounts are a minute's, for each model. */
export interface DemoKey {
  readonly name: string;
  readonly requests: number;
  readonly tokens: number;
}

export const DEMO_KEYS: readonly DemoKey[] = [20, 40, 60].map((requests) => {
  return { name: `demo-${requests}`, requests, tokens: requests * 1_000 };
});

export const DEMO_MODELS = ['gpt-4o-mini', 'gpt-4o'] as const;

/** Share of a minute that the vendor lets through at once. Little, so that a handful of requests already has to wait. */
const BURST = 0.1;

/** Sluice in front of a simulated vendor, both on this machine. */
export interface Stage {
  /** Where Sluice listens. */
  readonly url: string;
  readonly maxWaitMs: number;
  /** The vendor's own books. */
  ledger(): Ledger;
  close(): Promise<void>;
  closeNow(): Promise<void>;
}

export interface StageSettings {
  readonly overrides: Overrides;
  readonly maxWait: string;
  /** Whether each request makes a line in the log. */
  readonly logsRequests: boolean;
}

/**
 * Builds the stage. The vendor's address and limits go through an ordinary configuration, as anybody could write it.
 *
 * @throws CliError when Sluice cannot listen where it should
 */
export async function openStage(
  io: CliIo,
  createApp: StartServices['createApp'],
  settings: StageSettings,
): Promise<Stage> {
  // Loaded here: other commands can do without the tokenizer that comes with it.
  const { createSimulator } = await import('../simulator/simulator.ts');
  const simulator = createSimulator(VENDOR, io.clock, io.random);
  const { url: vendorUrl } = await simulator.listen();
  const config = configOf(vendorUrl, settings);
  const { clock, stdout, version } = io;
  // An empty environment: a proxy server that it names would not find this machine's own loopback.
  const app = await createApp(config, { clock, logStream: stdout, version, env: {} });
  const closeBoth = async (closeApp: () => Promise<void>) => {
    await closeApp();
    await simulator.close();
  };
  try {
    const { url } = await listen(app, config);
    return {
      url,
      maxWaitMs: config.defaults.queue.maxWaitMs,
      ledger: () => simulator.ledger(),
      close: () => closeBoth(() => app.close()),
      closeNow: () => closeBoth(() => app.closeNow()),
    };
  } catch (error) {
    await closeBoth(() => app.closeNow());
    throw error;
  }
}

/** What each run of the demo says before anything else. */
export function demoNotice(version: string): string {
  return (
    `Sluice ${version}, demo: the vendor is simulated on this machine.\n` +
    'No key of yours is used, nothing leaves this machine, and every answer is made up.\n'
  );
}

const VENDOR: SimulatorOptions = {
  organizations: DEMO_KEYS.map(({ name, requests, tokens }) => ({
    name: `org-${name}`,
    keys: [{ key: tokenOf(name), name }],
    limits: { rpm: { limit: requests, capacity: requests * BURST }, tpm: tokens },
  })),
  models: DEMO_MODELS,
  answer: {
    firstByteMs: { kind: 'lognormal', median: 250, sigma: 0.3, max: 1_000 },
    tokensPerSecond: 80,
    outputTokens: { kind: 'uniform', min: 20, max: 60 },
  },
};

function tokenOf(name: string): string {
  return `sk-sim-${name}`;
}

function configOf(vendorUrl: string, { overrides, maxWait, logsRequests }: StageSettings) {
  const tree = {
    // There is nothing to protect: whoever gets in spends made-up keys.
    server: { auth: 'none', shutdown_grace: '5s' },
    log: logsRequests ? {} : { level: 'error', requests: false },
    state: { file: 'none' },
    defaults: { queue: { max_wait: maxWait } },
    quotas: DEMO_KEYS.map(({ name }) => ({ name })),
    // A provider a key, because limits differ from key to key and belong to a provider.
    providers: DEMO_KEYS.map(({ name, requests, tokens }) => ({
      name: `simulator-${requests}`,
      type: 'openai',
      base_url: `${vendorUrl}/v1`,
      keys: [{ name, key: tokenOf(name), quota: name }],
      limits: { rpm: { limit: requests, burst: BURST }, tpm: tokens },
    })),
    models: DEMO_MODELS.map((name) => ({
      name,
      targets: DEMO_KEYS.map(({ requests }) => ({ provider: `simulator-${requests}`, model: name })),
    })),
    default_model: DEMO_MODELS[0],
  };
  const loaded = loadConfig({ text: JSON.stringify(tree), format: 'json', env: {}, overrides, readFile: () => '' });
  if (!loaded.ok) throw new Error(`the demo's configuration: ${loaded.mistakes[0]?.message}`);
  return loaded.config;
}
