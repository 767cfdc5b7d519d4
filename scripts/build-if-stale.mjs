// Builds dist/ when it is missing or older than what it is made of. `--clean` always builds from nothing.
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const isClean = process.argv.includes('--clean');
const builtAt = existsSync('dist/main.js') ? statSync('dist/main.js').mtimeMs : 0;
const sources = [...globSync('src/**/*.ts'), 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
const isStale = isClean || sources.some((file) => statSync(file).mtimeMs > builtAt);

if (isStale) {
  rmSync('dist', { recursive: true, force: true });
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  });
}
