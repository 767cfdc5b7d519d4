import { anthropic } from './anthropic/anthropic.ts';
import { azureOpenAi } from './azure/azure-openai.ts';
import { cohere } from './cohere/cohere.ts';
import { gemini } from './gemini/gemini.ts';
import { hostedVendors } from './hosted-vendors.ts';
import { localServers } from './local-servers.ts';
import { mistral } from './mistral/mistral.ts';
import { openai } from './openai.ts';
import { openaiCompatible } from './openai-compatible.ts';
import type { Provider } from './provider.ts';

const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  [openai, azureOpenAi, anthropic, gemini, cohere, ...hostedVendors, mistral, ...localServers, openaiCompatible].map(
    (provider) => [provider.type, provider],
  ),
);

/** The types that have an adapter. */
export const PROVIDER_TYPES: readonly string[] = [...PROVIDERS.keys()];

/** The facts about a type; null when no adapter knows it. */
export function providerOf(type: string): Provider | null {
  return PROVIDERS.get(type) ?? null;
}
