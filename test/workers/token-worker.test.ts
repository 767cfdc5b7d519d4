import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createTokenCounter } from '../../src/tokens/token-counter.ts';
import { TokenWorker } from '../../src/workers/token-worker.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { textOf } from '../tokens/texts.ts';

/** A thread that runs this code; it has `port` and answers as `{ id, tokens, isExact }`. */
function thread(code: string): URL {
  const source = `import { parentPort as port } from 'node:worker_threads';\n${code}`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

const COUNTS_CHARS = `port.on('message', ({ id, texts }) =>
  port.postMessage({ id, tokens: texts.map((text) => text.length), isExact: texts.map(() => true) }));`;
const NEVER_ANSWERS = `port.on('message', () => {});`;
const DIES_OF_POISON = `port.on('message', ({ id, texts }) => {
  if (texts.includes('poison')) throw new Error('crash');
  port.postMessage({ id, tokens: [1], isExact: [true] });
});`;

const job = (...texts: string[]) => ({ encoding: 'o200k_base' as const, texts });

describe('TokenWorker', () => {
  const open: TokenWorker[] = [];

  function start(options: ConstructorParameters<typeof TokenWorker>[0]): TokenWorker {
    const worker = new TokenWorker(options);
    open.push(worker);
    return worker;
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((worker) => worker.close()));
  });

  it('counts long texts exactly in its own thread, for the token counter', async () => {
    const worker = start({ clock: systemClock });
    let now = 0;
    const hasty = createTokenCounter({ now: () => now++, worker });
    const patient = createTokenCounter({ now: () => 0, worker: null });
    await hasty.preload(['gpt-4o']);
    const request = { messages: [{ role: 'user', content: textOf('english', 300_000) }] };
    const estimate = hasty.estimate(request, 'gpt-4o');
    expect(estimate).toBeInstanceOf(Promise);
    const { inputTokens } = await estimate;
    // The thread may itself run out of time on a slow machine, and then samples.
    const truth = (await patient.estimate(request, 'gpt-4o')).inputTokens;
    expect(Math.abs(inputTokens / truth - 1)).toBeLessThan(0.02);
  });

  it('answers every job with its own counts, in order', async () => {
    const worker = start({ clock: new FakeClock(), entry: thread(COUNTS_CHARS) });
    const counts = await Promise.all([worker.count(job('a')), worker.count(job('bb', 'ccc')), worker.count(job())]);
    expect(counts.map((each) => each?.tokens)).toEqual([[1], [2, 3], []]);
  });

  it('gives null for the job that kills the thread, rests, and serves again with a new thread', async () => {
    const clock = new FakeClock();
    const worker = start({ clock, entry: thread(DIES_OF_POISON) });
    expect(await worker.count(job('poison'))).toBeNull();
    expect(await worker.count(job('food'))).toBeNull();
    clock.advance(1000);
    expect(await worker.count(job('food'))).toEqual({ tokens: [1], isExact: [true] });
  });

  it('gives null to everybody who waits behind a job that hangs', async () => {
    const clock = new FakeClock();
    const worker = start({ clock, entry: thread(NEVER_ANSWERS), timeoutMs: 500 });
    const counts = [worker.count(job('first')), worker.count(job('second'))];
    clock.advance(500);
    expect(await Promise.all(counts)).toEqual([null, null]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives null when the thread cannot start', async () => {
    const worker = start({ clock: new FakeClock(), entry: new URL('./no-such-file.ts', import.meta.url) });
    expect(await worker.count(job('text'))).toBeNull();
  });

  it('ignores an answer to a job that nobody waits for', async () => {
    const answersTwice = `port.on('message', ({ id }) => {
      port.postMessage({ id: id + 100, tokens: [9], isExact: [true] });
      port.postMessage({ id, tokens: [1], isExact: [true] });
    });`;
    const worker = start({ clock: new FakeClock(), entry: thread(answersTwice) });
    expect(await worker.count(job('text'))).toEqual({ tokens: [1], isExact: [true] });
  });

  it('refuses more text than it can count soon', async () => {
    const clock = new FakeClock();
    const worker = start({ clock, entry: thread(NEVER_ANSWERS), timeoutMs: 500 });
    const text = 'x'.repeat(2 ** 20);
    const waiting = Array.from({ length: 32 }, () => worker.count(job(text)));
    expect(await worker.count(job('one more'))).toBeNull();
    clock.advance(500);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([null]));
    clock.advance(1000);
    const after = worker.count(job(text));
    clock.advance(500);
    expect(await after).toBeNull();
  });

  it('ends waiting jobs when it closes, and takes none after that', async () => {
    const worker = start({ clock: new FakeClock(), entry: thread(NEVER_ANSWERS) });
    const counts = [worker.count(job('running')), worker.count(job('waiting'))];
    await worker.close();
    expect(await Promise.all(counts)).toEqual([null, null]);
    expect(await worker.count(job('late'))).toBeNull();
  });

  it('closes before it ever started', async () => {
    await expect(start({ clock: new FakeClock() }).close()).resolves.toBeUndefined();
  });
});
