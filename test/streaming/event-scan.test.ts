import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventScan } from '../../src/streaming/event-scan.ts';
import { SseDecoder } from '../../src/streaming/sse-decoder.ts';
import { readEvent } from '../../src/streaming/stream-facts.ts';
import { chunkEvent, DONE, eventOf, ROLE, STOP, sse, text, USAGE } from './events.ts';

function scan(raw: string): EventScan {
  const result = new EventScan();
  result.scan(eventOf(raw));
  return result;
}

describe('ordinary', () => {
  it.each<[string, string]>([
    ['text', text('hello')],
    ['a role', ROLE],
    ['a finish reason', STOP],
    ['text about errors and usage', text('"error": {"usage": 1} error usage')],
    ['text that is only the word', text('error')],
    ['text that is only the other word', text('usage')],
    ['an error that is null', chunkEvent({}, { error: null })],
    ['spaces after colons', 'data: {"usage" : null, "choices": [{"delta": {"content": "a"}}]}\n\n'],
    ['no space after the field', 'data:{"a":1}\n\n'],
    ['text behind the name of a delta', 'event: response.output_text.delta\ndata: {"delta":"a"}\n\n'],
    ['the same with other line ends', 'event:a_delta\r\ndata: {"delta":"a"}\r\n\r\n'],
    ['other keys like them', sse({ folder: 1, terror: 2, older: 3, usages: 3, unage: null, enor: 1 })],
  ])('is %s', (_name, raw) => {
    expect(scan(raw).isOrdinary).toBe(true);
  });

  it.each<[string, string]>([
    ['an error', sse({ error: { message: 'no' } })],
    ['an error after other members', chunkEvent({}, { error: 'no' })],
    ['a second error where the first is null', sse({ error: null, more: { error: 1 } })],
    ['usage', USAGE],
    ['usage with spaces', 'data: {"usage" :  {"total_tokens": 3}}\n\n'],
    ['the end', DONE],
    ['a comment', ': "x"\n\n'],
    ['another field', 'event: error\ndata: {}\n\n'],
    ['the name of no delta', 'event: response.completed\ndata: {}\n\n'],
    ['usage behind the name of a delta', 'event: message_delta\ndata: {"usage":{}}\n\n'],
    ['the name of a delta without data', 'event: a_delta\n\n'],
    ['the name of a delta before other fields', 'event: a_delta\nid: 1\ndata: {}\n\n'],
    ['a line that never ends', 'event: a_delta'],
    ['nothing but a short name', 'event: a\n\n'],
    ['other fields of the same length', 'dada: {}\n\n'],
    ['other fields', 'dita: {}\n\ndxta: {}\n\n'],
    ['more fields', 'datb: {}\n\n'],
    ['fields without colon', 'data {}\n\n'],
    ['garbage', 'data: oops\n\n'],
    ['nothing', '\n'],
  ])('is not %s', (_name, raw) => {
    expect(scan(raw).isOrdinary).toBe(false);
  });
});

describe('usage', () => {
  it('is seen at any depth and in any event', () => {
    expect(scan(sse({ choices: [], x_groq: { id: '1', usage: { total_tokens: 1 } } })).hasUsage).toBe(true);
    expect(scan('event: x\ndata: {"usage":{}}\n\n').hasUsage).toBe(true);
    expect(scan(text('a')).hasUsage).toBe(false);
  });
});

describe('characters', () => {
  it.each<[string, string, number]>([
    ['plain text', text('hello'), 5],
    ['text with quotes, backslashes and line feeds', text('"a"\\\n'), 5],
    ['text beyond ASCII', text('ü€😀'), 3],
    ['escaped text', 'data: {"content":"\\u00fc\\u20ac!"}\n\n', 3],
    ['reasoning', chunkEvent({ delta: { content: '', reasoning_content: 'abc' } }), 3],
    ['reasoning by its other name', chunkEvent({ delta: { reasoning: 'abc' } }), 3],
    ['arguments', chunkEvent({ delta: { tool_calls: [{ function: { name: 'f', arguments: '{"a":' } }] } }), 5],
    ['a refusal', chunkEvent({ delta: { content: null, refusal: 'no' } }), 2],
    ['a delta that is text itself', 'event: response.output_text.delta\ndata: {"delta":"abc"}\n\n', 3],
    ['thinking', sse({ delta: { type: 'thinking_delta', thinking: 'abc' } }), 3],
    ['the arguments of a tool, piece by piece', sse({ delta: { partial_json: '{"a"' } }), 4],
    ['a legacy completion', sse({ choices: [{ text: 'abcd' }] }), 4],
    ['several choices', sse({ choices: [{ delta: { content: 'ab' } }, { delta: { content: 'c' } }] }), 3],
    ['text beside log probabilities', sse({ choices: [{ delta: { content: 'ab' }, logprobs: { content: [{}] } }] }), 2],
    ['a string that never ends', 'data: {"content":"abc', 3],
    ['an escape that never ends', 'data: {"content":"abc\\', 4],
    [
      'keys like them',
      sse({ s: 'a', meanings: 'b', axial: 'c', going: 'd', about: 'e', l: 'f', g: 'h', t: 'i', a: 'j', n: 'k' }),
      0,
    ],
  ])('of %s are counted', (_name, raw, expected) => {
    expect(scan(raw).characters).toBe(expected);
  });

  it('are those of one event only, where several share their bytes', () => {
    const result = new EventScan();
    const counts = new SseDecoder().push(Buffer.from(`${text('abc')}: x\n\n${text('')}${text('de')}`)).map((event) => {
      result.scan(event);
      return result.characters;
    });
    expect(counts).toEqual([3, 0, 0, 2]);
  });
});

describe('a scan of one event after another', () => {
  const id = (name: string): string => sse({ id: name, choices: [{ delta: { content: 'abc' } }] });
  const events: Record<string, string> = {
    text: text('abc'),
    'longer text': text('a'.repeat(100)),
    'other ids': id('x'),
    'an error after text': chunkEvent({ delta: { content: 'a' } }, { error: 'no' }),
    'usage after text': chunkEvent({ delta: { content: 'a' } }, { usage: { total_tokens: 1 } }),
    'usage before text': sse({ usage: { total_tokens: 1 }, choices: [{ delta: { content: 'abc' } }] }),
    'an error before text': sse({ error: 'no', choices: [{ delta: { content: 'abc' } }] }),
    'two outputs': chunkEvent({ delta: { content: 'abc', refusal: 'de' } }),
    'a very long beginning': id('x'.repeat(2000)),
    'a named event': `event: x\n${text('abc')}`,
    'a short event': 'data: {}\n\n',
    'the end': DONE,
  };

  it('finds what it would find in each alone', () => {
    const shared = new EventScan();
    for (const first of Object.values(events)) {
      for (const second of Object.values(events)) {
        for (const raw of [first, second, second]) {
          shared.scan(eventOf(raw));
          const { isOrdinary, hasUsage, characters } = scan(raw);
          expect(shared).toMatchObject({ isOrdinary, hasUsage, characters });
        }
      }
    }
  });
});

describe('any chunk', () => {
  it('is never called ordinary when reading it would find an error or usage', () => {
    const key = fc.constantFrom('error', 'usage', 'content', 'choices', 'delta', 'text');
    const value = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.constantFrom('error', 'usage', '"error":1', null, true, 0),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(key, fc.string()), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).tree;
    fc.assert(
      fc.property(fc.dictionary(key, value, { noNullPrototype: true }), (json) => {
        const event = eventOf(sse(json));
        const result = new EventScan();
        result.scan(event);
        const facts = readEvent(event);
        if (facts.kind === 'error') expect(result.isOrdinary).toBe(false);
        if (json['usage'] !== undefined && json['usage'] !== null) expect(result.hasUsage).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
