import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = ['package.json', 'README.md', 'LICENSE', 'tsconfig.json', 'tsconfig.build.json', 'src', 'scripts'];

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let folder = '';
let packed: Packed;

/** Packs a copy, because packing builds `dist/` anew, which others may be running from. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-pack-'));
  const copy = join(folder, 'copy');
  for (const name of SOURCES) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const report = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: copy,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  packed = (JSON.parse(report.slice(report.indexOf('['))) as Packed[])[0] as Packed;
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As an install lays it out, with the packages that the tarball itself asks for, and no others. */
function install(): string {
  const modules = join(folder, 'empty', 'node_modules');
  const home = join(modules, 'sluice');
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '--strip-components=1', '-C', home]);
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    readonly bin: { readonly sluice: string };
    readonly dependencies: Record<string, string>;
  };
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  return join(home, manifest.bin.sluice);
}

describe('the package', () => {
  it('holds what is built, and nothing else', () => {
    const outside = packed.files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'));
    expect(outside.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
    const kinds = new Set(packed.files.map(({ path }) => /\.(js|d\.ts|js\.map|d\.ts\.map)$/.exec(path)?.[1]));
    expect(kinds).toContain('js');
    expect(kinds).toContain('d.ts');
    expect(packed.files.map(({ path }) => path)).toContain('dist/main.js');
  });

  it('starts the demo in an empty folder, with nothing but its own dependencies', async () => {
    const main = install();
    const child = spawn(process.execPath, [main, '--port', '0'], {
      cwd: join(folder, 'empty'),
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    const [, url = '', body = ''] = await new Promise<readonly string[]>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
        const found = /curl (\S+) -H '[^']+' -d '([^']+)'/.exec(out);
        if (found) resolve(found);
      });
      child.on('close', () => reject(new Error(`it ended: ${out}`)));
    });
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(answer.status).toBe(200);
    const code = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGTERM');
    expect(await code).toBe(0);
  });

  it('states the oldest Node that the program accepts', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
    const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? [];
    expect(readFileSync(join(ROOT, 'src/main.ts'), 'utf8')).toContain(`{ major: ${major}, minor: ${minor} }`);
  });
});

describe('the lock file', () => {
  it('names no place to download from', () => {
    for (const file of ['package-lock.json', 'test/sdk/package-lock.json']) {
      expect(readFileSync(join(ROOT, file), 'utf8')).not.toMatch(/"resolved"|https?:\/\/registry/);
    }
  });
});
