import type { Config } from './config.ts';

/** A model that each vendor has had for long, to have something to show where no models are configured. */
const WELL_KNOWN_MODELS: ReadonlyMap<string, string> = new Map([
  ['openai', 'gpt-4o-mini'],
  ['groq', 'llama-3.1-8b-instant'],
  ['deepseek', 'deepseek-chat'],
  ['openrouter', 'openai/gpt-4o-mini'],
  ['mistral', 'mistral-small-latest'],
  ['anthropic', 'claude-haiku-4-5'],
  ['gemini', 'gemini-2.5-flash'],
  ['cohere', 'command-r7b-12-2024'],
]);

/** For a command that whoever reads it may copy. `MODEL` where nobody knows one that would be served. */
export function exampleModel({ models, defaultModel, providers }: Config): string {
  const known = providers.map(({ type }) => WELL_KNOWN_MODELS.get(type)).find((name) => name !== undefined);
  return models[0]?.name ?? defaultModel ?? known ?? 'MODEL';
}
