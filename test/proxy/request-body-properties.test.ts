import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../src/errors.ts';
import { CHAT_NAMES } from '../../src/proxy/request-body/chat-facts.ts';
import { jsonErrorOffset } from '../../src/proxy/request-body/json-error.ts';
import { type RequestFacts, readRequestBody } from '../../src/proxy/request-body.ts';

const FACTS: RequestFacts = {
  model: null,
  isStreaming: true,
  wantsUsage: false,
  outputCapTokens: null,
  n: 1,
  needs: [],
  user: null,
};
const NAMES = ['model', 'stream_options'];
/** Checks nothing: what is left are scanner, parser and splice. */
const READER = { names: new Set(NAMES), facts: () => FACTS };

/** A document in pieces, so that a test knows what belongs where. */
interface Document {
  readonly gap: string;
  readonly members: readonly { readonly name: string; readonly value: string }[];
}

const gap = fc.stringMatching(/^[ \n\r\t]{0,3}$/);

/** JSON text of a string, sometimes with its letters written as escapes. */
function quoted(text: string, hasEscapes: boolean): string {
  if (!hasEscapes) return JSON.stringify(text);
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

const wellFormed = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed());
const text = fc.oneof(wellFormed, fc.constantFrom(...NAMES, 'data:x', '"', '\\', '\\"', 'x'.repeat(70)));
const string = fc.tuple(text, fc.boolean()).map(([value, hasEscapes]) => quoted(value, hasEscapes));
/** Without backslashes, which V8's own parser mixes up (see request-body.ts), and no odd spelling of what is read. */
const name = fc
  .tuple(
    text.filter((value) => !value.includes('\\') && (NAMES.includes(value) || !NAMES.includes(value.toLowerCase()))),
    fc.boolean(),
  )
  .map(([value, hasEscapes]) => quoted(value, hasEscapes));

const { value } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    string,
    fc.constantFrom('0', '-1.50', '1e9', '12345678901234567890', 'true', 'false', 'null', '""', '{}', '[]'),
    tie('list'),
    tie('object'),
  ),
  list: fc.tuple(fc.array(tie('value'), { maxLength: 4 }), gap).map(([items, blank]) => `[${items.join(`${blank},`)}]`),
  object: fc
    .tuple(fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }), gap)
    .map(([members, blank]) => `{${blank}${members.map(([key, item]) => `${key}:${blank}${item}`).join(',')}}`),
}));

const document: fc.Arbitrary<Document> = fc.record({
  gap,
  members: fc.uniqueArray(
    fc.record({ name: fc.oneof(name, fc.constantFrom(...NAMES.map((read) => quoted(read, false)))), value }),
    { maxLength: 6, selector: (member) => String(JSON.parse(member.name)) },
  ),
});

function render({ gap: blank, members }: Document, added: readonly string[] = []): string {
  const own = members.map((member) => `${blank}${member.name}${blank}:${blank}${member.value}${blank}`);
  const isApart = added.length > 0 && own.length > 0;
  return `${blank}{${added.join(',')}${isApart ? ',' : ''}${own.join(',')}}${blank}`;
}

/** What should be sent for `document`, put together from its pieces. */
function rendered(source: Document, edits: ReadonlyMap<string, string>): string {
  const nameOf = (member: Document['members'][number]) => String(JSON.parse(member.name));
  const members = source.members.map((member) => ({ ...member, value: edits.get(nameOf(member)) ?? member.value }));
  const present = new Set(source.members.map(nameOf));
  const missing = [...edits].filter(([read]) => !present.has(read));
  return render(
    { ...source, members },
    missing.map(([read, json]) => `${JSON.stringify(read)}:${json}`),
  );
}

function usageOptions(source: Document): string {
  const own = source.members.find((member) => JSON.parse(member.name) === 'stream_options');
  const options: unknown = own ? JSON.parse(own.value) : {};
  const isObject = typeof options === 'object' && !Array.isArray(options);
  return JSON.stringify({ ...(isObject ? options : {}), include_usage: true });
}

function isJson(source: string): boolean {
  try {
    JSON.parse(source);
    return true;
  } catch {
    return false;
  }
}

function refusal(source: string): string | null {
  try {
    readRequestBody(Buffer.from(source), READER);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('any JSON object', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(document, (source) => {
        const written = render(source);
        expect(readRequestBody(Buffer.from(written), READER).takeParsed()).toEqual(JSON.parse(written));
      }),
      { numRuns: 10_000 },
    );
  });

  it('is sent with the two members set and every other byte as it was', () => {
    fc.assert(
      fc.property(document, (source) => {
        const read = readRequestBody(Buffer.from(render(source)), READER);
        const edits = new Map([
          ['model', '"up"'],
          ['stream_options', usageOptions(source)],
        ]);
        expect(read.forUpstream({ model: 'up', includeUsage: true }).toString()).toBe(rendered(source, edits));
      }),
      { numRuns: 10_000 },
    );
  });

  it('broken somewhere is accepted if and only if JSON.parse accepts it', () => {
    const bytes = fc.constantFrom('"', '\\', ',', ':', '{', '}', '[', ']', ' ', '1', 'e', '\u0000', 'x');
    const mutations = fc.array(fc.tuple(fc.nat(), fc.nat(3), bytes), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(document, mutations, (source, changes) => {
        let broken = render(source);
        for (const [place, removed, put] of changes) {
          const at = place % (broken.length + 1);
          broken = broken.slice(0, at) + put + broken.slice(at + removed);
        }
        const isObject = isJson(broken) && broken.trimStart().startsWith('{');
        if (!isObject) expect(refusal(broken)).toContain('must be one JSON object');
        // What remains an object may by chance repeat a name that is read.
        else expect(refusal(broken) ?? 'accepted').toMatch(/^accepted$|given twice|lower case|without escapes/);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('any value in any field of a chat request', () => {
  const plain = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(0, -1, 1e308, '', [], {}, [null], [[]], [{}], [{ role: 1 }]));

  it('is taken, or answered with an error that blames the request', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...CHAT_NAMES), odd, { maxKeys: 4 }), (fields) => {
        try {
          const { facts } = readRequestBody(Buffer.from(JSON.stringify({ ...plain, ...fields })));
          expect(facts.outputCapTokens ?? 1).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ProxyError);
          expect((error as ProxyError).status).toBe(400);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('the position of a mistake', () => {
  const tokens = '{ } [ ] " \\ \\n \\u00e9 a : , - 0 12 . e + true nul \t'.split(' ');

  it('exists for exactly what JSON.parse refuses, and what comes before it could still become JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(' ', ...tokens), { maxLength: 12 }), (parts) => {
        const bytes = Buffer.from(parts.join(''));
        const offset = jsonErrorOffset(bytes);
        expect(offset === null).toBe(isJson(bytes.toString()));
        if (offset !== null) expect(jsonErrorOffset(bytes.subarray(0, offset)) ?? offset).toBe(offset);
      }),
      { numRuns: 20_000 },
    );
  });
});
