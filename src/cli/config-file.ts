import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Environment } from '../config/interpolate.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import type { Overrides } from '../config/normalise.ts';
import type { CliIo } from './io.ts';

/** Looked for in this order where neither a flag nor `SLUICE_CONFIG` names a file. */
export const CONFIG_FILE_NAMES = ['config.yaml', 'config.yml', 'config.json'] as const;

/** Something that whoever started the program must change; its message is one line and all that is printed. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

export interface ConfigFile {
  /** As it was named, for messages. */
  readonly name: string;
  readonly text: string;
  readonly format: 'yaml' | 'json';
}

/** The environment with what `.env` in the working directory adds; what is set already stays. */
export function readEnvironment(io: CliIo): Environment {
  const text = readIfThere(resolve(io.cwd, '.env'), '.env');
  return text === null ? io.env : { ...parseEnv(text), ...io.env };
}

/**
 * The configuration file that a flag or `SLUICE_CONFIG` names, or the first of the usual names in the working directory;
 * null when none of these is there.
 *
 * @throws CliError when a file that was named cannot be read, or when a directory stands in its place
 */
export function findConfigFile(io: CliIo, env: Environment, named: string | undefined): ConfigFile | null {
  const wanted = named ?? (env['SLUICE_CONFIG'] || undefined);
  if (wanted !== undefined) {
    const text = readIfThere(resolve(io.cwd, wanted), wanted);
    if (text === null) throw new CliError(`${wanted}: there is no such file`);
    return configFile(wanted, text);
  }
  for (const name of CONFIG_FILE_NAMES) {
    const text = readIfThere(resolve(io.cwd, name), name);
    if (text !== null) return configFile(name, text);
  }
  return null;
}

function configFile(name: string, text: string): ConfigFile {
  return { name, text, format: name.toLowerCase().endsWith('.json') ? 'json' : 'yaml' };
}

/** Reads a configuration with all that it refers to; relative names are meant from the working directory. */
export function loadConfigFile(io: CliIo, file: ConfigFile, settings: LoadSettings): LoadedConfig {
  return loadConfig({
    text: file.text,
    format: file.format,
    env: settings.env,
    overrides: settings.overrides,
    readFile: (path) => {
      const absolute = resolve(io.cwd, path);
      settings.onRead?.(absolute);
      return readFileSync(absolute, 'utf8');
    },
  });
}

export interface LoadSettings {
  readonly env: Environment;
  readonly overrides: Overrides;
  /** Hears the absolute path of each file that the configuration names. */
  readonly onRead?: (path: string) => void;
}

function readIfThere(path: string, name: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return null;
  if (stats.isDirectory()) {
    const cause = 'Docker makes one when the file to mount does not exist yet';
    throw new CliError(`${name} is a directory, not a file (${cause}): remove it and put the file there`);
  }
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(
      `${name} cannot be read (${error instanceof Error && 'code' in error ? error.code : 'unknown'})`,
    );
  }
}
