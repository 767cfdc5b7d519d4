import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KEY_VARIABLES } from '../../src/config/environment.ts';
import { configJsonSchema } from '../../src/config/schema.ts';
import { NOT_IN_FORCE } from '../../src/config/warnings.ts';

const root = new URL('../../', import.meta.url);
const docs = readFileSync(new URL('docs/configuration.md', root), 'utf8');

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

/** Every path of the schema, such as `providers[].keys[].name`; limits are listed once, under `limits`. */
function pathsOf(schema: JsonSchema, path: string): string[] {
  const branches = schema.anyOf?.flatMap((branch) => pathsOf(branch, path)) ?? [];
  const items = schema.items ? pathsOf(schema.items, `${path}[]`) : [];
  const entries = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const inner = path === '' ? key : `${path}.${key}`;
    return key === 'limits' ? [inner] : [inner, ...pathsOf(value, inner)];
  });
  return [...new Set([...branches, ...items, ...entries])];
}

/** Every row of the tables whose heading is a path. */
function rows(): { path: string; text: string }[] {
  let heading: string | null = null;
  return docs.split('\n').flatMap((line) => {
    if (line.startsWith('#')) heading = line === '## Sections' ? '' : (/^#+ `(.*)`$/.exec(line)?.[1] ?? null);
    const key = /^\| `([^`]+)` \|/.exec(line)?.[1];
    if (heading === null || key === undefined) return [];
    return [{ path: heading === '' ? key : `${heading}.${key}`, text: line }];
  });
}

describe('docs/configuration.md', () => {
  const schema: JsonSchema = configJsonSchema();
  const limits = schema.$defs?.['limits'] ?? {};
  const limitNames = Object.keys(limits.properties ?? {});
  const details = limits.properties?.['rpm']?.anyOf?.find(({ properties }) => properties)?.properties ?? {};

  it('describes every setting, and none that does not exist', () => {
    const expected = [
      ...pathsOf(schema, ''),
      ...limitNames.map((name) => `limits.${name}`),
      ...Object.keys(details).map((field) => `limits.*.${field}`),
    ];
    expect(
      rows()
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(expected.toSorted());
  });
});

describe('docs/configuration.md also', () => {
  it('names every variable that may hold keys', () => {
    for (const variable of KEY_VARIABLES.keys()) expect(docs).toContain(`\`${variable}\``);
  });

  it('marks exactly what is not yet in force', () => {
    const marked = rows().flatMap(({ path, text }) => (text.includes('*not yet in force*') ? [path] : []));
    const expected = NOT_IN_FORCE.map(({ path }) => path.join('.').replaceAll('.*', '[]'));
    expect(marked.toSorted()).toEqual(expected.toSorted());
  });
});

describe('config.schema.json', () => {
  it('is what `sluice schema` prints', () => {
    const committed = readFileSync(new URL('config.schema.json', root), 'utf8');
    expect(committed).toBe(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  });
});
