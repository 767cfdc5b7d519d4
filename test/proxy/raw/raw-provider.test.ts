import { expect, test } from 'vitest';
import { openai } from '../../../src/providers/openai.ts';
import type { Outcome } from '../../../src/providers/provider.ts';
import { rawProvider } from '../../../src/proxy/raw/raw-provider.ts';

test.each([
  [401, { code: 'invalid_api_key' }, 'failed'],
  [403, { code: 'x' }, 'failed'],
  [404, { code: 'model_not_found' }, 'client'],
  [404, null, 'client'],
  [405, null, 'client'],
  [400, { code: 'context_length_exceeded' }, 'client'],
  [413, { message: 'Request too large for x' }, 'client'],
  [418, null, 'client'],
  [429, { code: 'rate_limit_exceeded' }, 'wait'],
  [500, null, 'failed'],
] as const)('a raw request that is answered %i with %j has come to: %s', (status, error, expected) => {
  const json = error && { error: { message: 'No.', type: 'x', ...error } };
  expect(rawProvider(openai).classify({ status, headers: {}, json }).kind satisfies Outcome['kind']).toBe(expected);
});
