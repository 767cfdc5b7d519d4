import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';
import { AnswerText } from '../../src/simulator/answer-text.ts';
import { isFailure } from '../../src/simulator/api/failure.ts';
import { createTokenCounter, splitTokens } from '../../src/simulator/count-tokens.ts';
import { draw } from '../../src/simulator/distribution.ts';
import { goDuration } from '../../src/simulator/go-duration.ts';
import type { Json } from '../../src/simulator/json.ts';
import { jsonExample } from '../../src/simulator/json-example.ts';
import { type Prompt, promptTokens } from '../../src/simulator/prompt-size.ts';
import { calledFunctions } from '../../src/simulator/vendors/called-functions.ts';
import { readChat } from '../../src/simulator/vendors/openai-shaped/read-chat.ts';

const count = createTokenCounter();

describe('durations as Go prints them', () => {
  it.each([
    [0, '0s'],
    [-5, '0s'],
    [0.4, '1ms'],
    [12, '12ms'],
    [999.2, '1s'],
    [1200, '1.2s'],
    [60_000, '1m0s'],
    [86_400, '1m26.4s'],
    [3_600_000, '1h0m0s'],
    [85_656_648, '23h47m36.648s'],
  ])('%d ms is %s', (ms, text) => {
    expect(goDuration(ms)).toBe(text);
  });
});

describe('a draw', () => {
  it('is the number itself, a number between two, or one with a long tail', () => {
    expect(draw(7, () => 0.9)).toBe(7);
    expect(draw({ kind: 'uniform', min: 10, max: 20 }, () => 0.25)).toBe(12.5);
    expect(draw({ kind: 'lognormal', median: 100, sigma: 1 }, () => 0.25)).toBeCloseTo(100);
    expect(draw({ kind: 'lognormal', median: 100, sigma: 1 }, () => 0)).toBeGreaterThan(100);
    expect(draw({ kind: 'lognormal', median: 100, sigma: 1, max: 50 }, () => 0.25)).toBe(50);
  });

  it('lies below the median half of the time', () => {
    let state = 1;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const draws = Array.from({ length: 4000 }, () => draw({ kind: 'lognormal', median: 100, sigma: 1 }, random));
    expect(draws.filter((each) => each < 100).length / 4000).toBeCloseTo(0.5, 1);
  });
});

describe('counting', () => {
  it('is exact for ordinary text, and takes control tokens for text', () => {
    const as = { disallowedSpecial: new Set<string>() };
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        expect(count(text)).toBe(countTokens(text, as));
      }),
    );
    expect(count('<|endoftext|>')).toBeGreaterThan(1);
  });

  it('takes no quadratic time for a long run', () => {
    expect(count('a'.repeat(400_000))).toBeGreaterThan(40_000);
    expect(count('😀'.repeat(20_000))).toBeGreaterThan(10_000);
    expect(count(' '.repeat(100_000))).toBeGreaterThan(100);
    expect(count('7'.repeat(3000))).toBeLessThanOrEqual(1020);
    expect(count('='.repeat(3000))).toBeGreaterThan(10);
  });

  it('remembers texts, but not without end', () => {
    const own = createTokenCounter(100);
    const texts = ['one '.repeat(15), 'two '.repeat(15), 'one '.repeat(15)];
    expect(texts.map((text) => own(text))).toEqual([16, 16, 16]);
    expect(own('a '.repeat(200))).toBe(201);
  });

  it('splits a text into its tokens', () => {
    const text = '{"city":"Rome","days":1}';
    expect(splitTokens(text).join('')).toBe(text);
    expect(splitTokens(text)).toHaveLength(count(text));
  });
});

it('an answer has exactly as many tokens as were asked for, in one piece or many', () => {
  const words = new AnswerText();
  for (let length = 1; length < 300; length++) {
    const text = words.text(length);
    expect(countTokens(text)).toBe(length);
    expect(Array.from({ length }, (_, index) => words.piece(index)).join('')).toBe(text);
  }
});

describe('the size of a prompt', () => {
  const promptOf = (body: object): Prompt => {
    const read = readChat({ model: 'm', ...body });
    if (isFailure(read)) throw new Error(read.message);
    return read.prompt;
  };
  const size = (body: object): number => promptTokens(promptOf(body), count);

  // One such request ended the whole process.
  it('can be told of whatever stands where a text should', () => {
    const odd = [{ toString: null }, JSON.parse('{"__proto__":{"x":1}}'), [], 5, null, true];
    for (const type of odd) {
      const tool = {
        type: 'function',
        function: { name: 'f', parameters: { properties: { a: { type, enum: odd } } } },
      };
      expect(size({ messages: [{ role: type, content: type, tool_calls: type }], tools: [tool] })).toBeGreaterThan(0);
    }
  });

  it('follows the published formula for messages and names', () => {
    expect(size({ messages: [{ role: 'user', content: 'Hi' }] })).toBe(8);
    expect(size({ messages: [{ role: 'user', name: 'bob', content: 'Hi' }] })).toBe(10);
    expect(size({ messages: [{ content: null }, { role: 'assistant', refusal: 'No' }] })).toBe(11);
  });

  it('counts parts, images and calls', () => {
    const text = { type: 'text', text: 'Hi' };
    const parts = (...content: object[]): number => size({ messages: [{ role: 'user', content }] });
    expect(parts(text)).toBe(8);
    expect(parts(text, { type: 'refusal', refusal: 'No' })).toBe(9);
    expect(parts(text, { type: 'image_url', image_url: { url: 'x', detail: 'low' } })).toBe(93);
    expect(parts(text, { type: 'image_url', image_url: { url: 'x' } })).toBe(773);
    expect(parts(text, { type: 'input_audio' })).toBe(8);
    const calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }];
    expect(size({ messages: [{ role: 'assistant', content: null, tool_calls: calls }] })).toBe(
      7 + count(JSON.stringify(calls)),
    );
  });

  it('follows the published formula for tools', () => {
    const messages = [{ role: 'user', content: 'Hi' }];
    const tool = (parameters: object) => [
      { type: 'function', function: { name: 'f', description: 'Does.', parameters } },
    ];
    const bare = 8 + 12 + 7 + count('f:Does');
    expect(size({ messages, tools: tool({}) })).toBe(bare);
    const city = { type: 'string', description: 'The city.' };
    const cityTokens = 3 + count('city:string:The city');
    expect(size({ messages, tools: tool({ properties: { city } }) })).toBe(bare + 3 + cityTokens);
    const unit = { type: 'string', enum: ['c', 'f'] };
    const unitTokens = 3 + count('unit:string:') - 3 + 2 * (3 + 1);
    expect(size({ messages, tools: tool({ properties: { city, unit } }) })).toBe(bare + 3 + cityTokens + unitTokens);
    const list = { type: 'array', items: { type: 'object', properties: { city } } };
    expect(size({ messages, tools: tool({ properties: { list, any: {} } }) })).toBe(
      bare + 3 + 3 + count('list:array:') + 3 + cityTokens + 3 + count('any::'),
    );
  });

  it('counts a schema, but not the wish for any JSON', () => {
    const messages = [{ role: 'user', content: 'Hi' }];
    const schema = { type: 'object', properties: {} };
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    expect(size({ messages, response_format: format })).toBe(8 + count(JSON.stringify(schema)));
    expect(size({ messages, response_format: { type: 'json_object' } })).toBe(8);
  });
});

describe('the smallest value that obeys a schema', () => {
  it.each([
    [{ type: 'string' }, 'a'],
    [{ type: 'string', minLength: 3 }, 'aaa'],
    [{}, 'a'],
    [{ type: 'integer' }, 0],
    [{ type: 'number', minimum: 1.5 }, 2],
    [{ type: 'number', exclusiveMinimum: 3 }, 4],
    [{ type: 'number', maximum: -2 }, -2],
    [{ type: 'boolean' }, false],
    [{ type: 'null' }, null],
    [{ type: ['integer', 'null'] }, 0],
    [{ const: 'x' }, 'x'],
    [{ enum: [3, 4] }, 3],
    [{ anyOf: [{ type: 'boolean' }, { type: 'null' }] }, false],
    [{ oneOf: [{ const: 1 }] }, 1],
    [{ type: 'array', items: { type: 'boolean' } }, []],
    [{ type: 'array', items: { type: 'boolean' }, minItems: 2 }, [false, false]],
    [{ properties: { a: { type: 'null' } } }, { a: null }],
    [{ type: 'object', properties: { a: {}, b: {} }, required: ['b'] }, { b: 'a' }],
    [{ $ref: '#/$defs/x', $defs: { x: { const: 5 } } }, 5],
    [{ $ref: 'https://example.com' }, 'a'],
    [{ $ref: '#/$defs/x', $defs: { x: { $ref: '#/$defs/x' } } }, 'a'],
  ])('of %j is %j', (schema, value) => {
    expect(jsonExample(schema)).toEqual(value);
  });

  it('ends where a schema refers to itself', () => {
    const node = { type: ['object', 'null'], properties: { next: { $ref: '#/$defs/node' } } };
    const list = { type: 'array', minItems: 1, items: { $ref: '#/$defs/list' } };
    const root = { $defs: { node, list, wide: { anyOf: [{ $ref: '#/$defs/wide' }] } } };
    for (const name of ['node', 'list', 'wide']) {
      const text = JSON.stringify(jsonExample({ ...root, $ref: `#/$defs/${name}` }));
      expect(text.length).toBeLessThan(200);
    }
  });

  it('stays small where a schema grows by powers', () => {
    const deep = (levels: number): object =>
      levels === 0 ? { type: 'string', minLength: 1e9 } : { type: 'array', minItems: 1e9, items: deep(levels - 1) };
    const many = {
      type: 'object',
      properties: Object.fromEntries('abcdefgh'.split('').map((name) => [name, { $ref: '#' }])),
    };
    for (const schema of [deep(6), many]) {
      expect(JSON.stringify(jsonExample(schema as Json)).length).toBeLessThan(1_000_000);
    }
  });

  it('takes sizes of any kind', () => {
    for (const size of [-1, 'x', null, {}, { toString: null }, Number.POSITIVE_INFINITY]) {
      expect(jsonExample({ type: 'string', minLength: size })).toEqual(expect.any(String));
      expect(jsonExample({ type: 'array', minItems: size })).toEqual(expect.any(Array));
    }
  });
});

describe('the wish to call a tool', () => {
  const tools = [{ name: 'get_weather' }];
  const called = (lastSaid: string): unknown[] =>
    calledFunctions({ choice: 'auto', tools, lastSaid, isOneAtMost: false });

  it('is found in what was said last', () => {
    expect(called('Please use the tool')).toEqual(tools);
    expect(called('Use it. The tool is good')).toEqual([]);
  });

  // One such text kept the process busy for minutes.
  it('does not take long to miss in a long text', () => {
    expect(called('use '.repeat(1_000_000))).toEqual([]);
  });
});
