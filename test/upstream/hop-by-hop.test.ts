import { describe, expect, it } from 'vitest';
import { forwardableRequestHeaders, safeAnswerHeaders } from '../../src/upstream/hop-by-hop.ts';

describe('request headers', () => {
  it('that every provider gets pass', () => {
    const headers = { 'openai-beta': 'a=1', 'idempotency-key': 'k', traceparent: '00-1', tracestate: ['a=1', 'b=2'] };
    expect(forwardableRequestHeaders(headers, [])).toEqual({ ...headers, tracestate: 'a=1, b=2' });
  });

  it('that are named pass too, in whatever case they were named', () => {
    const headers = { 'x-trace': '1', 'x-other': '2' };
    expect(forwardableRequestHeaders(headers, ['X-Trace', 'x-missing'])).toEqual({ 'x-trace': '1' });
  });

  it.each([
    ['authorization', 'cookie', 'host', 'expect', 'te', 'connection', 'transfer-encoding', 'content-length'],
    ['upgrade', 'proxy-authorization', 'openai-organization', 'accept-encoding', 'keep-alive', 'x-api-key'],
  ])('such as %s never pass, even if named', (...names) => {
    const headers = Object.fromEntries(names.map((name) => [name, 'x']));
    expect(forwardableRequestHeaders(headers, names)).toEqual({});
  });

  it('that are not ASCII, hold control characters or nothing stay behind', () => {
    const headers = { 'openai-beta': 'ü', traceparent: 'a\r\nb', tracestate: '', 'idempotency-key': 'a\tb' };
    expect(forwardableRequestHeaders(headers, [])).toEqual({ 'idempotency-key': 'a\tb' });
  });

  it('that the client ties to its connection stay behind', () => {
    const headers = { connection: 'close, X-Trace', 'x-trace': '1', traceparent: '00' };
    expect(forwardableRequestHeaders(headers, ['x-trace'])).toEqual({ traceparent: '00' });
  });

  it('with odd names neither break nor pass', () => {
    expect(forwardableRequestHeaders({}, ['__proto__', 'a b', '', 'constructor'])).toEqual({});
    const own = JSON.parse('{"__proto__":"x"}');
    expect(forwardableRequestHeaders(own, ['__proto__'])).toEqual({});
  });
});

describe('answer headers', () => {
  // An upstream that echoes what it was sent had our key shown to clients.
  it('are a number and a date, and nothing else', () => {
    const headers = { 'openai-processing-ms': 'Bearer sk-up-0123', 'openai-version': 'sk-up-0123' };
    expect(safeAnswerHeaders(headers)).toEqual({});
  });

  it('are two of the many', () => {
    const headers = {
      'openai-processing-ms': '12',
      'openai-version': '2020-10-01',
      'openai-organization': 'org-1',
      'set-cookie': ['a'],
      'x-request-id': 'r',
    };
    expect(safeAnswerHeaders(headers)).toEqual({ 'openai-processing-ms': '12', 'openai-version': '2020-10-01' });
  });
});
