import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, ROOT, sourceImports } from './source-imports.ts';

const docs = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
const sources = readdirSync(join(ROOT, 'src'), { withFileTypes: true });

/** What a folder may import besides itself and the files beside it: folders (`tokens/`) and single files of others. */
type Permissions = ReadonlyMap<string, readonly string[]>;

/** The table of folders: name, and the names in the last column. */
function documented(): Permissions {
  const rows = [...docs.matchAll(/^\| `([a-z]+)\/` \|.*\|([^|]*)\|$/gm)];
  return new Map(
    rows.map(([, folder = '', names = '']) => [folder, [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)]),
  );
}

interface LinterRules {
  readonly overrides: readonly {
    readonly includes: readonly string[];
    readonly linter: {
      readonly rules: {
        readonly style?: {
          readonly noRestrictedImports?: {
            readonly options: { readonly patterns: readonly { readonly group: readonly string[] }[] };
          };
        };
      };
    };
  }[];
}

/** What the linter leaves open to each folder that it has a rule for. */
function permittedByLinter(folders: readonly string[]): Permissions {
  const { overrides }: LinterRules = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'));
  const rules = overrides.flatMap(({ includes, linter }) => {
    const folder = /^src\/([a-z]+)\/\*\*$/.exec(includes[0] ?? '')?.[1];
    const patterns = linter.rules.style?.noRestrictedImports?.options.patterns.flatMap(({ group }) => group) ?? [];
    return folder === undefined ? [] : [{ folder, patterns }];
  });
  return new Map(
    rules.map(({ folder, patterns }) => {
      const open = folders.filter((other) => other !== folder && !patterns.includes(`**/${other}/**`));
      const files = patterns.flatMap((pattern) => /^!\*\*\/(.+)$/.exec(pattern)?.[1] ?? []);
      return [folder, [...open.map((other) => `${other}/`), ...files.filter((file) => !file.startsWith(`${folder}/`))]];
    }),
  );
}

describe('docs/architecture.md', () => {
  const folders = sources.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const table = documented();

  it('has a row for every folder of src/, and for no other', () => {
    expect([...table.keys()].toSorted()).toEqual(folders.toSorted());
  });

  it('names every file that lies beside the folders', () => {
    const files = sources.filter((entry) => entry.isFile()).map(({ name }) => name);
    const named = [...docs.matchAll(/^\| `([a-z]+\.ts)` \|/gm)].map(([, name]) => name);
    expect(named.toSorted()).toEqual(files.toSorted());
  });

  it('permits what is imported', () => {
    const strays = sourceImports().filter(({ from, to, isLocal }) => {
      const folder = folderOf(from);
      const other = folderOf(to);
      if (!isLocal || folder === null || other === null || other === folder) return false;
      const permitted = table.get(folder) ?? [];
      return !(permitted.includes(`${other}/`) || permitted.includes(to));
    });
    expect(strays).toEqual([]);
  });

  it('permits what the linter permits, and no more', () => {
    const linter = permittedByLinter(folders);
    expect([...linter.keys()].toSorted()).toEqual(folders.toSorted());
    for (const [folder, permitted] of linter) {
      expect({ folder, permitted: table.get(folder)?.toSorted() }).toEqual({ folder, permitted: permitted.toSorted() });
    }
  });

  it('is right that only the composition root imports setup/ and workers/, and that only main.ts imports it', () => {
    const importersOf = (place: RegExp) => {
      const imports = sourceImports().filter(({ from, to }) => place.test(to) && folderOf(from) !== folderOf(to));
      return [...new Set(imports.map(({ from }) => from))];
    };
    expect(importersOf(/^(?:setup|workers)\//)).toEqual(['app.ts']);
    expect(
      sourceImports()
        .filter(({ to }) => to === 'app.ts')
        .map(({ from }) => from),
    ).toEqual(['main.ts']);
  });

  it('links every decision from their list', () => {
    const list = readFileSync(join(ROOT, 'docs/decisions/README.md'), 'utf8');
    const pages = readdirSync(join(ROOT, 'docs/decisions')).filter((name) => /^\d{4}-/.test(name));
    expect(pages.filter((name) => !list.includes(`](${name})`))).toEqual([]);
  });

  it('keeps each decision within 40 lines', () => {
    const pages = readdirSync(join(ROOT, 'docs/decisions')).map((name) => ({
      name,
      lines: readFileSync(join(ROOT, 'docs/decisions', name), 'utf8').split('\n').length - 1,
    }));
    expect(pages.filter(({ lines }) => lines > 40)).toEqual([]);
  });
});
