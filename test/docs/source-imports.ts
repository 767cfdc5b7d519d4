import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface SourceImport {
  /** Within `src/`, such as `http/server.ts`. */
  readonly from: string;
  /** Within `src/`, or a package. */
  readonly to: string;
  readonly isLocal: boolean;
}

/** Every static and dynamic import of `src/`. */
export function sourceImports(): SourceImport[] {
  return globSync('**/*.ts', { cwd: join(ROOT, 'src') }).flatMap((from) => {
    const text = readFileSync(join(ROOT, 'src', from), 'utf8');
    const specifiers = [...text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*'([^']+)'/gm)].map(([, name = '']) => name);
    return specifiers.map((name) => {
      const isLocal = name.startsWith('.');
      return { from, to: isLocal ? normalize(join(dirname(from), name)) : name, isLocal };
    });
  });
}

/** The folder of a file within `src/`; null for a file that lies in `src/` itself. */
export function folderOf(file: string): string | null {
  const [folder, ...rest] = file.split('/');
  return folder !== undefined && rest.length > 0 ? folder : null;
}
