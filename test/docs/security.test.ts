import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/security.md', ROOT), 'utf8');

/** The rows of tables whose last column says which tests show the answer. */
const rows = text
  .split('\n')
  .filter((line) => /^\| .* \| .*\btest\//.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

describe('the threats of docs/security.md', () => {
  test('each have an answer and a test that is there', () => {
    expect(rows.length).toBeGreaterThan(30);
    for (const [, threat = '', answer = '', shown = ''] of rows) {
      expect(threat.length * answer.length, threat).toBeGreaterThan(0);
      for (const path of shown.split(', ')) expect(existsSync(fileURLToPath(new URL(path, ROOT))), path).toBe(true);
    }
  });

  test('are none without a test', () => {
    const threats = text.slice(text.indexOf('## Threats'), text.indexOf('## What is left'));
    const all = threats.split('\n').filter((line) => /^\| (?!threat|-)/.test(line));
    expect(all.filter((line) => !/\btest\//.test(line))).toEqual([]);
    expect(all.length).toBe(rows.length);
  });
});
