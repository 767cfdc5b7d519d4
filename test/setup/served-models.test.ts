import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { providerOf } from '../../src/providers/registry.ts';
import { Books } from '../../src/setup/books.ts';
import { ServedModels } from '../../src/setup/served-models.ts';
import { FakeClock } from '../support/fake-clock.ts';

const anybody = { name: 'anybody' };

function servedModels(text: string): ServedModels {
  const loaded = loadConfig({ text, format: 'yaml', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
  const { config } = loaded;
  const adapterOf = ({ type }: { readonly type: string }) => providerOf(type) as Provider;
  const books = new Books({
    config,
    clock: new FakeClock(),
    random: () => 0,
    factsOf: (provider) => adapterOf(provider).limits,
    keeper: { adopt: () => {}, release: () => {} },
  });
  return new ServedModels({ config, books, adapterOf, createdAt: 0 });
}

test('two configured models on one upstream model share its quota, and keys of one organisation theirs', () => {
  const models = servedModels(`
providers:
  - type: openai
    keys: [{ name: a, key: sk-a, quota: org }, { name: b, key: sk-b, quota: org }, { name: c, key: sk-c }]
quotas: [{ name: org }]
models:
  - { name: fast, targets: [{ provider: openai, model: gpt-4o-mini }] }
  - { name: cheap, targets: [{ provider: openai, model: gpt-4o-mini }] }
`);
  const fast = models.find('fast', anybody).routes.options.map(({ route }) => route.quotas[0]);
  const cheap = models.find('cheap', anybody).routes.options.map(({ route }) => route.quotas[0]);
  expect(fast).toEqual(cheap);
  expect(fast[0]).toBe(cheap[0]);
  expect(fast[0]).toBe(fast[1]);
  expect(fast[0]).not.toBe(fast[2]);
});

test('names that clients make up are taken up to a number, and configured ones always', () => {
  const models = servedModels(`
providers: [{ type: openai-compatible, base_url: "http://127.0.0.1:9/v1", any_model: true }]
models: [{ name: mine, targets: [{ provider: openai-compatible, model: mine }] }]
`);
  for (let i = 1; i < 1_000; i += 1) models.find(`made-up-${i}`, anybody);
  expect(() => models.find('one-too-many', anybody)).toThrow(/no more are taken/);
  expect(models.find('made-up-7', anybody).name).toBe('made-up-7');
  expect(models.find('mine', anybody).name).toBe('mine');
});

test('where a family has a bucket, heads of each of its models speak of that one', () => {
  const models = servedModels(`
providers:
  - type: openai
    keys: [{ name: a, key: sk-a, quota: org }]
quotas: [{ name: org, models: { "gpt-4o*": { rpm: 100 } } }]
models:
  - { name: big, targets: [{ provider: openai, model: gpt-4o }] }
  - { name: small, targets: [{ provider: openai, model: gpt-4o-mini }] }
`);
  const [big] = models.find('big', anybody).routes.options;
  const [small] = models.find('small', anybody).routes.options;
  expect(big?.route.quotas[0]).toBe(small?.route.quotas[0]);
  expect(big?.route.quotas[0]).toMatchObject({ name: 'org gpt-4o*', learns: true });
  expect(big?.route.quotas[1]).not.toBe(small?.route.quotas[1]);
});
