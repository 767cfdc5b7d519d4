import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDataUrl } from '../../../src/providers/mapping/data-url.ts';
import { embeddingsList } from '../../../src/providers/mapping/embeddings-answer.ts';
import { refusesInput, textsToEmbed } from '../../../src/providers/mapping/embeddings-request.ts';
import {
  fieldAt,
  flagAt,
  listAt,
  numberAt,
  objectAt,
  parsed,
  textAt,
  withoutNulls,
} from '../../../src/providers/mapping/json.ts';
import { acceptableId } from '../../../src/providers/mapping/tool-ids.ts';
import { spokenFields, wordless } from '../../../src/providers/mapping/wordless.ts';

describe('a data: URL', () => {
  it.each([
    ['data:image/png;base64,iVBO', { mediaType: 'image/png', base64: 'iVBO' }],
    ['DATA:Image/PNG;charset=x; BASE64,iVBO', { mediaType: 'image/png', base64: 'iVBO' }],
    ['data:;base64,iVBO', { mediaType: '', base64: 'iVBO' }],
    ['data:text/plain,a%20b', { mediaType: 'text/plain', base64: Buffer.from('a b').toString('base64') }],
    ['data:,100%', { mediaType: '', base64: Buffer.from('100%').toString('base64') }],
    ['data:image/png', null],
    ['https://example.com/a,b', null],
    ['', null],
  ])('%j is %j', (url, read) => {
    expect(readDataUrl(url)).toEqual(read);
  });
});

describe('the id of a call', () => {
  const rule = { allowed: /^[a-zA-Z0-9]{9}$/, prefix: '', length: 9 };

  it('that is taken stays as it is', () => {
    expect(acceptableId('abcDEF123', rule)).toBe('abcDEF123');
  });

  it('that is not becomes one that is, and always the same', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const made = acceptableId(id, rule);
        expect(made).toMatch(rule.allowed);
        expect(acceptableId(id, rule)).toBe(made);
      }),
    );
  });

  it('is another for another', () => {
    const ids = Array.from({ length: 2_000 }, (_, index) => acceptableId(`call_${index}`, rule));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('that is made up begins as told', () => {
    expect(acceptableId('a.b', { ...rule, prefix: 'toolu_', length: 24 })).toMatch(/^toolu_[a-z0-9]{24}$/);
  });
});

describe('a reader of JSON that nobody has checked', () => {
  const source = JSON.parse('{"text":"a","number":1,"flag":true,"list":[1],"object":{},"null":null}') as unknown;
  const readers = { text: textAt, number: numberAt, flag: flagAt, object: objectAt } as const;

  it.each(Object.entries(readers))('of %s finds only that', (name, reader) => {
    expect(reader(source, name)).toEqual(fieldAt(source, name));
    for (const other of ['text', 'number', 'flag', 'list', 'object', 'null', 'absent'].filter(
      (each) => each !== name,
    )) {
      expect(reader(source, other)).toBeNull();
    }
  });

  it('of lists finds an empty one where there is none', () => {
    expect(listAt(source, 'list')).toEqual([1]);
    expect(listAt(source, 'text')).toEqual([]);
  });

  it('sees no member that is not its own, and no number without end', () => {
    expect(fieldAt({}, 'toString')).toBeUndefined();
    expect(fieldAt('text', 'length')).toBeUndefined();
    expect(numberAt({ a: Number.POSITIVE_INFINITY }, 'a')).toBeNull();
  });

  it('leaves out what nobody has said', () => {
    expect(withoutNulls({ a: null, b: 0, c: '', d: false })).toEqual({ b: 0, c: '', d: false });
  });

  it('takes text that is no JSON for nothing', () => {
    expect(parsed('[1]')).toEqual([1]);
    expect(parsed('[1')).toBeNull();
  });
});

describe('fields that a vendor may have no word for', () => {
  const rest = { top_k: 4, logit_bias: {}, store: false, service_tier: 'auto', modalities: ['text'] };

  it('are told but for those that it has, and those that ask for nothing', () => {
    expect(wordless(rest, new Set(['top_k']))).toEqual(['logit_bias']);
    expect(wordless({ service_tier: 'flex', modalities: ['text', 'audio'], store: true }, new Set())).toEqual([
      'service_tier',
      'modalities',
      'store',
    ]);
  });

  it('pass where it has', () => {
    expect(spokenFields(rest, new Set(['top_k', 'top_a']))).toEqual({ top_k: 4 });
  });
});

describe('texts to be turned into vectors', () => {
  it.each([
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[], []],
  ])('are read from %j', (input, texts) => {
    expect(refusesInput({ input }, 2)).toBeNull();
    expect(textsToEmbed({ input })).toEqual(texts);
  });

  it.each([[[1, 2]], [[[1], [2]]], [7], [undefined]])('are not in %j', (input) => {
    expect(refusesInput({ input }, 2)?.param).toBe('input');
    expect(textsToEmbed({ input })).toEqual([]);
  });

  it('may be more than a vendor takes', () => {
    expect(refusesInput({ input: ['a', 'b', 'c'] }, 2)).toMatchObject({
      param: 'input',
      message: expect.stringContaining('2 texts'),
    });
  });
});

describe('a list of vectors', () => {
  const context = { model: 'm', createdS: 0, inputTokens: 9, wantsBase64: false };
  const list = (inputTokens: number | null, more: object = {}) =>
    embeddingsList({ vectors: [[0.5, -1]], inputTokens }, { ...context, ...more });

  it('is as OpenAI writes it', () => {
    expect(list(3)).toEqual({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.5, -1] }],
      model: 'm',
      usage: { prompt_tokens: 3, total_tokens: 3 },
    });
  });

  it('is told with an estimate where the vendor does not count', () => {
    expect(list(null)).toMatchObject({ usage: { total_tokens: 9 } });
    expect(embeddingsList({ vectors: [], inputTokens: null }, { model: 'm', createdS: 0 })).toMatchObject({
      usage: { total_tokens: 0 },
    });
  });

  it('may be in the form that clients read fastest', () => {
    const [item] = list(3, { wantsBase64: true })['data'] as { embedding: string }[];
    const bytes = Buffer.from(item?.embedding ?? '', 'base64');
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([0.5, -1]);
  });
});
