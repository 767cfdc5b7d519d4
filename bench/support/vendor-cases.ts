import type { SimulatorOptions, VendorName } from '../../src/simulator/options.ts';

/** One vendor as the bench asks it. */
export interface VendorCase {
  readonly vendor: VendorName;
  /** The provider's type in the configuration. */
  readonly type: string;
  readonly basePath: string;
  readonly models: readonly string[];
  /** Of each key's account; nothing of it is configured. */
  readonly limits: NonNullable<SimulatorOptions['organizations'][number]['limits']>;
  /** The limit that binds. */
  readonly charge: string;
  /** About how many of these requests a key serves a minute. */
  readonly perMinute: number;
  readonly answer: NonNullable<SimulatorOptions['answer']>;
  readonly hasHeaders: boolean;
  readonly options?: Partial<SimulatorOptions>;
  body(random: () => number): Readonly<Record<string, unknown>>;
}

const WORD = 'river ';
const ANSWER = {
  outputTokens: { kind: 'uniform', min: 20, max: 120 },
  firstByteMs: { kind: 'uniform', min: 50, max: 300 },
} as const;

/** A chat of 100 to 500 tokens; half of them say how long their answer may be. */
function chat(random: () => number): Readonly<Record<string, unknown>> {
  const content = WORD.repeat(100 + Math.floor(400 * random()));
  return { messages: [{ role: 'user', content }], ...(random() < 0.5 ? { max_tokens: 120 } : {}) };
}

const COMMON = { answer: ANSWER, body: chat };

export const VENDOR_CASES: readonly VendorCase[] = [
  {
    ...COMMON,
    vendor: 'openai',
    type: 'openai',
    basePath: '/v1',
    models: ['gpt-4o'],
    limits: { rpm: 500, tpm: 40_000 },
    charge: 'tpm',
    perMinute: 100,
    hasHeaders: true,
  },
  {
    ...COMMON,
    vendor: 'anthropic',
    type: 'anthropic',
    basePath: '/v1',
    models: ['claude-sonnet-4-5'],
    limits: { rpm: 500, itpm: 30_000, otpm: 40_000 },
    charge: 'itpm',
    perMinute: 100,
    hasHeaders: true,
  },
  {
    ...COMMON,
    vendor: 'gemini',
    type: 'gemini',
    basePath: '/v1beta',
    models: ['gemini-2.5-flash'],
    limits: { rpm: 60, tpm: 1_000_000 },
    charge: 'rpm',
    perMinute: 60,
    hasHeaders: false,
  },
  {
    ...COMMON,
    vendor: 'cohere',
    type: 'cohere',
    basePath: '',
    models: ['command-r7b-12-2024'],
    limits: { rpm: 60 },
    charge: 'rpm',
    perMinute: 60,
    // Trial keys have, and the simulated ones are.
    hasHeaders: true,
  },
  {
    ...COMMON,
    vendor: 'mistral',
    type: 'mistral',
    basePath: '/v1',
    models: ['mistral-small-latest'],
    limits: { rps: 5, tpm: 40_000 },
    charge: 'tpm',
    perMinute: 100,
    hasHeaders: true,
  },
  {
    ...COMMON,
    vendor: 'groq',
    type: 'groq',
    basePath: '/openai/v1',
    models: ['llama-3.3-70b-versatile'],
    limits: { rpm: 500, tpm: 40_000 },
    charge: 'tpm',
    perMinute: 100,
    hasHeaders: true,
  },
  {
    ...COMMON,
    // What it assumes of an answer that nobody caps is not documented, so all are capped.
    body: (random) => ({ ...chat(random), max_tokens: 120 }),
    vendor: 'azure',
    type: 'azure-openai',
    basePath: '',
    models: ['gpt-4o'],
    limits: { rpm: 240, tpm: 40_000 },
    charge: 'tpm',
    perMinute: 100,
    hasHeaders: true,
  },
];
