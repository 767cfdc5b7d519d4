import { resolve } from 'node:path';
import { formatMistake } from '../config/mistakes.ts';
import type { Overrides } from '../config/normalise.ts';
import { CliError, type ConfigFile, findConfigFile, loadConfigFile, readEnvironment } from './config-file.ts';
import type { CliIo } from './io.ts';
import { overridesFrom, type StartFlags } from './overrides.ts';
import type { StartedApp } from './start.ts';
import { contentsOf, FileWatch } from './watch-files.ts';

/** What of an app a reload needs. */
type ReloadableApp = Pick<StartedApp, 'reload' | 'refuseReload'>;

/** A configuration file, and all that was read for it. */
export interface ReadConfig {
  readonly file: ConfigFile;
  /** Absolute paths of files that it names. */
  readonly named: readonly string[];
}

interface Source {
  readonly io: CliIo;
  readonly flags: StartFlags;
  readonly app: ReloadableApp;
}

/**
 * Reads the configuration anew when it is asked to, and when the file or what it names has changed. One reload at a time: what comes
 * meanwhile is one more, after it.
 */
export class Reloading {
  readonly #source: Source;
  readonly #file: string;
  readonly #watch: FileWatch;
  #named: readonly string[];
  #running: Promise<void> | null = null;
  #isWanted = false;
  #isClosed = false;

  constructor(source: Source, { file, named }: ReadConfig) {
    const { io } = source;
    this.#source = source;
    this.#file = file.name;
    this.#named = named;
    this.#watch = new FileWatch({
      clock: io.clock,
      path: resolve(io.cwd, file.name),
      others: () => this.#others(),
      onChange: () => this.request(),
    });
    // The start takes its time, and what changed in it nobody has seen.
    if (!isAsRead(io, file)) this.request();
  }

  request(): void {
    if (this.#isClosed) return;
    this.#isWanted = true;
    this.#running ??= this.#run();
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.close();
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      // Whatever goes wrong, those who are served now lose nothing by it, and the next file may be better.
      await this.#reload().catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#source.app.refuseReload({ file: this.#file, mistakes: [`it could not be put in force: ${why}`] });
      });
    }
    this.#running = null;
  }

  async #reload(): Promise<void> {
    const { app } = this.#source;
    const namedBefore = this.#named;
    // First, so that what changes while it is read is one more change.
    this.#watch.seen();
    const read = this.#read();
    if (this.#named.join() !== namedBefore.join()) this.#watch.seen();
    if (read.ok) await app.reload({ file: this.#file, ...read.value });
    else app.refuseReload({ file: this.#file, mistakes: read.mistakes });
  }

  #others(): readonly string[] {
    return [resolve(this.#source.io.cwd, '.env'), ...this.#named];
  }

  #read(): Reading {
    const { io, flags } = this.#source;
    try {
      const env = readEnvironment(io);
      const file = findConfigFile(io, env, this.#file) as ConfigFile;
      const { loaded, named } = readConfig(io, file, { env, overrides: overridesFrom(env, flags) });
      this.#named = named;
      if (!loaded.ok) return { ok: false, mistakes: loaded.mistakes.map((each) => formatMistake(each, file.name)) };
      const { config, warnings } = loaded;
      if (config.providers.length === 0) return { ok: false, mistakes: [`${file.name}: ${NO_PROVIDERS}`] };
      const version = contentsOf([resolve(io.cwd, file.name), ...this.#others()]).slice(0, VERSION_LENGTH);
      return { ok: true, value: { config, warnings, version } };
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      return { ok: false, mistakes: [error.message] };
    }
  }
}

/** A start may be made without any; a server that has some has no use for a file without, and it is mostly half a file. */
const NO_PROVIDERS = 'names no providers, so every request would be refused. Is all of it there?';

function isAsRead(io: CliIo, { name, text }: ConfigFile): boolean {
  try {
    return findConfigFile(io, io.env, name)?.text === text;
  } catch {
    return false;
  }
}

type Reading =
  | { readonly ok: true; readonly value: Omit<Parameters<ReloadableApp['reload']>[0], 'file'> }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** The configuration of a file, and the absolute paths of the files that were read for it. */
export function readConfig(
  io: CliIo,
  file: ConfigFile,
  settings: { readonly env: CliIo['env']; readonly overrides: Overrides },
) {
  const named: string[] = [];
  const onRead = (path: string) => named.push(path);
  return { loaded: loadConfigFile(io, file, { ...settings, onRead }), named };
}

/** Digits of a hash: enough to tell versions from each other. */
const VERSION_LENGTH = 12;
