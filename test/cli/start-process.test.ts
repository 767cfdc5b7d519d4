import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let folder = '';
let child: ChildProcess | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-start-'));
});

afterEach(() => {
  child?.kill('SIGKILL');
  child = null;
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the program as a newcomer does, in a process of its own, until it has said how to try it. */
function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const started = spawn(process.execPath, [MAIN, ...argv], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  const code = new Promise<number | null>((resolve) => started.on('close', resolve));
  let out = '';
  const ready = new Promise<string>((resolve, reject) => {
    started.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (/Try it:\n.*\n/.test(out)) resolve(out);
    });
    void code.then((number) => reject(new Error(`it ended with ${number}: ${out}`)));
  });
  /** Everything that was printed, once it holds this. */
  const until = (pattern: RegExp) =>
    expect
      .poll(() => out, { timeout: 20_000, interval: 10 })
      .toMatch(pattern)
      .then(() => out);
  const end = (signal: NodeJS.Signals) => {
    started.kill(signal);
    return code;
  };
  return { ready, end, until };
}

describe('a start in an empty folder', () => {
  it('is the demo, leaves nothing behind, and ends well at Ctrl-C', async () => {
    const { ready, end } = start([]);
    expect(await ready).toContain('No key of yours is used');
    expect(await end('SIGINT')).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes keys from the environment, and its first line says which variables', async () => {
    const { ready, end } = start([], { OPENAI_API_KEY: 'sk-one,sk-two', GROQ_API_KEY: 'gsk-three' });
    const out = await ready;
    expect(out.split('\n')[0]).toBe('Keys taken from the environment: OPENAI_API_KEY, GROQ_API_KEY');
    expect(out).not.toMatch(/sk-one|sk-two|gsk-three/);
    expect(await end('SIGTERM')).toBe(0);
  });

  it('takes keys from .env', async () => {
    writeFileSync(join(folder, '.env'), 'MISTRAL_API_KEY=secret\n');
    const { ready, end } = start([]);
    const out = await ready;
    expect(out.split('\n')[0]).toBe('Keys taken from the environment: MISTRAL_API_KEY');
    expect(out).not.toContain('secret');
    expect(await end('SIGTERM')).toBe(0);
  });
});

describe('a process with a configuration file', () => {
  const text = (key: string) => `log: { format: json }\nproviders: [{ type: openai, keys: ["${key}"] }]\n`;

  async function problemOf(url: string): Promise<string | null> {
    const health = (await (await fetch(`${url}/health`)).json()) as { config: { problem: string | null } };
    return health.config.problem;
  }

  it('reads it anew at SIGHUP and when it changes, and refuses one with a mistake', async () => {
    writeFileSync(join(folder, 'config.yaml'), text('sk-first'));
    const started = start([]);
    const out = await started.ready;
    expect(out).toContain('Configuration from config.yaml, watched');
    const url = /listens on (http:\S+)/.exec(out)?.[1] ?? '';
    child?.kill('SIGHUP');
    await started.until(/"msg":"configuration reloaded"/);
    writeFileSync(join(folder, 'config.yaml'), 'providers: [{ type: opnai }]\n');
    await started.until(/"msg":"configuration refused: nothing was changed"/);
    expect(await problemOf(url)).toContain('1 mistake');
    writeFileSync(join(folder, 'next.yaml'), text('sk-second-0123456789'));
    renameSync(join(folder, 'next.yaml'), join(folder, 'config.yaml'));
    expect(await started.until(/"changed":\["key openai\/key-1 \(key\)"\]/)).not.toContain('sk-second');
    expect(await problemOf(url)).toBeNull();
    expect(await started.end('SIGTERM')).toBe(0);
  });

  it('without one says at SIGHUP that there is nothing to reload, and serves on', async () => {
    const started = start([], { OPENAI_API_KEY: 'sk-one' });
    const url = /listens on (http:\S+)/.exec(await started.ready)?.[1] ?? '';
    child?.kill('SIGHUP');
    await started.until(/nothing to reload: there is no configuration file/);
    expect(await problemOf(url)).toBeNull();
    expect(await started.end('SIGTERM')).toBe(0);
  });
});
