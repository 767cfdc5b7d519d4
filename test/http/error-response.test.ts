import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERROR_TABLE, type ErrorCode, internalError, ProxyError } from '../../src/errors.ts';
import { errorResponse } from '../../src/http/error-response.ts';

const CODES = Object.keys(ERROR_TABLE) as ErrorCode[];

describe('every error of the table', () => {
  test.each(CODES)('%s has its status, the four keys of OpenAI, and JSON as its type', (code) => {
    const { status, headers, body } = errorResponse(new ProxyError(code, 'Text.', { param: 'model' }), true);
    expect(status).toBe(ERROR_TABLE[code].status);
    expect(headers['content-type']).toBe('application/json');
    expect(body).toEqual({ error: { message: 'Text.', type: ERROR_TABLE[code].type, param: 'model', code } });
  });

  test.each(CODES.filter((code) => ERROR_TABLE[code].retry === 'never'))('%s asks not to be retried', (code) => {
    expect(errorResponse(new ProxyError(code, ''), true).headers['x-should-retry']).toBe('false');
  });

  test.each(CODES.filter((code) => ERROR_TABLE[code].retry === 'unsaid'))('%s leaves retrying to the SDK', (code) => {
    expect(Object.keys(errorResponse(new ProxyError(code, ''), true).headers)).toEqual(['content-type']);
  });

  test.each(['server_busy', 'shutting_down'] as const)('%s passes within a second', (code) => {
    const { headers, body } = errorResponse(new ProxyError(code, 'Text.'), true);
    expect(headers).toEqual({ 'content-type': 'application/json', 'retry-after': '1' });
    expect(body.error.message).toBe('Text.');
  });
});

describe('when to come back', () => {
  test.each([
    { retryAfterMs: 0, seconds: '1', ms: '0', words: '0.1s' },
    { retryAfterMs: 0.2, seconds: '1', ms: '1', words: '0.1s' },
    { retryAfterMs: 350, seconds: '1', ms: '350', words: '0.4s' },
    { retryAfterMs: 1200, seconds: '2', ms: '1200', words: '1.2s' },
    { retryAfterMs: 1201, seconds: '2', ms: '1201', words: '1.3s' },
    { retryAfterMs: 60_000, seconds: '60', ms: '60000', words: '60s' },
  ])('$retryAfterMs ms is told exactly, in whole seconds, and in words', ({ retryAfterMs, seconds, ms, words }) => {
    const { headers, body } = errorResponse(new ProxyError('queue_full', 'Full.', { retryAfterMs }), false);
    expect(headers).toEqual({ 'content-type': 'application/json', 'retry-after': seconds, 'retry-after-ms': ms });
    expect(body.error.message).toBe(`Full. Please try again in ${words}.`);
  });

  test('nobody who obeys a header or the words comes too early', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e8, noNaN: true }), (retryAfterMs) => {
        const { headers, body } = errorResponse(new ProxyError('queue_full', '', { retryAfterMs }), false);
        expect(Number(headers['retry-after']) * 1000).toBeGreaterThanOrEqual(retryAfterMs);
        expect(Number(headers['retry-after-ms'])).toBeGreaterThanOrEqual(retryAfterMs);
        const words = /in ([\d.]+)s\.$/.exec(body.error.message)?.[1];
        if (retryAfterMs > 60_000) expect(words).toBeUndefined();
        else expect(Number(words) * 1000).toBeGreaterThanOrEqual(retryAfterMs);
      }),
    );
  });

  test('beyond a minute no SDK is asked to sleep for it', () => {
    const { headers } = errorResponse(new ProxyError('queue_wait_exceeded', '', { retryAfterMs: 60_001 }), false);
    expect(headers).toMatchObject({ 'retry-after': '61', 'x-should-retry': 'false' });
  });

  test('what does not pass with time does not say "try again"', () => {
    const error = new ProxyError('queue_wait_exceeded', 'The day is spent.', { retryAfterMs: 1000, retry: 'never' });
    const { headers, body } = errorResponse(error, false);
    expect(body.error.message).toBe('The day is spent.');
    expect(headers).toMatchObject({ 'x-should-retry': 'false', 'retry-after': '1' });
  });
});

describe('details', () => {
  test('the binding limit is shown only with debug headers', () => {
    const error = new ProxyError('queue_full', '', { limit: 'org-a rpm' });
    expect(errorResponse(error, true).headers['x-sluice-limit']).toBe('org-a rpm');
    expect(errorResponse(error, false).headers).not.toHaveProperty('x-sluice-limit');
  });

  test('further headers are passed on', () => {
    const error = new ProxyError('method_not_supported', '', { headers: { allow: 'POST' } });
    expect(errorResponse(error, true).headers['allow']).toBe('POST');
  });

  test('no name is so odd that its header could not be sent', () => {
    const error = new ProxyError('queue_full', '', { limit: 'größe-\u6a21', headers: { 'x-sluice-model': 'a\r\nb' } });
    expect(errorResponse(error, true).headers).toMatchObject({ 'x-sluice-limit': 'größe-?', 'x-sluice-model': 'a??b' });
  });

  test("an upstream's verdict keeps its status and words", () => {
    const body = { error: { message: 'no', type: 'x', param: null, code: null } };
    const error = new ProxyError('bad_request', 'unused', { verdict: { status: 422, body } });
    expect(errorResponse(error, true)).toMatchObject({ status: 422, body });
  });

  test('an unexpected exception shows the request id and nothing of itself', () => {
    const error = internalError('req_1', new Error('secret path'));
    expect(JSON.stringify(errorResponse(error, true))).toContain('req_1');
    expect(JSON.stringify(errorResponse(error, true))).not.toContain('secret');
  });
});
