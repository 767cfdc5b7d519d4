import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRequestBody } from '../../src/proxy/request-body.ts';
import { editedBody, targetEdits } from '../../src/proxy/target-edits.ts';
import { provider } from '../providers/read-fixtures.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ProxyBench } from '../support/proxy-bench.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

type Configured = Parameters<typeof targetEdits>[0];

const NOTHING: Configured = { params: {}, force: {}, drop: [] };

function sent(body: string, configured: Partial<Configured>, model = 'm'): string {
  const edits = targetEdits({ ...NOTHING, ...configured });
  const read = readRequestBody(Buffer.from(body));
  read.note(edits?.names ?? new Map());
  return read.forUpstream({ model, includeUsage: false, edits }).toString();
}

const MESSAGES = '"messages": [ {"role":"user","content":"Hi"} ]';

describe('the bytes that are sent', () => {
  test.each<[string, string, Partial<Configured>, string]>([
    [
      'a parameter is added where there is none',
      `{${MESSAGES} , "model":"m"}`,
      { params: { temperature: 0.2 } },
      `{"temperature":0.2,${MESSAGES} , "model":"m"}`,
    ],
    [
      'a parameter that the client gives stays, to the last digit',
      `{${MESSAGES}, "model":"m", "temperature":0.70}`,
      { params: { temperature: 0.2 } },
      `{${MESSAGES}, "model":"m", "temperature":0.70}`,
    ],
    [
      'null says nothing',
      `{${MESSAGES}, "model":"m", "temperature" : null }`,
      { params: { temperature: 0.2 } },
      `{${MESSAGES}, "model":"m", "temperature" : 0.2 }`,
    ],
    [
      'a forced field is set in its place',
      `{"seed": 123456789012345678901, "top_p": 0.5 ,${MESSAGES}, "model":"m"}`,
      { force: { top_p: [1] } },
      `{"seed": 123456789012345678901, "top_p": [1] ,${MESSAGES}, "model":"m"}`,
    ],
    [
      'the first field is taken out with the comma behind it',
      `{ "seed": 1 , ${MESSAGES}, "model":"m"}`,
      { drop: ['seed'] },
      `{  ${MESSAGES}, "model":"m"}`,
    ],
    [
      'the last field is taken out with the comma before it',
      `{${MESSAGES}, "model":"m" , "seed": 1 }`,
      { drop: ['seed'] },
      `{${MESSAGES}, "model":"m"  }`,
    ],
    [
      'several neighbours are taken out',
      `{"a":1,"b":2,${MESSAGES},"c":3,"model":"m","d":4,"e":5}`,
      { drop: ['a', 'b', 'c', 'd', 'e', 'f'] },
      `{${MESSAGES},"model":"m"}`,
    ],
    [
      'what is dropped may be added again',
      `{"seed":1,${MESSAGES},"model":"m"}`,
      { drop: ['seed'], params: { seed: 2 } },
      `{"seed":2,${MESSAGES},"model":"m"}`,
    ],
    [
      'a nested field of the name is none',
      `{${MESSAGES},"model":"m","x":{"seed":1}}`,
      { drop: ['seed'] },
      `{${MESSAGES},"model":"m","x":{"seed":1}}`,
    ],
  ])('%s', (...[, body, configured, expected]) => {
    expect(sent(body, configured)).toBe(expected);
  });

  test('are those that came where nothing is to be changed', () => {
    const bytes = Buffer.from(`{${MESSAGES},"model":"m"}`);
    const read = readRequestBody(bytes);
    expect(read.forUpstream({ model: 'm', includeUsage: false, edits: null })).toBe(bytes);
  });

  test('have no usage asked for where the option is dropped', () => {
    const edits = targetEdits({ ...NOTHING, drop: ['stream_options'] });
    const read = readRequestBody(Buffer.from(`{${MESSAGES},"model":"m","stream":true}`));
    read.note(edits?.names ?? new Map());
    expect(read.forUpstream({ model: 'm', includeUsage: true, edits }).toString()).not.toContain('stream_options');
  });

  test('say the same as the edited object, whatever is edited', () => {
    const names = ['a', 'b', 'c', 'd', 'max_tokens', 'user'];
    const blank = fc.constantFrom('', ' ', '\n\t');
    const value = fc.constantFrom('1', 'null', '"x"', '{"a":[1,{}]}', '[ ]', '"\\u0041"');
    const member = fc.tuple(fc.constantFrom(...names), value, blank).map(([name, json, space]) => {
      const number = name === 'max_tokens' ? '7' : json;
      return { name, text: `${space}"${name}"${space}:${space}${number}${space}` };
    });
    const members = fc.uniqueArray(member, { selector: ({ name }) => name });
    const fields = fc.dictionary(fc.constantFrom(...names.slice(0, 4)), fc.constantFrom(1, 'y', [2], { z: null }));
    const drop = fc.uniqueArray(fc.constantFrom(...names));
    fc.assert(
      fc.property(members, fc.record({ params: fields, force: fields, drop }), fc.nat(), (given, configured, at) => {
        const texts = given.map(({ text }) => text);
        texts.splice(at % (texts.length + 1), 0, MESSAGES);
        const body = `{${texts.join(',')}}`;
        const edits = targetEdits(configured);
        const expected = edits ? editedBody(JSON.parse(body), edits) : JSON.parse(body);
        expect(JSON.parse(sent(body, configured))).toEqual({ model: 'm', ...expected });
      }),
    );
  });

  test.each([
    [`{${MESSAGES},"TopK":1}`, 'bad_request'],
    [`{${MESSAGES},"topk":1}`, 'bad_request'],
    [`{${MESSAGES},"topK":1,"topK":2}`, 'invalid_json'],
  ])('never hold an edited field in other letters, or twice: %s', (body, code) => {
    expect(() => sent(body, { force: { topK: 1 } })).toThrow(expect.objectContaining({ code }));
    expect(sent(`{${MESSAGES},"topK":1}`, { force: { topK: 2 } })).toContain('"topK":2');
  });
});

describe('a target whose requests are edited', () => {
  function setUp(configured: Partial<Configured>, type = 'openai') {
    const transport = new ScriptedTransport();
    const edits = targetEdits({ ...NOTHING, ...configured });
    const targets = [{ provider: provider(type), changes: { edits } }];
    const bench = new ProxyBench({ clock: new FakeClock(), transport, targets });
    return { bench, transport };
  }

  test('books the cap that it is given', async () => {
    const { bench, transport } = setUp({ params: { max_tokens: 200 } });
    bench.chat();
    expect((await transport.call()).json).toMatchObject({ max_tokens: 200, model: 'gpt-upstream' });
    expect(bench.booked(0, 1)).toBe(11 + 200);
  });

  test("books the cap that it is given over the client's", async () => {
    const { bench, transport } = setUp({ force: { max_tokens: 50 } });
    bench.chat({ max_tokens: 4_000 });
    expect((await transport.call()).json).toMatchObject({ max_tokens: 50 });
    expect(bench.booked(0, 1)).toBe(11 + 50);
  });

  test('is spared what it lacks', async () => {
    const { bench, transport } = setUp({ drop: ['logprobs', 'top_logprobs'] }, 'groq');
    bench.chat({ logprobs: true, top_logprobs: 2 });
    expect((await transport.call()).json).not.toHaveProperty('logprobs');
  });

  test('may be asked for what it lacks by its own configuration only in vain', async () => {
    const { bench, transport } = setUp({ force: { logprobs: true } }, 'groq');
    const chat = bench.chat();
    await chat.done;
    expect(chat.error).toMatchObject({ code: 'unsupported_value', message: expect.stringContaining('logprobs') });
    expect(transport.calls).toEqual([]);
  });

  test('serves other operations too', async () => {
    const { bench, transport } = setUp({ force: { dimensions: 256 } });
    bench.chat({ input: 'x', dimensions: 1024 }, { operation: 'embeddings' });
    expect((await transport.call()).json).toEqual({ model: 'gpt-upstream', input: 'x', dimensions: 256 });
  });
});
