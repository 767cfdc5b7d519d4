import { describe, expect, it } from 'vitest';
import { matchesModel } from '../../src/config/model-pattern.ts';
import type { ProxyError } from '../../src/errors.ts';
import { type CatalogInput, type CatalogTarget, ModelCatalog } from '../../src/proxy/model-catalog.ts';

const PROVIDER = { takesAnyModel: false, keyModels: null, ownModels: [] };
const ANYONE = () => true;

function allowed(...patterns: string[]) {
  return (name: string) => patterns.some((pattern) => matchesModel(pattern, name));
}

function catalog(input: Partial<CatalogInput<CatalogTarget>>): ModelCatalog<CatalogTarget> {
  return new ModelCatalog({
    models: [],
    providers: [],
    defaultModel: null,
    createdAt: 1_700_000_000,
    matches: matchesModel,
    passOn: (provider, model) => ({ provider, model }),
    ...input,
  });
}

function errorOf(run: () => unknown): [string, string | undefined] {
  try {
    run();
  } catch (error) {
    const { code, details } = error as ProxyError;
    return [code, details.param];
  }
  throw new Error('nothing was wrong');
}

const GPT = [
  { provider: 'openai', model: 'gpt-4o-2024-11-20' },
  { provider: 'azure', model: 'prod' },
];
const configured = catalog({
  models: [
    { name: 'gpt-4o', aliases: ['gpt-4o-latest'], targets: GPT },
    { name: 'meta/llama', aliases: [], targets: [{ provider: 'local', model: 'llama3' }] },
  ],
  providers: ['openai', 'azure', 'local'].map((name) => ({ ...PROVIDER, name })),
});
const implicit = catalog({
  providers: [
    { ...PROVIDER, name: 'openai', takesAnyModel: true, ownModels: ['gpt-4*', 'o1*'] },
    { ...PROVIDER, name: 'groq', takesAnyModel: true },
    { ...PROVIDER, name: 'xai', takesAnyModel: true, ownModels: ['grok-*'] },
    { ...PROVIDER, name: 'mini', takesAnyModel: true, keyModels: ['tiny', 'small-*'] },
  ],
});

describe('a configured model', () => {
  it.each(['gpt-4o', 'gpt-4o-latest'])('is meant by %s', (name) => {
    expect(configured.resolve(name, ANYONE)).toEqual({ name: 'gpt-4o', isConfigured: true, targets: GPT });
  });

  it('may have a name with a slash', () => {
    expect(configured.resolve('meta/llama', ANYONE).name).toBe('meta/llama');
  });

  it('is used at one provider only when that is put in front', () => {
    expect(configured.resolve('azure/gpt-4o', ANYONE)).toEqual({
      name: 'azure/gpt-4o',
      isConfigured: true,
      targets: [GPT[1]],
    });
    expect(configured.resolve('openai/gpt-4o-2024-11-20', ANYONE).targets).toEqual([GPT[0]]);
  });

  it.each(['gpt-5', 'local/gpt-4o', 'openai/gpt-5', 'nobody/gpt-4o', 'openai/', ''])('is not meant by "%s"', (name) => {
    expect(errorOf(() => configured.resolve(name, ANYONE))).toEqual(['model_not_found', 'model']);
  });

  it('must be named where there is no default', () => {
    expect(errorOf(() => configured.resolve(null, ANYONE))).toEqual(['missing_required_parameter', 'model']);
  });

  it('is named in an error by 100 characters of what the client wrote', () => {
    expect(() => configured.resolve('x'.repeat(5_000), ANYONE)).toThrow(`"${'x'.repeat(100)}…"`);
  });
});

describe('the default model', () => {
  const withDefault = catalog({
    models: [{ name: 'gpt-4o', aliases: [], targets: GPT }],
    defaultModel: 'gpt-4o',
  });

  it.each([null, 'unknown'])('stands in for %s', (name) => {
    expect(withDefault.resolve(name, ANYONE).name).toBe('gpt-4o');
  });

  it('is no way around what a client may use', () => {
    expect(errorOf(() => withDefault.resolve('unknown', allowed('unknown')))).toEqual(['model_not_allowed', 'model']);
    expect(errorOf(() => withDefault.resolve(null, allowed('claude-*')))).toEqual(['model_not_allowed', 'model']);
  });
});

describe('a client that may use some models', () => {
  it('may use them by any of their names', () => {
    expect(configured.resolve('gpt-4o-latest', allowed('gpt-4o')).name).toBe('gpt-4o');
    expect(configured.resolve('gpt-4o-latest', allowed('*-latest')).name).toBe('gpt-4o');
    expect(configured.resolve('openai/gpt-4o-latest', allowed('gpt-4o')).targets).toEqual([GPT[0]]);
  });

  it('may use no other', () => {
    expect(errorOf(() => configured.resolve('gpt-4o', allowed('claude-*')))).toEqual(['model_not_allowed', 'model']);
    expect(errorOf(() => implicit.resolve('groq/gpt-4o', allowed('llama-*')))).toEqual(['model_not_allowed', 'model']);
  });

  it('sees only those in the list', () => {
    expect(configured.list(allowed('meta/*')).map(({ id }) => id)).toEqual(['meta/llama']);
    expect(errorOf(() => configured.entry('gpt-4o', allowed('meta/*')))).toEqual(['model_not_found', 'model']);
  });
});

describe('a name under no model', () => {
  const providersOf = (name: string) => implicit.resolve(name, ANYONE).targets.map(({ provider }) => provider);

  it('goes to the vendor whose own it is', () => {
    expect(implicit.resolve('grok-4', ANYONE)).toEqual({
      name: 'grok-4',
      isConfigured: false,
      targets: [{ provider: 'xai', model: 'grok-4' }],
    });
  });

  it('goes to those who serve the models of many, if it is nobody‘s own', () => {
    expect(providersOf('llama-3.3-70b')).toEqual(['groq']);
    expect(providersOf('tiny')).toEqual(['groq', 'mini']);
  });

  // One of 100,000 characters was kept for good, and its answer's head was too long for clients to read.
  it('is no longer than names are', () => {
    expect(implicit.resolve('n'.repeat(256), ANYONE).isConfigured).toBe(false);
    expect(errorOf(() => implicit.resolve('n'.repeat(257), ANYONE))).toEqual(['model_not_found', 'model']);
    expect(errorOf(() => implicit.resolve(`groq/${'n'.repeat(257)}`, ANYONE))).toEqual(['model_not_found', 'model']);
  });

  it('goes to everybody else when nobody does', () => {
    const onlyOwners = catalog({
      providers: [{ ...PROVIDER, name: 'openai', takesAnyModel: true, ownModels: ['gpt-4*'] }],
    });
    expect(onlyOwners.resolve('babbage-002', ANYONE).targets).toEqual([{ provider: 'openai', model: 'babbage-002' }]);
  });

  it('goes to the provider in front of it, which may have a slash of its own', () => {
    expect(implicit.resolve('groq/openai/gpt-oss-20b', ANYONE)).toEqual({
      name: 'groq/openai/gpt-oss-20b',
      isConfigured: false,
      targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
    });
    const nested = catalog({
      providers: [
        { ...PROVIDER, name: 'a', takesAnyModel: true },
        { ...PROVIDER, name: 'a/b', takesAnyModel: true },
      ],
    });
    expect(nested.resolve('a/b/m', ANYONE).targets).toEqual([{ provider: 'a/b', model: 'm' }]);
  });

  it('is not sent to a provider whose keys are for other models', () => {
    expect(
      errorOf(() =>
        catalog({ providers: [{ ...PROVIDER, name: 'p', takesAnyModel: true, keyModels: ['a*'] }] }).resolve(
          'b',
          ANYONE,
        ),
      ),
    ).toEqual(['model_not_found', 'model']);
  });
});

describe('the list of models', () => {
  it('has names and aliases in OpenAI‘s shape', () => {
    expect(configured.list(ANYONE)).toEqual(
      ['gpt-4o', 'gpt-4o-latest', 'meta/llama'].map((id) => ({
        id,
        object: 'model',
        created: 1_700_000_000,
        owned_by: id === 'meta/llama' ? 'local' : 'openai',
      })),
    );
  });

  it('has of unlisted models the names that are spelled out', () => {
    expect(implicit.list(ANYONE).map(({ id }) => id)).toEqual(['tiny']);
    const withDefault = catalog({ providers: [{ ...PROVIDER, name: 'p', takesAnyModel: true }], defaultModel: 'm' });
    expect(withDefault.list(ANYONE).map(({ id }) => id)).toEqual(['m']);
  });

  it('tells of one model by any name that it has', () => {
    expect(configured.entry('gpt-4o-latest', ANYONE)).toMatchObject({ id: 'gpt-4o-latest', owned_by: 'openai' });
    expect(errorOf(() => configured.entry('gpt-5', ANYONE))).toEqual(['model_not_found', 'model']);
  });

  it('names nobody as the owner of a model without targets', () => {
    const empty = catalog({ models: [{ name: 'm', aliases: [], targets: [] }] });
    expect(empty.entry('m', ANYONE).owned_by).toBe('sluice');
  });
});

describe('a model that is asked of one provider', () => {
  const [, azure] = GPT;
  const withDefault = catalog({
    models: [{ name: 'gpt-4o', aliases: ['gpt-4o-latest'], targets: GPT }],
    providers: ['openai', 'azure', 'idle'].map((name) => ({ ...PROVIDER, name })),
    defaultModel: 'gpt-4o',
  });

  it.each(['gpt-4o', 'gpt-4o-latest', 'prod', 'azure/gpt-4o'])('is served there alone, as %s', (name) => {
    expect(configured.resolveAt('azure', name, ANYONE)).toMatchObject({ targets: [azure] });
  });

  it('may be one that the provider takes unlisted', () => {
    const { targets } = implicit.resolveAt('groq', 'llama', ANYONE);
    expect(targets).toEqual([{ provider: 'groq', model: 'llama' }]);
  });

  it('is the default one where the provider serves that and knows no such name', () => {
    for (const name of [null, 'unknown']) {
      expect(withDefault.resolveAt('azure', name, ANYONE)).toMatchObject({ targets: [azure] });
    }
  });

  it('is not found where the provider does not serve it', () => {
    const wrong = ['model_not_found', 'model'];
    expect(errorOf(() => configured.resolveAt('local', 'gpt-4o', ANYONE))).toEqual(wrong);
    expect(errorOf(() => withDefault.resolveAt('idle', 'gpt-4o', ANYONE))).toEqual(wrong);
    expect(errorOf(() => configured.resolveAt('nobody', 'gpt-4o', ANYONE))).toEqual(wrong);
    expect(errorOf(() => configured.resolveAt('azure', null, ANYONE))[0]).toBe('missing_required_parameter');
  });

  it('must be one that the client may use, by any name for it', () => {
    expect(errorOf(() => configured.resolveAt('azure', 'gpt-4o', allowed('o1')))[0]).toBe('model_not_allowed');
    expect(configured.resolveAt('azure', 'gpt-4o', allowed('azure/*')).targets).toEqual([azure]);
  });
});
