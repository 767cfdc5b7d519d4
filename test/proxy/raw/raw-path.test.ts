import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rawUrl, readRawPath } from '../../../src/proxy/raw/raw-path.ts';

function upstream(url: string, basePath = '/v1', skipped = 1): string {
  return rawUrl(readRawPath(url, skipped), basePath);
}

describe('a raw path', () => {
  test.each([
    ['/acme/v1/moderations', '/v1', '/v1/moderations'],
    ['/acme/moderations', '/v1', '/v1/moderations'],
    ['/acme/v1/files/file-1/content', '/openai/v1', '/openai/v1/files/file-1/content'],
    ['/acme/openai/v1/files', '/openai/v1', '/openai/v1/files'],
    ['/acme/v1/files', '', '/v1/files'],
    ['/acme/v1beta/models/x:countTokens', '/v1beta', '/v1beta/models/x%3AcountTokens'],
    ['/acme/v1/a%20b%3Fc', '/v1', '/v1/a%20b%3Fc'],
    ['/acme/v1/%2565', '/v1', '/v1/%2565'],
  ])('%s below %s becomes %s', (url, basePath, expected) => {
    expect(upstream(url, basePath)).toBe(expected);
  });

  test.each([
    ['an empty segment', '/acme/v1//files'],
    ['a slash at the end', '/acme/v1/files/'],
    ['an empty provider', '//acme/v1/files'],
    ['a dot', '/acme/v1/./files'],
    ['two dots', '/acme/../queue'],
    ['encoded dots', '/acme/v1/%2e%2E/admin'],
    ['dots before a semicolon', '/acme/v1/..;/admin'],
    ['an encoded slash', '/acme/v1/a%2Fb'],
    ['a backslash', '/acme/v1/a%5C..%5Cb'],
    ['a null byte', '/acme/v1/files%00'],
    ['an encoded line break', '/acme/v1/a%0d%0Ax'],
    ['a control character of Latin-1', '/acme/v1/%C2%85'],
    ['bytes that are no UTF-8', '/acme/v1/%ff'],
    ['a percent sign alone', '/acme/v1/100%'],
    ['a control character in the query', '/acme/v1/files?a=%00'],
    ['no slash at all', 'acme'],
  ])('with %s is refused', (_what, url) => {
    expect(() => upstream(url)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });

  test('never leads out of the address of its provider', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const path = url.replace(/^https?:\/\/[^/]*/, '');
        let built: string;
        try {
          built = upstream(`/acme${path}`, '/base/v1');
        } catch {
          return;
        }
        const { pathname } = new URL(built, 'http://upstream');
        expect(pathname.startsWith('/base/v1')).toBe(true);
      }),
    );
  });
});

describe('the query of a raw path', () => {
  test.each([
    ['limit=10&after=file-1', '?limit=10&after=file-1'],
    ['a=b%20c+d', '?a=b%20c%20d'],
    ['flag', '?flag='],
    ['a=b=c', '?a=b%3Dc'],
    ['', ''],
    ['&&', ''],
    ['a=1#key=2', '?a=1'],
  ])('%s goes on as %s', (query, expected) => {
    expect(upstream(`/acme/v1/files?${query}`)).toBe(`/v1/files${expected}`);
  });

  test.each([
    'key',
    'api_key',
    'api-key',
    'apikey',
    'API-Key',
    'access_token',
    'token',
    'x-goog-api-key',
    'ap%69_key',
    'key[]',
    'sig',
  ])('loses %s', (name) => {
    expect(upstream(`/acme/v1/files?${name}=sk-1&limit=1`)).toBe('/v1/files?limit=1');
  });
});
