import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ConfigFile } from '../../src/cli/config-file.ts';
import { findConfigFile, readEnvironment } from '../../src/cli/config-file.ts';
import { Reloading, readConfig } from '../../src/cli/reload.ts';
import type { RefusedReload, Reload } from '../../src/cli/start.ts';
import { FileWatch } from '../../src/cli/watch-files.ts';
import { FakeIo } from './fake-io.ts';

const QUIET_MS = 200;
const POLL_MS = 5_000;

/** A configuration of one provider with this key. */
function config(key: string): string {
  return `providers: [{ type: openai, keys: ["${key}"] }]\n`;
}

/** What an app was given, one after the other. */
class App {
  readonly given: (Reload | RefusedReload)[] = [];
  #wake: () => void = () => {};
  /** Reloads take until this resolves. */
  busy: Promise<void> = Promise.resolve();
  failure: Error | null = null;

  async reload(reload: Reload): Promise<void> {
    this.given.push(reload);
    this.#wake();
    await this.busy;
    if (this.failure !== null) throw this.failure;
  }

  refuseReload(refusal: RefusedReload): void {
    this.given.push(refusal);
    this.#wake();
  }

  async next(count: number): Promise<void> {
    while (this.given.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Of the configuration that was given last. */
  get key(): string | undefined {
    const last = this.given.at(-1);
    return last && 'config' in last ? last.config.providers[0]?.keys[0]?.key.reveal() : undefined;
  }

  get mistakes(): readonly string[] | undefined {
    const last = this.given.at(-1);
    return last && 'mistakes' in last ? last.mistakes : undefined;
  }
}

/** A start with these files that reads its configuration anew. */
function begin(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const io = new FakeIo([], { files, env });
  return { ...beginIn(io), io };
}

function beginIn(io: FakeIo, whileItStarts: () => void = () => {}) {
  const app = new App();
  const env = readEnvironment(io);
  const file = findConfigFile(io, env, undefined) as ConfigFile;
  const { named } = readConfig(io, file, { env, overrides: {} });
  whileItStarts();
  const reloading = new Reloading({ io, flags: {}, app }, { file, named });
  io.onReload(() => reloading.request());
  onTestFinished(() => reloading.close());
  return { app, reloading };
}

/** Lets the debounce pass, once the system has told of the change, which is when something is scheduled for it. */
async function settled(io: FakeIo): Promise<void> {
  await expect.poll(() => io.clock.pendingTimers, { timeout: 10_000, interval: 5 }).toBeGreaterThan(1);
  io.clock.advance(QUIET_MS);
}

describe('a file that changes is read anew', () => {
  test('when it is written in place', async () => {
    const { io, app } = begin({ 'config.yaml': config('first') });
    io.write('config.yaml', config('second'));
    await settled(io);
    await app.next(1);
    expect(app.key).toBe('second');
  });

  test('when another file is moved to its place, again and again', async () => {
    const { io, app } = begin({ 'config.yaml': config('first') });
    for (const [index, key] of ['second', 'third', 'fourth'].entries()) {
      io.write('config.yaml.new', config(key));
      renameSync(join(io.cwd, 'config.yaml.new'), join(io.cwd, 'config.yaml'));
      await settled(io);
      await app.next(index + 1);
      expect(app.key).toBe(key);
    }
  });

  test('when the directory that it is linked to is another, as Kubernetes does it, again and again', async () => {
    const io = new FakeIo([]);
    const put = (version: string) => {
      mkdirSync(join(io.cwd, version));
      writeFileSync(join(io.cwd, version, 'config.yaml'), config(version));
      symlinkSync(version, join(io.cwd, '..tmp'));
      renameSync(join(io.cwd, '..tmp'), join(io.cwd, '..data'));
    };
    put('v1');
    symlinkSync('..data/config.yaml', join(io.cwd, 'config.yaml'));
    const { app } = beginIn(io);
    for (const [index, version] of ['v2', 'v3', 'v4'].entries()) {
      put(version);
      rmSync(join(io.cwd, `v${index + 1}`), { recursive: true });
      await settled(io);
      await app.next(index + 1);
      expect(app.key).toBe(version);
    }
  });

  test('at the look every few seconds, where it is linked to a file in a directory that nobody watches', async () => {
    const io = new FakeIo([], { files: { 'elsewhere/real.yaml': config('first') } });
    symlinkSync('elsewhere/real.yaml', join(io.cwd, 'config.yaml'));
    const { app } = beginIn(io);
    io.write('elsewhere/real.yaml', config('second'));
    io.clock.advance(POLL_MS);
    await app.next(1);
    expect(app.key).toBe('second');
  });

  test('and so are files that it names, and .env', async () => {
    const text = `providers: [{ type: openai, keys: ["file:secrets/key"], headers: { X-Team: "\${TEAM}" } }]\n`;
    const { io, app } = begin({ 'config.yaml': text, 'secrets/key': 'first', '.env': 'TEAM=red\n' });
    io.write('secrets/key', 'second');
    io.clock.advance(POLL_MS);
    await app.next(1);
    expect(app.key).toBe('second');
    io.write('.env', 'TEAM=blue\n');
    io.clock.advance(POLL_MS);
    await app.next(2);
    const [last] = app.given.slice(-1) as Reload[];
    expect(last?.config.providers[0]?.headers.get('X-Team')?.reveal()).toBe('blue');
  });

  test('once, however many steps it is written in, and not at all if it says the same', async () => {
    const { io, app } = begin({ 'config.yaml': config('first') });
    io.write('config.yaml', config('half'));
    await expect.poll(() => io.clock.pendingTimers, { interval: 5 }).toBeGreaterThan(1);
    io.clock.advance(QUIET_MS - 50);
    io.write('config.yaml', config('whole'));
    await settled(io);
    await app.next(1);
    io.write('config.yaml', config('whole'));
    io.clock.advance(2 * POLL_MS);
    expect(app.given).toHaveLength(1);
    expect(app.key).toBe('whole');
  });
});

test('what changes while the server starts is not missed, and neither is a file that goes', async () => {
  const io = new FakeIo([], { files: { 'config.yaml': config('first') } });
  const { app } = beginIn(io, () => io.write('config.yaml', config('second')));
  await app.next(1);
  expect(app.key).toBe('second');
  const gone = beginIn(io, () => {
    rmSync(join(io.cwd, 'config.yaml'));
    mkdirSync(join(io.cwd, 'config.yaml'));
  });
  await gone.app.next(1);
  expect(gone.app.mistakes?.[0]).toContain('is a directory');
});

test('a directory in which something is written all the time puts it off for a second at most', async () => {
  const { io, app } = begin({ 'config.yaml': config('first') });
  io.write('config.yaml', config('second'));
  for (let i = 0; app.given.length === 0 && i < 60; i += 1) {
    io.write('state.json', String(i));
    await expect
      .poll(() => io.clock.pendingTimers, { timeout: 10_000, interval: 2 })
      .toBeGreaterThan(app.given.length > 0 ? 0 : 1);
    io.clock.advance(50);
  }
  expect(app.key).toBe('second');
  expect(io.clock.now()).toBeLessThan(POLL_MS);
});

describe('SIGHUP', () => {
  test('reads everything anew, also where nothing has changed', async () => {
    const { io, app } = begin({ 'config.yaml': config('first') });
    io.hangUp();
    await app.next(1);
    expect(app.given[0]).toMatchObject({ file: 'config.yaml', version: expect.stringMatching(/^[0-9a-f]{12}$/) });
    // What it has read is no change any more.
    io.clock.advance(2 * POLL_MS);
    expect(app.given).toHaveLength(1);
  });

  test('tells by the version whether anything that it read is another, .env as well', async () => {
    const { app, io } = begin({ 'config.yaml': config(`\${KEY}`), '.env': 'KEY=a' });
    const version = async (count: number): Promise<string | undefined> => {
      io.hangUp();
      await app.next(count);
      const last = app.given.at(-1);
      return last && 'version' in last ? last.version : undefined;
    };
    const first = await version(1);
    expect(await version(2)).toBe(first);
    io.write('.env', 'KEY=b');
    expect(await version(3)).not.toBe(first);
  });

  test('while a reload is under way is one more after it, however often it comes', async () => {
    const { io, app } = begin({ 'config.yaml': config('first') });
    let finish: () => void = () => {};
    app.busy = new Promise((resolve) => {
      finish = resolve;
    });
    io.hangUp();
    await app.next(1);
    io.write('config.yaml', config('second'));
    for (let i = 0; i < 5; i += 1) io.hangUp();
    expect(app.given).toHaveLength(1);
    finish();
    await app.next(2);
    expect(app.key).toBe('second');
    await new Promise((resolve) => setImmediate(resolve));
    expect(app.given).toHaveLength(2);
  });

  test('means nothing any more to a server that ends', () => {
    const { io, app, reloading } = begin({ 'config.yaml': config('first') });
    reloading.close();
    io.hangUp();
    io.write('config.yaml', config('second'));
    io.clock.advance(2 * POLL_MS);
    expect(app.given).toEqual([]);
    expect(io.clock.pendingTimers).toBe(0);
  });
});

describe('a configuration that is not to be had is refused', () => {
  test('with every mistake at its place and no secret, and the next good one is taken', async () => {
    const { io, app } = begin({ 'config.yaml': config('first') });
    io.write('config.yaml', 'providers:\n  - type: opnai\n    keys: [sk-secret-0123456789abcdef]\n  - typ: groq\n');
    io.hangUp();
    await app.next(1);
    expect(app.mistakes?.length).toBeGreaterThan(1);
    expect(app.mistakes?.[0]).toMatch(/^config\.yaml:2:11 providers\[0\]\.type: .*Did you mean "openai"/);
    expect(app.mistakes?.join()).not.toContain('sk-secret');
    io.write('config.yaml', config('second'));
    io.hangUp();
    await app.next(2);
    expect(app.key).toBe('second');
  });

  test('when it cannot be put in force, which ends neither the server nor the reloading', async () => {
    const { io, app } = begin({ 'config.yaml': config('first') });
    app.failure = new Error('there is no vocabulary for it');
    io.write('config.yaml', config('second'));
    io.hangUp();
    await app.next(2);
    expect(app.mistakes).toEqual(['it could not be put in force: there is no vocabulary for it']);
    app.failure = null;
    io.write('config.yaml', config('third'));
    io.hangUp();
    await app.next(3);
    expect(app.key).toBe('third');
  });

  test('where the file is gone, which never means the keys of the environment instead', async () => {
    const { io, app } = begin({ 'config.yaml': config('first') }, { OPENAI_API_KEY: 'sk-of-the-environment' });
    rmSync(join(io.cwd, 'config.yaml'));
    await settled(io);
    await app.next(1);
    expect(app.mistakes).toEqual(['config.yaml: there is no such file']);
  });

  test('where no provider is left, as in a file that was cut off because the disk is full', async () => {
    const { app, io } = begin({ 'config.yaml': config('a') });
    for (const [index, text] of ['', 'server:\n'].entries()) {
      io.write('config.yaml', text);
      io.hangUp();
      await app.next(index + 1);
      expect(app.mistakes).toEqual([expect.stringMatching(/^config\.yaml: names no providers/)]);
    }
  });

  test('where a directory stands in its place, or a variable is not set', async () => {
    const { io, app } = begin({ 'config.yaml': config('first') });
    rmSync(join(io.cwd, 'config.yaml'));
    mkdirSync(join(io.cwd, 'config.yaml'));
    io.hangUp();
    await app.next(1);
    expect(app.mistakes?.[0]).toContain('is a directory');
    rmSync(join(io.cwd, 'config.yaml'), { recursive: true });
    io.write('config.yaml', config(`\${NOT_SET}`));
    io.hangUp();
    await app.next(2);
    expect(app.mistakes?.[0]).toContain('NOT_SET is not set');
  });
});

test('where no directory can be watched, the look every few seconds is enough', () => {
  const io = new FakeIo([]);
  let changes = 0;
  const path = join(io.cwd, 'not-there-yet', 'config.yaml');
  const watch = new FileWatch({ clock: io.clock, path, others: () => [], onChange: () => changes++ });
  onTestFinished(() => watch.close());
  io.clock.advance(POLL_MS);
  expect(changes).toBe(0);
  io.write('not-there-yet/config.yaml', config('first'));
  io.clock.advance(POLL_MS);
  expect(changes).toBe(1);
});
