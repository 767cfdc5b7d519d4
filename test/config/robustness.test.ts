import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { load } from './load.ts';

const SECRET = 'sk-live-4f9a8b7c6d5e';
const env = {
  KEY_A1: SECRET,
  KEY_A2: `${SECRET}2`,
  KEY_B1: `${SECRET}3`,
  WEB_KEY: `${SECRET}4`,
  ADMIN_KEY: `${SECRET}5`,
};
const everything = readFileSync(new URL('accepted/everything.yaml', import.meta.url), 'utf8');
const lines = everything.split('\n');

function expectAnswer(text: string, format: 'yaml' | 'json'): void {
  const loaded = load(text, { format, env });
  if (loaded.ok) return;
  expect(loaded.mistakes.length).toBeGreaterThan(0);
  for (const { message, line, column } of loaded.mistakes) {
    expect(message).not.toBe('');
    expect(line).toBeGreaterThan(0);
    expect(column).toBeGreaterThan(0);
  }
  expect(JSON.stringify(loaded.mistakes)).not.toContain(SECRET);
}

/** Replaces the value that a walk of random turns leads to. */
function mutate(tree: unknown, turns: readonly number[], value: unknown): unknown {
  const [turn, ...rest] = turns;
  if (turn === undefined || typeof tree !== 'object' || tree === null) return value;
  const keys = Object.keys(tree);
  const key = keys[turn % Math.max(1, keys.length)];
  if (key === undefined) return value;
  if (Array.isArray(tree)) return tree.map((item, index) => (String(index) === key ? mutate(item, rest, value) : item));
  return { ...tree, [key]: mutate(Reflect.get(tree, key), rest, value) };
}

describe('whatever a file holds, a start answers with a configuration or with mistakes', () => {
  const tree = {
    server: { port: 1, timeouts: { headers: '1s' }, cors: { origins: ['*'] } },
    defaults: { queue: { max_wait: '1s' }, retry: { budget: '5%' } },
    clients: [{ name: 'a', key: `\${WEB_KEY}`, limits: { rpm: 1 }, models: ['m'], budget: { usd: 1, per: 'day' } }],
    quotas: [{ name: 'q', limits: { tpd: '1M' }, models: { 'm*': { rpm: { limit: 5, slice: '1s' } } } }],
    providers: [{ type: 'openai', headers: { a: 'b' }, keys: [`\${KEY_A1}`, { key: `\${KEY_A2}`, quota: 'q' }] }],
    models: [{ name: 'm', aliases: ['n'], targets: [{ provider: 'openai', params: { a: 1 }, after: '0s' }] }],
  };

  it('when any value in it is replaced by any other', () => {
    const values = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(`\${KEY_A1}`, `\${`, '$$', 'file:', 'none', 'off', 'down', '1s', '5%', '', SECRET, -1, 0, 1e99),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 7 }), values, (turns, value) => {
        expectAnswer(JSON.stringify(mutate(tree, turns, value)), 'json');
      }),
      { numRuns: 1000 },
    );
  });

  it('when its text is cut, doubled and mixed up', () => {
    const pieces = fc.oneof(
      fc.nat(lines.length - 1).map((index) => lines[index] ?? ''),
      fc.constantFrom(
        '',
        '  ',
        '- ',
        '? ',
        ': ',
        '&a ',
        '*a',
        '<<: *a',
        '!!set',
        '"',
        "'",
        '{',
        '}',
        '[',
        ']',
        '|',
        '#',
        '\t',
      ),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 25 }), fc.constantFrom('\n', ' ', '\n  '), (parts, glue) => {
        expectAnswer(parts.join(glue), 'yaml');
      }),
      { numRuns: 1000 },
    );
  });

  it('when it is any text at all', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.constantFrom('yaml' as const, 'json' as const),
        expectAnswer,
      ),
      { numRuns: 500 },
    );
  });
});
