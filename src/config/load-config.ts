import { checkReferences } from './check-references.ts';
import { checkValues } from './check-values.ts';
import type { Config } from './config.ts';
import { explainIssue, findingsOf } from './explain-issue.ts';
import { type Environment, type Interpolated, interpolate, type ReadFile } from './interpolate.ts';
import { type Finding, formatPath, type Mistake, type Path } from './mistakes.ts';
import { normalise, type Overrides } from './normalise.ts';
import { type Format, parseText } from './parse-text.ts';
import type { Place } from './place-index.ts';
import { configSchema } from './schema.ts';
import { warningsOf } from './warnings.ts';

export interface ConfigSource {
  readonly text: string;
  readonly format: Format;
  /** For `${NAME}`. */
  readonly env: Environment;
  /** For `file:` and `ca_file`. */
  readonly readFile: ReadFile;
  readonly overrides?: Overrides;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      /** For the start: what is not in force yet, and what is probably not meant. */
      readonly warnings: readonly string[];
    }
  /** Everything that is wrong, in the order of the file. */
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Reads a configuration file's text. It does no I/O of its own and never repeats a value that may be a secret. */
export function loadConfig(source: ConfigSource): LoadedConfig {
  const parsed = parseText(source.text, source.format);
  if (!parsed.ok) return { ok: false, mistakes: [{ path: '', message: parsed.message, ...parsed.place }] };
  const interpolated = interpolate(withoutEmptySections(parsed.tree), source);
  const result = interpret(interpolated, source);
  const findings = [...parsed.duplicates, ...result.findings];
  if (result.config && findings.length === 0) {
    return { ok: true, config: result.config, warnings: warningsOf(interpolated.tree, result.config) };
  }
  return { ok: false, mistakes: placed(findings, parsed.placeOf) };
}

/** A section whose lines are all commented out is null in YAML, and means that nothing is said. */
function withoutEmptySections(tree: unknown): unknown {
  if (tree === null) return {};
  if (typeof tree !== 'object' || Array.isArray(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== null));
}

interface Interpretation {
  readonly config: Config | null;
  readonly findings: readonly Finding[];
}

/** Makes the program's configuration of a parsed tree, or finds all that is wrong with it. */
export function interpret(
  { tree, findings, isFromOutside }: Interpolated,
  { readFile, overrides = {} }: Pick<ConfigSource, 'readFile' | 'overrides'>,
): Interpretation {
  const parsed = configSchema.safeParse(tree, { error: explainIssue });
  const formal = parsed.success ? [] : parsed.error.issues.flatMap((issue) => findingsOf(issue));
  const form = unrelated([...formal, ...checkReferences(tree, isFromOutside)], findings);
  const early = [...findings, ...form];
  if (!parsed.success) return { config: null, findings: early };
  const files = new CaFiles(readFile);
  const config = normalise(parsed.data, overrides, (file) => files.read(file));
  const values = unrelated(checkValues(parsed.data, config), findings);
  const unread = parsed.data.providers.flatMap(({ ca_file }, index) => files.findings(ca_file, ['providers', index]));
  const all = [...early, ...values, ...unread];
  return { config: all.length === 0 ? config : null, findings: all };
}

/** What is wrong only because a variable or file is missing would send people the wrong way. */
function unrelated(findings: readonly Finding[], missing: readonly Finding[]): Finding[] {
  const gone = new Set(missing.map(({ path }) => JSON.stringify(path)));
  return findings.filter(({ path }) => !gone.has(JSON.stringify(path)));
}

class CaFiles {
  readonly #readFile: ReadFile;
  readonly #unread = new Set<string>();

  constructor(readFile: ReadFile) {
    this.#readFile = readFile;
  }

  read(file: string): string {
    try {
      return this.#readFile(file);
    } catch {
      this.#unread.add(file);
      return '';
    }
  }

  findings(file: string | undefined, path: Path): Finding[] {
    if (file === undefined || !this.#unread.has(file)) return [];
    return [{ path: [...path, 'ca_file'], message: 'the file it names cannot be read' }];
  }
}

function placed(findings: readonly Finding[], placeOf: (path: Path, isAboutKey: boolean) => Place): Mistake[] {
  return findings
    .map(({ path, message, isAboutKey = false }) => ({ path: formatPath(path), message, ...placeOf(path, isAboutKey) }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}
