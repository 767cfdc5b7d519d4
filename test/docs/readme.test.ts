import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { ROOT } from './source-imports.ts';

const manifest: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);

interface Page {
  readonly name: string;
  readonly text: string;
}

const pages: Page[] = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: ROOT }).map((name) => ({
  name,
  text: readFileSync(join(ROOT, name), 'utf8'),
}));

function page(name: string): string {
  return pages.find((each) => each.name === name)?.text ?? '';
}

/** Headings as the anchors that they get. */
function anchors(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  );
}

/** Links to files of this repository, out of everything but code. */
function localLinks({ name, text }: Page): { from: string; file: string; anchor: string }[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor = ''] = target.split('#', 2);
      return { from: name, file: file === '' ? name : join(dirname(name), file), anchor };
    });
}

describe('the documentation', () => {
  it('names no npm script that does not exist', () => {
    const named = pages.flatMap(({ name, text }) =>
      [...text.matchAll(/\bnpm (?:run ([\w:]+)|(start|test)\b)/g)].map(([, script, short]) => ({
        page: name,
        script: script ?? short ?? '',
      })),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ script }) => !(script in manifest.scripts))).toEqual([]);
  });

  it('has no link that leads nowhere', () => {
    const links = pages.flatMap(localLinks);
    expect(links.length).toBeGreaterThan(10);
    const broken = links.filter(({ file, anchor }) => {
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== '' && !anchors(page(file)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('shows configurations that are valid', () => {
    const examples = ['README.md', 'docs/operations.md', 'docs/security.md'].flatMap((name) =>
      [...page(name).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text = '']) => ({ name, text })),
    );
    expect(examples.length).toBeGreaterThan(2);
    const wrong = examples.flatMap(({ name, text }) => {
      const variables = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, variable = '']) => variable);
      const env = Object.fromEntries(variables.map((variable) => [variable, `sk-example-${variable}`]));
      const loaded = loadConfig({ text, format: 'yaml', env, readFile: () => 'sk-example-of-a-file' });
      return loaded.ok ? [] : [{ name, text, mistakes: loaded.mistakes }];
    });
    expect(wrong).toEqual([]);
  });
});
