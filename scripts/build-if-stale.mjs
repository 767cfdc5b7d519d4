// Builds dist/ when it is missing or older than what it is made of. `--clean` always builds. The old dist/ stays until the
// new one is complete, so that a build that fails or is interrupted leaves nothing half done.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, renameSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const NEXT = 'dist.next';

const isClean = process.argv.includes('--clean');
const builtAt = existsSync('dist/main.js') ? statSync('dist/main.js').mtimeMs : 0;
const sources = [...globSync('src/**/*.ts'), 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
const isStale = isClean || sources.some((file) => statSync(file).mtimeMs > builtAt);

if (isStale) {
  rmSync(NEXT, { recursive: true, force: true });
  try {
    const tsc = 'node_modules/typescript/bin/tsc';
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', NEXT], { stdio: 'inherit' });
  } catch {
    // The compiler has said what is wrong.
    rmSync(NEXT, { recursive: true, force: true });
    process.exit(1);
  }
  // npm makes the command executable when it links it, and does not look again after the next build.
  chmodSync(`${NEXT}/main.js`, 0o755);
  rmSync('dist', { recursive: true, force: true });
  renameSync(NEXT, 'dist');
}
