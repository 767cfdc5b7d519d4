import type { Finding, Path } from './mistakes.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a file named in the configuration as text; throws an error with a `code` when it cannot. */
export type ReadFile = (path: string) => string;

export interface Sources {
  readonly env: Environment;
  readonly readFile: ReadFile;
}

export interface Interpolated {
  readonly tree: unknown;
  readonly findings: readonly Finding[];
  /** Whether a value came from the environment or a file, wholly or in part. Such a value is never printed. */
  isFromOutside(path: Path): boolean;
}

const FILE_PREFIX = 'file:';
/** `$$`, or `${NAME}` with an optional `:-default` or `:?message`, or a `${` that is none of these. */
const REFERENCE = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([^}]*))?\}|\$\{/g;
/** As shells write it. No vendor's key looks so, and taken as it is written it would only fail at the vendor. */
const BARE_REFERENCE = /^\$[A-Z_][A-Z0-9_]*$/;

/**
 * Fills `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `file:path` into every string of a parsed file; `$$` is a
 * dollar. It works on values and not on the raw text, so nothing in the environment can change the file's structure.
 */
export function interpolate(tree: unknown, sources: Sources): Interpolated {
  const walker = new Interpolator(sources);
  const filled = walker.fill(tree, []);
  const { outside, findings } = walker;
  return { tree: filled, findings, isFromOutside: (path) => outside.has(JSON.stringify(path)) };
}

class Interpolator {
  readonly findings: Finding[] = [];
  readonly outside = new Set<string>();
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  fill(value: unknown, path: Path): unknown {
    if (typeof value === 'string') return this.#fillText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => this.fill(item, [...path, index]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.fill(item, [...path, key])]));
    }
    return value;
  }

  #fillText(text: string, path: Path): string {
    if (BARE_REFERENCE.test(text)) {
      return this.#report(path, `is a $ and a name: write \${NAME} for a variable, $$ for a dollar`);
    }
    const filled = text.replace(REFERENCE, (...[whole, name, mark, rest]: (string | undefined)[]) => {
      if (whole === '$$') return '$';
      this.outside.add(JSON.stringify(path));
      if (name === undefined) return this.#report(path, `has a "\${" that is no \${NAME}: write $$ for a dollar`);
      return this.#lookUp({ name, mark, rest: rest ?? '' }, path);
    });
    return filled.startsWith(FILE_PREFIX) ? this.#read(filled.slice(FILE_PREFIX.length), path) : filled;
  }

  #lookUp({ name, mark, rest }: { name: string; mark: string | undefined; rest: string }, path: Path): string {
    const value = this.#sources.env[name];
    if (value !== undefined && value !== '') return value;
    if (mark === ':-') return rest;
    if (mark === ':?') return this.#report(path, rest === '' ? `needs the environment variable ${name}` : rest);
    const state = value === undefined ? 'not set' : 'empty';
    return this.#report(path, `the environment variable ${name} is ${state}: set it, or name it in .env`);
  }

  #read(file: string, path: Path): string {
    this.outside.add(JSON.stringify(path));
    try {
      return this.#sources.readFile(file).replace(/\r?\n$/, '');
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
      return this.#report(path, `the file it names cannot be read${reason}`);
    }
  }

  #report(path: Path, message: string): string {
    this.findings.push({ path, message });
    return '';
  }
}
