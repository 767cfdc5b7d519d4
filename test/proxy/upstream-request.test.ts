import { describe, expect, test } from 'vitest';
import { openai } from '../../src/providers/openai.ts';
import type { ClientRequest } from '../../src/proxy/exchange.ts';
import { readRequestBody } from '../../src/proxy/request-body.ts';
import type { Endpoint, ServedTarget } from '../../src/proxy/served-model.ts';
import { upstreamRequest } from '../../src/proxy/upstream-request.ts';

const ENDPOINT: Endpoint = {
  origin: 'https://api.example.com',
  basePath: '/v1',
  apiVersion: null,
  apiKey: 'sk-key',
  keyName: 'main',
  headers: {},
};

const TARGET: ServedTarget = {
  provider: openai,
  wires: openai.wires,
  providerName: 'acme',
  model: 'gpt-upstream',
  tokenizerModel: 'gpt-upstream',
  contextLengthTokens: null,
  maxOutputTokens: null,
  supports: new Set(),
  timeouts: { connectMs: 1, firstByteMs: 2, idleMs: 3, totalMs: 4 },
  canStreamUsage: true,
  edits: null,
  fetchesImages: false,
  price: null,
  forwardHeaders: [],
};

interface Changes {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly target?: Partial<ServedTarget>;
  readonly endpoint?: Partial<Endpoint>;
  readonly body?: object;
}

function built({ headers = {}, target = {}, endpoint = {}, body = {} }: Changes) {
  const text = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'x' }], ...body });
  const bytes = Buffer.from(text);
  const client: ClientRequest = {
    id: 'r',
    client: { name: 'web' },
    operation: 'chat',
    modelInPath: null,
    receivedAt: 0,
    headers,
    body: bytes,
    holds: () => true,
    releaseBody: () => undefined,
  };
  const wire = openai.wires.chat;
  if (!wire) throw new Error('no chats');
  const { request } = upstreamRequest(client, readRequestBody(bytes), {
    wire,
    target: { ...TARGET, ...target },
    endpoint: { ...ENDPOINT, ...endpoint },
    userAgent: 'sluice/1.2.3',
  });
  return request;
}

describe('the request that goes upstream', () => {
  test('is addressed by the configuration and carries its key', () => {
    expect(built({})).toMatchObject({
      method: 'POST',
      origin: 'https://api.example.com',
      path: '/v1/chat/completions',
      headers: {
        'content-type': 'application/json',
        'accept-encoding': 'identity',
        'user-agent': 'sluice/1.2.3',
        authorization: 'Bearer sk-key',
      },
      timeouts: TARGET.timeouts,
    });
  });

  test("has the upstream's name for the model and the client's bytes for the rest", () => {
    const text = Buffer.from(built({ body: { seed: 12 } }).body ?? '').toString();
    expect(text).toBe('{"model":"gpt-upstream","messages":[{"role":"user","content":"x"}],"seed":12}');
  });

  test('passes four headers of the client, and those that the provider names', () => {
    const headers = {
      'openai-beta': 'assistants=v2',
      'idempotency-key': 'abc',
      traceparent: '00-1-2-01',
      tracestate: 'a=b',
      'x-team': 'blue',
      'x-other': 'no',
    };
    const { headers: sent } = built({ headers, target: { forwardHeaders: ['x-team'] } });
    expect(sent).toMatchObject({ 'openai-beta': 'assistants=v2', 'idempotency-key': 'abc', 'x-team': 'blue' });
    expect(sent).toMatchObject({ traceparent: '00-1-2-01', tracestate: 'a=b' });
    expect(sent).not.toHaveProperty('x-other');
  });

  test('passes nothing that would name another caller or change the framing, even if it is told to', () => {
    const headers = {
      authorization: 'Bearer client',
      cookie: 'a=b',
      expect: '100-continue',
      te: 'trailers',
      host: 'x',
    };
    const { headers: sent } = built({ headers, target: { forwardHeaders: Object.keys(headers) } });
    expect(sent).toEqual(built({}).headers);
  });

  test('passes no header that is not ASCII', () => {
    const headers = { traceparent: 'ü' };
    expect(built({ headers }).headers).toEqual(built({}).headers);
  });

  test("lets the provider's configured headers have the last word", () => {
    const { headers } = built({ endpoint: { headers: { 'user-agent': 'custom', 'x-title': 'app' } } });
    expect(headers).toMatchObject({ 'user-agent': 'custom', 'x-title': 'app' });
  });

  test.each([
    ['asks for the usage of a stream', {}, true],
    ['does not ask an upstream that cannot', { canStreamUsage: false }, false],
    ['does not ask one that tells it anyway', { provider: { ...openai, streamUsage: 'always' } as const }, false],
  ])('%s', (_what, target, isAsked) => {
    const text = Buffer.from(built({ target, body: { stream: true } }).body ?? '').toString();
    expect(text.includes('include_usage')).toBe(isAsked);
  });
});
