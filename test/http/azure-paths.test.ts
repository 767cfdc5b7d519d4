import { describe, expect, test } from 'vitest';
import type { ClientRequest } from '../../src/proxy/exchange.ts';
import { answer, CLIENT_KEY, CLIENTS, RawClient, requestText, startServer } from './support.ts';

async function post(path: string, headers: Readonly<Record<string, string>> = { 'api-key': CLIENT_KEY }) {
  const seen: Pick<ClientRequest, 'operation' | 'modelInPath'>[] = [];
  const { port } = await startServer({
    services: { clients: CLIENTS },
    chat: ({ operation, modelInPath }, reply) => {
      seen.push({ operation, modelInPath });
      answer(reply, {});
    },
  });
  const got = await new RawClient(port).write(requestText({ method: 'POST', path, headers, body: '{}' })).answer();
  return { status: got?.status, seen, body: got?.body };
}

describe("a path of Azure's clients", () => {
  test.each([
    ['gpt-4o/chat/completions?api-version=2024-10-21', { operation: 'chat', modelInPath: 'gpt-4o' }],
    ['gpt-4o/completions', { operation: 'completions', modelInPath: 'gpt-4o' }],
    ['small/embeddings?api-version=x', { operation: 'embeddings', modelInPath: 'small' }],
    ['meta/llama-3/chat/completions', { operation: 'chat', modelInPath: 'meta/llama-3' }],
    ['meta%2Fllama-3/chat/completions', { operation: 'chat', modelInPath: 'meta/llama-3' }],
    ['a%20b%3F/chat/completions', { operation: 'chat', modelInPath: 'a b?' }],
    ['chat/completions/completions', { operation: 'completions', modelInPath: 'chat/completions' }],
  ])('/openai/deployments/%s names the model', async (path, expected) => {
    const { status, seen } = await post(`/openai/deployments/${path}`);
    expect(status).toBe(200);
    expect(seen).toEqual([expected]);
  });

  test('may leave the model to the body', async () => {
    const { seen } = await post('/openai/responses?api-version=2025-04-01-preview');
    expect(seen).toEqual([{ operation: 'responses', modelInPath: null }]);
  });

  test('without a version is that of a provider which is called so', async () => {
    const asked: (string | undefined)[] = [];
    const { port } = await startServer({
      services: { providers: [{ name: 'openai', isRaw: false }] },
      chat: ({ providerInPath }, reply) => {
        asked.push(providerInPath);
        answer(reply, {});
      },
    });
    for (const path of ['/openai/responses', '/openai/responses?api-version=x', '/openai/v1/responses']) {
      await new RawClient(port).write(requestText({ method: 'POST', path, body: '{}' })).answer();
    }
    expect(asked).toEqual(['openai', undefined, 'openai']);
  });

  test.each(['chat/completions', 'gpt-4o/images/generations', 'gpt-4o', ''])(
    '/openai/deployments/%s leads nowhere',
    async (path) => {
      const { status, seen, body } = await post(`/openai/deployments/${path}`);
      expect(status).toBe(404);
      expect(body).toContain('unknown_url');
      expect(seen).toEqual([]);
    },
  );

  test('wants a key as the others do', async () => {
    expect((await post('/openai/deployments/gpt-4o/chat/completions', {})).status).toBe(401);
  });

  test('answers to no other method', async () => {
    const { port } = await startServer();
    const path = '/openai/deployments/gpt-4o/chat/completions';
    const got = await new RawClient(port).write(requestText({ method: 'GET', path })).answer();
    expect(got?.status).toBe(405);
    expect(got?.headers.get('allow')).toBe('POST, OPTIONS');
  });
});
