import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CliIo, StopSignal } from '../../src/cli/io.ts';
import { registerSimulate } from '../../src/cli/simulate.ts';
import { readSimulation } from '../../src/cli/simulate-file.ts';
import { systemClock } from '../../src/clock.ts';
import { FAULT_KINDS } from '../../src/simulator/faults.ts';
import { ALGORITHMS, CHARGES } from '../../src/simulator/limits/limit-spec.ts';
import { VENDORS } from '../../src/simulator/options.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { ASK, HALF } from './running.ts';

let folder = '';
const stops: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulate-'));
});

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  rmSync(folder, { recursive: true });
});

/** Runs the command in a process that is made up. */
async function simulate(...args: string[]) {
  let out = '';
  const exits: number[] = [];
  let signal: (signal: StopSignal, nth: number) => void = () => {};
  let exited: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    exited = resolve;
  });
  const sink = { write: (text: string) => (out += text) };
  const io: CliIo = {
    ...{ argv: args, env: {}, cwd: folder, stdout: sink, stderr: sink, clock: systemClock, random: HALF, version: '0' },
    stdin: (async function* () {})(),
    onReload: () => {},
    onSignal: (listener) => {
      signal = listener;
      stops.push(() => listener('SIGTERM', 1));
    },
    exit: (code) => {
      exits.push(code);
      exited();
    },
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: sink.write, writeOut: sink.write });
  registerSimulate(program, io);
  const run = program.parseAsync(['simulate', ...args], { from: 'user' });
  const failure = await run.then(
    () => null,
    (error: Error) => error.message,
  );
  const url = /at (http:\S+)\/v1/.exec(out)?.[1] ?? '';
  return { out, url, failure, exits, done, signal: (nth: number) => signal('SIGINT', nth) };
}

const ask = (url: string, key: string) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(ASK),
  });

it('without any flag there is one key without limits, and a line to try it with', async () => {
  const { out, url } = await simulate('--port', '0');
  expect(out).toContain('org-sim-1, 1 key; each model: no limits');
  expect(out).toContain(`curl ${url}/v1/chat/completions -H 'authorization: Bearer sk-sim-1'`);
  expect((await ask(url, 'sk-sim-1')).status).toBe(200);
});

it('flags describe keys, limits, answers and faults', async () => {
  const flags = '--port 0 --key a --key b --rpm 60 --tpm 100k --concurrency 4 --rpd 1k --capacity 10% --slice 10s';
  const more = '--charge keep --first-byte 1ms --output-tokens 5-9 --arrival-delay ~1ms --clock-offset -2s';
  const rest =
    '--tokens-per-second 5000 --usage-factor 1.4 --fault 500:0% --fault hang:0% --headers groq --retry-after';
  const { out, url } = await simulate(...`${flags} ${more} ${rest} --context-length 8k --model m`.split(' '));
  expect(out).toContain('org-sim-2, 1 key; each model: 60 requests per min (RPM) by token-bucket');
  expect(out).toContain('4 concurrent requests');
  expect(out).toContain('faults: 500 0%, hang 0%');
  const answer = await ask(url, 'a');
  expect(answer.status).toBe(404);
  const ledger = (await (await fetch(`${url}/_sim/ledger`)).json()) as { limits: { name: string; largest: number }[] };
  const largest = ledger.limits.map((limit) => [limit.name, limit.largest]).slice(0, 4);
  expect(largest).toEqual([
    ['rpm', 6],
    ['rpm', 60],
    ['rpd', 1000],
    ['rpd', 1000],
  ]);
});

it.each(VENDORS)('the line to try %s with is one that works', async (vendor) => {
  const { out } = await simulate('--port', '0', '--vendor', vendor, '--rpm', '60');
  const [, url = '', headers = '', body = ''] = /curl (\S+)((?: -H '[^']*')+) \\\n\s+-d '(.*)'/.exec(out) ?? [];
  const sent = [...headers.matchAll(/-H '([^:]+): ([^']*)'/g)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  const answer = await fetch(url, {
    method: 'POST',
    headers: sent.map(([name, value]): [string, string] => [name, value]),
    body,
  });
  expect(answer.status).toBe(200);
});

it('a vendor counts by its own rules unless told otherwise', async () => {
  const { out } = await simulate('--port', '0', '--vendor', 'gemini', '--tpm', '1k', '--rpm', '5');
  expect(out).toContain('Simulating Gemini at');
  expect(out).toContain('5 requests per min (RPM) by fixed-window, 1000 input tokens per min (ITPM) by fixed-window');
  const other = await simulate('--port', '0', '--vendor', 'gemini', '--rpm', '5', '--algorithm', 'sliding-log');
  expect(other.out).toContain('5 requests per min (RPM) by sliding-log');
});

it('keys may share their limits', async () => {
  const { url, out } = await simulate('--port', '0', '--key', 'a', '--key', 'b', '--rpm', '1', '--one-organization');
  expect(out).toContain('org-sim-1, 2 keys');
  expect([(await ask(url, 'a')).status, (await ask(url, 'b')).status]).toEqual([200, 429]);
});

it('a file describes what flags cannot', async () => {
  const options = {
    organizations: [
      {
        name: 'org-a',
        keys: ['a', { key: 'b', name: 'second', limits: { rpm: '1k' } }],
        limits: { rpm: { limit: 5, algorithm: 'sliding-log' } },
        models: { 'gpt-*': { tpm: '2k' } },
        sharedLimits: { rpd: 10 },
      },
    ],
    faults: [{ kind: 'hang', nth: [3] }],
  };
  writeFileSync(join(folder, 'vendor.json'), JSON.stringify(options));
  const { out, url } = await simulate('--port', '0', '--config', 'vendor.json');
  expect(out).toContain('gpt-*: 2000 tokens per min (TPM) by token-bucket; all models: 10 requests per day (RPD)');
  expect(out).toContain('faults: hang 100%');
  expect((await ask(url, 'b')).headers.get('x-ratelimit-limit-tokens')).toBe('2000');
});

describe('a mistake is told in one line', () => {
  it.each([
    ['a port that is none', ['--port', 'x'], '--port x: it must be a whole number from 0 to 65535'],
    ['a limit that is none', ['--rpm', 'many'], 'It must be a whole number above 0'],
    ['a share that is none', ['--capacity', 'all'], 'It must be a share'],
    ['a duration that is none', ['--slice', '10'], 'It must be a duration'],
    ['a factor that is none', ['--usage-factor', '0'], 'It must be a number above 0'],
    ['a fault that is none', ['--fault', 'fire'], 'There are: refuse,'],
    ['an algorithm that is none', ['--algorithm', 'leaky'], 'Allowed choices are token-bucket'],
    ['a token given twice', ['--port', '0', '--key', 'a', '--key', 'a'], 'is given twice'],
    ['a file that is not there', ['--config', 'no.json'], 'no.json cannot be read'],
    [
      'an address that is none here',
      ['--port', '0', '--host', '203.0.113.1'],
      'cannot listen on port 0 of 203.0.113.1',
    ],
  ])('%s', async (_, args, message) => {
    expect((await simulate(...args)).failure).toContain(message);
  });

  it('a port that is taken', async () => {
    const { url } = await simulate('--port', '0');
    expect((await simulate('--port', new URL(url).port)).failure).toContain('is taken: choose another with --port');
  });

  it('all that is wrong with a file, each with its place', () => {
    const read = (text: string) => () => readSimulation(text, 'vendor.json');
    expect(read('{')).toThrow('vendor.json is not JSON');
    expect(read('[]')).toThrow('the file: ');
    const limits = { rpm: 'lots', tpm: { limit: 1, algorithm: 'x' }, rpd: 0 };
    const wrong = read(JSON.stringify({ organizations: [{ keys: [1], limits }], arrivalDelayMs: '5ms', speed: 1 }));
    expect(wrong).toThrow('organizations[0].limits.rpm.limit: it must be a number above 0, such as 60');
    expect(wrong).toThrow('organizations[0].limits.tpm.algorithm: Invalid option: expected one of "token-bucket"');
    expect(wrong).toThrow('organizations[0].limits.rpd.limit: it must be');
    expect(wrong).toThrow('organizations[0].keys[0].key: ');
    expect(wrong).toThrow('arrivalDelayMs: it must be a number, {"kind":"uniform"');
    expect(wrong).toThrow('Unrecognized key: "speed"');
  });
});

describe('a signal', () => {
  it('ends it in good order, and cuts the second time', async () => {
    const { signal, exits, done, url } = await simulate('--port', '0');
    signal(1);
    await done;
    expect(exits).toEqual([0]);
    await expect(ask(url, 'sk-sim-1')).rejects.toThrow();
    signal(2);
    expect(exits).toEqual([0, 130]);
  });
});

describe('docs/simulator.md', () => {
  const text = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');

  it('tells of every vendor, fault, algorithm and charge', () => {
    const rows = [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    expect(rows).toEqual(expect.arrayContaining([...FAULT_KINDS, ...ALGORITHMS, ...CHARGES, ...VENDORS]));
  });

  it('has a file that works as it stands', () => {
    const [, json = ''] = /```json\n([\s\S]*?)```/.exec(text) ?? [];
    const options = readSimulation(json, 'the example');
    expect(() => createSimulator(options, systemClock, HALF)).not.toThrow();
  });
});
