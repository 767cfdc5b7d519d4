import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.ts';
import type { StartEnvironment, StartedApp } from '../../src/cli/start.ts';
import type { Config } from '../../src/config/config.ts';
import { FakeIo } from './fake-io.ts';

const CONFIG = 'providers: [{ type: openai, keys: [a] }]\n';

/** An app that notes what is asked of it and ends when the test says so. */
class FakeApp implements StartedApp {
  readonly calls: string[] = [];
  config: Config | null = null;
  environment: StartEnvironment | null = null;
  listenError: Error | null = null;
  #drained: () => void = () => undefined;

  create = (config: Config, environment: StartEnvironment): Promise<StartedApp> => {
    this.config = config;
    this.environment = environment;
    return Promise.resolve(this);
  };

  listen(): Promise<{ url: string }> {
    if (this.listenError) return Promise.reject(this.listenError);
    return Promise.resolve({ url: `http://${this.config?.server.host}:${this.config?.server.port}` });
  }

  close(): Promise<void> {
    this.calls.push('close');
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  closeNow(): Promise<void> {
    this.calls.push('closeNow');
    return Promise.resolve();
  }

  reload(): Promise<void> {
    this.calls.push('reload');
    return Promise.resolve();
  }

  refuseReload(): void {
    this.calls.push('refuseReload');
  }

  tell(what: string): void {
    this.calls.push(what);
  }

  drained(): void {
    this.#drained();
  }
}

async function started(argv: readonly string[], surroundings: ConstructorParameters<typeof FakeIo>[1] = {}) {
  const io = new FakeIo(argv, surroundings);
  const app = new FakeApp();
  const demo: string[][] = [];
  await run(io, {
    createApp: app.create,
    commands: [
      (program) =>
        program
          .command('demo')
          .option('--host <address>')
          .option('--port <number>')
          .action((options: object) => {
            demo.push(Object.entries(options).map(String));
          }),
    ],
  });
  return { io, app, demo };
}

describe('a start', () => {
  it('takes the file and prints the banner', async () => {
    const { io, app } = await started([], { files: { 'config.yaml': CONFIG } });
    expect(app.config?.providers[0]?.name).toBe('openai');
    expect(app.environment).toMatchObject({ clock: io.clock, version: '1.2.3' });
    expect(io.out).toContain(
      'Configuration from config.yaml, watched: changes apply while requests run\nSluice 1.2.3 listens on http://127.0.0.1:8080\n',
    );
    expect(io.exits).toEqual([]);
  });

  it('prefers config.yaml to config.yml to config.json', async () => {
    const files = { 'config.json': '{}', 'config.yml': 'log: { level: warn }' };
    expect((await started(['start'], { files })).app.config?.log.level).toBe('warn');
    const all = { ...files, 'config.yaml': 'log: { level: error }' };
    expect((await started(['start'], { files: all })).app.config?.log.level).toBe('error');
  });

  it('takes flags over PORT over the file', async () => {
    const surroundings = { files: { 'mine.yaml': 'server: { port: 1 }' }, env: { PORT: '2' } };
    const ports = async (...flags: string[]) =>
      (await started(['-c', 'mine.yaml', ...flags], surroundings)).app.config?.server.port;
    expect(await ports()).toBe(2);
    expect(await ports('--port', '3')).toBe(3);
    const { app } = await started(['-c', 'mine.yaml', '--host', 'localhost', '--log-level', 'debug'], surroundings);
    expect(app.config).toMatchObject({ server: { host: 'localhost' }, log: { level: 'debug' } });
  });

  it('takes keys from the environment where there is no file, and says from which variables', async () => {
    const { io, app } = await started([], { env: { OPENAI_API_KEY: 'a,b' }, files: { '.env': 'GROQ_API_KEY=c' } });
    expect(app.config?.providers.map(({ keys }) => keys.length)).toEqual([2, 1]);
    expect(io.out.split('\n')[0]).toBe('Keys taken from the environment: OPENAI_API_KEY, GROQ_API_KEY');
  });

  it('shows the demo where there is neither', async () => {
    const { app, demo } = await started([], { env: { PORT: '' } });
    expect(app.config).toBeNull();
    expect(demo).toEqual([[]]);
    const flagged = await started(['--port', '1', '--host', 'localhost']);
    expect(flagged.demo).toEqual([['host,localhost', 'port,1']]);
  });

  it('with mistakes tells them and ends', async () => {
    const { io, app } = await started([], { files: { 'config.yaml': 'sever: {}' } });
    expect(io).toMatchObject({ out: '', exits: [1] });
    expect(io.err).toBe('config.yaml:1:1 sever: unknown key "sever". Did you mean "server"?\n');
    expect(app.config).toBeNull();
  });

  it('in a container needs to hear who may call', async () => {
    const env = { OPENAI_API_KEY: 'a', SLUICE_HOST: '0.0.0.0' };
    const closed = await started([], { env });
    expect(closed.io.err).toContain('set SLUICE_CLIENT_KEY');
    expect(closed.io.exits).toEqual([1]);
    const open = await started([], { env: { ...env, SLUICE_OPEN: 'true' } });
    expect(open.app.config?.server).toMatchObject({ host: '0.0.0.0', auth: 'none' });
  });

  it.each([
    ['EADDRINUSE', 'sluice: port 8080 on 127.0.0.1 is taken: stop what uses it, or choose another with --port\n'],
    [
      'EACCES',
      'sluice: port 8080 on 127.0.0.1 needs rights that this user does not have: choose one above 1023 with --port\n',
    ],
    ['EADDRNOTAVAIL', 'sluice: 127.0.0.1 is no address of this machine: choose another with --host\n'],
    ['ENOTFOUND', 'sluice: 127.0.0.1 is no address of this machine: choose another with --host\n'],
  ])('that cannot listen (%s) says why in one line', async (code, line) => {
    const app = new FakeApp();
    app.listenError = Object.assign(new Error('listen failed'), { code });
    const io = new FakeIo([], { files: { 'config.yaml': CONFIG } });
    await run(io, { createApp: app.create, commands: [] });
    expect(io).toMatchObject({ err: line, exits: [1] });
  });

  it('that fails for a reason nobody foresaw is a bug', async () => {
    const app = new FakeApp();
    app.listenError = new Error('what is this');
    const io = new FakeIo([], { files: { 'config.yaml': CONFIG } });
    await expect(run(io, { createApp: app.create, commands: [] })).rejects.toThrow('what is this');
  });
});

describe('a signal', () => {
  it('drains, and then the process ends well', async () => {
    const { io, app } = await started([], { files: { 'config.yaml': CONFIG } });
    const ended = io.nextExit();
    io.signal('SIGTERM');
    expect(app.calls).toEqual(['close']);
    expect(io.exits).toEqual([]);
    expect(io.err).toBe('SIGTERM: finishing what is under way; once more cuts it off\n');
    app.drained();
    await ended;
    expect(io.exits).toEqual([0]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('cuts when it comes again: %s', async (signal, code) => {
    const { io, app } = await started([], { files: { 'config.yaml': CONFIG } });
    const ended = io.nextExit();
    io.signal('SIGINT');
    io.signal(signal);
    io.signal(signal);
    await ended;
    expect(app.calls).toEqual(['close', 'closeNow']);
    expect(io.exits).toEqual([code]);
  });
});
