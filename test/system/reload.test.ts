import { describe, expect, test } from 'vitest';
import {
  type Answer,
  errorOf,
  FEW_REFUSALS,
  KEYS,
  pause,
  provider,
  type SimulatorAt,
  type Sluice,
  startSimulator,
  startSluice,
  together,
  until,
} from './world.ts';

const BUCKET_SHARE = 0.05;
const UPSTREAM_RPM = 600;

/** A vendor with two keys of so many requests a minute each, and an answer that takes its time. */
function startVendor(answerMs = 50): Promise<SimulatorAt> {
  const organizations = Object.entries(KEYS).map(([name, key]) => ({
    name: `of-${name}`,
    keys: [{ name, key }],
    limits: { rpm: { limit: UPSTREAM_RPM, capacity: UPSTREAM_RPM * BUCKET_SHARE } },
  }));
  const firstByteMs = { kind: 'uniform', min: answerMs, max: answerMs } as const;
  return startSimulator({ organizations, models: ['gpt-4o'], answer: { firstByteMs } });
}

interface Choice {
  /** Requests a minute of each key, by its name. */
  readonly keys: Partial<Record<keyof typeof KEYS, number>>;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly maxWait?: string;
}

/** A configuration that knows these keys. */
function config({ url }: SimulatorAt, { keys, more = {}, maxWait = '60s' }: Choice): Readonly<Record<string, unknown>> {
  const names = Object.keys(keys) as (keyof typeof KEYS)[];
  return {
    quotas: names.map((name) => ({
      name: `of-${name}`,
      models: { '*': { rpm: { limit: keys[name], burst: BUCKET_SHARE } } },
    })),
    providers: [
      provider(
        url,
        names.map((name) => ({ name, key: KEYS[name], quota: `of-${name}` })),
      ),
    ],
    models: [{ name: 'gpt-4o', queue: { max_wait: maxWait }, targets: [{ provider: 'sim', model: 'gpt-4o' }] }],
    ...more,
  };
}

function hello(number: number): object {
  return { messages: [{ role: 'user', content: `Hello ${number}` }], max_completion_tokens: 8 };
}

async function waiting(sluice: Sluice, count: number): Promise<void> {
  await until(async () => (await sluice.queue()).tickets.length >= count);
}

async function atRest(sluice: Sluice): Promise<void> {
  await until(() => sluice.app.openLeases === 0);
}

function statuses(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

async function healthOf(sluice: Sluice): Promise<{ readonly loaded_at: string; readonly problem: string | null }> {
  const answer = await sluice.get('/health');
  expect(answer.status).toBe(200);
  return (answer.json as { config: { loaded_at: string; problem: string | null } }).config;
}

describe('limits that are raised and lowered under three times their load', () => {
  test('are never exceeded upstream, and what was used stays used', async () => {
    await using vendor = await startVendor();
    const rpm = (limit: number) => config(vendor, { keys: { good: limit }, maxWait: '5s' });
    await using sluice = await startSluice(rpm(UPSTREAM_RPM / 2));
    const calls: Promise<Answer>[] = [];
    let next = 0;
    const steps = [UPSTREAM_RPM, UPSTREAM_RPM / 4, UPSTREAM_RPM, UPSTREAM_RPM / 2, UPSTREAM_RPM];
    for (const end = performance.now() + 6_000; performance.now() < end; await pause(33)) {
      calls.push(sluice.chat(hello(calls.length)));
      if (performance.now() < end - 5_000 + next * 900 || next >= steps.length) continue;
      await sluice.reload(rpm(steps[next] as number));
      next += 1;
    }
    const answers = await Promise.all(calls);
    expect(next).toBe(steps.length);
    expect(vendor.simulator.ledger().rateLimited).toBeLessThanOrEqual(FEW_REFUSALS);
    for (const answer of answers) if (answer.status !== 200) expect(errorOf(answer).code).toBe('queue_wait_exceeded');
    expect(statuses(answers)['200']).toBeGreaterThan(20);
    await atRest(sluice);
  });

  test('a limit that costs more than a waiting request may have turns it away at once', async () => {
    await using vendor = await startVendor();
    const tpm = (limit: number) => config(vendor, { keys: { good: 60 }, more: { providers: [limited(limit)] } });
    const limited = (limit: number) => {
      return provider(vendor.url, [{ name: 'good', key: KEYS.good, quota: 'of-good', limits: { tpm: limit } }]);
    };
    await using sluice = await startSluice(tpm(100_000));
    const fillers = together(4, (index) => sluice.chat(hello(index)));
    await waiting(sluice, 1);
    const large = sluice.chat({ ...hello(9), max_completion_tokens: 50_000 });
    await waiting(sluice, 2);
    await sluice.reload(tpm(10_000));
    expect(errorOf(await large).code).toBe('request_exceeds_limit');
    expect(statuses(await fillers)).toEqual({ 200: 4 });
  });
});

describe('keys', () => {
  test('one that is added serves those who wait at once', async () => {
    await using vendor = await startVendor();
    await using sluice = await startSluice(config(vendor, { keys: { bad: 20 } }));
    const calls = together(6, (index) => sluice.chat(hello(index)));
    await waiting(sluice, 5);
    const before = performance.now();
    await sluice.reload(config(vendor, { keys: { bad: 20, good: UPSTREAM_RPM } }));
    const answers = await calls;
    // With the first key alone it would have taken a quarter of a minute.
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(statuses(answers)).toEqual({ 200: 6 });
    expect(answers.filter(({ headers }) => headers.get('x-sluice-key') === 'good').length).toBeGreaterThanOrEqual(4);
    await atRest(sluice);
  });

  test('one that is removed ends what it has begun, and who waits for it goes elsewhere: nothing is lost', async () => {
    await using vendor = await startVendor(1_000);
    await using sluice = await startSluice(config(vendor, { keys: { bad: 60, good: 60 } }));
    const calls = together(10, (index) => sluice.chat(hello(index)));
    await waiting(sluice, 1);
    expect(sluice.app.openLeases).toBeGreaterThan(0);
    await sluice.reload(config(vendor, { keys: { good: UPSTREAM_RPM } }));
    const answers = await calls;
    expect(statuses(answers)).toEqual({ 200: 10 });
    const after = await sluice.chat(hello(11));
    expect(after.headers.get('x-sluice-key')).toBe('good');
    await atRest(sluice);
    expect((await sluice.queue()).routes.map(({ key }) => key)).toEqual(['good']);
  });

  test('the last one that is removed leaves those who wait with an answer, not with silence', async () => {
    await using vendor = await startVendor();
    await using sluice = await startSluice(config(vendor, { keys: { good: 60 } }));
    const calls = together(6, (index) => sluice.chat(hello(index)));
    await waiting(sluice, 1);
    const off = provider(vendor.url, [{ name: 'good', key: KEYS.good, quota: 'of-good', enabled: false }]);
    await sluice.reload(config(vendor, { keys: { good: 60 }, more: { providers: [off] } }));
    for (const answer of await calls) {
      if (answer.status !== 200) expect(errorOf(answer).code).toBe('no_usable_key');
    }
    await sluice.reload(config(vendor, { keys: { good: UPSTREAM_RPM } }));
    expect((await sluice.chat(hello(9))).status).toBe(200);
  });

  test('one that its vendor refused is tried again, with its new secret', async () => {
    await using vendor = await startVendor();
    const withKey = (key: string) => {
      return { ...config(vendor, { keys: {} }), providers: [provider(vendor.url, [{ name: 'a', key }])] };
    };
    await using sluice = await startSluice(withKey('sk-nobody-knows-this-one'));
    expect(errorOf(await sluice.chat()).code).toBe('no_usable_key');
    await sluice.reload(withKey(KEYS.good));
    expect((await sluice.chat()).status).toBe(200);
  });
});

describe('clients', () => {
  const headers = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
  const clients = (...names: readonly string[]) => ({
    clients: names.map((name) => ({ name, key: `key-of-${name}` })),
  });

  test('come and go; what one has begun is finished', async () => {
    await using vendor = await startVendor(300);
    const withClients = (...names: readonly string[]) => {
      return config(vendor, { keys: { good: UPSTREAM_RPM }, more: clients(...names) });
    };
    await using sluice = await startSluice(withClients('web'));
    expect(errorOf(await sluice.chat({}, headers('key-of-batch'))).code).toBe('invalid_api_key');
    const running = sluice.chat({ stream: true }, headers('key-of-web'));
    await until(() => sluice.app.openLeases > 0);
    await sluice.reload(withClients('batch'));
    expect(errorOf(await sluice.chat({}, headers('key-of-web'))).code).toBe('invalid_api_key');
    expect((await sluice.chat({}, headers('key-of-batch'))).status).toBe(200);
    expect((await running).text).toContain('[DONE]');
    await atRest(sluice);
  });

  test('one that waits is served although it is removed meanwhile', async () => {
    await using vendor = await startVendor();
    await using sluice = await startSluice(config(vendor, { keys: { good: 20 }, more: clients('web', 'batch') }));
    const calls = together(5, (index) => sluice.chat(hello(index), headers('key-of-web')));
    await until(async () => {
      const answer = await sluice.get('/queue', headers('key-of-web').headers);
      return (answer.json as { tickets: unknown[] }).tickets.length === 4;
    });
    await sluice.reload(config(vendor, { keys: { good: UPSTREAM_RPM }, more: clients('batch') }));
    expect(statuses(await calls)).toEqual({ 200: 5 });
  });
});

describe('a configuration with a mistake', () => {
  test('changes nothing, is told on /health without what it is, and is forgotten with the next good one', async () => {
    await using vendor = await startVendor();
    const good = config(vendor, { keys: { good: UPSTREAM_RPM } });
    await using sluice = await startSluice({ ...good, log: { level: 'info', format: 'json', requests: false } });
    const { loaded_at } = await healthOf(sluice);
    sluice.app.refuseReload({ file: 'config.yaml', mistakes: ['config.yaml:3:5 models[0].name: is missing', 'two'] });
    expect(await healthOf(sluice)).toEqual({ loaded_at, problem: expect.stringContaining('2 mistakes') });
    expect(sluice.log.at(-1)).toContain('config.yaml:3:5 models[0].name: is missing');
    expect((await sluice.chat()).status).toBe(200);
    await sluice.reload({ ...good, log: { level: 'info', format: 'json', requests: false } });
    expect((await healthOf(sluice)).problem).toBeNull();
    sluice.app.refuseReload({ file: 'config.yaml', mistakes: ['one'] });
    expect((await healthOf(sluice)).problem).toContain('1 mistake,');
  });
});

describe('the log', () => {
  test('says in one line what changed, and in another what takes a restart', async () => {
    await using vendor = await startVendor();
    const log = { level: 'info', format: 'json', requests: false };
    await using sluice = await startSluice({ ...config(vendor, { keys: { good: 60 } }), log });
    const next = config(vendor, { keys: { good: UPSTREAM_RPM, bad: 60 }, more: { clients: [] } });
    await sluice.reload({ ...next, log, server: { port: 1, debug_headers: false } });
    const [line, warning] = sluice.log.slice(-2).map((each) => JSON.parse(each) as Record<string, unknown>);
    expect(line).toMatchObject({
      level: 'info',
      msg: 'configuration reloaded',
      added: ['key sim/bad', 'quota of-bad'],
      removed: [],
      changed: ['server (debug_headers)', 'quota of-good (models)'],
    });
    expect(warning).toMatchObject({ level: 'warn', what: 'only a restart changes server.port' });
    expect((await sluice.chat()).headers.has('x-sluice-key')).toBe(false);
  });

  test('has another level at once', async () => {
    await using vendor = await startVendor();
    const good = config(vendor, { keys: { good: UPSTREAM_RPM } });
    await using sluice = await startSluice(good);
    await sluice.chat();
    expect(sluice.log).toEqual([]);
    await sluice.reload({ ...good, log: { level: 'info', format: 'json' } });
    await sluice.chat();
    expect(sluice.log.at(-1)).toContain('"msg":"request"');
  });
});

test('paths of providers, and who may call from a page, come and go', async () => {
  await using vendor = await startVendor();
  const raw = (isRaw: boolean) => ({
    ...config(vendor, { keys: {} }),
    providers: [provider(vendor.url, [{ name: 'good', key: KEYS.good }], { raw: isRaw })],
    server: { port: 0, ...(isRaw ? { cors: { origins: ['https://app.example.com'] } } : {}) },
  });
  await using sluice = await startSluice(raw(false));
  const origin = { origin: 'https://app.example.com' };
  const look = async () => {
    const answer = await sluice.get('/sim/v1/models', origin);
    return [answer.status, answer.headers.get('access-control-allow-origin')];
  };
  expect(await look()).toEqual([404, null]);
  await sluice.reload(raw(true));
  expect(await look()).toEqual([200, 'https://app.example.com']);
  await sluice.reload(raw(false));
  expect(await look()).toEqual([404, null]);
});

test('twenty reloads in a row under load lose no request and leave nothing behind', async () => {
  await using vendor = await startVendor();
  const odd = config(vendor, { keys: { bad: UPSTREAM_RPM, good: UPSTREAM_RPM } });
  const even = {
    ...config(vendor, { keys: { good: UPSTREAM_RPM } }),
    server: { port: 0, debug_headers: false },
    defaults: { timeouts: { connect: '4s' } },
  };
  await using sluice = await startSluice(odd);
  await sluice.chat(hello(-1));
  await sluice.reload(even);
  await sluice.reload(odd);
  const size = sluice.app.booksSize;
  const calls: Promise<Answer>[] = [];
  for (let i = 0; i < 20; i += 1) {
    for (let j = 0; j < 4; j += 1) calls.push(sluice.chat({ ...hello(calls.length), stream: j % 2 === 0 }));
    await sluice.reload(i % 2 === 0 ? even : odd);
    await pause(20);
  }
  const answers = await Promise.all(calls);
  expect(statuses(answers)).toEqual({ 200: 80 });
  expect(answers.filter(({ text }, index) => index % 2 === 0 && !text.includes('[DONE]'))).toEqual([]);
  await atRest(sluice);
  await sluice.reload(odd);
  expect(sluice.app.booksSize).toEqual(size);
  expect(sluice.app.heldBodyBytes).toBe(0);
  expect(vendor.simulator.ledger().rateLimited).toBeLessThanOrEqual(FEW_REFUSALS);
});
