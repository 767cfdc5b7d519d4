import { describe, expect, it } from 'vitest';
import type { Path } from '../../src/config/mistakes.ts';
import { parseText } from '../../src/config/parse-text.ts';

function placesOf(text: string, format: 'yaml' | 'json' = 'yaml') {
  const parsed = parseText(text, format);
  if (!parsed.ok) throw new Error(parsed.message);
  return (path: Path, isAboutKey = false) => {
    const { line, column } = parsed.placeOf(path, isAboutKey);
    return `${line}:${column}`;
  };
}

describe('places in YAML', () => {
  const text = '\uFEFFa: 1\r\nb:\r\n  - "x"\r\n  - { c: \'y\', d: }\r\n? e\r\n: *anchor\r\n'.replace(
    'a: 1',
    'a: &anchor 1',
  );
  const place = placesOf(text);

  it.each<[Path, boolean, string]>([
    [['a'], true, '1:1'],
    [['a'], false, '1:12'],
    [['b'], false, '3:3'],
    [['b', 0], false, '3:5'],
    [['b', 1], false, '4:5'],
    [['b', 1, 'c'], true, '4:7'],
    [['b', 1, 'c'], false, '4:10'],
    [['b', 1, 'd'], false, '4:15'],
    [['e'], true, '5:3'],
    [['e'], false, '6:3'],
  ])('%j (key: %s) is at %s', (path, isAboutKey, expected) => {
    expect(place(path, isAboutKey)).toBe(expected);
  });

  it('of what is not written are those of what is around it', () => {
    expect(place(['b', 1, 'missing'])).toBe('4:5');
    expect(place(['b', 7, 'deep'])).toBe('2:1');
    expect(place(['nothing'])).toBe('1:1');
  });
});

describe('text', () => {
  it.each(['', '\n\n', '# only a comment\n', '---\n', '{}'])('%j is an empty configuration', (text) => {
    const parsed = parseText(text, 'yaml');
    expect(parsed.ok && (parsed.tree ?? {})).toEqual({});
    expect(placesOf(text)(['a'])).toBe('1:1');
  });

  it('that is empty is an empty configuration in JSON too', () => {
    expect(parseText(' \n', 'json')).toMatchObject({ ok: true, tree: null });
    expect(placesOf(' \n', 'json')(['a'])).toBe('1:1');
  });

  it('of YAML 1.2 keeps yes, off and dates as they are written', () => {
    const parsed = parseText('[yes, off, 2026-01-01, 1_000, 0o17]', 'yaml');
    expect(parsed).toMatchObject({ tree: ['yes', 'off', '2026-01-01', '1_000', 15] });
  });

  it('with a list as a key is refused', () => {
    expect(parseText('? [sk-secret]\n: b\nc: d', 'yaml')).toEqual({
      ok: false,
      message: 'is not valid YAML: object-based map does not support complex keys',
      place: { line: 1, column: 1 },
    });
  });

  it('that multiplies itself through aliases is refused', () => {
    const text = `a: &a x\nb: [${'*a, '.repeat(1001)}]`;
    expect(parseText(text, 'yaml')).toMatchObject({ ok: false });
  });

  it('that nests without end is refused', () => {
    expect(parseText('['.repeat(5000), 'yaml')).toMatchObject({ ok: false });
    expect(parseText('['.repeat(5000), 'json')).toMatchObject({ ok: false });
  });

  it('of JSON keeps its places where YAML reads it, and is read all the same where not', () => {
    expect(placesOf('{\n\t"a": [1,\n\t 2]}', 'json')(['a', 1])).toBe('3:3');
    const deep = `${'['.repeat(1100)}${']'.repeat(1100)}`;
    expect(placesOf(deep, 'json')([0])).toBe('1:1');
  });

  it.each([
    ['{ "a": tru }', '1:11'],
    ['{ "a": 1,\n  b: 2 }', '2:3'],
    ['{ "a": 1', '1:9'],
    ['[1, 2] x', '1:8'],
  ])('%j is wrong where it is said to be', (text, expected) => {
    const parsed = parseText(text, 'json');
    expect(parsed.ok ? '' : `${parsed.place.line}:${parsed.place.column}`).toBe(expected);
  });
});
