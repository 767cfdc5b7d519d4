import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDataUrl } from '../../../src/providers/mapping/data-url.ts';
import { fieldAt, flagAt, listAt, numberAt, objectAt, parsed, textAt } from '../../../src/providers/mapping/json.ts';
import { acceptableId } from '../../../src/providers/mapping/tool-ids.ts';

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

  it('takes text that is no JSON for nothing', () => {
    expect(parsed('[1]')).toEqual([1]);
    expect(parsed('[1')).toBeNull();
  });
});
