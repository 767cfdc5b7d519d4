import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { load, mistakesOf } from './load.ts';

const example = readFileSync(new URL('../../config.example.yaml', import.meta.url), 'utf8');
const HEAD = `# yaml-language-server: $schema=./config.schema.json
providers:
  - type: openai
    keys: ["\${OPENAI_API_KEY}"]
`;

/** Every variable of the example, each with a value of its own. */
const env = Object.fromEntries(
  Array.from(example.matchAll(/\$\{(\w+)\}/g), ([, name = '']) => [name, `value-of-${name}`]),
);

/** The commented blocks, each begun by its explanation. */
const blocks = example
  .slice(HEAD.length)
  .split('\n\n')
  .map((block) => block.trim().split('\n'))
  .map((lines) => ({
    title: lines.find((line) => line.startsWith('## '))?.slice(3) ?? '',
    text: lines.flatMap((line) => (line.startsWith('## ') ? [] : [line.replace(/^# /, '')])).join('\n'),
    isCommented: lines.every((line) => line.startsWith('# ') || line.startsWith('## ')),
  }))
  .filter(({ text }) => text !== '');

describe('config.example.yaml', () => {
  it('begins with the smallest configuration, and the rest is commented out', () => {
    expect(example.startsWith(`${HEAD}\n`)).toBe(true);
    expect(blocks.every(({ isCommented }) => isCommented)).toBe(true);
    expect(mistakesOf(example, { env })).toEqual([]);
  });

  it.each(blocks)('works with the block: $title', ({ text }) => {
    const whole = /^providers:/m.test(text) ? text : `${HEAD}${text}`;
    expect(mistakesOf(whole, { env })).toEqual([]);
    const loaded = load(whole, { env });
    expect(loaded.ok && loaded.warnings).toEqual([]);
  });

  it('names no secret', () => {
    expect(example).not.toMatch(/sk-/);
  });
});
