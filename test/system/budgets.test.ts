import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nanoUsdFor, type Price, toNanoUsd, toUsd } from '../../src/money.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import {
  type Answer,
  errorOf,
  KEYS,
  pause,
  provider,
  type Sluice,
  startSimulator,
  startSluice,
  together,
} from './world.ts';

const CLIENTS = { web: 'sk-client-with-budget-1', free: 'sk-client-without-2' };
const AS_WEB = { authorization: `Bearer ${CLIENTS.web}` };
const PRICE: Price = { input: 2.5, cachedInput: 1.25, output: 10 };
const CAP = 40;
/** What `Hello` and `CAP` tokens of output come to at most, generously. */
const ONE_REQUEST_USD = toUsd(nanoUsdFor({ inputTokens: 20, cachedInputTokens: 0, outputTokens: CAP }, PRICE));

async function startVendor(answer: SimulatorOptions['answer'] = {}) {
  const organizations = [{ keys: [{ name: 'good', key: KEYS.good }] }];
  return await startSimulator({ organizations, answer: { outputTokens: CAP, ...answer } });
}

function budgeted(url: string, usd: number, more: object = {}): Promise<Sluice> {
  return startSluice({
    log: { level: 'info', format: 'json' },
    providers: [provider(url, [{ name: 'good', key: KEYS.good }], { raw: true })],
    models: [{ name: 'gpt-4o', targets: [{ provider: 'sim', price: { input: 2.5, cached_input: 1.25, output: 10 } }] }],
    clients: [
      { name: 'web', key: CLIENTS.web, budget: { usd, per: 'month' } },
      { name: 'free', key: CLIENTS.free },
    ],
    ...more,
  });
}

async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-budget-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'state.json');
}

function chat(sluice: Sluice, fields: object = {}, signal?: AbortSignal): Promise<Answer> {
  const body = { max_tokens: CAP, ...fields };
  return sluice.chat(body, { headers: AS_WEB, ...(signal ? { signal } : {}) });
}

async function budgetOf(sluice: Sluice): Promise<{ readonly spentUsd: number; readonly reservedUsd: number }> {
  const { budget } = (await sluice.get('/queue', AS_WEB)).json as { budget: { spentUsd: number; reservedUsd: number } };
  return budget;
}

/** What the vendor's own count of an answer costs. */
function costOf({ json }: Answer): number {
  const { usage } = json as { readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number } };
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage;
  return toUsd(nanoUsdFor({ inputTokens, cachedInputTokens: 0, outputTokens }, PRICE));
}

function sum(amounts: readonly number[]): number {
  return toUsd(amounts.reduce((total, amount) => total + toNanoUsd(amount), 0));
}

describe('a budget of a cent', () => {
  test('is spent to within one request, and then says so and when it begins anew', async () => {
    await using vendor = await startVendor();
    await using sluice = await budgeted(vendor.url, 0.01);
    const answers: Answer[] = [];
    while (answers.length < 100 && (answers.at(-1)?.status ?? 200) === 200) answers.push(await chat(sluice));
    const served = answers.filter(({ status }) => status === 200);
    const refused = answers.at(-1) as Answer;

    expect(served.length).toBeGreaterThan(10);
    const spent = sum(served.map(costOf));
    expect(spent).toBeLessThanOrEqual(0.01);
    expect(0.01 - spent).toBeLessThan(ONE_REQUEST_USD);
    expect(await budgetOf(sluice)).toMatchObject({ spentUsd: expect.closeTo(spent, 9), reservedUsd: 0 });

    expect(refused.status).toBe(429);
    expect(refused.headers.get('x-should-retry')).toBe('false');
    expect(errorOf(refused)).toMatchObject({ type: 'rate_limit_error', code: 'client_budget_exceeded' });
    expect(errorOf(refused).message).toMatch(
      /of your budget of \$0\.010 a month.*will reset at \d{4}-\d\d-01T00:00:00/,
    );
    expect(vendor.simulator.ledger().admitted).toBe(served.length);

    const logged = sluice.log.map((line) => JSON.parse(line) as { msg: string; cost_usd: number | null });
    const costs = logged.filter(({ msg }) => msg === 'request').map(({ cost_usd }) => cost_usd);
    expect(sum(costs.map((cost) => cost ?? 0))).toBeCloseTo(spent, 9);
    expect(costs.at(-1)).toBeNull();
  });

  test('is not passed by a hundred at once, and the others are served as ever', async () => {
    await using vendor = await startVendor({ firstByteMs: 50 });
    await using sluice = await budgeted(vendor.url, 0.01);
    const free = { headers: { authorization: `Bearer ${CLIENTS.free}` } };
    const [answers, other] = await Promise.all([
      together(100, () => chat(sluice)),
      sluice.chat({ max_tokens: CAP }, free),
    ]);
    const spent = sum(answers.filter(({ status }) => status === 200).map(costOf));
    expect(spent).toBeLessThanOrEqual(0.01);
    expect(spent).toBeGreaterThan(0.01 / 2);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map((answer) => errorOf(answer).code))).toEqual(new Set(['client_budget_exceeded']));
    expect(await budgetOf(sluice)).toMatchObject({ spentUsd: expect.closeTo(spent, 9), reservedUsd: 0 });
    expect(other.status).toBe(200);
    expect((await sluice.get('/queue', free.headers)).json).toMatchObject({ budget: null });
  });
});

describe('what was spent', () => {
  test('is known to the next process', async () => {
    await using vendor = await startVendor();
    const state = { file: await temporaryFile() };
    const before = await budgeted(vendor.url, 0.01, { state });
    const answers = await together(5, () => chat(before));
    const spent = sum(answers.map(costOf));
    await before.app.close();
    await using after = await budgeted(vendor.url, 0.01, { state });
    expect(await budgetOf(after)).toMatchObject({ spentUsd: expect.closeTo(spent, 9), reservedUsd: 0 });
  });

  test('and what was reserved is known after a crash', async () => {
    await using vendor = await startVendor({ firstByteMs: 1_000 });
    const file = await temporaryFile();
    await using before = await budgeted(vendor.url, 0.01, { state: { file } });
    const answers = together(5, () => chat(before));
    // Those that wait for the first answer have reserved like those that are under way.
    await expect.poll(async () => (await budgetOf(before)).reservedUsd).toBeGreaterThan(5 * (ONE_REQUEST_USD / 2));
    // What would be found by whoever comes after a process that is killed now, and written within moments.
    const found = await temporaryFile();
    const spentIn = async (path: string): Promise<number> => {
      await copyFile(path, found);
      await using after = await budgeted(vendor.url, 0.01, { state: { file: found } });
      return (await budgetOf(after)).spentUsd;
    };
    await expect.poll(() => spentIn(file)).toBeGreaterThanOrEqual(5 * (ONE_REQUEST_USD / 2));
    const real = sum((await answers).map(costOf));
    expect(await spentIn(file)).toBeGreaterThanOrEqual(real);
  });
});

describe('nothing stays reserved', () => {
  test('of clients that leave at any moment', async () => {
    await using vendor = await startVendor({ firstByteMs: 30, tokensPerSecond: 400 });
    await using sluice = await budgeted(vendor.url, 1);
    // Until the first answer only one at a time is sent.
    const { spentUsd: atFirst } = await chat(sluice).then(() => budgetOf(sluice));
    await together(40, async (index) => {
      const leaving = new AbortController();
      const answer = chat(sluice, { stream: index % 2 === 0 }, leaving.signal).catch(() => null);
      await pause(index * 4);
      leaving.abort();
      await answer;
    });
    await expect.poll(() => sluice.app.openLeases).toBe(0);
    await expect.poll(async () => (await budgetOf(sluice)).reservedUsd).toBe(0);
    expect((await budgetOf(sluice)).spentUsd).toBeGreaterThan(atFirst);
    expect((await budgetOf(sluice)).spentUsd).toBeLessThanOrEqual(41 * ONE_REQUEST_USD);
  });

  test('of an upstream that fails in every way', async () => {
    const kinds = ['500', 'hang', 'stall', 'error_in_200', 'reset_within_body', 'cut_json'] as const;
    const faults = kinds.map((kind) => ({ kind, rate: 0.1 }));
    const organizations = [{ keys: [{ name: 'good', key: KEYS.good }] }];
    await using vendor = await startSimulator({ organizations, faults, answer: { outputTokens: CAP } }, Math.random);
    const timeouts = { first_byte: '300ms', idle: '300ms' };
    await using sluice = await budgeted(vendor.url, 1, { defaults: { timeouts, queue: { max_wait: '2s' } } });
    await together(60, (index) =>
      chat(sluice, { stream: index % 2 === 0, messages: [{ role: 'user', content: `${index}` }] }),
    );
    await expect.poll(() => sluice.app.openLeases).toBe(0);
    expect((await budgetOf(sluice)).reservedUsd).toBe(0);
  });
});

test('a raw path has no price, so a budget cannot pay for it', async () => {
  await using vendor = await startVendor();
  await using sluice = await budgeted(vendor.url, 1);
  const answer = await sluice.get('/sim/v1/files', AS_WEB);
  expect(answer.status).toBe(403);
  expect(errorOf(answer)).toMatchObject({ type: 'permission_error', code: 'model_not_allowed' });
  expect(errorOf(answer).message).toContain('budget');
  expect(vendor.simulator.ledger().received).toBe(0);
});
