import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { configFromEnvironment } from '../config/environment.ts';
import type { Mistake } from '../config/mistakes.ts';
import { banner, type ConfigOrigin } from './banner.ts';
import { printMistakes } from './check.ts';
import { CliError, findConfigFile, loadConfigFile, readEnvironment } from './config-file.ts';
import { type CliIo, signalExitCode, type TextSink } from './io.ts';
import { overridesFrom, type StartFlags } from './overrides.ts';

/** A running server as a start needs it. */
export interface StartedApp {
  listen(): Promise<{ readonly url: string }>;
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
  endBySignal(io, app);
  const { url } = await listen(app, config);
  io.stdout.write(banner({ version, url, config, origin, warnings }));
}

type Finding =
  | { readonly ok: true; readonly value: Found }
  | { readonly ok: false; readonly where: string; readonly mistakes: readonly Mistake[] };

function findConfig(io: CliIo, env: CliIo['env'], flags: StartFlags): Finding | null {
  const overrides = overridesFrom(env, flags);
  const file = findConfigFile(io, env, flags.config);
  if (file) {
    const loaded = loadConfigFile(io, file, { env, overrides });
    if (!loaded.ok) return { ok: false, where: file.name, mistakes: loaded.mistakes };
    return { ok: true, value: { ...loaded, origin: { file: file.name } } };
  }
  const loaded = configFromEnvironment(env, overrides);
  if (loaded === null) return null;
  if (!loaded.ok) return { ok: false, where: 'environment:', mistakes: loaded.mistakes };
  return { ok: true, value: { ...loaded, origin: { variables: loaded.variables } } };
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
export function endBySignal(io: CliIo, app: Pick<StartedApp, 'close' | 'closeNow'>): void {
  io.onSignal((signal, nth) => {
    if (nth === 1) {
      // Not to stdout: that is the log's, which somebody may parse.
      io.stderr.write(`${signal}: finishing what is under way; once more cuts it off\n`);
      void app.close().then(() => io.exit(0));
    } else if (nth === 2) {
      void app.closeNow().finally(() => io.exit(signalExitCode(signal)));
    }
  });
}
