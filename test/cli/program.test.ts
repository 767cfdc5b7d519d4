import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ProgramParts, run } from '../../src/cli/program.ts';
import { configJsonSchema } from '../../src/config/schema.ts';
import { FakeIo } from './fake-io.ts';

const parts: ProgramParts = {
  createApp: () => Promise.reject(new Error('nothing should start here')),
  commands: [],
};

const VALID = 'providers: [{ type: openai, keys: [a] }]\n';

async function ran(argv: readonly string[], surroundings: ConstructorParameters<typeof FakeIo>[1] = {}) {
  const io = new FakeIo(argv, surroundings);
  await run(io, parts);
  return io;
}

describe('sluice check', () => {
  it('finds a valid file by itself', async () => {
    const io = await ran(['check'], { files: { 'config.yml': VALID } });
    expect(io).toMatchObject({ out: 'config.yml is valid\n', err: '', exits: [0] });
  });

  it('tells every mistake of the file it is given', async () => {
    const io = await ran(['check', 'deep/mine.yaml'], {
      files: { 'deep/mine.yaml': 'sever: {}\nlog: { level: loud }\n' },
    });
    expect(io.exits).toEqual([1]);
    expect(io.out).toBe('');
    expect(io.err.split('\n')).toEqual([
      'deep/mine.yaml:1:1 sever: unknown key "sever". Did you mean "server"?',
      expect.stringContaining('deep/mine.yaml:2:15 log.level: must be one of'),
      '2 mistakes',
      '',
    ]);
  });

  it('tells warnings and succeeds all the same', async () => {
    const io = await ran(['check'], { files: { 'config.yaml': `${VALID}metrics: true\n` } });
    expect(io).toMatchObject({ err: 'warning: understood, but not yet in force: metrics\n', exits: [0] });
  });

  it('prints JSON for programs', async () => {
    const bad = await ran(['check', '--json'], { files: { 'config.json': '{ "prot": 1 }' } });
    expect(JSON.parse(bad.out)).toEqual({
      ok: false,
      file: 'config.json',
      mistakes: [{ path: 'prot', message: expect.stringContaining('unknown key'), line: 1, column: 3 }],
      warnings: [],
    });
    expect(bad.exits).toEqual([1]);
    const good = await ran(['check', '--json'], { files: { 'config.yaml': VALID } });
    expect(JSON.parse(good.out)).toMatchObject({ ok: true, mistakes: [] });
  });

  it('reads .env first, but what is set in the process stays', async () => {
    const text = `providers: [{ type: openai, keys: ["\${KEY_FILE}", "\${KEY_BOTH}"] }]`;
    const files = { 'config.yaml': text, '.env': 'KEY_FILE=a\nKEY_BOTH=a\n' };
    expect((await ran(['check'], { files })).err).toContain('is the same key as');
    expect((await ran(['check'], { files, env: { KEY_BOTH: 'b' } })).exits).toEqual([0]);
  });

  it('reads secrets from files beside it', async () => {
    const text = 'providers: [{ type: openai, keys: ["file:secrets/key"] }]';
    expect((await ran(['check'], { files: { 'config.yaml': text, 'secrets/key': 'sk-a\n' } })).exits).toEqual([0]);
  });

  it('takes SLUICE_CONFIG', async () => {
    const io = await ran(['check'], { files: { 'other.yaml': VALID }, env: { SLUICE_CONFIG: 'other.yaml' } });
    expect(io.out).toBe('other.yaml is valid\n');
  });

  it('says so when there is no file', async () => {
    expect(await ran(['check'])).toMatchObject({
      err: 'sluice: no configuration here: looked for config.yaml, config.yml, config.json\n',
      exits: [1],
    });
    expect((await ran(['check', 'nowhere.yaml'])).err).toBe('sluice: nowhere.yaml: there is no such file\n');
  });

  it('explains a directory in the place of the file', async () => {
    const io = new FakeIo(['check']);
    mkdirSync(join(io.cwd, 'config.yaml'));
    await run(io, parts);
    expect(io.err).toContain('config.yaml is a directory, not a file (Docker makes one');
    expect(io.exits).toEqual([1]);
  });

  it('refuses a PORT that is none', async () => {
    const io = await ran(['check'], { files: { 'config.yaml': VALID }, env: { PORT: 'http' } });
    expect(io.err).toBe('sluice: PORT must be a number from 0 to 65535\n');
  });
});

describe('sluice hash-key', () => {
  const FOO = 'sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\n';

  it('takes the key as an argument', async () => {
    expect(await ran(['hash-key', 'foo'])).toMatchObject({ out: FOO, err: '', exits: [0] });
  });

  it.each<[string, (string | Uint8Array)[]]>([
    ['a line', ['foo\n']],
    ['a line of Windows', ['foo\r\n']],
    ['no line break', ['foo']],
    ['pieces', ['f', Buffer.from('oo\nbar')]],
  ])('or from standard input: %s', async (_what, input) => {
    expect(await ran(['hash-key'], { input })).toMatchObject({ out: FOO, err: '' });
  });

  it('asks a person for it', async () => {
    const io = await ran(['hash-key'], { input: ['foo\n'], isTTY: true });
    expect(io).toMatchObject({ out: FOO, err: 'Type the key and press Enter:\n' });
  });

  it('refuses an empty key', async () => {
    expect(await ran(['hash-key'], { input: ['\n'] })).toMatchObject({ out: '', exits: [1] });
  });

  it('prints what a configuration accepts', async () => {
    const { out } = await ran(['hash-key', 'foo']);
    const files = { 'config.yaml': `${VALID}clients: [{ name: a, key: "${out.trim()}" }]` };
    expect((await ran(['check'], { files })).exits).toEqual([0]);
  });
});

describe('the program', () => {
  it('prints its schema', async () => {
    const io = await ran(['schema']);
    expect(JSON.parse(io.out)).toEqual(configJsonSchema());
    expect(io.exits).toEqual([0]);
  });

  it('prints its version and its help', async () => {
    expect(await ran(['--version'])).toMatchObject({ out: '1.2.3\n', exits: [0] });
    const help = await ran(['--help']);
    expect(help.exits).toEqual([0]);
    for (const command of ['start', 'check', 'hash-key', 'schema']) expect(help.out).toContain(command);
  });

  it('knows which command or option was meant', async () => {
    expect(await ran(['chekc'])).toMatchObject({
      err: 'sluice: there is no command "chekc". Did you mean "check"? Run sluice --help to see all\n',
      exits: [1],
    });
    const option = await ran(['--confg', 'x']);
    expect(option.err).toContain("unknown option '--confg'");
    expect(option.err).toContain('Did you mean --config?');
    expect(option.exits).toEqual([1]);
  });

  it('lets a bug through to whoever ends the process', async () => {
    const io = new FakeIo(['start'], { files: { 'config.yaml': VALID } });
    await expect(run(io, parts)).rejects.toThrow('nothing should start here');
  });
});
