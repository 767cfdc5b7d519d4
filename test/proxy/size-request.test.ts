import { describe, expect, test } from 'vitest';
import { anthropic } from '../../src/providers/anthropic/anthropic.ts';
import { azureOpenAi } from '../../src/providers/azure/azure-openai.ts';
import { openai } from '../../src/providers/openai.ts';
import { openaiCompatible } from '../../src/providers/openai-compatible.ts';
import { chatDoor } from '../../src/proxy/doors/chat.ts';
import { countTokensDoor } from '../../src/proxy/doors/messages/messages.ts';
import { readRequestBody } from '../../src/proxy/request-body.ts';
import { sizeRequest } from '../../src/proxy/size-request.ts';
import { Calibration } from '../../src/tokens/calibrate.ts';
import { OutputPredictor } from '../../src/tokens/predict-output.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type BenchTarget, ProxyBench } from '../support/proxy-bench.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

interface Case {
  readonly targets?: readonly BenchTarget[];
  readonly body?: object;
  readonly calibration?: Calibration;
  readonly estimate?: (request: unknown, model: string) => Estimate | Promise<Estimate>;
}

interface Estimate {
  readonly inputTokens: number;
  readonly atLeastTokens: number;
}

function sizesOf({ targets = [{}], body = {}, calibration = new Calibration(), estimate = hundred }: Case) {
  const { model } = new ProxyBench({ clock: new FakeClock(), transport: new ScriptedTransport(), targets });
  const text = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'x' }], ...body });
  const request = { model, door: chatDoor, client: 'web', body: readRequestBody(Buffer.from(text)) };
  return sizeRequest(request, { calibration, outputs: new OutputPredictor(20), tokens: { estimate } });
}

function hundred(): Estimate {
  return { inputTokens: 100, atLeastTokens: 80 };
}

function taught(ratio: number, answers: number): Calibration {
  const calibration = new Calibration();
  const observation = { provider: 'acme', model: 'gpt-upstream', estimatedTokens: 100, realTokens: 100 * ratio };
  for (let answer = 0; answer < answers; answer++) calibration.observe(observation);
  return calibration;
}

const UNKNOWN = [{ provider: openaiCompatible }];

describe('the cost of a request', () => {
  test('has hardly a margin where nothing gives it back', async () => {
    const targets = [{ provider: openai }, { provider: azureOpenAi }];
    const [given, kept] = await sizesOf({ targets });
    expect(given?.cost.reserved[2]).toBe(111);
    expect(kept?.cost.reserved[2]).toBe(100);
    const [, learned] = await sizesOf({ targets, calibration: taught(1, 50) });
    expect(learned?.cost.reserved[2]).toBe(101);
  });

  test('may be nothing of the input where a cache is asked for that the vendor lets pass for nothing', async () => {
    const targets = [{ provider: anthropic }, { provider: openai }];
    const [free, full] = await sizesOf({ targets, body: { prompt_cache_key: 'team' } });
    expect(free?.cost.certain).toEqual([1, 0, 0, 0, 1]);
    expect(full?.cost.certain).toEqual([1, 80, 80, 0, 1]);
    const [uncached] = await sizesOf({ targets });
    expect(uncached?.cost.certain).toEqual([1, 80, 80, 0, 1]);
  });

  test('is what the vendor reserves, what will stay, and what is certain', () => {
    expect(sizesOf({ body: { max_tokens: 50 } })).toEqual([
      {
        estimatedTokens: 100,
        isWhole: true,
        inputTokens: 100,
        predictedOutputTokens: 20,
        cost: {
          reserved: [1, 161, 111, 50, 1],
          expected: [1, 120, 100, 20, 1],
          certain: [1, 130, 80, 50, 1],
        },
        price: null,
        predictedNanoUsd: null,
      },
    ]);
  });

  test('is certain of no output that the client did not cap', () => {
    expect(sizesOf({})).toMatchObject([{ cost: { reserved: [1, 131, 111, 20, 1], certain: [1, 80, 80, 0, 1] } }]);
  });

  test('has no margin on an upstream without headers until it has been learned', () => {
    expect(sizesOf({ targets: UNKNOWN })).toMatchObject([{ cost: { reserved: [1, 120, 100, 20, 1] } }]);
    const sizes = sizesOf({ targets: UNKNOWN, calibration: taught(1, 50) });
    expect(sizes).toMatchObject([{ cost: { reserved: [1, 125, 105, 20, 1] } }]);
  });

  test('follows an upstream that counts otherwise', () => {
    const sizes = sizesOf({ targets: UNKNOWN, calibration: taught(1.4, 100) });
    expect(sizes).toMatchObject([{ estimatedTokens: 100, inputTokens: 140 }]);
  });

  test('is certain of less where an upstream counts less', () => {
    expect(sizesOf({ calibration: taught(0.5, 200) })).toMatchObject([{ cost: { certain: [1, 40, 40, 0, 1] } }]);
  });

  test("does not predict more than a target's longest answer, for each choice", () => {
    const targets = [{ changes: { maxOutputTokens: 8 } }];
    expect(sizesOf({ targets })).toMatchObject([{ predictedOutputTokens: 8 }]);
    expect(sizesOf({ targets, body: { n: 2 } })).toMatchObject([{ predictedOutputTokens: 16 }]);
  });
});

describe('a text', () => {
  test('is counted once for all targets that share a tokenizer', () => {
    const asked: string[] = [];
    const estimate = (_request: unknown, model: string): Estimate => {
      asked.push(model);
      return hundred();
    };
    const other = { name: 'other', changes: { tokenizerModel: 'llama' } };
    expect(sizesOf({ targets: [{}, { name: 'twin' }, other], estimate })).toHaveLength(3);
    expect(asked).toEqual(['gpt-upstream', 'llama']);
  });

  test('that is counted elsewhere is waited for', async () => {
    const sizes = sizesOf({ estimate: () => Promise.resolve(hundred()) });
    expect(sizes).toBeInstanceOf(Promise);
    expect(await sizes).toMatchObject([{ estimatedTokens: 100 }]);
  });
});

describe('a target', () => {
  const short = { changes: { contextLengthTokens: 120 } };
  const blind = { changes: { supports: new Set<never>() } };
  const tools = { tools: [{ type: 'function', function: { name: 'f' } }] };

  test('whose context is surely too short is left out', () => {
    expect(sizesOf({ targets: [short, {}], body: { max_tokens: 50 } })).toMatchObject([null, { inputTokens: 100 }]);
  });

  test('whose context may be too short is asked', () => {
    expect(sizesOf({ targets: [short] })).toMatchObject([{ inputTokens: 100 }]);
    expect(sizesOf({ targets: [short], body: { max_tokens: 40, n: 4 } })).toMatchObject([{ inputTokens: 100 }]);
  });

  test('that does not offer what is needed is left out', () => {
    expect(sizesOf({ targets: [blind, {}], body: tools })).toMatchObject([null, { inputTokens: 100 }]);
  });

  test('is missed by name when none offers what is needed', () => {
    expect(() => sizesOf({ targets: [blind, blind], body: { ...tools, n: 2 } })).toThrow(/asks for: tools, n\./);
  });

  test.each([
    [tools, 'tools'],
    [{ functions: [{ name: 'f' }] }, 'functions'],
    [{ n: 2 }, 'n'],
    [{ logprobs: true }, 'logprobs'],
    [{ response_format: { type: 'json_schema' } }, 'response_format'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] }, 'messages'],
  ])('is missed by the field that asks for it: %j', (body, param) => {
    expect(() => sizesOf({ targets: [blind], body })).toThrow(expect.objectContaining({ details: { param } }));
  });

  test('is missed even if each need alone is offered by one', () => {
    const one = { changes: { supports: new Set(['tools'] as const) } };
    const other = { changes: { supports: new Set(['n'] as const) } };
    expect(() => sizesOf({ targets: [one, other], body: { ...tools, n: 2 } })).toThrow(/asks for: tools, n\./);
  });

  test('with room for the request must be there, and that is told with the numbers', () => {
    const exceeding = expect.objectContaining({ code: 'context_length_exceeded', details: { param: 'messages' } });
    const longest = [short, { changes: { contextLengthTokens: 125 } }];
    expect(() => sizesOf({ targets: longest, body: { max_tokens: 50 } })).toThrow(exceeding);
    expect(() => sizesOf({ targets: longest, body: { max_tokens: 50 } })).toThrow(/is 125 tokens.*output you allow/);
    expect(() => sizesOf({ targets: [{ changes: { contextLengthTokens: 70 } }] })).toThrow(
      /your messages alone would take more/,
    );
  });

  test('without the ability does not count as one without the room', () => {
    const wide = { changes: { supports: new Set<never>(), contextLengthTokens: 1_000_000 } };
    const narrow = { changes: { contextLengthTokens: 10 } };
    expect(() => sizesOf({ targets: [wide, narrow], body: tools })).toThrow(/is 10 tokens/);
  });
});

describe('the price of a request', () => {
  const price = { input: 2.5, cachedInput: 1.25, output: 10 };
  const targets = [{ changes: { price } }, { changes: { price: { input: 0, cachedInput: 0, output: 0 } } }, {}];

  test('is that of the estimated input and the predicted output, which no cap makes dearer', async () => {
    // 100 tokens at 2.50 and 20 at 10 dollars a million: 450 millionths.
    const sizes = await sizesOf({ targets, body: { max_tokens: 4_000 } });
    expect(sizes.map((size) => size?.predictedNanoUsd)).toEqual([450_000, 0, null]);
    const [learned] = await sizesOf({ targets, calibration: taught(2, 200) });
    expect(learned?.predictedNanoUsd).toBe(700_000);
  });

  test('is nothing for counting', async () => {
    const { model } = new ProxyBench({ clock: new FakeClock(), transport: new ScriptedTransport(), targets });
    const text = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'x' }] });
    const body = readRequestBody(Buffer.from(text), countTokensDoor.body);
    const targetsOf = { ...model, targets: model.targets.map((target) => ({ ...target, wires: anthropic.wires })) };
    const services = {
      calibration: new Calibration(),
      outputs: new OutputPredictor(20),
      tokens: { estimate: hundred },
    };
    const sizes = await sizeRequest({ model: targetsOf, door: countTokensDoor, client: 'web', body }, services);
    expect(sizes.map((size) => size?.predictedNanoUsd)).toEqual([0, 0, 0]);
  });
});
