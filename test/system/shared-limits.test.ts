import { describe, expect, test } from 'vitest';
import {
  FEW_REFUSALS,
  KEYS,
  MOST,
  pause,
  provider,
  type Sluice,
  startSimulator,
  startSluice,
  together,
} from './world.ts';

/** Ten requests a second, and a bucket that is soon empty. */
const VENDOR_LIMIT = { rpm: { limit: 600, capacity: 30 } };
const OWN_LIMIT = { rpm: { limit: 600, burst: 0.05 } };
const LOAD_MS = 5_000;

/** Three times the limit, in turns to each of the models. */
async function load(sluice: Sluice, models: readonly string[]): Promise<void> {
  const calls: Promise<unknown>[] = [];
  for (const end = performance.now() + LOAD_MS; performance.now() < end; await pause(100 / 3)) {
    const model = models[calls.length % models.length];
    calls.push(sluice.chat({ model, messages: [{ role: 'user', content: `Hello ${calls.length}` }] }));
  }
  await Promise.all(calls);
}

describe('a limit that several draw on', () => {
  test('two keys of one organization get together what it has', async () => {
    const keys = [
      { name: 'bad', key: KEYS.bad },
      { name: 'good', key: KEYS.good },
    ];
    await using vendor = await startSimulator({ organizations: [{ keys, limits: VENDOR_LIMIT }], models: ['gpt-4o'] });
    await using sluice = await startSluice({
      defaults: { queue: { max_wait: '2s' } },
      quotas: [{ name: 'org-a', models: { 'gpt-4o': OWN_LIMIT } }],
      providers: [
        provider(
          vendor.url,
          keys.map((key) => ({ ...key, quota: 'org-a' })),
        ),
      ],
    });
    await load(sluice, ['gpt-4o']);
    const ledger = vendor.simulator.ledger();
    expect(ledger.rateLimited).toBeLessThanOrEqual(FEW_REFUSALS);
    expect(ledger.limits[0]?.utilisation).toBeGreaterThan(MOST);
    for (const { admitted } of ledger.keys) expect(admitted).toBeGreaterThan(0);
  });

  test('two models on one upstream model share its bucket', async () => {
    const keys = [{ name: 'good', key: KEYS.good }];
    await using vendor = await startSimulator({ organizations: [{ keys, limits: VENDOR_LIMIT }], models: ['gpt-4o'] });
    const targets = [{ provider: 'sim', model: 'gpt-4o' }];
    await using sluice = await startSluice({
      defaults: { queue: { max_wait: '2s' } },
      providers: [provider(vendor.url, keys, { limits: OWN_LIMIT })],
      models: [
        { name: 'fast', targets },
        { name: 'smart', targets },
      ],
    });
    await load(sluice, ['fast', 'smart']);
    const ledger = vendor.simulator.ledger();
    expect(ledger.rateLimited).toBeLessThanOrEqual(FEW_REFUSALS);
    expect(ledger.limits[0]?.utilisation).toBeGreaterThan(MOST);
    const { quotas } = await sluice.queue();
    expect(quotas).toHaveLength(1);
  });
});

test("a configured limit below the vendor's holds, however much the heads of answers say is left", async () => {
  const keys = [{ name: 'good', key: KEYS.good }];
  await using vendor = await startSimulator({ organizations: [{ keys, limits: VENDOR_LIMIT }], models: ['gpt-4o'] });
  const limits = { rpm: { limit: 60, burst: 0.1 } };
  await using sluice = await startSluice({
    defaults: { queue: { max_wait: '2s' } },
    providers: [provider(vendor.url, keys, { limits })],
  });
  const since = performance.now();
  await load(sluice, ['gpt-4o']);
  const admits = 6 + (performance.now() - since) / 1_000;
  const { admitted } = vendor.simulator.ledger();
  expect(admitted).toBeLessThanOrEqual(admits);
  expect(admitted).toBeGreaterThan(6);
});

describe('two hundred at once on a key whose limits nobody has told', () => {
  test.concurrent.each([
    { type: 'openai', headers: 'openai', most: 2 },
    { type: 'openai-compatible', headers: 'none', most: 5 },
  ] as const)('$type: at most $most are refused upstream', async ({ type, headers, most }) => {
    const keys = [{ name: 'good', key: KEYS.good }];
    const limits = { rpm: 3 };
    await using vendor = await startSimulator({ organizations: [{ keys, limits }], models: ['gpt-4o'], headers });
    await using sluice = await startSluice({
      defaults: { queue: { max_wait: '10s' } },
      providers: [provider(vendor.url, keys, { type })],
    });
    const answers = await together(200, (index) =>
      sluice.chat({ messages: [{ role: 'user', content: `Hello ${index}` }] }),
    );
    // One that was refused upstream comes through in the end, or is told when to come back.
    expect(answers.map(({ status }) => status).filter((status) => ![200, 429, 503].includes(status))).toEqual([]);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3);
    expect(vendor.simulator.ledger().rateLimited).toBeLessThanOrEqual(most);
    expect(sluice.app.openLeases).toBe(0);
  });
});
