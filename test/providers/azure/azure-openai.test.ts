import { describe, expect, it } from 'vitest';
import { azureOpenAi } from '../../../src/providers/azure/azure-openai.ts';
import type { Operation, ProviderCall } from '../../../src/providers/wire.ts';
import { DONE, event, HELLO, ROLE, STOP } from '../../support/chat-answers.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ProxyBench } from '../../support/proxy-bench.ts';
import { ScriptedTransport } from '../../support/scripted-transport.ts';

function prepared(operation: Operation, changes: Partial<ProviderCall> = {}) {
  const call = { body: Buffer.from('{}'), model: 'gpt-4o', isStreaming: false, apiKey: 'k', basePath: '' };
  return azureOpenAi.wires[operation]?.prepare({ ...call, apiVersion: null, ...changes });
}

describe('the address of a deployment', () => {
  it.each<[string, Operation, Partial<ProviderCall>, string]>([
    ['the resource', 'chat', {}, '/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21'],
    ['its API', 'chat', { basePath: '/openai' }, '/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21'],
    [
      'a gateway in front of it',
      'embeddings',
      { basePath: '/gate/openai' },
      '/gate/openai/deployments/gpt-4o/embeddings?api-version=2024-10-21',
    ],
    [
      'a name that is no path',
      'completions',
      { model: 'a/b c' },
      '/openai/deployments/a%2Fb%20c/completions?api-version=2024-10-21',
    ],
    [
      'a version of its own',
      'chat',
      { apiVersion: '2025-01-01-preview' },
      '/openai/deployments/gpt-4o/chat/completions?api-version=2025-01-01-preview',
    ],
    ['responses', 'responses', {}, '/openai/responses?api-version=2025-04-01-preview'],
    ['the newer route', 'chat', { basePath: '/openai/v1' }, '/openai/v1/chat/completions'],
    [
      'the newer route with a version',
      'responses',
      { basePath: '/openai/v1', apiVersion: 'preview' },
      '/openai/v1/responses?api-version=preview',
    ],
  ])('comes from %s', (...[, operation, changes, path]) => {
    expect(prepared(operation, changes)).toMatchObject({ path, headers: { 'api-key': 'k' } });
  });

  it('needs no key where the configuration has headers of its own', () => {
    expect(prepared('chat', { apiKey: null })?.headers).toEqual({});
  });

  it('leaves the body as it is', () => {
    const body = Buffer.from('{"model":"gpt-4o"}');
    expect(prepared('chat', { body })?.body).toBe(body);
  });
});

describe('a charge', () => {
  const size = { inputTokens: 1_000, outputCapTokens: 400, predictedOutputTokens: 50 };
  const usage = { inputTokens: 990, cachedInputTokens: 600, outputTokens: 70, reasoningTokens: 20 };

  it('is the prompt and the cap, of which nothing comes back', () => {
    const reserved = azureOpenAi.reservedCharge(size);
    expect(reserved).toEqual([1, 1_400, 1_000, 400, 1]);
    expect(azureOpenAi.settledCharge(usage, reserved)).toEqual(reserved);
  });

  it('takes the predicted output where no cap is given', () => {
    expect(azureOpenAi.reservedCharge({ ...size, outputCapTokens: null })).toEqual([1, 1_050, 1_000, 50, 1]);
  });
});

describe('a stream', () => {
  const judged = event({ id: '', model: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] });

  it('has not begun when only the prompt has been judged, and keeps that first event', async () => {
    const transport = new ScriptedTransport();
    const bench = new ProxyBench({ clock: new FakeClock(), transport, targets: [{ provider: azureOpenAi }] });
    const chat = bench.chat({ stream: true });
    const call = (await transport.call()).stream().data(judged).data(ROLE);
    expect(chat.reply.status).toBeNull();
    call.data(HELLO).data(STOP).data(DONE).end();
    await chat.done;
    expect(chat.reply.text).toBe(judged + ROLE + HELLO + STOP + DONE);
  });

  it('keeps what the content filter says of each piece', async () => {
    const transport = new ScriptedTransport();
    const bench = new ProxyBench({ clock: new FakeClock(), transport, targets: [{ provider: azureOpenAi }] });
    const chat = bench.chat({ stream: true });
    const filter = { hate: { filtered: false, severity: 'safe' } };
    const piece = event({
      choices: [{ index: 0, delta: { content: 'Hi' }, content_filter_results: filter, finish_reason: null }],
    });
    (await transport.call()).stream().data(piece).data(STOP).data(DONE).end();
    await chat.done;
    expect(chat.reply.text).toBe(piece + STOP + DONE);
  });
});
