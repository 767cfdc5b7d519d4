import type { LogLevel } from '../config/config.ts';
import type { Environment } from '../config/interpolate.ts';
import type { Overrides } from '../config/normalise.ts';
import { CliError } from './config-file.ts';

/** What a start may be told on the command line. */
export interface StartFlags {
  readonly config?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
}

/**
 * What stands over the file: flags, then `PORT`. `SLUICE_HOST` stands under it: the image sets it, because inside a
 * container nobody could reach 127.0.0.1.
 *
 * @throws CliError for a port that is none
 */
export function overridesFrom(env: Environment, flags: StartFlags): Overrides {
  const port = flags.port === undefined ? portFrom('PORT', env['PORT']) : portFrom('--port', flags.port);
  return {
    ...(flags.host === undefined ? {} : { host: flags.host }),
    ...(port === null ? {} : { port }),
    ...(flags.logLevel === undefined ? {} : { logLevel: flags.logLevel }),
    ...(env['SLUICE_HOST'] ? { defaultHost: env['SLUICE_HOST'] } : {}),
  };
}

function portFrom(source: string, value: string | undefined): number | null {
  if (value === undefined || (value === '' && source === 'PORT')) return null;
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new CliError(`${source} must be a number from 0 to 65535`);
}
