import { describe, expect, it } from 'vitest';
import { type Encoding, type EncodingName, loadEncoding } from '../../src/tokens/encoding.ts';
import type { TextCounts } from '../../src/tokens/text-counter.ts';
import { createTokenCounter, type TextJob, type TextWorker } from '../../src/tokens/token-counter.ts';
import { textOf } from './texts.ts';

/** One LLM token for four characters: enough to see who counted. */
const quarters = async (name: EncodingName): Promise<Encoding> => ({
  name,
  count: (piece) => Math.ceil(piece.length / 4),
});

const chat = (content: string) => ({ messages: [{ role: 'user', content }] });

/** Stands still while vocabularies load, then takes a millisecond a look: every budget is over after two slices. */
function hastyClock(): { now: () => number; start: () => void } {
  let now = 0;
  let step = 0;
  return {
    now: () => {
      now += step;
      return now;
    },
    start: () => {
      step = 1;
    },
  };
}

class FakeWorker implements TextWorker {
  readonly jobs: TextJob[] = [];
  readonly #answer: (job: TextJob) => TextCounts | null;

  constructor(answer: (job: TextJob) => TextCounts | null) {
    this.#answer = answer;
  }

  count(job: TextJob): Promise<TextCounts | null> {
    this.jobs.push(job);
    return Promise.resolve(this.#answer(job));
  }
}

async function hastyCounter(worker: TextWorker | null) {
  const clock = hastyClock();
  const counter = createTokenCounter({ now: clock.now, worker, load: quarters });
  await counter.preload(['gpt-4o']);
  clock.start();
  return counter;
}

/** By a counter that has all the time. */
async function trueTokens(request: unknown): Promise<number> {
  const counter = createTokenCounter({ now: () => 0, worker: null, load: quarters });
  return (await counter.estimate(request, 'gpt-4o')).inputTokens;
}

describe('createTokenCounter', () => {
  it('answers at once when the vocabulary is there, and by a promise when it is not', async () => {
    const counter = createTokenCounter({ now: () => 0, worker: null, load: quarters });
    const first = counter.estimate(chat('hello'), 'gpt-4o');
    expect(first).toBeInstanceOf(Promise);
    const loaded = await first;
    const second = counter.estimate(chat('hello'), 'gpt-4o');
    expect(second).not.toBeInstanceOf(Promise);
    expect(second).toMatchObject({ inputTokens: 9 });
    expect(second).toEqual(loaded);
  });

  it('loads each vocabulary once, and only those of the models asked for', async () => {
    const loaded: string[] = [];
    const load = (name: EncodingName) => {
      loaded.push(name);
      return quarters(name);
    };
    const counter = createTokenCounter({ now: () => 0, worker: null, load });
    await counter.preload(['gpt-4o', 'gpt-5.5', 'gpt-4', 'llama-3']);
    await counter.estimate(chat('hello'), 'o3');
    expect(loaded).toEqual(['o200k_base', 'cl100k_base']);
  });

  it('tries again after a load that failed', async () => {
    let attempts = 0;
    const load = (name: EncodingName) => (attempts++ === 0 ? Promise.reject(new Error('no memory')) : quarters(name));
    const counter = createTokenCounter({ now: () => 0, worker: null, load });
    await expect(counter.estimate(chat('hello'), 'gpt-4o')).rejects.toThrow('no memory');
    expect(await counter.estimate(chat('hello'), 'gpt-4o')).toMatchObject({ inputTokens: 9 });
  });

  it('counts with the real vocabularies when none are brought', async () => {
    const counter = createTokenCounter({ now: () => 0, worker: null });
    expect(await counter.estimate(chat('hello world'), 'gpt-4o')).toMatchObject({ inputTokens: 9 });
    expect(await counter.estimate(chat('hello world'), 'gpt-oss-20b')).toMatchObject({ inputTokens: 9 });
  });

  it('extrapolates a long text when there is no worker', async () => {
    const counter = await hastyCounter(null);
    const request = chat(textOf('base64', 100_000));
    const estimate = counter.estimate(request, 'gpt-4o');
    expect(estimate).not.toBeInstanceOf(Promise);
    expect((await estimate).inputTokens / (await trueTokens(request))).toBeCloseTo(1, 1);
    expect(Object.keys(await estimate), 'no text is kept').toEqual(['inputTokens', 'atLeastTokens']);
  });

  it('hands a long text to the worker once, and remembers what it counted', async () => {
    const worker = new FakeWorker(({ texts }) => ({ tokens: texts.map(() => 12_345), isExact: texts.map(() => true) }));
    const counter = await hastyCounter(worker);
    const request = chat(textOf('base64', 100_000));
    const first = await counter.estimate(request, 'gpt-4o');
    expect(first.inputTokens).toBe(12_345 + 7);
    expect(first.atLeastTokens).toBeGreaterThan(11_000);
    expect(worker.jobs).toEqual([{ encoding: 'o200k_base', texts: [request.messages[0]?.content] }]);
    expect(counter.estimate(request, 'gpt-4o')).toEqual(first);
    expect(worker.jobs).toHaveLength(1);
  });

  it('keeps its own estimate when the worker cannot', async () => {
    const counter = await hastyCounter(new FakeWorker(() => null));
    const request = chat(textOf('base64', 100_000));
    const { inputTokens } = await counter.estimate(request, 'gpt-4o');
    expect(inputTokens / (await trueTokens(request))).toBeCloseTo(1, 1);
  });

  it('takes an answer that lacks texts for nothing counted', async () => {
    const counter = await hastyCounter(new FakeWorker(() => ({ tokens: [], isExact: [] })));
    expect(await counter.estimate(chat(textOf('base64', 100_000)), 'gpt-4o')).toMatchObject({ inputTokens: 7 });
  });

  it('bounds what it keeps of model names', async () => {
    const counter = createTokenCounter({ now: () => 0, worker: null, load: quarters });
    for (let index = 0; index < 2500; index++) await counter.estimate(chat('hello'), `model-${index}`);
    expect(counter.estimate(chat('hello'), 'model-0')).toMatchObject({ inputTokens: 9 });
  });
});

describe('loadEncoding', () => {
  it('gives o200k_harmony the vocabulary of o200k_base under its own name', async () => {
    const [base, harmony] = await Promise.all([loadEncoding('o200k_base'), loadEncoding('o200k_harmony')]);
    expect(harmony.name).toBe('o200k_harmony');
    expect(harmony.count('Ünïcode <|start|>')).toBe(base.count('Ünïcode <|start|>'));
  });
});
