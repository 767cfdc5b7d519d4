import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { ClientQuotas } from '../../src/setup/client-quotas.ts';
import { secretsOf } from '../../src/setup/secrets.ts';
import { FakeClock } from '../support/fake-clock.ts';

function load(text: string) {
  const loaded = loadConfig({ text, format: 'yaml', env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
  return loaded.config;
}

const config = load(`
providers:
  - type: openai
    keys: [sk-first-secret, sk-second-secret]
    headers: { X-Team: team-secret }
    proxy: http://user:proxy-secret@proxy.example:8080
  - { name: local, type: openai-compatible, base_url: "http://localhost:9999/v1" }
clients:
  - { name: waits, key: client-key-1, limits: { rpm: 2, tpm: none } }
  - { name: refuses, key: client-key-2, limits: { rpm: 2 }, on_limit: reject }
  - { name: free, key: client-key-3 }
  - { name: urgent, key: client-key-4, priority: high, weight: 3 }
`);

const kept: string[] = [];
const keeper = { adopt: ({ id }: { readonly id: string }) => void kept.push(id), release: () => {} };
const quotas = new ClientQuotas(config.clients, new FakeClock(), keeper);

test('a client with limits of its own has books of its own, as full and as exact as we make them', () => {
  const { quota, rejectsOnLimit } = quotas.termsOf({ name: 'waits' });
  expect(quota?.limits.map(({ name, primary }) => [name, primary.level(0)])).toEqual([['rpm', 2]]);
  expect(quota?.gate.isOpen).toBe(true);
  expect(rejectsOnLimit).toBe(false);
  expect(quotas.termsOf({ name: 'waits' }).quota).toBe(quota);
});

test('one may want to be told at once rather than wait', () => {
  expect(quotas.termsOf({ name: 'refuses' }).rejectsOnLimit).toBe(true);
});

test('one without limits, or without a name here, is free', () => {
  const usual = { priority: 'normal', weight: 1 };
  expect(quotas.termsOf({ name: 'free' })).toEqual({ share: usual, quota: null, rejectsOnLimit: false });
  expect(quotas.termsOf({ name: 'nobody' })).toEqual({ share: usual, quota: null, rejectsOnLimit: false });
});

test('each has the share that its priority and weight give it', () => {
  expect(quotas.termsOf({ name: 'urgent' }).share).toEqual({ priority: 'high', weight: 3 });
});

test('only those that have limits are kept', () => {
  expect(kept).toEqual(['client waits', 'client refuses']);
});

test('all that must not be seen is known: keys, headers and the proxy', () => {
  expect(secretsOf(config)).toEqual([
    'sk-first-secret',
    'sk-second-secret',
    'team-secret',
    'http://user:proxy-secret@proxy.example:8080',
  ]);
});
