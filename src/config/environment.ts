import type { Config } from './config.ts';
import type { Environment } from './interpolate.ts';
import { interpret } from './load-config.ts';
import { formatPath, type Mistake } from './mistakes.ts';
import type { Overrides } from './normalise.ts';
import type { ProviderType } from './provider-types.ts';
import { warningsOf } from './warnings.ts';

/** The variables in which vendors' own tools keep keys. Several keys are separated by commas. */
export const KEY_VARIABLES: ReadonlyMap<string, ProviderType> = new Map([
  ['OPENAI_API_KEY', 'openai'],
  ['ANTHROPIC_API_KEY', 'anthropic'],
  ['GEMINI_API_KEY', 'gemini'],
  ['GROQ_API_KEY', 'groq'],
  ['DEEPSEEK_API_KEY', 'deepseek'],
  ['OPENROUTER_API_KEY', 'openrouter'],
  ['TOGETHER_API_KEY', 'together'],
  ['FIREWORKS_API_KEY', 'fireworks'],
  ['XAI_API_KEY', 'xai'],
  ['COHERE_API_KEY', 'cohere'],
  ['MISTRAL_API_KEY', 'mistral'],
  ['CEREBRAS_API_KEY', 'cerebras'],
  ['PERPLEXITY_API_KEY', 'perplexity'],
]);

export type EnvironmentConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly warnings: readonly string[];
      /** Names of the variables that were taken, for the first line of the banner. */
      readonly variables: readonly string[];
    }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/**
 * A configuration without a file: each key found becomes a provider of its vendor, and all of their models are taken.
 * Null when there is no key at all. `SLUICE_CLIENT_KEY` (several separated by commas) says who may call;
 * `SLUICE_OPEN=true` says everybody may, which anything but loopback needs to hear. The values are taken as they are: a
 * `$` in a key means nothing.
 */
export function configFromEnvironment(env: Environment, overrides: Overrides = {}): EnvironmentConfig | null {
  const providers = [...KEY_VARIABLES].flatMap(([variable, type]) => {
    const keys = keysIn(env[variable]);
    return keys.length === 0 ? [] : [{ variable, provider: { type, keys } }];
  });
  if (providers.length === 0) return null;
  const tree = {
    server: { auth: isTrue(env['SLUICE_OPEN']) ? 'none' : 'clients' },
    clients: clientsIn(env),
    providers: providers.map(({ provider }) => provider),
  };
  const interpolated = { tree, findings: [], isFromOutside: () => true };
  const { config, findings } = interpret(interpolated, { readFile: () => '', overrides });
  if (!config)
    return { ok: false, mistakes: findings.map(({ path, message }) => explained(formatPath(path), message)) };
  const variables = providers.map(({ variable }) => variable);
  return { ok: true, config, warnings: warningsOf(tree, config), variables };
}

function keysIn(value: string | undefined): string[] {
  const keys = (value ?? '').split(',').map((key) => key.trim());
  return [...new Set(keys.filter((key) => key !== ''))];
}

function clientsIn(env: Environment): { name: string; key: string }[] {
  const keys = keysIn(env['SLUICE_CLIENT_KEY']);
  return keys.map((key, index) => ({ name: keys.length === 1 ? 'default' : `client-${index + 1}`, key }));
}

function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1';
}

/** Nobody has written a file here, so the advice is about variables. */
function explained(path: string, message: string): Mistake {
  const nowhere = { line: null, column: null };
  if (path === 'server.host') {
    const advice = 'set SLUICE_CLIENT_KEY to a secret that callers must send, or SLUICE_OPEN=true to let everybody in';
    return { path: '', message: `anybody who reaches this host could spend your keys: ${advice}`, ...nowhere };
  }
  if (path === 'server.auth') {
    return { path: '', message: 'SLUICE_OPEN and SLUICE_CLIENT_KEY are both set: remove one of them', ...nowhere };
  }
  return { path, message, ...nowhere };
}
