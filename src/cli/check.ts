import { formatMistake, type Mistake } from '../config/mistakes.ts';
import { CliError, CONFIG_FILE_NAMES, findConfigFile, loadConfigFile, readEnvironment } from './config-file.ts';
import type { CliIo, TextSink } from './io.ts';
import { overridesFrom } from './overrides.ts';

export interface CheckOptions {
  /** The file to check; absent: the one that a start would take. */
  readonly file?: string | undefined;
  readonly json?: boolean | undefined;
}

/**
 * `sluice check`: reads a configuration as a start would, and does nothing else. Gives the exit code: 0 when a start
 * would succeed.
 *
 * @throws CliError when there is no file to check
 */
export function check(io: CliIo, options: CheckOptions): number {
  const env = readEnvironment(io);
  const file = findConfigFile(io, env, options.file);
  if (!file) throw new CliError(`no configuration here: looked for ${CONFIG_FILE_NAMES.join(', ')}`);
  const loaded = loadConfigFile(io, file, { env, overrides: overridesFrom(env, {}) });
  const mistakes = loaded.ok ? [] : loaded.mistakes;
  const warnings = loaded.ok ? loaded.warnings : [];
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ ok: loaded.ok, file: file.name, mistakes, warnings }, null, 2)}\n`);
  } else {
    printMistakes(io.stderr, file.name, mistakes);
    for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
    if (loaded.ok) io.stdout.write(`${file.name} is valid\n`);
  }
  return loaded.ok ? 0 : 1;
}

/** One line a mistake, and how many there are. */
export function printMistakes(sink: TextSink, fileName: string, mistakes: readonly Mistake[]): void {
  for (const mistake of mistakes) sink.write(`${formatMistake(mistake, fileName)}\n`);
  if (mistakes.length > 1) sink.write(`${mistakes.length} mistakes\n`);
}
