import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatMistake, formatPath, quote } from '../../src/config/mistakes.ts';
import { load, mistakesOf } from './load.ts';

const folder = new URL('fixtures/', import.meta.url);
const fixtures = readdirSync(folder).filter((name) => !name.endsWith('.txt'));

describe('each mistake is told with its place and with what to change', () => {
  it.each(fixtures)('%s', (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const expected = readFileSync(new URL(name.replace(/\.\w+$/, '.txt'), folder), 'utf8');
    const loaded = load(text, { format: name.endsWith('.json') ? 'json' : 'yaml' });
    const told = loaded.ok ? [] : loaded.mistakes.map((mistake) => `${formatMistake(mistake, name)}\n`);
    expect(told.join('')).toBe(expected);
  });

  it('and never with anything that may be a secret', () => {
    const expected = fixtures.map((name) => readFileSync(new URL(name.replace(/\.\w+$/, '.txt'), folder), 'utf8'));
    expect(expected.join('')).not.toMatch(/0123456789|password|sk-/);
  });
});

describe('the words of a mistake', () => {
  it('write a path as people do', () => {
    expect(formatPath(['models', 0, 'targets', 1, 'provider'])).toBe('models[0].targets[1].provider');
    expect(formatPath(['quotas', 0, 'models', 'gpt-4o-20*', 'rpm'])).toBe('quotas[0].models["gpt-4o-20*"].rpm');
    expect(formatPath([])).toBe('');
  });

  it('leave out a place where there is no text', () => {
    const mistake = { path: 'server.host', message: 'is missing', line: null, column: null };
    expect(formatMistake(mistake, 'environment')).toBe('environment server.host: is missing');
  });

  it('quote names and hide what looks like a credential', () => {
    expect(quote('opnai')).toBe('"opnai"');
    expect(quote('sk-proj-0123456789abcdef')).toBe('this text');
    expect(quote('x'.repeat(65))).toBe('this text');
    expect(quote('0123456789abcdef0123456789abcdef01234567')).toBe('this text');
  });

  it('hide a credential that stands where a name belongs', () => {
    const [mistake] = mistakesOf(`
providers:
  - type: openai
    keys: [{ key: "\${KEY}", quota: sk-proj-0123456789abcdef }]
`);
    expect(mistake).toContain('providers[0].keys[0].quota: this text is not defined.');
  });
});
