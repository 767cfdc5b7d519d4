import { describe, expect, test } from 'vitest';
import { ASK, MAJORS } from './openai-majors.ts';
import { failureOf, type SimulatedWorld, startWorld } from './world.ts';

/** Nothing comes back, ever. */
const SILENT = { simulator: { faults: [{ kind: 'hang' as const }] } };
/** 20 tokens a second, for a long while. */
const LONG = { simulator: { answer: { tokensPerSecond: 20, outputTokens: 2000 } } };

/** Resolves when the vendor has a request under way. */
async function isUnderWay({ simulator }: SimulatedWorld): Promise<void> {
  await expect.poll(() => simulator.ledger().inFlight).toBe(1);
}

/** The vendor saw its client leave, stopped, and gave no other request away. */
async function wasAborted({ simulator, requests }: SimulatedWorld): Promise<void> {
  await expect.poll(() => simulator.ledger()).toMatchObject({ received: 1, aborted: 1, inFlight: 0 });
  await expect.poll(() => requests()).toMatchObject([{ status: 499, code: 'client_closed_request' }]);
}

describe.each(MAJORS)('leaving with $name', ({ connect, OpenAI }) => {
  test.each([{ stream: false }, { stream: true }])(
    'by a signal, before anything came; stream: $stream',
    async ({ stream }) => {
      const world = await startWorld(SILENT);
      const controller = new AbortController();
      const failing = failureOf(
        connect(world).chat.completions.create({ ...ASK, stream }, { signal: controller.signal }),
      );
      await isUnderWay(world);
      controller.abort();
      expect(await failing).toBeInstanceOf(OpenAI.APIUserAbortError);
      await wasAborted(world);
    },
  );

  test('by its own timeout', async () => {
    const world = await startWorld(SILENT);
    const client = connect(world, { timeout: 1000, maxRetries: 0 });
    expect(await failureOf(client.chat.completions.create(ASK))).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    await wasAborted(world);
  });

  test('while it waits in the queue: the upstream never hears of it', async () => {
    const world = await startWorld({ provider: { limits: { rpm: { limit: 6, burst: '10%' } } } });
    const client = connect(world);
    await client.chat.completions.create(ASK);
    const controller = new AbortController();
    const failing = failureOf(client.chat.completions.create(ASK, { signal: controller.signal }));
    await expect
      .poll(async () => (await (await fetch(world.baseURL.replace('/v1', '/health'))).json()) as unknown)
      .toMatchObject({ waiting: 1 });
    controller.abort();
    expect(await failing).toBeInstanceOf(OpenAI.APIUserAbortError);
    await expect.poll(() => world.requests()).toMatchObject([{ status: 200 }, { status: 499 }]);
    expect(world.simulator.ledger().received).toBe(1);
  });

  test('by leaving the loop over a stream', async () => {
    const world = await startWorld(LONG);
    const stream = await connect(world).chat.completions.create({ ...ASK, stream: true });
    let isFirst = true;
    for await (const _ of stream) {
      if (!isFirst) break;
      isFirst = false;
    }
    await wasAborted(world);
  });

  test("by a stream's controller", async () => {
    const world = await startWorld(LONG);
    const stream = await connect(world).chat.completions.create({ ...ASK, stream: true });
    let chunks = 0;
    for await (const _ of stream) {
      if (++chunks === 3) stream.controller.abort();
    }
    await wasAborted(world);
    expect(world.simulator.ledger().requests[0]?.output).toBeLessThan(2000);
  });

  test('by the abort of the stream helper', async () => {
    const world = await startWorld(LONG);
    const stream = connect(world).chat.completions.stream(ASK);
    stream.once('content', () => stream.abort());
    expect(await failureOf(stream.finalMessage())).toBeInstanceOf(OpenAI.APIUserAbortError);
    await wasAborted(world);
  });

  test('many at once, each at another moment', async () => {
    const world = await startWorld({
      ...LONG,
      provider: { limits: { concurrency: 10 } },
    });
    const client = connect(world, { maxRetries: 0 });
    const leave = async (index: number) => {
      const controller = new AbortController();
      const { signal } = controller;
      if (index % 3 === 0) queueMicrotask(() => controller.abort());
      const stream = await client.chat.completions.create({ ...ASK, stream: true, user: String(index) }, { signal });
      for await (const _ of stream) controller.abort();
    };
    await Promise.allSettled(Array.from({ length: 30 }, (_, index) => leave(index)));
    await expect.poll(() => world.simulator.ledger()).toMatchObject({ inFlight: 0, completed: 0 });
  });
});

describe.each(MAJORS)('without a server, $name', ({ connect, OpenAI }) => {
  test('cannot connect', async () => {
    const nobody = { baseURL: 'http://127.0.0.1:1/v1' };
    const failure = await failureOf(connect(nobody, { maxRetries: 0 }).models.list());
    expect(failure).toBeInstanceOf(OpenAI.APIConnectionError);
  });
});
