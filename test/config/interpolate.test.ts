import { describe, expect, it } from 'vitest';
import { interpolate } from '../../src/config/interpolate.ts';

const files = new Map([
  ['/run/secrets/key', 'sk-from-file\n'],
  ['/run/secrets/windows', 'sk-windows\r\n'],
]);

function fill(tree: unknown, env: Record<string, string | undefined> = {}) {
  const readFile = (path: string) => {
    const text = files.get(path);
    if (text === undefined) throw new Error('no such file');
    return text;
  };
  return interpolate(tree, { env, readFile });
}

describe('references in strings', () => {
  it.each([
    [`\${NAME}`, 'value'],
    [`a-\${NAME}-\${NAME}-z`, 'a-value-value-z'],
    [`\${ABSENT:-default}`, 'default'],
    [`\${ABSENT:-}`, ''],
    [`\${EMPTY:-default}`, 'default'],
    [`\${NAME:-default}`, 'value'],
    [`\${NAME:?message}`, 'value'],
    ['$$', '$'],
    [`$\${NAME}`, `\${NAME}`],
    ['$$NAME', '$NAME'],
    ['a $NAME', 'a $NAME'],
    ['$name', '$name'],
    ['costs 5$', 'costs 5$'],
    [`\${TRICK}`, `\${NAME}`],
    ['file:/run/secrets/key', 'sk-from-file'],
    ['file:/run/secrets/windows', 'sk-windows'],
    [`file:\${FOLDER}/key`, 'sk-from-file'],
  ])('%s becomes %s', (text, filled) => {
    const env = { NAME: 'value', EMPTY: '', TRICK: `\${NAME}`, FOLDER: '/run/secrets' };
    const { tree, findings } = fill({ list: [text] }, env);
    expect(findings).toEqual([]);
    expect(tree).toEqual({ list: [filled] });
  });

  it.each([
    [`\${ABSENT}`, 'the environment variable ABSENT is not set: set it, or name it in .env'],
    [`\${EMPTY}`, 'the environment variable EMPTY is empty: set it, or name it in .env'],
    [`\${ABSENT:?ask the operator}`, 'ask the operator'],
    [`\${ABSENT:?}`, 'needs the environment variable ABSENT'],
    [`\${1A}`, `has a "\${" that is no \${NAME}: write $$ for a dollar`],
    [`\${NAME`, `has a "\${" that is no \${NAME}: write $$ for a dollar`],
    ['$NAME', `is a $ and a name: write \${NAME} for a variable, $$ for a dollar`],
    ['file:/nowhere', 'the file it names cannot be read'],
  ])('%s is a mistake', (text, message) => {
    expect(fill({ a: [text] }, { EMPTY: '' }).findings).toEqual([{ path: ['a', 0], message }]);
  });

  it('leave everything else alone', () => {
    const tree = { number: 1, flag: true, nothing: null, list: [1.5], [`\${KEY}`]: 'key' };
    expect(fill(tree).tree).toEqual(tree);
  });

  it('tell which values came from outside', () => {
    const { isFromOutside } = fill({ a: `\${NAME}`, b: 'plain', c: 'file:/run/secrets/key', d: '$$' }, { NAME: 'x' });
    const outside = ['a', 'b', 'c', 'd'].filter((key) => isFromOutside([key]));
    expect(outside).toEqual(['a', 'c']);
  });
});
