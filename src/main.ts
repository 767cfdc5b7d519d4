#!/usr/bin/env node
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { CliIo } from './cli/io.ts';
import type { StartServices } from './cli/start.ts';

/** As in `engines` of package.json. An older Node fails on syntax or missing parts with words that help nobody. */
const OLDEST_NODE = { major: 22, minor: 19 };

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor)) {
  await main();
} else {
  const needed = `${OLDEST_NODE.major}.${OLDEST_NODE.minor}`;
  process.stderr.write(`sluice: needs Node.js ${needed} or newer, and this is ${process.versions.node}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  process.on('uncaughtException', endAsBug);
  process.on('unhandledRejection', endAsBug);
  // A reader that went away (`sluice check | head`) is no reason to stop serving.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const { run } = await import('./cli/program.ts');
  const { registerDemo } = await import('./cli/demo.ts');
  const { registerSimulate } = await import('./cli/simulate.ts');
  await run(await createIo(), {
    createApp,
    commands: [registerSimulate, (program, io) => registerDemo(program, io, createApp)],
  });
}

/** Only a start needs the server with all that it imports: `check` and its kin answer in a fraction of the time. */
async function createApp(...parts: Parameters<StartServices['createApp']>) {
  return (await import('./app.ts')).createApp(...parts);
}

/** Nothing that is thrown here was foreseen, so nothing in it is trusted to go on. */
function endAsBug(error: unknown): void {
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`sluice: this is a bug, please report it\n${details}\n`);
  process.exit(1);
}

async function createIo(): Promise<CliIo> {
  const { systemClock } = await import('./clock.ts');
  return {
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock,
    random: Math.random,
    version: ownVersion(),
    onSignal: await signalSource(),
    onReload: (listener) => {
      process.on('SIGHUP', () => (isTerminalGone() ? process.emit('SIGTERM', 'SIGTERM') : listener()));
    },
    exit: (code) => process.exit(code),
  };
}

/** Whoever closes the window in which the program runs wants it to end; whoever sends the same signal, to reload. */
function isTerminalGone(): boolean {
  if (!process.stdout.isTTY) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}

async function signalSource(): Promise<CliIo['onSignal']> {
  const { signalExitCode } = await import('./cli/io.ts');
  const listeners: Parameters<CliIo['onSignal']>[0][] = [];
  let received = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      received++;
      if (listeners.length === 0 || received > 2) process.exit(signalExitCode(signal));
      for (const listener of listeners) listener(signal, received);
    });
  }
  return (listener) => {
    listeners.push(listener);
  };
}
