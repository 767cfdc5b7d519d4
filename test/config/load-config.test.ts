import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CAPABILITIES } from '../../src/config/schema-models.ts';
import * as provider from '../../src/providers/provider.ts';
import { configOf, ENV, load, mistakesOf } from './load.ts';

const everything = readFileSync(new URL('accepted/everything.yaml', import.meta.url), 'utf8');
const everythingEnv = {
  KEY_A1: 'sk-one',
  KEY_A2: 'sk-two',
  KEY_B1: 'sk-three',
  WEB_KEY: 'wk-secret',
  ADMIN_KEY: 'ak-secret',
};

describe('a small configuration', () => {
  const config = configOf(`providers:\n  - type: openai\n    keys: ["\${KEY}"]\n`);

  it('has names for everything', () => {
    const [openai] = config.providers;
    expect(openai).toMatchObject({ name: 'openai', type: 'openai', baseUrls: [], limits: {}, proxy: null, ca: null });
    expect(openai?.keys).toMatchObject([{ name: 'key-1', quota: null, limits: {}, models: null, isEnabled: true }]);
    expect(openai?.keys[0]?.key.reveal()).toBe(ENV.KEY);
  });

  it('has the defaults of the reference', () => {
    expect(config.server).toEqual({
      host: '127.0.0.1',
      port: 8080,
      auth: 'clients',
      bodyLimitBytes: 33_554_432,
      bodyMemoryBytes: 536_870_912,
      maxConnections: 10_000,
      timeouts: { headersMs: 15_000, requestMs: 120_000, keepAliveMs: 75_000, writeStallMs: 60_000 },
      drainDelayMs: 0,
      shutdownGraceMs: 45_000,
      streamKeepaliveMs: 20_000,
      earlyHead: null,
      compression: 'off',
      corsOrigins: [],
      hasDebugHeaders: true,
    });
    expect(config.log).toEqual({ level: 'info', format: null, hasRequests: true });
    expect(config.state).toEqual({ file: './sluice-state.json' });
    expect(config.defaults).toEqual({
      queue: { maxSize: 1000, maxWaitMs: 60_000 },
      retry: { attempts: 3, budgetShare: 0.2 },
      timeouts: { connectMs: 5_000, firstByteMs: 120_000, idleMs: 60_000, totalMs: 600_000 },
      classes: 'weighted',
      affinityMs: 3_600_000,
      predictedOutputTokens: 512,
    });
  });
});

describe('the whole shape', () => {
  it('is understood', () => {
    const config = configOf(everything, { env: everythingEnv });
    expect(config.clients[0]).toEqual({
      name: 'web',
      keySha256: '9a2656cb5238428ee3385598a9e7052a495259fea00fbaf02fecaa4243560f7d',
      priority: 'high',
      weight: 3,
      limits: { rpm: { limit: 60 }, tpm: { limit: 100_000 }, concurrency: { limit: 8 } },
      onLimit: 'wait',
      models: ['gpt-4o', 'claude-*'],
      budget: { usd: 200, per: 'month' },
    });
    expect(config.quotas).toEqual([
      {
        name: 'org-a',
        limits: { tpd: { limit: 50_000_000 } },
        models: [{ pattern: 'gpt-4o-20*', limits: { rpm: { limit: 10_000 }, tpm: { limit: 2_000_000 } } }],
      },
    ]);
    expect(config.providers[0]?.keys.map(({ name, quota, models }) => ({ name, quota, models }))).toEqual([
      { name: 'a1', quota: 'org-a', models: null },
      { name: 'a2', quota: 'org-a', models: ['gpt-*'] },
      { name: 'b1', quota: null, models: null },
    ]);
    expect(config.models[0]).toEqual({
      name: 'gpt-4o',
      aliases: ['gpt-4o-latest'],
      strategy: 'headroom',
      affinityMs: 1_800_000,
      queue: { maxSize: 100, maxWaitMs: 30_000 },
      fallbacks: ['claude'],
      contextFallbacks: ['gemini-long'],
      targets: [
        {
          provider: 'openai',
          model: 'gpt-4o-2024-11-20',
          baseModel: 'gpt-4o',
          contextLengthTokens: 128_000,
          maxOutputTokens: 16_000,
          weight: 1,
          after: 0,
          limits: { tpm: { limit: 30_000 } },
          supports: ['tools', 'vision', 'json_schema'],
          params: { temperature: 0.7 },
          force: { store: false },
          drop: ['logit_bias'],
          price: { input: 2.5, cachedInput: 1.25, output: 10 },
        },
      ],
    });
    expect(config.models[1]?.targets[0]?.model).toBe('claude');
    expect(config.defaultModel).toBe('gpt-4o');
  });

  it('says the same in JSON', () => {
    const text = `{ "providers": [{ "type": "groq", "keys": ["\${KEY}"], "limits": { "rpm": "1k" } }] }`;
    expect(configOf(text, { format: 'json' }).providers[0]).toMatchObject({
      name: 'groq',
      limits: { rpm: { limit: 1000 } },
    });
  });

  it('shows no secret when it is printed', () => {
    const config = configOf(everything, { env: everythingEnv });
    const printed = inspect(config, { depth: 20, showHidden: true }) + JSON.stringify(config);
    for (const secret of Object.values(everythingEnv)) expect(printed).not.toContain(secret);
  });

  it('is nothing for an empty file, and warns that nothing will work', () => {
    const loaded = load('');
    expect(loaded).toMatchObject({ ok: true, config: { providers: [], models: [], clients: [] } });
    expect(loaded.ok && loaded.warnings).toEqual(['no providers are configured: every request will be refused']);
  });

  it('may have sections with nothing in them', () => {
    expect(configOf('server:\n  # port: 1\nmodels:\n').server.port).toBe(8080);
  });
});

describe('keys', () => {
  const keysOf = (keys: string, env: Record<string, string> = {}) =>
    configOf(`providers:\n  - type: openai\n    keys: ${keys}\n`, { env }).providers[0]?.keys.map(
      ({ name, key }) => `${name}=${key.reveal()}`,
    );

  it('may come several in one variable', () => {
    expect(keysOf(`["\${KEYS}", c]`, { KEYS: 'a, b ,' })).toEqual(['key-1=a', 'key-2=b', 'key-3=c']);
    expect(keysOf(`"\${KEYS}"`, { KEYS: 'a,b' })).toEqual(['key-1=a', 'key-2=b']);
  });

  it('keep a comma where they are spelled out', () => {
    expect(keysOf('[{ key: "a,b" }]')).toEqual(['key-1=a,b']);
  });

  it('get names that no other key has', () => {
    expect(keysOf('[{ name: key-2, key: a }, b, c]')).toEqual(['key-2=a', 'key-3=b', 'key-4=c']);
  });

  it('may be absent, which means a server without credentials', () => {
    expect(configOf('providers: [{ type: ollama }]').providers[0]?.keys).toEqual([]);
  });

  it('of clients are kept as hashes only, in either notation', () => {
    const hash = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae';
    const { clients } = configOf(`clients: [{ name: a, key: foo }]`);
    expect(clients[0]?.keySha256).toBe(hash);
    const hashed = configOf(`clients: [{ name: a, key: "sha256:${hash.toUpperCase()}" }]`);
    expect(hashed.clients[0]?.keySha256).toBe(hash);
  });
});

describe('values', () => {
  it('may come from the environment wherever they stand', () => {
    const text = `server: { port: "\${PORT}", debug_headers: "\${SHOWN}", max_connections: "1_000" }`;
    const { server } = configOf(text, { env: { PORT: '9000', SHOWN: 'false' } });
    expect(server).toMatchObject({ port: 9000, hasDebugHeaders: false, maxConnections: 1000 });
  });

  it('of affinity hold for all models that do not say, but those that are ordered by hand', () => {
    const text = (general: string) => `
providers: [{ type: openai }]
defaults: { affinity: ${general} }
models:
  - { name: a, targets: [{ provider: openai }] }
  - { name: b, affinity: off, targets: [{ provider: openai }] }
  - { name: c, strategy: failover, targets: [{ provider: openai }] }
  - { name: d, strategy: failover, affinity: 5m, targets: [{ provider: openai }] }
`;
    const kept = (general: string) => configOf(text(general)).models.map(({ affinityMs }) => affinityMs);
    expect(kept('10m')).toEqual([600_000, null, null, 300_000]);
    expect(kept('off')).toEqual([null, null, null, 300_000]);
  });

  it('of an early head say how and when, in one word or in two', () => {
    const early = (written: string) => configOf(`server: { early_head: ${written} }`).server.earlyHead;
    expect(early('{ mode: interim }')).toEqual({ mode: 'interim', afterMs: 15_000 });
    expect(early('{ after: 2s }')).toEqual({ mode: 'whitespace', afterMs: 2000 });
    expect(early('off')).toBeNull();
  });

  it('may be off, none or down', () => {
    const config = configOf(`
server: { stream_keepalive: off, early_head: 5s, cors: { origins: ["*"] } }
state: { file: none }
providers: [{ type: openai, keys: [a], limits: { rpm: none } }, { type: groq, keys: [b] }]
models: [{ name: m, targets: [{ provider: openai }, { provider: groq, after: down }] }]
`);
    expect(config.server).toMatchObject({
      streamKeepaliveMs: null,
      earlyHead: { mode: 'whitespace', afterMs: 5000 },
      corsOrigins: ['*'],
    });
    expect(config.state.file).toBeNull();
    expect(config.providers[0]?.limits).toEqual({ rpm: 'none' });
    expect(config.models[0]?.targets[1]?.after).toBe('down');
  });

  it('of a limit keep what was said, and resets mean fixed windows', () => {
    const [openai] = configOf(`
providers:
  - type: openai
    keys: [a]
    limits:
      rpm: { limit: 500, algorithm: sliding-window, burst: 10%, slice: 10s }
      rpd: { limit: 200, resets: "00:00 America/Los_Angeles" }
`).providers;
    expect(openai?.limits).toEqual({
      rpm: { limit: 500, algorithm: 'sliding-window', burst: 0.1, sliceMs: 10_000 },
      rpd: {
        limit: 200,
        algorithm: 'fixed-window',
        resets: { minuteOfDay: 0, timeZone: 'America/Los_Angeles' },
      },
    });
  });

  it('of a provider are made ready to use', () => {
    const [local] = configOf(
      `
providers:
  - type: openai-compatible
    name: local
    base_urls: ["http://127.0.0.1:8000/v1/", "http://127.0.0.1:8001/v1"]
    headers: { X-Team: blue }
    forward_headers: [X-Trace]
    timeouts: { idle: 5s }
    proxy: http://user:password@proxy:3128
    ca_file: /etc/ca.pem
`,
      { files: { '/etc/ca.pem': 'PEM' } },
    ).providers;
    expect(local).toMatchObject({ baseUrls: ['http://127.0.0.1:8000/v1', 'http://127.0.0.1:8001/v1'], ca: 'PEM' });
    expect(local?.headers.get('X-Team')?.reveal()).toBe('blue');
    expect(local?.forwardHeaders).toEqual(['x-trace']);
    expect(local?.timeouts).toEqual({ connectMs: 5_000, firstByteMs: 120_000, idleMs: 5_000, totalMs: 600_000 });
    expect(local?.proxy?.reveal()).toBe('http://user:password@proxy:3128');
  });

  it('of flags stand over the file, and the default host under it', () => {
    const overrides = { host: '127.0.0.2', port: 1, logLevel: 'trace' } as const;
    expect(configOf('server: { host: 127.0.0.1, port: 2 }', { overrides })).toMatchObject({
      server: { host: '127.0.0.2', port: 1 },
      log: { level: 'trace' },
    });
    const under = { defaultHost: '127.0.0.9' };
    expect(configOf('', { overrides: under }).server.host).toBe('127.0.0.9');
    expect(configOf('server: { host: 127.0.0.1 }', { overrides: under }).server.host).toBe('127.0.0.1');
  });

  it('of a price without a cached one take the full price', () => {
    const { models } = configOf(`
providers: [{ type: openai, keys: [a] }]
models: [{ name: m, targets: [{ provider: openai, price: { input: 1, output: 2 } }] }]
`);
    expect(models[0]?.targets[0]?.price).toEqual({ input: 1, cachedInput: 1, output: 2 });
  });

  it('cannot reach the prototype of anything', () => {
    expect(mistakesOf('__proto__: { server: { port: 1 } }')).toEqual([
      expect.stringContaining('unknown key "__proto__"'),
    ]);
    const text = 'quotas: [{ name: a, models: { __proto__: { rpm: 1 } } }]';
    expect(load(text).ok).toBe(true);
    expect(Object.hasOwn(Object.prototype, 'rpm')).toBe(false);
  });
});

describe('access', () => {
  it.each(['127.0.0.1', 'localhost', '::1', '127.8.8.8'])('needs no clients on %s', (host) => {
    expect(mistakesOf(`server: { host: "${host}" }`)).toEqual([]);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.com'])('needs clients or `none` on %s', (host) => {
    expect(mistakesOf(`server: { host: "${host}" }`)).toHaveLength(1);
    expect(mistakesOf(`server: { host: "${host}", auth: none }`)).toEqual([]);
    expect(mistakesOf(`server: { host: "${host}" }\nclients: [{ name: a, key: b }]`)).toEqual([]);
  });
});

describe('warnings', () => {
  const warningsOf = (text: string, env: Record<string, string> = ENV) => {
    const loaded = load(text, { env });
    return loaded.ok ? loaded.warnings : [];
  };

  it('name in one line all that is not yet in force', () => {
    const warnings = warningsOf(everything, everythingEnv).filter((text) => text.includes('not yet in force'));
    expect(warnings).toHaveLength(1);
    for (const path of ['redis', 'metrics']) {
      expect(warnings[0]).toContain(path);
    }
    expect(warnings[0]).not.toContain('early_head');
  });

  it('pass over what says nothing', () => {
    const text = `
providers: [{ type: openai, keys: [a], raw: false }]
models:
  - { name: a, strategy: lowest-latency, fallbacks: [], targets: [{ provider: openai, model: a }] }
  - { name: b, strategy: headroom, targets: [{ provider: openai, model: b }] }
metrics: false
`;
    expect(warningsOf(text)).toEqual([]);
  });

  it('tell of plain http to another machine', () => {
    const text = (url: string) => `providers: [{ type: vllm, base_url: "${url}" }]`;
    expect(warningsOf(text('http://10.0.0.1/v1'))).toEqual([expect.stringContaining('plain http')]);
    for (const url of ['http://localhost:1/v1', 'http://[::1]:1/v1', 'https://10.0.0.1/v1']) {
      expect(warningsOf(text(url))).toEqual([]);
    }
  });

  it('tell of what is there and never used', () => {
    const text = `
quotas: [{ name: org }]
providers: [{ type: openai, keys: [{ key: a, enabled: false }] }]
`;
    expect(warningsOf(text)).toEqual(['no key draws on quota org', 'every key of provider openai is switched off']);
  });

  describe('tell of names and patterns that fit no model', () => {
    const text = (more = '') => `
quotas: [{ name: org, models: { "gpt-4o*": { rpm: 1 }, "gpt4o*": { rpm: 1 } } }]
providers:
  - { type: openai, keys: [{ key: a, quota: org, models: [gpt-4o, gtp-4o] }]${more} }
models: [{ name: chat, aliases: [talk], targets: [{ provider: openai, model: gpt-4o }] }]
clients: [{ name: web, key: a, models: [chat, talk, "t*", gpt-4o, openai/gpt-4o, chatt] }]
`;

    it('where all models are known', () => {
      expect(warningsOf(text())).toEqual([
        'client web may use chatt, but there is no such model',
        'key openai/key-1 is for gtp-4o, but there is no such model',
        'quota org limits gpt4o*, but there is no such model',
      ]);
    });

    it('and not where others may be asked for', () => {
      expect(warningsOf(text(', any_model: true'))).toEqual([]);
      expect(warningsOf(text().replace(/^models.*$/m, ''))).toEqual([]);
    });
  });
});

it('the capabilities of the schema are those of the providers', () => {
  expect(CAPABILITIES).toEqual(provider.CAPABILITIES);
});
