import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseDecoder, type SseEvent, SseEventTooLargeError } from '../../src/streaming/sse-decoder.ts';

interface Decoded {
  raw: string;
  data: string | null;
  event: string | null;
}

function plain({ raw, data, event }: SseEvent): Decoded {
  return { raw: raw.toString('latin1'), data, event };
}

function decode(chunks: Buffer[]): Decoded[] {
  const decoder = new SseDecoder();
  const events = chunks.flatMap((chunk) => decoder.push(chunk).map(plain));
  const tail = decoder.finish();
  return tail ? [...events, plain(tail)] : events;
}

function decodeText(text: string): Decoded[] {
  return decode([Buffer.from(text)]);
}

function splitAt(bytes: Buffer, cuts: number[]): Buffer[] {
  const sorted = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...sorted, bytes.length];
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index] ?? 0, end));
}

const FIXTURES: Record<string, string> = {
  'line feeds': 'data: {"a":1}\n\ndata: {"b":"ü€😀"}\n\ndata: [DONE]\n\n',
  'carriage returns and line feeds': 'data: 1\r\n\r\ndata: 2\r\n\r\n',
  'carriage returns alone': 'data: 1\r\rdata: 2\r\rdata: 3\r\r',
  'all three line ends': 'data: 1\n\r\ndata: 2\r\n\ndata: 3\n\rdata: 4\r\n\rdata: 5\r\r\ndata: 6\r\n\r\n',
  comments: ': hello\n\ndata: 1\n\n:\n\n: a\r\n: b\r\n\r\ndata: 2\n\n',
  'several data lines': 'data: a\ndata: b\ndata\ndata:c\n\nevent: error\ndata: x\nevent: last\n\n',
  'a byte order mark': '\ufeffdata: 1\n\ndata: 2\n\n',
  'blank lines between events': '\n\r\n\rdata: 1\n\n\n\n\r\n\r\ndata: 2\n\n',
  'other fields': 'id: 7\nretry: 10\n\nid: 8\ndata: 1\nfoo: bar\n\ndatum: no\n\n',
  'no blank line at the end': 'data: 1\n\ndata: 2\n',
  'half an event at the end': 'data: 1\r\n\r\ndata: {"a"',
  'a lone carriage return at the end': 'data: 1\r\n\r',
  nothing: '',
};

describe('decoding', () => {
  it('gives each event its data, and null to what clients would not see', () => {
    expect(decodeText(FIXTURES['comments'] ?? '').map(({ data }) => data)).toEqual([null, '1', null, null, '2']);
    expect(decodeText(FIXTURES['other fields'] ?? '').map(({ data }) => data)).toEqual([null, '1', null]);
  });

  it('joins data lines, with or without the space and the colon', () => {
    expect(decodeText('data: a\ndata:b\ndata\ndata:  c\n\n').map(({ data }) => data)).toEqual(['a\nb\n\n c']);
    expect(decodeText('data:x\n\n').map(({ data }) => data)).toEqual(['x']);
  });

  it('reads the last event name', () => {
    const [first, second] = decodeText('event: a\nevent:error\ndata: x\n\ndata: y\n\n');
    expect(first).toMatchObject({ event: 'error', data: 'x' });
    expect(second).toMatchObject({ event: null, data: 'y' });
  });

  it.each([
    ['line feeds', ['{"a":1}', '{"b":"ü€😀"}', '[DONE]']],
    ['carriage returns and line feeds', ['1', '2']],
    ['carriage returns alone', ['1', '2', '3']],
    ['all three line ends', ['1', '2', '3', '4', '5', '6']],
    ['a byte order mark', ['1', '2']],
    ['no blank line at the end', ['1', '2']],
    ['half an event at the end', ['1', '{"a"']],
  ])('understands %s', (name, expected) => {
    const datas = decodeText(FIXTURES[name] ?? '').map(({ data }) => data);
    expect(datas.filter((data) => data !== null)).toEqual(expected);
  });

  it('does not take a carriage return inside a line fed line for data', () => {
    expect(decodeText('data: a\rdata: b\n\n').map(({ data }) => data)).toEqual(['a\nb']);
  });

  it('gives views of the chunk, not copies', () => {
    const chunk = Buffer.from('data: 1\n\ndata: 2\n\n');
    const events = new SseDecoder().push(chunk);
    expect(events.map(({ raw }) => raw.buffer)).toEqual([chunk.buffer, chunk.buffer]);
    expect(events.map(({ source }) => source)).toEqual([chunk, chunk]);
  });
});

describe('timeliness', () => {
  it.each([
    ['line feeds', 'data: 1\n\n'],
    ['carriage returns and line feeds', 'data: 1\r\n\r\n'],
    ['carriage returns alone', 'data: 1\r\r'],
  ])('an event that ends with %s comes with its last byte', (_name, text) => {
    const decoder = new SseDecoder();
    for (const byte of Buffer.from(text).subarray(0, -1)) expect(decoder.push(Buffer.of(byte))).toEqual([]);
    expect(decoder.push(Buffer.from(text).subarray(-1)).map(({ data }) => data)).toEqual(['1']);
    expect(decoder.heldBytes).toBe(0);
  });

  it('holds back the piece of an event that has not ended', () => {
    const decoder = new SseDecoder();
    expect(decoder.push(Buffer.from('data: 1\n\ndata: 2')).length).toBe(1);
    expect(decoder.heldBytes).toBe(7);
    expect(decoder.push(Buffer.from('\n\n')).map(({ data }) => data)).toEqual(['2']);
    expect(decoder.finish()).toBeNull();
  });
});

describe('an event without end', () => {
  it('is refused once it outgrows the limit', () => {
    const decoder = new SseDecoder({ maxEventBytes: 20 });
    expect(decoder.push(Buffer.from('data: 1\n\ndata: 1234567890')).length).toBe(1);
    expect(() => decoder.push(Buffer.from('123456'))).toThrow(SseEventTooLargeError);
  });

  it('is not refused for what came before it', () => {
    const decoder = new SseDecoder({ maxEventBytes: 20 });
    for (let round = 0; round < 10; round++) {
      expect(decoder.push(Buffer.from('data: 123')).length).toBe(0);
      expect(decoder.push(Buffer.from('4567\n\n')).length).toBe(1);
    }
  });
});

describe('any split', () => {
  it.each(Object.entries(FIXTURES))('of %s at every byte decodes alike', (_name, text) => {
    const bytes = Buffer.from(text);
    const whole = decode([bytes]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
    expect(decode([...bytes].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });

  it('of any text decodes alike and loses no byte', () => {
    const piece = fc.constantFrom(
      '\n',
      '\r',
      '\r\n',
      'data: x',
      'data:',
      ':',
      'event: e',
      'é',
      '\ufeff',
      '\n\n',
      '\r\r',
    );
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(200), { maxLength: 8 }), (stream, cuts) => {
        const bytes = Buffer.from(stream);
        const events = decode(splitAt(bytes, cuts));
        expect(events).toEqual(decode([bytes]));
        expect(events.map(({ raw }) => raw).join('')).toBe(bytes.toString('latin1'));
      }),
      { numRuns: 3000 },
    );
  });
});
