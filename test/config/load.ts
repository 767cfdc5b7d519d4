import type { Config } from '../../src/config/config.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load-config.ts';
import { formatMistake } from '../../src/config/mistakes.ts';
import type { Overrides } from '../../src/config/normalise.ts';

/** What a file may refer to in these tests. */
export const ENV = { KEY: 'sk-0123456789abcdefghij', EMPTY: '' };

interface Settings {
  readonly format?: 'yaml' | 'json';
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly overrides?: Overrides;
}

export function load(
  text: string,
  { format = 'yaml', env = ENV, files = {}, overrides = {} }: Settings = {},
): LoadedConfig {
  const readFile = (path: string) => {
    const content = files[path];
    if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return content;
  };
  return loadConfig({ text, format, env, readFile, overrides });
}

/** The configuration of a text without mistakes. */
export function configOf(text: string, settings: Settings = {}): Config {
  const loaded = load(text, settings);
  if (!loaded.ok) throw new Error(loaded.mistakes.map((mistake) => formatMistake(mistake, 'test')).join('\n'));
  return loaded.config;
}

/** The mistakes of a text, as a start prints them. */
export function mistakesOf(text: string, settings: Settings = {}): string[] {
  const loaded = load(text, settings);
  return loaded.ok ? [] : loaded.mistakes.map((mistake) => formatMistake(mistake, 'file'));
}
