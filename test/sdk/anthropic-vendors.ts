import Anthropic from '@anthropic-ai/sdk';
import type { SimulatorOptions, VendorName } from '../../src/simulator/options.ts';
import { CLIENT_KEY, type SimulatedWorld, startWorld, type World } from './world.ts';

/** A vendor that messages are sent to, natively or as chats. */
export interface Behind {
  readonly vendor: VendorName;
  /** The provider's, in the configuration. */
  readonly type: string;
  readonly basePath: string;
  readonly model: string;
  /** Counts tokens itself. */
  readonly counts?: true;
}

export const ANTHROPIC: Behind = {
  vendor: 'anthropic',
  type: 'anthropic',
  basePath: '/v1',
  model: 'claude-haiku-4-5',
  counts: true,
};

export const OPENAI: Behind = { vendor: 'openai', type: 'openai', basePath: '/v1', model: 'gpt-4o' };

export const ALL: readonly Behind[] = [
  ANTHROPIC,
  OPENAI,
  { vendor: 'gemini', type: 'gemini', basePath: '/v1beta', model: 'gemini-2.5-flash' },
  { vendor: 'cohere', type: 'cohere', basePath: '', model: 'command-a-03-2025' },
  { vendor: 'mistral', type: 'mistral', basePath: '/v1', model: 'mistral-small-latest' },
  { vendor: 'groq', type: 'groq', basePath: '/openai/v1', model: 'llama-3.3-70b-versatile' },
  { vendor: 'azure', type: 'azure-openai', basePath: '', model: 'gpt-4o' },
];

interface Options {
  readonly simulator?: Partial<SimulatorOptions>;
  readonly provider?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly apiKey?: string;
  readonly maxRetries?: number;
}

/** Anthropic's SDK in front of Sluice in front of a simulated vendor. */
export async function connect(behind: Behind, options: Options = {}): Promise<SimulatedWorld & { client: Anthropic }> {
  const { vendor, type, basePath, model } = behind;
  const world = await startWorld({
    basePath,
    simulator: { vendor, models: [model], ...options.simulator },
    provider: { type, ...options.provider },
    config: {
      models: [{ name: 'house', targets: [{ provider: 'simulated', model }] }],
      ...options.config,
    },
  });
  return { ...world, client: clientOf(world, options) };
}

/** The SDK puts `/v1` before its paths itself. */
export function clientOf(
  { baseURL }: World,
  { apiKey = CLIENT_KEY, maxRetries = 0 }: Pick<Options, 'apiKey' | 'maxRetries'> = {},
): Anthropic {
  return new Anthropic({ apiKey, maxRetries, baseURL: baseURL.replace(/\/v1$/, '') });
}
