import { describe, expect, it } from 'vitest';
import { banner } from '../../src/cli/banner.ts';
import { configOf } from '../config/load.ts';

function bannerOf(text: string, facts: Partial<Parameters<typeof banner>[0]> = {}): string[] {
  const config = configOf(text);
  const url = 'http://127.0.0.1:8080';
  return banner({ version: '1.2.3', url, config, origin: { file: 'config.yaml' }, warnings: [], ...facts }).split('\n');
}

describe('the banner', () => {
  it('says what a start amounts to', () => {
    const lines = bannerOf(
      `
clients: [{ name: web, key: a }, { name: batch, key: b }]
quotas: [{ name: org, limits: { tpd: 3M } }]
providers:
  - type: openai
    keys: [{ key: a, quota: org }, { name: own, key: b }]
    limits: { rpm: 500, tpm: 200k }
models:
  - { name: gpt-4o, aliases: [big], queue: { max_wait: 30s }, targets: [{ provider: openai }] }
`,
      { warnings: ['something is odd'] },
    );
    expect(lines).toEqual([
      'Configuration from config.yaml, watched: changes apply while requests run',
      'Sluice 1.2.3 listens on http://127.0.0.1:8080',
      '  models   gpt-4o = big',
      '  quota    org gpt-4o: rpm 500, tpm 200,000; about 66 requests of 1512 tokens fit its max_wait of 30 s',
      '  quota    org: tpd 3,000,000; about 1,984 requests of 1512 tokens fit its max_wait of 30 s',
      '  quota    openai/own gpt-4o: rpm 500, tpm 200,000; about 66 requests of 1512 tokens fit its max_wait of 30 s',
      '  clients  web, batch, by key',
      '  warning  something is odd',
      'Try it:',
      `  curl http://127.0.0.1:8080/v1/chat/completions -H 'content-type: application/json' -H 'authorization: Bearer YOUR_CLIENT_KEY' -d '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}'`,
      '',
    ]);
  });

  it('says of clients what they have of turns and money, where it is not the usual', () => {
    const lines = bannerOf(`
clients:
  - { name: web, key: a, priority: high, weight: 3 }
  - { name: batch, key: b, priority: low, budget: { usd: 200, per: month } }
  - { name: trial, key: c, budget: { usd: 0.5, per: total } }
  - { name: tool, key: e, limits: { rpm: 60, tpm: 100k } }
  - { name: other, key: d }
providers: [{ type: openai, keys: [a] }]
models: [{ name: m, targets: [{ provider: openai, price: { input: 1, output: 1 } }] }]
`);
    expect(lines).toContain(
      '  clients  web (high, weight 3), batch (low, $200.00 a month), trial ($0.50 in all), tool (rpm 60, tpm 100,000), other, by key',
    );
  });

  it('names the variables that gave keys, and learns the rest', () => {
    const lines = bannerOf('providers: [{ type: openai, keys: [a] }]', {
      origin: { variables: ['OPENAI_API_KEY'] },
    });
    expect(lines[0]).toBe('Keys taken from the environment: OPENAI_API_KEY');
    expect(lines).toContain('  models   every model of openai');
    expect(lines).toContain('  quota    openai/key-1 *: limits are learned from answers');
    expect(lines).toContain('  clients  none configured: whoever is on this machine may call');
    expect(lines.at(-2)).toContain('"model":"gpt-4o-mini"');
  });

  it('says that everybody may call where that was asked for, and prints an address that can be reached', () => {
    const local = 'providers: [{ type: ollama }]';
    const lines = bannerOf(`server: { host: 0.0.0.0, auth: none }\n${local}`, { url: 'http://0.0.0.0:8080' });
    expect(lines[1]).toBe('Sluice 1.2.3 listens on http://0.0.0.0:8080, at every address of this machine');
    expect(lines).toContain('  clients  none configured: everybody who reaches this address may call');
    expect(lines.at(-2)).toContain('curl http://127.0.0.1:8080/');
    expect(lines.at(-2)).toContain('"model":"MODEL"');
    expect(bannerOf(local, { url: 'http://[::]:1' }).at(-2)).toContain('curl http://[::1]:1/');
  });

  it('prints no request that could only be refused', () => {
    const lines = bannerOf('server: { port: 1 }');
    expect(lines).toContain('  models   none');
    expect(lines.join('\n')).not.toContain('curl');
  });

  it("tells a model's limits once where a line of the quota gives them", () => {
    const lines = bannerOf(`
quotas: [{ name: org, models: { "gpt-4o*": { rpm: 60 } } }]
providers: [{ type: openai, keys: [{ key: a, quota: org }] }]
models: [{ name: gpt-4o, targets: [{ provider: openai }] }]
`);
    expect(lines.filter((line) => line.includes('quota'))).toEqual([
      '  quota    org gpt-4o*: rpm 60; about 60 requests of 1512 tokens fit its max_wait of 60 s',
    ]);
  });

  it('counts by the limit that binds', () => {
    const counted = (limits: string) =>
      bannerOf(`providers: [{ type: openai, keys: [a], limits: ${limits} }]`).find((line) => line.includes('quota'));
    expect(counted('{ itpm: 2k }')).toContain('about 2 requests');
    expect(counted('{ otpm: 1024 }')).toContain('about 2 requests');
    expect(counted('{ rpm: 1 }')).toMatch(/about 1 request of 1512 tokens fits its max_wait of 60 s$/);
    expect(counted('{ tpm: 1500 }')).toMatch(/; less than 1 request of 1512 tokens fits its max_wait of 60 s$/);
    expect(counted('{ rpm: 10, rpd: 7 }')).toContain('about 7 requests');
    expect(counted('{ concurrency: 4 }')).toBe('  quota    openai/key-1 *: concurrency 4');
  });

  it('stays short with a hundred keys', () => {
    const keys = Array.from({ length: 100 }, (_, index) => `key-${index}`);
    const lines = bannerOf(`providers: [{ type: openai, keys: [${keys.join(', ')}] }]`);
    expect(lines).toContain('  quota    and 88 more');
    expect(lines.length).toBeLessThan(24);
    const models = keys.map((name) => `{ name: ${name}, targets: [{ provider: openai }] }`);
    const many = bannerOf(`providers: [{ type: openai, keys: [a] }]\nmodels: [${models.join(', ')}]`);
    expect(many.find((line) => line.includes('models'))).toMatch(/key-11 and 88 more$/);
  });
});
