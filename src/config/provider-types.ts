/** Every provider type that a configuration may name. The facts about each are in `providers/`. */
export const PROVIDER_TYPES = [
  'openai',
  'azure-openai',
  'anthropic',
  'gemini',
  'cohere',
  'mistral',
  'groq',
  'deepseek',
  'openrouter',
  'together',
  'fireworks',
  'xai',
  'cerebras',
  'perplexity',
  'vllm',
  'llama-cpp',
  'ollama',
  'lm-studio',
  'openai-compatible',
] as const;

export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** Types whose address is always one's own, and what it looks like. */
export const TYPES_WITHOUT_ADDRESS: ReadonlyMap<ProviderType, string> = new Map([
  ['azure-openai', 'https://<resource>.openai.azure.com'],
  ['openai-compatible', 'http://<host>/v1'],
]);

/** Types of which nothing can be asked that costs no tokens. */
export const TYPES_WITHOUT_PROBE: readonly ProviderType[] = ['perplexity'];

/** A name that begins a path of Sluice's own, so a provider may not have it. */
export const RESERVED_PROVIDER_NAMES: readonly string[] = [
  'v1',
  'api',
  'admin',
  'health',
  'ready',
  'queue',
  'metrics',
  'dashboard',
  'docs',
  'openai/deployments',
];
