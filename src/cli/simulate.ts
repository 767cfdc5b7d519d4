import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { VendorApi } from '../simulator/api/vendor-api.ts';
import { ALGORITHMS, CHARGES, LIMIT_FACTS, LIMIT_NAMES, type LimitsOptions } from '../simulator/limits/limit-spec.ts';
import { HEADER_STYLES, type SimulatorOptions, SimulatorOptionsError, VENDORS } from '../simulator/options.ts';
import type { Simulator } from '../simulator/simulator.ts';
import { CliError } from './config-file.ts';
import { type CliIo, signalExitCode } from './io.ts';
import { readSimulation } from './simulate-file.ts';
import {
  collect,
  optionsFromFlags,
  readAmount,
  readAmounts,
  readDuration,
  readDurations,
  readFactor,
  readFault,
  readOffset,
  readShare,
  type SimulateFlags,
} from './simulate-flags.ts';

interface Flags extends SimulateFlags {
  readonly host: string;
  readonly port: string;
  readonly config?: string;
}

/** `sluice simulate`: a vendor on this machine, with limits of its own. */
export function registerSimulate(program: Command, io: CliIo): void {
  const command = program
    .command('simulate')
    .description('a vendor on this machine, to test an application against real limits')
    .option('-p, --port <number>', 'port to listen on; 0: any free one', '9100')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('-c, --config <file>', 'a JSON file that describes the vendor; then no flag below counts')
    .addOption(new Option('--vendor <name>', 'whose API it is (default: openai)').choices(VENDORS))
    .option('--key <token>', 'a key (repeatable; default: sk-sim-1)', collect)
    .option('--one-organization', 'all keys share their limits')
    .option('--model <name>', 'a model (repeatable; default: some of the vendor)', collect);
  for (const name of LIMIT_NAMES) command.option(`--${name} <amount>`, LIMIT_FACTS[name].text, readAmount);
  command
    .addOption(new Option('--algorithm <name>', 'how limits are counted (default: as the vendor)').choices(ALGORITHMS))
    .option('--capacity <share>', 'token bucket: share of a minute that it holds, such as 10%', readShare)
    .option('--slice <duration>', 'also enforce limits in slices of 1s or 10s', readDuration)
    .addOption(new Option('--charge <mode>', 'what tokens are charged (default: as the vendor)').choices(CHARGES))
    .option('--context-length <tokens>', 'longest prompt and output', readAmount)
    .option('--first-byte <duration>', 'until an answer begins: 200ms, 50ms-400ms, ~200ms (long tail)', readDurations)
    .option('--tokens-per-second <number>', 'pace of an answer (default: as fast as it is read)', readFactor)
    .option('--output-tokens <tokens>', 'length of an answer: 200, 50-400, ~200 (long tail)', readAmounts)
    .option('--arrival-delay <duration>', 'time on the way to the limiter, such as 5ms-250ms', readDurations)
    .option('--clock-offset <duration>', 'how far the clock of the vendor is ahead, such as 2s or -2s', readOffset)
    .option('--usage-factor <factor>', 'tokens that the vendor counts for one', readFactor)
    .addOption(new Option('--headers <style>', 'rate headers (default: as the vendor)').choices(HEADER_STYLES))
    .option('--retry-after', 'send retry-after with a 429')
    .option('--fault <kind[:share]>', 'a fault, such as 500:10% (repeatable)', readFault)
    .action((flags: Flags) => simulate(io, flags));
}

async function simulate(io: CliIo, flags: Flags): Promise<void> {
  const options = flags.config === undefined ? optionsFromFlags(flags) : readFile(io, flags.config);
  // Loaded here, because the tokenizer takes longer to load than all other commands to run.
  const { createSimulator } = await import('../simulator/simulator.ts');
  const { vendorApi } = await import('../simulator/vendors/registry.ts');
  const simulator = explained(() => createSimulator(options, io.clock, io.random));
  const { url } = await listen(simulator, flags);
  io.onSignal((signal, nth) => {
    if (nth > 1) io.exit(signalExitCode(signal));
    else void simulator.close().then(() => io.exit(0));
  });
  io.stdout.write(description(options, vendorApi(options.vendor ?? 'openai'), url));
}

function readFile(io: CliIo, name: string): SimulatorOptions {
  let text: string;
  try {
    text = readFileSync(resolve(io.cwd, name), 'utf8');
  } catch {
    throw new CliError(`${name} cannot be read: check the name, and that it is a file`);
  }
  return readSimulation(text, name);
}

/** Wrong options are the caller's mistake, told in one line. */
function explained(create: () => Simulator): Simulator {
  try {
    return create();
  } catch (error) {
    if (error instanceof SimulatorOptionsError) throw new CliError(error.message);
    throw error;
  }
}

async function listen(simulator: Simulator, { port, host }: Flags): Promise<{ url: string }> {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new CliError(`--port ${port}: it must be a whole number from 0 to 65535`);
  }
  try {
    return await simulator.listen(number, host);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    if (code === 'EADDRINUSE') throw new CliError(`port ${port} on ${host} is taken: choose another with --port`);
    throw new CliError(`cannot listen on port ${port} of ${host} (${code}): choose others with --port and --host`);
  }
}

/** What is simulated, in plain lines, and a line to try it with. */
function description(options: SimulatorOptions, api: VendorApi, url: string): string {
  const models = options.models ?? api.models;
  const organizations = options.organizations.map(({ name, keys, limits = {}, models: own, sharedLimits }, index) => {
    const parts = [
      `each model: ${limitsText(api.limitsOf(limits))}`,
      ...Object.entries(own ?? {}).map(([model, its]) => `${model}: ${limitsText(api.limitsOf(its))}`),
      ...(sharedLimits ? [`all models: ${limitsText(api.limitsOf(sharedLimits))}`] : []),
    ];
    const count = keys.length === 1 ? '1 key' : `${keys.length} keys`;
    return `  ${name ?? `org-sim-${index + 1}`}, ${count}; ${parts.join('; ')}`;
  });
  const faults = (options.faults ?? []).map(({ kind, rate = 1 }) => `${kind} ${Math.round(rate * 100)}%`);
  const [first] = options.organizations[0]?.keys ?? [];
  const token = typeof first === 'object' ? first.key : (first ?? '');
  return [
    `Simulating ${api.title} at ${url}${api.basePath}. Nothing leaves this machine, every answer is made up.`,
    ...organizations,
    `  models: ${models.join(', ')}`,
    ...(faults.length > 0 ? [`  faults: ${faults.join(', ')}`] : []),
    `  what it was sent: ${url}/_sim/ledger`,
    'Try it:',
    `  ${api.example(url, token, models[0] ?? '')}`,
    '',
  ].join('\n');
}

function limitsText(limits: LimitsOptions): string {
  const texts = LIMIT_NAMES.flatMap((name) => {
    const limit = limits[name];
    if (limit === undefined) return [];
    const options = typeof limit === 'number' ? { limit } : limit;
    const algorithm = name === 'concurrency' ? '' : ` by ${options.algorithm ?? 'token-bucket'}`;
    return [`${options.limit} ${LIMIT_FACTS[name].text}${algorithm}`];
  });
  return texts.length > 0 ? texts.join(', ') : 'no limits';
}
