import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
  readonly resolved?: string;
}

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const installed = Object.entries(packages).filter(([path]) => path !== '');
const atRunTime = installed.filter(([, { dev }]) => dev !== true);

function names(found: readonly (readonly [path: string, locked: LockedPackage])[]): readonly string[] {
  return found.map(([path]) => path);
}

describe('what is installed', () => {
  test('runs nothing of its own when it is installed for production', () => {
    expect(atRunTime.length).toBeGreaterThan(20);
    expect(names(atRunTime.filter(([, { hasInstallScript }]) => hasInstallScript === true))).toEqual([]);
  });

  test('is the one content that the lock names, from a registry and from nowhere else', () => {
    expect(names(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')))).toEqual([]);
    const elsewhere = installed.filter(([, { resolved, link }]) => {
      return link === true || /^(?:git|file|http:)/.test(resolved ?? '');
    });
    expect(names(elsewhere)).toEqual([]);
  });
});

describe('the audit', () => {
  /** Runs the script with an npm that says this. */
  function audit(answer: string): { readonly status: number | null; readonly out: string } {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-audit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'answer'), answer);
    writeFileSync(join(folder, 'npm'), `#!/bin/sh\ncat '${join(folder, 'answer')}'\n`);
    chmodSync(join(folder, 'npm'), 0o755);
    const path = [folder, dirname(process.execPath), process.env['PATH']].join(delimiter);
    const script = join(ROOT, 'scripts', 'audit.mjs');
    const { status, stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8', env: { PATH: path } });
    return { status, out: stdout };
  }

  const weakness = { name: 'leftpad', severity: 'high', range: '<2' };
  const counted = (more: object): object => ({ vulnerabilities: { info: 0, low: 0, moderate: 0, total: 1, ...more } });

  test('fails where a weakness of weight is known, and names it', () => {
    const report = { vulnerabilities: { leftpad: weakness }, metadata: counted({ high: 1, critical: 0 }) };
    const { status, out } = audit(JSON.stringify(report));
    expect(status).toBe(1);
    expect(out).toContain('high: leftpad <2');
  });

  test('passes where there is none, or a slight one', () => {
    const slight = { vulnerabilities: { leftpad: { ...weakness, severity: 'low' } }, metadata: counted({ low: 1 }) };
    expect(audit(JSON.stringify(slight)).status).toBe(0);
    expect(audit(JSON.stringify({ vulnerabilities: {}, metadata: counted({ total: 0 }) })).status).toBe(0);
  });

  test.each([
    ['a registry that has no audit', JSON.stringify({ message: '405 Method Not Allowed', error: { summary: '' } })],
    ['a registry that answers with a page', '<html></html>'],
    ['silence', ''],
  ])('says that it is not to be had, and passes: %s', (_what, answer) => {
    const { status, out } = audit(answer);
    expect(status).toBe(0);
    expect(out).toContain('audit unavailable');
  });
});
