import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LimitedRoute, LimitScopes, routesOf, type VendorLimits } from '../../src/config/limit-scopes.ts';
import { matchesModel } from '../../src/config/model-pattern.ts';
import { configOf, mistakesOf } from './load.ts';

/** The buckets of every route to an upstream model, as `key: bucket {limits}`. */
function bucketsOf(text: string, model: string, vendorLimits?: VendorLimits) {
  const config = configOf(text);
  const scopes = new LimitScopes(config, vendorLimits);
  const show = (route: LimitedRoute) =>
    scopes.groupsOf(route).map(({ scopeId, name, limits }) => {
      const said = Object.entries(limits).map(([limitName, { limit }]) => `${limitName} ${limit}`);
      return { scopeId, text: `${name}: ${said.join(', ') || 'learned'}` };
    });
  return config.providers.flatMap((provider) => routesOf(provider, model)).map(show);
}

const texts = (buckets: ReturnType<typeof bucketsOf>) => buckets.map((groups) => groups.map(({ text }) => text));

describe('whose limits they are', () => {
  it('a key that names no quota is a quota of its own', () => {
    const buckets = bucketsOf('providers: [{ type: openai, keys: [a, b], limits: { rpm: 5 } }]', 'm');
    expect(texts(buckets)).toEqual([['openai/key-1 m: rpm 5'], ['openai/key-2 m: rpm 5']]);
    expect(new Set(buckets.flat().map(({ scopeId }) => scopeId)).size).toBe(2);
  });

  it('a server without keys is one too, and so is each of several servers', () => {
    expect(texts(bucketsOf('providers: [{ type: ollama }]', 'm'))).toEqual([['ollama m: learned']]);
    const servers = 'providers: [{ type: vllm, base_urls: ["http://127.0.0.1:1", "http://127.0.0.1:2"] }]';
    expect(texts(bucketsOf(servers, 'm'))).toEqual([['vllm/1 m: learned'], ['vllm/2 m: learned']]);
  });

  it('two keys of one quota share every bucket but their own', () => {
    const buckets = bucketsOf(
      `
quotas:
  - name: org
    limits: { tpd: 50M }
    models: { "gpt-4o*": { rpm: 10 }, "gpt-4o": { tpm: 9 }, "claude*": { rpm: 1 } }
providers:
  - type: openai
    keys: [{ key: a, quota: org }, { key: b, quota: org, limits: { rpm: 3 } }]
    limits: { rpm: 500 }
`,
      'gpt-4o',
    );
    const shared = ['org gpt-4o: rpm 500', 'org gpt-4o*: rpm 10', 'org gpt-4o: tpm 9', 'org: tpd 50000000'];
    expect(texts(buckets)).toEqual([shared, [...shared, 'openai/key-2: rpm 3']]);
    expect(buckets[0]).toEqual(buckets[1]?.slice(0, 4));
  });

  it('models of a family that the vendor limits together share a bucket, where limits are learned', () => {
    const config = configOf(`
quotas: [{ name: org, models: { "opus-4-7": { rpm: 1 } } }]
providers: [{ type: openai, keys: [{ key: a, quota: org }, b] }]
`);
    const scopes = new LimitScopes(config, undefined, ({ model }) => (model.startsWith('opus') ? 'opus*' : null));
    const [shared, own] = ['opus-4-5', 'opus-4-6', 'opus-4-7', 'haiku'].reduce<string[][][]>((found, model) => {
      const routes = config.providers.flatMap((provider) => routesOf(provider, model));
      return routes.map((route, index) => [
        ...(found[index] ?? []),
        scopes.groupsOf(route).map(({ scopeId }) => scopeId),
      ]);
    }, []);
    expect(shared).toEqual([
      ['model quota:org opus-4-5', 'family quota:org opus*'],
      ['model quota:org opus-4-6', 'family quota:org opus*'],
      // What the file says of a model goes before what is known of its vendor.
      ['model quota:org opus-4-7', 'pattern quota:org opus-4-7'],
      ['model quota:org haiku'],
    ]);
    expect(own?.[2]).toEqual(['model own:openai,key-2 opus-4-7', 'family own:openai,key-2 opus*']);
  });

  it('a target stands over its provider and the provider over the vendor, limit by limit', () => {
    const text = `
providers: [{ type: openai, keys: [a], limits: { rpm: 20, tpm: 200 } }]
models: [{ name: a, targets: [{ provider: openai, model: m, limits: { tpm: 30 } }] }]
`;
    const vendor: VendorLimits = () => ({ rpm: { limit: 1 }, rpd: { limit: 9 } });
    expect(texts(bucketsOf(text, 'm', vendor))).toEqual([['openai/key-1 m: rpm 20, rpd 9, tpm 30']]);
    expect(texts(bucketsOf(text, 'other', vendor))).toEqual([['openai/key-1 other: rpm 20, rpd 9, tpm 200']]);
  });

  it('none removes one limit of a more general place', () => {
    const text = `
providers: [{ type: openai, keys: [a], limits: { rpm: 20, tpm: 200 } }]
models: [{ name: a, targets: [{ provider: openai, model: m, limits: { tpm: none } }] }]
`;
    expect(texts(bucketsOf(text, 'm'))).toEqual([['openai/key-1 m: rpm 20']]);
  });

  it('two configured models on one upstream model share one bucket, whichever states its limit', () => {
    const text = `
providers: [{ type: openai, keys: [a], limits: { tpm: 200 } }]
models:
  - { name: a, targets: [{ provider: openai, model: m }] }
  - { name: b, targets: [{ provider: openai, model: m, limits: { tpm: 30 } }] }
`;
    expect(texts(bucketsOf(text, 'm'))).toEqual([['openai/key-1 m: tpm 30']]);
  });

  it('two providers whose keys draw on one quota share its bucket for a model', () => {
    const text = `
quotas: [{ name: org }]
providers:
  - { name: a, type: openai, keys: [{ key: x, quota: org }], limits: { rpm: 5 } }
  - { name: b, type: openai, keys: [{ key: y, quota: org }], limits: { tpm: 7 } }
  - { name: c, type: openai, keys: [z], limits: { rpd: 1 } }
`;
    expect(texts(bucketsOf(text, 'm'))).toEqual([
      ['org m: rpm 5, tpm 7'],
      ['org m: rpm 5, tpm 7'],
      ['c/key-1 m: rpd 1'],
    ]);
  });

  it('a provider of the quota has no say on a model that cannot be asked of it', () => {
    const text = (anyModel: boolean) => `
quotas: [{ name: org }]
providers:
  - { name: a, type: openai, keys: [{ key: x, quota: org }], limits: { rpm: 5 } }
  - { name: b, type: openai, keys: [{ key: y, quota: org }], limits: { tpm: 7 }, any_model: ${anyModel} }
models: [{ name: m, targets: [{ provider: a }] }]
`;
    expect(texts(bucketsOf(text(false), 'm'))[0]).toEqual(['org m: rpm 5']);
    expect(texts(bucketsOf(text(true), 'm'))[0]).toEqual(['org m: rpm 5, tpm 7']);
  });

  it('a key serves the upstream models that it names only', () => {
    const text = 'providers: [{ type: openai, keys: [{ key: a, models: ["gpt-*"] }, b] }]';
    expect(texts(bucketsOf(text, 'gpt-4o'))).toHaveLength(2);
    expect(texts(bucketsOf(text, 'o3'))).toEqual([['openai/key-2 o3: learned']]);
  });

  it('equal names in different places are different buckets', () => {
    const text = `
quotas: [{ name: "openai/key-1", limits: { rpm: 1 } }]
providers:
  - { type: openai, keys: [{ name: key-1, key: a }, { name: k2, key: b, quota: "openai/key-1" }] }
`;
    const ids = bucketsOf(text, 'm').map(([first]) => first?.scopeId);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('contradictions', () => {
  const targets = (first: string, second: string) => `
providers: [{ type: openai, keys: [a, b] }]
models:
  - { name: a, targets: [{ provider: openai, model: m, limits: ${first} }] }
  - { name: b, targets: [{ provider: openai, model: m, limits: ${second} }] }
`;

  it('are two numbers for one bucket, told once however many keys there are', () => {
    expect(mistakesOf(targets('{ tpm: 30 }', '{ tpm: 50 }'))).toHaveLength(1);
    expect(mistakesOf(targets('{ tpm: 30 }', '{ tpm: none }'))).toHaveLength(1);
  });

  it('are not the same number twice, nor numbers for different limits', () => {
    expect(mistakesOf(targets('{ tpm: 30k }', '{ tpm: 30_000 }'))).toEqual([]);
    expect(mistakesOf(targets('{ tpm: 30 }', '{ rpm: 30 }'))).toEqual([]);
  });
});

describe('a model pattern', () => {
  it.each([
    ['gpt-4o', 'gpt-4o', true],
    ['gpt-4o', 'gpt-4o-mini', false],
    ['gpt-*', 'gpt-', true],
    ['gpt-*', 'GPT-4', false],
    ['*', '', true],
    ['*-mini', 'gpt-4o-mini', true],
    ['g*o*i', 'gpt-4o-mini', true],
    ['g*x*i', 'gpt-4o-mini', false],
    ['ab*ba', 'aba', false],
    ['a*b*b', 'ab', false],
    ['a**b', 'ab', true],
    ['a.c', 'abc', false],
  ])('%s fits %s: %s', (pattern, model, fits) => {
    expect(matchesModel(pattern, model)).toBe(fits);
  });

  it('fits exactly what the like regular expression fits', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const words = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(letters, words, (pattern, word) => {
        expect(matchesModel(pattern, word)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(word));
      }),
    );
  });
});
