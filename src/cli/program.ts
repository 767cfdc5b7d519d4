import { Command, CommanderError, Option } from 'commander';
import { configJsonSchema } from '../config/schema.ts';
import { didYouMean } from '../config/suggest.ts';
import { check } from './check.ts';
import { CliError } from './config-file.ts';
import { hashKey } from './hash-key.ts';
import type { CliIo } from './io.ts';
import type { StartFlags } from './overrides.ts';
import { type StartServices, start } from './start.ts';

/** Adds commands that live in files of their own. */
type Register = (program: Command, io: CliIo) => void;

export interface ProgramParts {
  readonly createApp: StartServices['createApp'];
  readonly commands: readonly Register[];
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Whoever looks for `--config` looks here first, and it is an option of a command that nobody has to type. */
const HELP_AFTER = `
Most used, without a command:
  sluice --config <file>  serve with this configuration; else config.yaml, else keys of the environment, else the demo
  sluice --port <number>  listen elsewhere than on 8080
  sluice start --help     all options of a start
`;

/** Runs the command that `io.argv` names. What a person must change is told in one line, without a stack. */
export async function run(io: CliIo, parts: ProgramParts): Promise<void> {
  try {
    const program = createProgram(io, parts);
    refuseUnknownCommand(program, io);
    await program.parseAsync([...io.argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return io.exit(error.exitCode);
    if (!(error instanceof CliError)) throw error;
    io.stderr.write(`sluice: ${error.message}\n`);
    io.exit(1);
  }
}

function createProgram(io: CliIo, parts: ProgramParts): Command {
  const program = new Command('sluice');
  program
    .description('An OpenAI-compatible proxy that schedules requests over rate-limited keys.')
    .version(io.version, '-V, --version')
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .addHelpText('after', HELP_AFTER)
    .exitOverride()
    .showHelpAfterError('Run sluice --help for all commands and options.');
  addStart(program, io, parts.createApp);
  addSmallCommands(program, io);
  for (const register of parts.commands) register(program, io);
  return program;
}

function addStart(program: Command, io: CliIo, createApp: StartServices['createApp']): void {
  const startDemo = async (flags: StartFlags) => {
    const place = Object.entries({ '--host': flags.host, '--port': flags.port });
    const given = place.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
    await program.parseAsync(['demo', ...given], { from: 'user' });
  };
  program
    .command('start', { isDefault: true })
    .description('serve; what `sluice` alone does')
    .option('-c, --config <file>', 'configuration file (else SLUICE_CONFIG, config.yaml, config.yml, config.json)')
    .option('--host <address>', 'address to listen on')
    .option('-p, --port <number>', 'port to listen on')
    .addOption(new Option('--log-level <level>', 'least level to log').choices(LOG_LEVELS))
    .action((flags: StartFlags) => start(io, flags, { createApp, startDemo }));
}

function addSmallCommands(program: Command, io: CliIo): void {
  program
    .command('check')
    .description('say all that is wrong with a configuration file, and do nothing else')
    .argument('[file]', 'the file; absent: the one that a start would take')
    .option('--json', 'print JSON')
    .action((file: string | undefined, { json }: { json?: boolean }) => io.exit(check(io, { file, json })));
  program
    .command('hash-key')
    .description('print what may stand in a configuration in place of a client key')
    .argument('[key]', 'the key; absent: read from standard input')
    .action(async (key: string | undefined) => {
      await hashKey(io, key);
      io.exit(0);
    });
  program
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .action(() => {
      io.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
      io.exit(0);
    });
}

/** Without this, `sluice chekc` would be a start with an argument too many. */
function refuseUnknownCommand(program: Command, io: CliIo): void {
  const [first] = io.argv;
  const names = [...program.commands.map((command) => command.name()), 'help'];
  if (first === undefined || first.startsWith('-') || names.includes(first)) return;
  throw new CliError(`there is no command "${first}".${didYouMean(first, names)} Run sluice --help to see all`);
}
