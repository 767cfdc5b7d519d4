import type { LimitsOptions } from '../../../src/simulator/limits/limit-spec.ts';
import type { SimulatorOptions } from '../../../src/simulator/options.ts';

/** One key: how its vendor counts, what Sluice is told of it, and what of it must be used. */
export interface KeyShape {
  readonly name: string;
  readonly vendor: LimitsOptions;
  /** As a provider's `limits` in the configuration. */
  readonly told: Readonly<Record<string, unknown>>;
  /** The limit that binds, and the share of it that has to be used while work waits. */
  readonly binding: 'rpm' | 'tpm';
  readonly bar: number;
}

export const MODEL = 'gpt-4o';
export const CLIENT_KEY = 'sk-client-bench';
/** For looking at texts before anything is measured: no limit holds it back. */
export const WARM_KEY = 'sk-sim-warm';

/** Where the fixed window of one key begins in each minute of the vendor's clock. Sluice is not told. */
export const PHASE_MS = 17_300;

const TPM = 2_000_000;

export const KEYS: readonly KeyShape[] = [
  {
    name: 'rpm-bucket',
    vendor: { rpm: 120, tpm: TPM },
    told: { rpm: 120, tpm: TPM },
    binding: 'rpm',
    bar: 0.995,
  },
  {
    name: 'tpm-bucket',
    vendor: { rpm: 600, tpm: 400_000 },
    told: { rpm: 600, tpm: 400_000 },
    binding: 'tpm',
    bar: 0.995,
  },
  {
    name: 'sliding-log',
    vendor: { rpm: { limit: 120, algorithm: 'sliding-log' }, tpm: TPM },
    told: { rpm: { limit: 120, algorithm: 'sliding-window' }, tpm: TPM },
    binding: 'rpm',
    bar: 0.99,
  },
  {
    name: 'fixed-window',
    vendor: { rpm: { limit: 120, algorithm: 'fixed-window', anchor: PHASE_MS }, tpm: TPM },
    told: { rpm: { limit: 120, algorithm: 'fixed-window' }, tpm: TPM },
    binding: 'rpm',
    bar: 0.99,
  },
];

/** Outputs with a long tail; half of them are within 120 tokens, one in a hundred beyond a thousand. */
export const OUTPUT = { kind: 'lognormal', median: 120, sigma: 1, max: 4_000 } as const;
/** Between a request's arrival and the vendor's limiter, in ms. */
const ARRIVAL_DELAY = { kind: 'uniform', min: 5, max: 250 } as const;

/** @param clockOffsetMs how far the vendor's clock is ahead of ours */
export function vendorOptions(clockOffsetMs: number): SimulatorOptions {
  const limited = KEYS.map(({ name, vendor }) => ({
    name: `org-${name}`,
    keys: [{ key: tokenOf(name), name }],
    limits: vendor,
  }));
  return {
    organizations: [...limited, { name: 'org-warm', keys: [{ key: WARM_KEY, name: 'warm' }] }],
    models: [MODEL],
    answer: {
      firstByteMs: { kind: 'lognormal', median: 200, sigma: 0.4, max: 2_000 },
      tokensPerSecond: 150,
      outputTokens: OUTPUT,
    },
    arrivalDelayMs: ARRIVAL_DELAY,
    clockOffsetMs,
  };
}

/** An ordinary configuration, as anybody could write it; a provider a key, because limits belong to a provider. */
export function sluiceConfig(vendorUrl: string, maxWait: string): object {
  return {
    server: { port: 0, stream_keepalive: 'off', shutdown_grace: '1s' },
    log: { level: 'error', requests: false },
    state: { file: 'none' },
    defaults: { queue: { max_wait: maxWait } },
    clients: [{ name: 'bench', key: CLIENT_KEY }],
    providers: KEYS.map(({ name, told }) => ({
      name,
      type: 'openai',
      base_url: `${vendorUrl}/v1`,
      keys: [{ name, key: tokenOf(name) }],
      limits: told,
    })),
    models: [{ name: MODEL, targets: KEYS.map(({ name }) => ({ provider: name, model: MODEL })) }],
  };
}

/** Requests a second that all keys serve together, when each costs `meanTokens`. */
export function aggregate(meanTokens: number): number {
  const perMinute = KEYS.map(({ vendor, binding }) => {
    return binding === 'rpm' ? amountOf(vendor.rpm) : amountOf(vendor.tpm) / meanTokens;
  });
  return perMinute.reduce((sum, each) => sum + each, 0) / 60;
}

function amountOf(limit: LimitsOptions['rpm']): number {
  return typeof limit === 'object' ? limit.limit : (limit ?? Number.POSITIVE_INFINITY);
}

function tokenOf(name: string): string {
  return `sk-sim-${name}`;
}
