import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROVIDER_TYPES } from '../../src/providers/registry.ts';
import { provider } from './read-fixtures.ts';

const KINDS = ['wait', 'never_fits', 'exhausted', 'disabled', 'capacity', 'ramp', 'context', 'client', 'failed'];

const word = fc.oneof(
  fc.constantFrom('message', 'error', 'type', 'code', 'detail', 'fault', 'object', 'usage', 'x_groq', 'prompt_tokens'),
  fc.constantFrom('Limit 5, Requested 9', 'try again in 1.2s', 'RESOURCE_EXHAUSTED', 'per day', '429', '__proto__'),
  fc.string(),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    word,
    fc.double(),
    fc.constantFrom(null, true, 429),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(word, tie('json'), { maxKeys: 4 }),
  ),
}));
const headerNames = [
  'retry-after',
  'retry-after-ms',
  'date',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
];
const headerValue = fc.oneof(
  fc.constantFrom(
    '1',
    '-1',
    '0',
    '6m0s',
    '1e309',
    '9'.repeat(400),
    'Thu, 01 Jan 2026 00:00:00 GMT',
    '2026-13-99T00:00:00Z',
  ),
  fc.string(),
);
const headers = fc.dictionary(fc.constantFrom(...headerNames), fc.oneof(headerValue, fc.array(headerValue)));

describe('whatever an upstream answers', () => {
  it('is classified and never throws', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PROVIDER_TYPES),
        fc.integer({ min: 200, max: 599 }),
        fc.tuple(headers, json),
        (type, status, [head, body]) => {
          const { classify, readError, readUsage, readLimits } = provider(type);
          const outcome = classify({ status, headers: head, json: body });
          expect(KINDS).toContain(outcome.kind);
          if ('retryAfterMs' in outcome && outcome.retryAfterMs !== null)
            expect(outcome.retryAfterMs).toBeGreaterThan(0);
          for (const reading of readLimits(head)) {
            expect(Number.isFinite(reading.limit ?? 0) && Number.isFinite(reading.remaining ?? 0)).toBe(true);
          }
          expect(typeof (readError(body)?.message ?? '')).toBe('string');
          expect(readUsage(body, null)?.inputTokens ?? 0).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('may be nested deeper than the stack', () => {
    const deep = JSON.parse(`${'['.repeat(30_000)}${']'.repeat(30_000)}`) as unknown;
    const { classify } = provider('openai');
    expect(classify({ status: 400, headers: {}, json: { error: { message: deep } } })).toEqual({ kind: 'client' });
    expect(classify({ status: 429, headers: {}, json: deep }).kind).toBe('wait');
  });

  it('may be long without keeping a pattern busy', () => {
    const message = 'input token count '.repeat(3_600);
    const { classify } = provider('openai');
    expect(classify({ status: 400, headers: {}, json: { error: { message } } })).toEqual({ kind: 'client' });
  });
});
