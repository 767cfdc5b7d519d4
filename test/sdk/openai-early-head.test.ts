import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { apiError, COMPLETION } from '../support/chat-answers.ts';
import { answer, type Exchange } from '../support/scripted-upstream.ts';
import { ASK, MAJORS } from './openai-majors.ts';
import { failureOf, startScriptedWorld, type World } from './world.ts';

interface Mode {
  readonly mode: 'whitespace' | 'interim';
}

/** An upstream that says nothing until it is told to. */
async function silentWorld({ mode }: Mode, status = 200) {
  const { promise: told, resolve: answerNow } = Promise.withResolvers<void>();
  const script = async (exchange: Exchange): Promise<void> => {
    await told;
    await exchange.write(answer(JSON.stringify(status === 200 ? COMPLETION : apiError('boom')), {}, status));
  };
  const server = { port: 0, early_head: { mode, after: '100ms' } };
  const defaults = { retry: { attempts: 1 } };
  const world = await startScriptedWorld(script, { config: { server, defaults } });
  return { ...world, answerNow };
}

/** Resolves when a client that asked after the SDK has had its first sign: the SDK has had one by then. */
async function witness({ baseURL }: World, apiKey: string, { mode }: Mode): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` };
  const asked = request(`${baseURL}/chat/completions`, { method: 'POST', headers });
  asked.end(JSON.stringify(ASK));
  await new Promise((resolve) => asked.once(mode === 'interim' ? 'information' : 'response', resolve));
  asked.on('error', () => undefined);
  asked.destroy();
}

describe.each(MAJORS)('$name, waiting for a whole answer', ({ connect, OpenAI }) => {
  test.each([{ mode: 'whitespace' }, { mode: 'interim' }] as const)(
    'is given signs by $mode, and reads the answer',
    async (mode) => {
      const { answerNow, upstream, ...world } = await silentWorld(mode);
      const client = connect(world);
      const asked = client.chat.completions.create(ASK).withResponse();
      await upstream.exchange();
      await witness(world, client.apiKey ?? '', mode);
      answerNow();
      const { data, response } = await asked;
      expect(data.choices[0]?.message.content).toBe('Hi');
      expect(data.usage?.total_tokens).toBe(15);
      expect(response.headers.has('content-length')).toBe(mode.mode === 'interim');
      expect(response.headers.get('x-request-id')).toBeTruthy();
    },
  );

  test('is told of a failure by the status behind interim heads', async () => {
    const mode = { mode: 'interim' } as const;
    const { answerNow, upstream, ...world } = await silentWorld(mode, 500);
    const client = connect(world);
    const failure = failureOf(client.chat.completions.create(ASK));
    await upstream.exchange();
    await witness(world, client.apiKey ?? '', mode);
    answerNow();
    expect(await failure).toBeInstanceOf(OpenAI.InternalServerError);
    expect(await failure).toMatchObject({ status: 502, code: 'upstream_error' });
  });

  test('finds the error in place of the choices behind white space', async () => {
    const mode = { mode: 'whitespace' } as const;
    const { answerNow, upstream, ...world } = await silentWorld(mode, 500);
    const client = connect(world);
    const asked = client.chat.completions.create(ASK);
    await upstream.exchange();
    await witness(world, client.apiKey ?? '', mode);
    answerNow();
    expect(await asked).toMatchObject({ error: { code: 'upstream_error' } });
  });
});
