import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';

describe('a secret', () => {
  const secret = new Secret('sk-hidden');

  it('is given on demand only', () => {
    expect(secret.reveal()).toBe('sk-hidden');
  });

  it.each([
    ['text', () => `${secret}`],
    ['JSON', () => JSON.stringify({ secret })],
    ['inspection', () => inspect({ deep: [secret] }, { showHidden: true, depth: 9 })],
    ['formatting', () => format('%s %o %j', secret, secret, secret)],
    ['its properties', () => JSON.stringify(Object.entries(secret))],
    ['a copy', () => JSON.stringify({ ...secret })],
  ])('does not show in %s', (_where, show) => {
    expect(show()).not.toContain('hidden');
  });
});
