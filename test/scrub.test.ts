import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inJson, inPlainText, secretScrub } from '../src/scrub.ts';

describe('a line of JSON without secrets', () => {
  test.each([
    'sk-proj-abcdefgh12345678',
    'sk_live_abcdefgh12345678',
    'gsk_abcdefgh12345678abcdefgh',
    'xai-abcdefgh12345678abcdefgh',
    'AIzaSyA1234567890abcdefghijklmnop',
    'Bearer abc.def-ghi',
    'bearer abc',
    'sk-...wxyz',
    'sk-abc***wxyz',
  ])('loses what looks like one: %s', (text) => {
    expect(secretScrub([], inJson)(`{"a":"${text}"}`)).toBe('{"a":"[secret]"}');
  });

  test('keeps ordinary words and placeholders for keys', () => {
    const line = '{"msg":"none of the tasks pplx-70b-online risk-free disk-usage asked","key":"sk-1"}';
    expect(secretScrub(['none', 'ollama'], inJson)(line)).toBe(line);
  });

  test('has none of them left, whatever they are, and stays JSON', () => {
    const secret = fc.string({ minLength: 8, maxLength: 40, unit: 'binary' }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 5 }), fc.string(), (secrets, around) => {
        const line = secretScrub(secrets, inJson)(JSON.stringify({ msg: `${around} ${secrets.join(' | ')}` }));
        const { msg } = JSON.parse(line) as { msg: string };
        for (const one of secrets) expect(msg).not.toContain(one);
      }),
    );
  });
});

test('a secret that begins like a key is taken out to its end', () => {
  const scrub = secretScrub(['abc"rest-of-it', 'sk-abcdef"rest-of-it'], inPlainText);
  expect(scrub('Bearer abc"rest-of-it, sk-abcdef"rest-of-it')).toBe('Bearer [secret], [secret]');
});

test('a secret that is no well-formed text is no reason to fail', () => {
  const secret = `lone-surrogate-${String.fromCharCode(0xd800)}`;
  expect(secretScrub([secret], inPlainText)(`got ${secret}.`)).toBe('got [secret].');
});
