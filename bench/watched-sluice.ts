/**
 * Sluice in a process of its own, started as the command is: the first argument names its configuration file. What it
 * holds, and what went wrong in it, is told to whoever started it; its wall clock jumps when told so. Nothing in Sluice
 * knows that it is watched.
 */
import { readdirSync } from 'node:fs';
import { type App, createApp } from '../src/app.ts';
import { run } from '../src/cli/program.ts';
import { type Clock, systemClock } from '../src/clock.ts';
import type { SluiceAsk, SluiceState } from './support/chaos/sluice-state.ts';

const MOST_TOLD = 20;

let app: App | null = null;
let wallOffsetMs = 0;
const problems: string[] = [];
const logged: Record<string, number> = {};
const clock: Clock = { ...systemClock, wallNow: () => systemClock.wallNow() + wallOffsetMs };

function noteProblem(what: string): void {
  if (problems.length < MOST_TOLD) problems.push(what);
}

/** One line of the log, as JSON. A banner is none. */
function noteLine(line: string): void {
  if (!line.startsWith('{')) return;
  const { level = 0, msg = '' } = JSON.parse(line) as { level?: number | string; msg?: string };
  const isBad = typeof level === 'number' ? level >= 50 : ['error', 'fatal'].includes(level);
  logged[msg] = (logged[msg] ?? 0) + 1;
  // A file that nobody can read is refused, and that is as it should be.
  const isRefusal = msg.startsWith('configuration refused');
  if ((isBad && !isRefusal) || msg === 'problem') noteProblem(`log: ${line.trim()}`);
}

function state(): SluiceState {
  globalThis.gc?.();
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return {
    openLeases: app?.openLeases ?? 0,
    heldBodyBytes: app?.heldBodyBytes ?? 0,
    resources,
    handles: readdirSync('/proc/self/fd').length,
    residentBytes: process.memoryUsage.rss(),
    logged: { ...logged },
    problems: [...problems],
  };
}

process.on('uncaughtException', (error) => noteProblem(`uncaught: ${error.stack}`));
process.on('unhandledRejection', (error) =>
  noteProblem(`unhandled rejection: ${error instanceof Error ? error.stack : String(error)}`),
);
// Of types that are stripped, and what of Node is young, it warns whoever runs it.
process.on('warning', ({ name, message }) => {
  if (name !== 'ExperimentalWarning') noteProblem(`warning: ${name}: ${message}`);
});
process.on('disconnect', () => process.exit());
process.on('message', (message: SluiceAsk | string) => {
  if (typeof message === 'string') return;
  if (message.ask === 'jump') wallOffsetMs = message.offsetMs;
  else process.send?.({ state: state() });
});

await run(
  {
    argv: ['start', '--config', process.argv[2] ?? ''],
    env: {},
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: { write: (text) => text.split('\n').forEach(noteLine) },
    stderr: { write: (text) => noteProblem(`stderr: ${text}`) },
    clock,
    random: Math.random,
    version: 'bench',
    onSignal: () => undefined,
    onReload: () => undefined,
    exit: (code) => process.exit(code),
  },
  {
    createApp: async (config, environment) => {
      const created = await createApp(config, environment);
      app = created;
      return {
        ...created,
        listen: async () => {
          const at = await created.listen();
          process.send?.({ url: at.url });
          return at;
        },
      };
    },
    commands: [],
  },
);
