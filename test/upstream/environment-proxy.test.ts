import { describe, expect, it } from 'vitest';
import { environmentProxy } from '../../src/upstream/environment-proxy.ts';

describe('the proxy of the environment', () => {
  it('is the one for the scheme', () => {
    const proxyFor = environmentProxy({ httpProxy: 'http://a:1', httpsProxy: 'http://u:p@b:2' });
    expect(proxyFor('http://vendor.test')).toBe('http://a:1/');
    expect(proxyFor('https://vendor.test')).toBe('http://u:p@b:2/');
  });

  it('of http serves https where there is no other', () => {
    expect(environmentProxy({ httpProxy: 'proxy:3128' })('https://vendor.test')).toBe('http://proxy:3128/');
  });

  it('is none where nothing is set, or nothing for this scheme', () => {
    expect(environmentProxy({})('https://vendor.test')).toBeNull();
    expect(environmentProxy({ httpProxy: ' ', httpsProxy: '' })('http://vendor.test')).toBeNull();
    expect(environmentProxy({ httpsProxy: 'http://b' })('http://vendor.test')).toBeNull();
  });

  it.each(['::', 'ftp://proxy', 'http://'])('is refused without quoting it: %s', (httpsProxy) => {
    expect(() => environmentProxy({ httpsProxy: `${httpsProxy} secret` })).toThrow(
      'HTTPS_PROXY is not the URL of a proxy: write it as http://host:port.',
    );
  });

  it.each<[string, string, boolean]>([
    ['*', 'https://vendor.test', true],
    ['a.test, *', 'https://vendor.test', true],
    ['*:80', 'https://vendor.test', false],
    ['vendor.test', 'https://vendor.test', true],
    ['VENDOR.test.', 'https://vendor.test.', true],
    ['vendor.test', 'https://api.vendor.test', true],
    ['vendor.test', 'https://othervendor.test', false],
    ['.vendor.test', 'https://vendor.test', true],
    ['*.vendor.test', 'https://vendor.test', false],
    ['*.vendor.test', 'https://api.vendor.test', true],
    ['vendor.test:443', 'https://vendor.test', true],
    ['vendor.test:80', 'http://vendor.test', true],
    ['vendor.test:8443', 'https://vendor.test', false],
    ['127.0.0.1 localhost', 'http://127.0.0.1:9000', true],
    ['::1', 'http://[::1]:9000', true],
    ['[::1]', 'http://[::1]:9000', true],
    ['[::1]:9000', 'http://[::1]:9000', true],
    ['[::1]:9001', 'http://[::1]:9000', false],
    ['vendor.test', 'ws://vendor.test', true],
    ['vendor.test:1', 'ws://vendor.test', false],
  ])('with NO_PROXY %j is skipped for %s: %s', (noProxy, origin, isSkipped) => {
    const proxyFor = environmentProxy({ httpProxy: 'http://proxy', noProxy });
    expect(proxyFor(origin)).toBe(isSkipped ? null : 'http://proxy/');
  });
});
