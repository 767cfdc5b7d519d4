import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-main-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the program in a process of its own. */
function sluice(argv: readonly string[], input = ''): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, ...argv], { cwd: folder, env: { PATH: process.env['PATH'] } });
  const result = { code: null as number | null, out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    result.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    result.err += chunk.toString();
  });
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ ...result, code }));
  });
}

describe('the process', () => {
  it('knows the version of its package', async () => {
    expect(await sluice(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it('ends with 1 where something must be changed, and with 0 where not', async () => {
    writeFileSync(join(folder, 'bad.yaml'), 'sever: {}\n');
    writeFileSync(join(folder, 'good.yaml'), 'providers: [{ type: openai, keys: [a] }]\n');
    expect(await sluice(['check', 'bad.yaml'])).toMatchObject({ code: 1, out: '' });
    expect(await sluice(['check', 'good.yaml'])).toMatchObject({ code: 0, out: 'good.yaml is valid\n', err: '' });
  });

  it('reads standard input', async () => {
    const { code, out } = await sluice(['hash-key'], 'foo\n');
    expect(code).toBe(0);
    expect(out).toBe('sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\n');
  });
});
