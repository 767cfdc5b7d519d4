import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { ROOT } from './source-imports.ts';

function textOf(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8');
}

function configOf(text: string): Config {
  const env = { OPENAI_API_KEY: 'sk-example-1', APP_KEY: 'example-2' };
  const loaded = loadConfig({ text, format: 'yaml', env, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
  return loaded.config;
}

/** From SIGTERM until a process with this configuration has surely ended, in ms. */
function longestEndMs({ server }: Config): number {
  return server.drainDelayMs + server.shutdownGraceMs;
}

/** What a Dockerfile copies out of the project's folder. */
function copiedFiles(dockerfile: string): string[] {
  const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)].map(([, words = '']) => words.split(' '));
  return copies.flatMap((words) => words.slice(0, -1));
}

describe('the image', () => {
  const dockerfile = textOf('Dockerfile');

  it('copies files that exist and that .dockerignore lets through', () => {
    const ignore = textOf('.dockerignore').split('\n');
    const files = copiedFiles(dockerfile);
    expect(files).toContain('src');
    const missing = files.filter((file) => {
      const name = file.replace(/^\.\//, '');
      return !(existsSync(join(ROOT, name)) && ignore.includes(`!${name}`));
    });
    expect(missing).toEqual([]);
  });

  it('runs node itself, which gets the signals, and not as root', () => {
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", "\/app\/dist\/main\.js"\]$/m);
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  });
});

describe('docker-compose.yml', () => {
  const compose = textOf('docker-compose.yml');

  it('leaves a default configuration the time to end in good order', () => {
    const graceMs = Number(/stop_grace_period: (\d+)s/.exec(compose)?.[1]) * 1000;
    expect(graceMs).toBeGreaterThan(longestEndMs(configOf('')));
  });

  it('is open to this machine only', () => {
    expect(compose).toContain('ports: ["127.0.0.1:8080:8080"]');
  });

  it('mounts, where no configuration is named, a file that is there', () => {
    const fallback = /\$\{SLUICE_CONFIG_FILE:-\.\/([^}]+)\}:\S+:ro/.exec(compose)?.[1] ?? 'nothing';
    expect(existsSync(join(ROOT, fallback))).toBe(true);
  });
});

describe('deploy/kubernetes.yaml', () => {
  const text = textOf('deploy/kubernetes.yaml');

  it('is a list of objects, one of which holds a valid configuration that the grace period fits', () => {
    const objects: unknown[] = loadAll(text);
    expect(objects.every((object) => typeof object === 'object' && object !== null && 'kind' in object)).toBe(true);
    const [settings] = objects as { data: Record<string, string> }[];
    const graceMs = Number(/terminationGracePeriodSeconds: (\d+)/.exec(text)?.[1]) * 1000;
    expect(graceMs).toBeGreaterThan(longestEndMs(configOf(settings?.data['config.yaml'] ?? 'missing')));
  });

  it('runs one instance at a time, because two would spend every limit twice', () => {
    expect(text).toContain('replicas: 1');
    expect(text).toContain('strategy: { type: Recreate }');
  });
});
