import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The program in a process of its own, once it listens; `out` is all that it has said. */
interface Running {
  readonly url: string;
  readonly out: () => string;
  kill(): Promise<void>;
}

/** Starts it with the `config.json` of a folder, which it also works in. */
export async function startProcess(folder: string): Promise<Running> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, '--config', 'config.json'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0];
      if (found !== undefined) resolve(found);
    });
    child.on('close', (code) => reject(new Error(`it ended with ${code}: ${out}`)));
  });
  return {
    url,
    out: () => out,
    kill: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}
