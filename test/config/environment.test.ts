import { describe, expect, it } from 'vitest';
import { configFromEnvironment } from '../../src/config/environment.ts';
import { formatMistake } from '../../src/config/mistakes.ts';

function found(env: Record<string, string | undefined>, overrides = {}) {
  const loaded = configFromEnvironment(env, overrides);
  if (!loaded?.ok) throw new Error('no configuration');
  return loaded;
}

function mistakes(env: Record<string, string>, overrides = {}): string[] {
  const loaded = configFromEnvironment(env, overrides);
  return loaded === null || loaded.ok ? [] : loaded.mistakes.map((mistake) => formatMistake(mistake, 'environment'));
}

describe('a configuration from the environment', () => {
  it('is none where there is no key', () => {
    expect(configFromEnvironment({ PATH: '/bin', OPENAI_API_KEY: '', GROQ_API_KEY: ' , ' })).toBeNull();
  });

  it('has a provider for each variable and a key for each part of it', () => {
    const { config, variables, warnings } = found({ GROQ_API_KEY: 'a, b,a', OPENAI_API_KEY: 'c' });
    expect(variables).toEqual(['OPENAI_API_KEY', 'GROQ_API_KEY']);
    expect(warnings).toEqual([]);
    const keys = config.providers.map(({ name, keys: own }) => [name, ...own.map(({ key }) => key.reveal())]);
    expect(keys).toEqual([
      ['openai', 'c'],
      ['groq', 'a', 'b'],
    ]);
    expect(config.server).toMatchObject({ host: '127.0.0.1', port: 8080, auth: 'clients' });
  });

  it('takes values as they are', () => {
    const { config } = found({ OPENAI_API_KEY: `sk-\${HOME}$$`, SLUICE_CLIENT_KEY: 'file:/etc/passwd' });
    expect(config.providers[0]?.keys[0]?.key.reveal()).toBe(`sk-\${HOME}$$`);
    expect(config.clients).toHaveLength(1);
  });

  it('needs to hear who may call where others can reach it', () => {
    const open = { host: '0.0.0.0' };
    expect(mistakes({ OPENAI_API_KEY: 'a' }, open)).toEqual([
      'environment anybody who reaches this host could spend your keys: set SLUICE_CLIENT_KEY to a secret that callers must send, or SLUICE_OPEN=true to let everybody in',
    ]);
    expect(found({ OPENAI_API_KEY: 'a', SLUICE_CLIENT_KEY: 's' }, open).config.clients).toMatchObject([
      { name: 'default' },
    ]);
    expect(found({ OPENAI_API_KEY: 'a', SLUICE_OPEN: 'true' }, open).config.server.auth).toBe('none');
    expect(found({ OPENAI_API_KEY: 'a', SLUICE_OPEN: '1' }, open).config.server.auth).toBe('none');
  });

  it('names several clients', () => {
    const { clients } = found({ OPENAI_API_KEY: 'a', SLUICE_CLIENT_KEY: 's,t' }).config;
    expect(clients.map(({ name }) => name)).toEqual(['client-1', 'client-2']);
  });

  it('cannot be open and closed at once', () => {
    expect(mistakes({ OPENAI_API_KEY: 'a', SLUICE_CLIENT_KEY: 's', SLUICE_OPEN: 'true' })).toEqual([
      'environment SLUICE_OPEN and SLUICE_CLIENT_KEY are both set: remove one of them',
    ]);
  });

  it('tells a malformed client hash by its variable', () => {
    const [told] = mistakes({ OPENAI_API_KEY: 'a', SLUICE_CLIENT_KEY: 'sha256:12' });
    expect(told).toContain('clients[0].key: begins with "sha256:"');
  });
});
