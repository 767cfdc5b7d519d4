import fc from 'fast-check';
import { countTokens as countCl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Encoding, loadEncoding } from '../../src/tokens/encoding.ts';
import { TextCounter } from '../../src/tokens/text-counter.ts';
import { CHARS_PER_TOKEN, KINDS, textOf } from './texts.ts';

const plain = { disallowedSpecial: new Set<string>() };
const exact = (text: string) => countO200k(text, plain);
const never = () => false;

/** Time that is up after so many slices. */
function upAfter(slices: number): () => boolean {
  let asked = 0;
  return () => ++asked >= slices;
}

function relativeError(counted: number | undefined, truth: number): number {
  return Math.abs((counted ?? 0) / truth - 1);
}

describe('TextCounter', () => {
  let encoding: Encoding;
  let counter: TextCounter;

  beforeAll(async () => {
    encoding = await loadEncoding('o200k_base');
    counter = new TextCounter(encoding, 0);
  });

  for (const kind of KINDS) {
    const cases = [1000, 10_000, 100_000].map((size) => {
      const text = textOf(kind, size * CHARS_PER_TOKEN[kind], size);
      return { text, truth: exact(text) };
    });

    it(`counts ${kind} text to within 2 % when it has the time`, () => {
      for (const { text, truth } of cases) {
        expect(relativeError(counter.count([text], never).tokens[0], truth), `${truth}`).toBeLessThan(0.02);
      }
    });

    it(`counts ${kind} text to within 10 % when it has time for 24 slices only`, () => {
      for (const { text, truth } of cases) {
        expect(relativeError(counter.count([text], upAfter(24)).tokens[0], truth), `${truth}`).toBeLessThan(0.1);
      }
    });
  }

  it('is exact for ordinary text of both vocabularies', async () => {
    const older = new TextCounter(await loadEncoding('cl100k_base'), 0);
    for (const kind of ['english', 'code', 'json', 'arabic'] as const) {
      const text = textOf(kind, 20_000);
      expect(counter.count([text], never).tokens).toEqual([exact(text)]);
      expect(older.count([text], never).tokens).toEqual([countCl100k(text, plain)]);
    }
  });

  it('cuts text without spaces only where the count stays', () => {
    const pieces = [
      'word',
      'Word',
      'WORD',
      "it's",
      "o'",
      '12',
      '3',
      ' ',
      '  ',
      '\n',
      '\r\n',
      '\t',
      ';',
      '};',
      '//',
      '/',
      '("',
      '_',
    ];
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (value) => {
        expect(counter.count([value], never).tokens[0]).toBe(exact(value));
      }),
      { numRuns: 500 },
    );
  });

  it('takes any string, with halves of characters too', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 600 })), (texts) => {
        const { tokens } = counter.count([...texts, '\ud800', '\udc00'.repeat(300)], never);
        for (const [index, text] of texts.entries()) {
          expect(Math.abs((tokens[index] ?? 0) - exact(text))).toBeLessThanOrEqual(2 + text.length * 0.05);
        }
      }),
    );
  });

  it('is exact for Chinese and Japanese with marks of every kind', () => {
    const text = '他说：「你好！」ＡＢＣ，是吗？（对。）カタカナ、ひらがな・終わり';
    expect(counter.count([text], never).tokens[0]).toBe(exact(text));
  });

  it('treats the names of special tokens as plain text', () => {
    expect(counter.count(['<|endoftext|><|im_start|>'], never).tokens[0]).toBeGreaterThan(6);
  });

  it.each([
    ['a', 8],
    ['=', 16],
    [' ', 30],
    ['\n', 2],
    ['文', 0.9],
    ['🔥', 0.9],
  ])('counts a run of 50,000 %j in pieces, not as one word', (char, charsAToken) => {
    let longest = 0;
    const watching: Encoding = {
      name: 'o200k_base',
      count: (piece) => {
        longest = Math.max(longest, piece.length);
        return encoding.count(piece);
      },
    };
    const { tokens, isExact } = new TextCounter(watching).count([char.repeat(50_000)], never);
    expect(longest).toBeLessThanOrEqual(256);
    expect(isExact).toEqual([true]);
    expect(tokens[0]).toBeLessThan((50_000 * char.length) / charsAToken + 1);
  });

  it('says which texts it had no time for, and extrapolates these', () => {
    const texts = [textOf('english', 200), textOf('english', 100_000, 2), ''];
    const { tokens, isExact, unfinished } = counter.count(texts, upAfter(60));
    expect(unfinished).toContain(1);
    expect(isExact[1]).toBe(false);
    expect(isExact[2]).toBe(true);
    expect(tokens[2]).toBe(0);
    expect(relativeError(tokens[1], exact(texts[1] ?? ''))).toBeLessThan(0.1);
  });

  it('judges a text of another kind by itself once it has seen enough of it', () => {
    const texts = [textOf('english', 60_000), textOf('chinese', 60_000)];
    const { tokens } = counter.count(texts, upAfter(80));
    for (const [index, text] of texts.entries()) expect(relativeError(tokens[index], exact(text))).toBeLessThan(0.1);
  });

  it('counts a text once and remembers it', () => {
    let calls = 0;
    const watching = (piece: string) => {
      calls++;
      return encoding.count(piece);
    };
    const remembering = new TextCounter({ name: 'o200k_base', count: watching });
    const text = textOf('base64', 3000);
    const first = remembering.count([text], never);
    const callsAtFirst = calls;
    expect(remembering.count([`${text}`], never)).toEqual(first);
    expect(calls).toBe(callsAtFirst);
  });

  it('does not remember what it extrapolated, but does what it is told', () => {
    const remembering = new TextCounter(encoding);
    const text = textOf('base64', 30_000);
    expect(remembering.count([text], upAfter(2)).unfinished).toEqual([0]);
    remembering.learn(text, 777, false);
    remembering.learn('short', 999, true);
    expect(remembering.count([text, 'short'], never)).toEqual({
      tokens: [777, 1],
      isExact: [false, true],
      unfinished: [],
    });
  });
});
