import { describe, expect, test } from 'vitest';
import type { ClientRequest } from '../../src/proxy/exchange.ts';
import { answer, errorOf, RawClient, requestText, startServer } from './support.ts';

async function ask(path: string, method = 'POST') {
  const seen: Pick<ClientRequest, 'operation' | 'modelInPath' | 'providerInPath'>[] = [];
  const { port } = await startServer({
    services: { providers: ['acme', 'openai', 'eu:west/acme'].map((name) => ({ name, isRaw: false })) },
    chat: ({ operation, modelInPath, providerInPath }, reply) => {
      seen.push({ operation, modelInPath, providerInPath });
      answer(reply, {});
    },
  });
  const got = await new RawClient(port).write(requestText({ method, path })).answer();
  return { got, seen };
}

describe('a path below the name of a provider', () => {
  test.each([
    ['/acme/v1/chat/completions', 'chat', 'acme'],
    ['/acme/chat/completions', 'chat', 'acme'],
    ['/acme/v1/embeddings', 'embeddings', 'acme'],
    ['/acme/v1/messages/count_tokens', 'count_tokens', 'acme'],
    ['/openai/v1/responses', 'responses', 'openai'],
    ['/eu:west/acme/v1/chat/completions', 'chat', 'eu:west/acme'],
  ] as const)('%s says who is to serve it', async (path, operation, provider) => {
    const { seen } = await ask(path);
    expect(seen).toEqual([{ operation, modelInPath: null, providerInPath: provider }]);
  });

  test("leaves the paths of Azure's clients alone, whatever a provider is called", async () => {
    const { seen } = await ask('/openai/responses?api-version=2025-03-01-preview');
    expect(seen).toEqual([{ operation: 'responses', modelInPath: null, providerInPath: undefined }]);
  });

  test('is nobody’s where there is no such provider', async () => {
    const { got, seen } = await ask('/nobody/v1/chat/completions');
    expect(got?.status).toBe(404);
    expect(seen).toEqual([]);
  });

  test('answers to no other method', async () => {
    const { got } = await ask('/acme/v1/chat/completions', 'GET');
    expect(got?.status).toBe(405);
    expect(got?.headers.get('allow')).toBe('POST, OPTIONS');
  });

  test('that is not known leads nowhere', async () => {
    const { got } = await ask('/acme/v1/moderations');
    expect(errorOf(got)).toMatchObject({ code: 'unknown_url' });
  });
});
