import type { SimulatorOptions, VendorName } from '../../../src/simulator/options.ts';

interface KeySpec {
  /** Of the key, in both configurations. */
  readonly name: string;
  /** Whose limits it draws on. */
  readonly organization: string;
}

/** One simulated vendor, and how Sluice is told of it. */
export interface VendorSpec {
  /** Of the provider. */
  readonly name: string;
  readonly vendor: VendorName;
  readonly type: string;
  readonly basePath: string;
  readonly models: readonly string[];
  readonly keys: readonly KeySpec[];
  /** Of each organisation and model. */
  readonly limits: NonNullable<SimulatorOptions['organizations'][number]['limits']>;
  /** As the configuration states them; absent: Sluice learns them from heads and refusals. */
  readonly told?: Readonly<Record<string, unknown>>;
  readonly headers?: SimulatorOptions['headers'];
  /** Its windows begin at fixed times that Sluice is not told: it books each charge for a whole window instead. */
  readonly isWindowed?: boolean;
}

/** Keys of one vendor, `count` of them, each of an account of its own. */
function ownAccounts(vendor: string, count: number): KeySpec[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `${vendor}-${'abcdef'[index]}`;
    return { name, organization: `org-${name}` };
  });
}

/**
 * Vendors that count in every way there is: buckets told and learned, two keys on one account, windows without any head,
 * tokens charged at the end, requests in flight.
 */
export const VENDOR_SPECS: readonly VendorSpec[] = [
  {
    name: 'openai',
    vendor: 'openai',
    type: 'openai',
    basePath: '/v1',
    models: ['gpt-4o', 'text-embedding-3-small'],
    keys: [
      { name: 'openai-a', organization: 'org-openai-ab' },
      { name: 'openai-b', organization: 'org-openai-ab' },
      { name: 'openai-c', organization: 'org-openai-c' },
    ],
    limits: { rpm: 900, tpm: 300_000 },
    told: { rpm: 900, tpm: 300_000 },
  },
  {
    name: 'anthropic',
    vendor: 'anthropic',
    type: 'anthropic',
    basePath: '/v1',
    models: ['claude-sonnet-4-5'],
    keys: ownAccounts('anthropic', 2),
    limits: { rpm: 600, itpm: 300_000, otpm: 90_000 },
  },
  {
    name: 'gemini',
    vendor: 'gemini',
    type: 'gemini',
    basePath: '/v1beta',
    models: ['gemini-2.5-flash'],
    keys: ownAccounts('gemini', 2),
    limits: { rpm: 600, tpm: 500_000 },
    told: { rpm: 600, tpm: 500_000 },
    isWindowed: true,
  },
  {
    name: 'groq',
    vendor: 'groq',
    type: 'groq',
    basePath: '/openai/v1',
    models: ['llama-3.3-70b-versatile'],
    keys: ownAccounts('groq', 2),
    limits: { rpd: 100_000, tpm: 300_000 },
  },
  {
    name: 'mistral',
    vendor: 'mistral',
    type: 'mistral',
    basePath: '/v1',
    models: ['mistral-small-latest'],
    keys: ownAccounts('mistral', 2),
    limits: { rps: 10, tpm: 300_000 },
  },
  {
    name: 'local',
    vendor: 'openai',
    type: 'openai-compatible',
    basePath: '/v1',
    models: ['local-model', 'text-embedding-3-small'],
    keys: ownAccounts('local', 1),
    limits: { concurrency: 16 },
    told: { concurrency: 16 },
    headers: 'none',
  },
];

/** The token behind a key's name. */
export function tokenOf(key: string): string {
  return `sk-chaos-${key}-0123456789`;
}

export function simulatorOptions({
  vendor,
  models,
  keys,
  limits,
  headers,
  isWindowed = false,
}: VendorSpec): SimulatorOptions {
  const organizations = [...new Set(keys.map(({ organization }) => organization))].map((name) => ({
    name,
    keys: keys
      .filter(({ organization }) => organization === name)
      .map((key) => ({ name: key.name, key: tokenOf(key.name) })),
    limits,
  }));
  return {
    vendor,
    organizations,
    models,
    answer: {
      firstByteMs: { kind: 'lognormal', median: 120, sigma: 0.5, max: 1_000 },
      tokensPerSecond: 150,
      outputTokens: { kind: 'lognormal', median: 60, sigma: 0.8, max: 500 },
    },
    arrivalDelayMs: { kind: 'uniform', min: 1, max: 60 },
    // A minute's worth where the books are computed anew from it.
    maxLogged: isWindowed ? 2_500 : 100,
    ...(headers === undefined ? {} : { headers }),
  };
}
