import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { configFromEnvironment } from '../config/environment.ts';
import type { Mistake } from '../config/mistakes.ts';
import { banner, type ConfigOrigin } from './banner.ts';
import { printMistakes } from './check.ts';
import { CliError, type ConfigFile, findConfigFile, readEnvironment } from './config-file.ts';
import { type CliIo, signalExitCode, type TextSink } from './io.ts';
import { overridesFrom, type StartFlags } from './overrides.ts';
import { Reloading, readConfig } from './reload.ts';

/** A configuration that was read again, without a mistake. */
export interface Reload {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** As it was named. */
  readonly file: string;
  /** Equal for equal files with equal values, and for no others. */
  readonly version: string;
}

/** One that is not to be had: what somebody must change, each as a start would print it. */
export interface RefusedReload {
  readonly file: string;
  readonly mistakes: readonly string[];
}

/** A running server as a start needs it. */
export interface StartedApp {
  listen(): Promise<{ readonly url: string }>;
  /** Puts another configuration in force while requests run. */
  reload(reload: Reload): Promise<void>;
  refuseReload(refusal: RefusedReload): void;
  /** One line of the log. */
  tell(what: string): void;
  /** Drains. */
  close(): Promise<void>;
  /** Cuts. */
  closeNow(): Promise<void>;
}

export interface StartEnvironment {
  readonly clock: Clock;
  readonly logStream: TextSink;
  readonly version: string;
  /** For HTTPS_PROXY and its kin. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a start hands on to. */
export interface StartServices {
  createApp(config: Config, environment: StartEnvironment): Promise<StartedApp>;
  /** Takes over when there is neither a file nor a key. */
  startDemo(flags: StartFlags): Promise<void>;
}

interface Found {
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly origin: ConfigOrigin;
  /** Null: the configuration was made from the environment. */
  readonly file: ConfigFile | null;
  /** Absolute paths of files that the file names. */
  readonly named: readonly string[];
}

/**
 * `sluice start`: a configuration file, else keys found in the environment, else the demo. Returns when the server
 * listens; it ends by a signal.
 *
 * @throws CliError when something must be changed before a start can succeed
 */
export async function start(io: CliIo, flags: StartFlags, services: StartServices): Promise<void> {
  const env = readEnvironment(io);
  const found = findConfig(io, env, flags);
  if (found === null) return services.startDemo(flags);
  if (!found.ok) {
    printMistakes(io.stderr, found.where, found.mistakes);
    return io.exit(1);
  }
  const { config, warnings, origin } = found.value;
  const { clock, version } = io;
  const app = await services.createApp(config, { clock, logStream: io.stdout, version, env });
  let reloading: Reloading | null = null;
  // From here on, for a process that nobody listens in is ended by it. A start that is under way looks by itself.
  io.onReload(() => (found.value.file === null ? app.tell(NO_FILE) : reloading?.request()));
  endBySignal(io, app, () => reloading?.close());
  const { url } = await listen(app, config);
  if (found.value.file !== null)
    reloading = new Reloading({ io, flags, app }, { ...found.value, file: found.value.file });
  io.stdout.write(banner({ version, url, config, origin, warnings }));
}

const NO_FILE = 'nothing to reload: there is no configuration file, and the environment is read at a start only';

type Finding =
  | { readonly ok: true; readonly value: Found }
  | { readonly ok: false; readonly where: string; readonly mistakes: readonly Mistake[] };

function findConfig(io: CliIo, env: CliIo['env'], flags: StartFlags): Finding | null {
  const overrides = overridesFrom(env, flags);
  const file = findConfigFile(io, env, flags.config);
  if (file) {
    const { loaded, named } = readConfig(io, file, { env, overrides });
    if (!loaded.ok) return { ok: false, where: file.name, mistakes: loaded.mistakes };
    return { ok: true, value: { ...loaded, origin: { file: file.name }, file, named } };
  }
  const loaded = configFromEnvironment(env, overrides);
  if (loaded === null) return null;
  if (!loaded.ok) return { ok: false, where: 'environment:', mistakes: loaded.mistakes };
  return { ok: true, value: { ...loaded, origin: { variables: loaded.variables }, file: null, named: [] } };
}

/**
 * Listens where the configuration says.
 *
 * @throws CliError when somebody else listens there, or nobody can
 */
export async function listen(app: Pick<StartedApp, 'listen'>, { server }: Config): Promise<{ readonly url: string }> {
  try {
    return await app.listen();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    const place = `port ${server.port} on ${server.host}`;
    const reasons = new Map<unknown, string>([
      ['EADDRINUSE', `${place} is taken: stop what uses it, or choose another with --port`],
      ['EACCES', `${place} needs rights that this user does not have: choose one above 1023 with --port`],
      ['EADDRNOTAVAIL', `${server.host} is no address of this machine: choose another with --host`],
      ['ENOTFOUND', `${server.host} is no address of this machine: choose another with --host`],
    ]);
    const reason = reasons.get(code);
    throw reason === undefined ? error : new CliError(reason);
  }
}

/** The first signal drains and ends well, the second cuts and ends as a shell expects of it. */
export function endBySignal(
  io: CliIo,
  app: Pick<StartedApp, 'close' | 'closeNow'>,
  onEnd: () => void = () => {},
): void {
  io.onSignal((signal, nth) => {
    onEnd();
    if (nth === 1) {
      // Not to stdout: that is the log's, which somebody may parse.
      io.stderr.write(`${signal}: finishing what is under way; once more cuts it off\n`);
      void app.close().then(() => io.exit(0));
    } else if (nth === 2) {
      void app.closeNow().finally(() => io.exit(signalExitCode(signal)));
    }
  });
}
