import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../../src/errors.ts';

const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

interface Row {
  readonly code: string;
  readonly type: string;
  readonly status: number;
  readonly origin: string;
  readonly retry: string;
  readonly cause: string;
  readonly remedy: string;
}

/** The rows of all tables of codes; the heading above a table is their type. */
function rows(): Row[] {
  let type = '';
  return docs.split('\n').flatMap((line) => {
    type = /^## (\w+_error)$/.exec(line)?.[1] ?? type;
    const cells = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''));
    const [code = '', status = '', origin = '', retry = '', cause = '', remedy = ''] = cells;
    const name = /^`(\w+)`$/.exec(code)?.[1];
    return name === undefined ? [] : [{ code: name, type, status: Number(status), origin, retry, cause, remedy }];
  });
}

describe('docs/errors.md', () => {
  it('lists every error of the table, with its facts, and none that does not exist', () => {
    const documented = rows().map(({ code, status, type, origin, retry }) => ({ code, status, type, origin, retry }));
    const inCode = Object.entries(ERROR_TABLE).map(([code, facts]) => ({ code, ...facts }));
    const byCode = (a: { code: string }, b: { code: string }) => a.code.localeCompare(b.code);
    expect(documented.toSorted(byCode)).toEqual(inCode.toSorted(byCode));
  });

  it('says of each what happened and what to do', () => {
    const silent = rows().filter(({ cause, remedy }) => cause.trim() === '' || remedy.trim() === '');
    expect(silent).toEqual([]);
  });

  it('explains every word of the retry column', () => {
    const words = new Set(Object.values(ERROR_TABLE).map(({ retry }) => retry));
    for (const word of words) expect(docs).toMatch(new RegExp(`^\\| ${word} \\|`, 'm'));
  });
});
