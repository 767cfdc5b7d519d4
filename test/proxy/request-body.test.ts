import { describe, expect, it } from 'vitest';
import type { ProxyError } from '../../src/errors.ts';
import { readRequestBody } from '../../src/proxy/request-body.ts';

const MESSAGES = [{ role: 'user', content: 'hi' }];

function body(fields: object): Buffer {
  return Buffer.from(JSON.stringify({ model: 'm', messages: MESSAGES, ...fields }));
}

function facts(fields: object) {
  return readRequestBody(body(fields)).facts;
}

function errorOf(bytes: Buffer | string): ProxyError {
  try {
    readRequestBody(Buffer.from(bytes));
  } catch (error) {
    return error as ProxyError;
  }
  throw new Error('it was accepted');
}

function userContent(...parts: object[]) {
  return { messages: [{ role: 'user', content: parts }] };
}

describe('the facts of a request', () => {
  it('are plain for a plain request', () => {
    expect(facts({})).toEqual({
      model: 'm',
      isStreaming: false,
      wantsUsage: false,
      outputCapTokens: null,
      n: 1,
      needs: [],
      user: null,
    });
  });

  it('leave a missing or null model to the caller', () => {
    expect(readRequestBody(Buffer.from(JSON.stringify({ messages: MESSAGES }))).facts.model).toBeNull();
    expect(facts({ model: null }).model).toBeNull();
  });

  it('take the larger of two caps, for each choice', () => {
    expect(facts({ max_tokens: 10, max_completion_tokens: 25, n: 3 }).outputCapTokens).toBe(75);
    expect(facts({ max_tokens: 40, max_completion_tokens: null }).outputCapTokens).toBe(40);
  });

  it('say that usage is wanted only in a stream that asks for it', () => {
    const stream_options = { include_usage: true };
    expect(facts({ stream: true, stream_options }).wantsUsage).toBe(true);
    expect(facts({ stream: false, stream_options }).wantsUsage).toBe(false);
    expect(facts({ stream: true, stream_options: {} }).wantsUsage).toBe(false);
  });

  it.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['tools', { functions: [{ name: 'f' }] }],
    ['vision', userContent({ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } })],
    ['audio', userContent({ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } })],
    ['audio', { modalities: ['text', 'audio'] }],
    ['audio', { audio: { voice: 'alloy', format: 'wav' } }],
    ['files', userContent({ type: 'text', text: 'read' }, { type: 'file', file: { file_id: 'f' } })],
    ['json_schema', { response_format: { type: 'json_schema', json_schema: { name: 'x' } } }],
    ['logprobs', { logprobs: true }],
    ['logprobs', { logprobs: 0 }],
    ['n', { n: 2 }],
  ])('need %s for %j', (capability, fields) => {
    expect(facts(fields).needs).toEqual([capability]);
  });

  it('need nothing for empty tools, plain JSON mode, logprobs off and parts of an unknown kind', () => {
    const fields = { tools: [], functions: null, response_format: { type: 'json_object' }, logprobs: false };
    expect(facts({ ...fields, ...userContent({ type: 'hologram' }) }).needs).toEqual([]);
    expect(facts({ messages: [{ role: 'user', content: [null, 'text', 7] }] }).needs).toEqual([]);
  });

  it('keep the user for affinity, and ignore one that is not text', () => {
    expect(facts({ user: 'u-1' }).user).toBe('u-1');
    expect(facts({ user: 7 }).user).toBeNull();
  });
});

describe('a wrong field', () => {
  it.each([
    [{ model: '' }, 'model', 'a non-empty string, but got an empty string'],
    [{ model: 7 }, 'model', 'a non-empty string, but got the number 7'],
    [{ messages: 'hi' }, 'messages', 'a non-empty array, but got a string'],
    [{ messages: [] }, 'messages', 'a non-empty array, but got an empty array'],
    [{ messages: [...MESSAGES, null] }, 'messages[1]', 'an object, but got null'],
    [{ messages: [[1]] }, 'messages[0]', 'an object, but got an array'],
    [{ messages: [{ content: 'x' }] }, 'messages[0].role', 'a string, but got nothing'],
    [{ stream: 'yes' }, 'stream', 'a boolean, but got a string'],
    [{ stream_options: true }, 'stream_options', 'an object, but got a boolean'],
    [{ max_tokens: 0 }, 'max_tokens', 'a positive integer, but got the number 0'],
    [{ max_completion_tokens: 1.5 }, 'max_completion_tokens', 'a positive integer, but got the number 1.5'],
    [{ n: 129 }, 'n', 'an integer from 1 to 128, but got the number 129'],
    [{ n: '2' }, 'n', 'an integer from 1 to 128, but got a string'],
    [{ tools: {} }, 'tools', 'an array, but got an object'],
    [{ functions: 'f' }, 'functions', 'an array, but got a string'],
  ])('%j is named', (fields, param, reason) => {
    const error = errorOf(body(fields));
    expect(error.code).toBe('invalid_type');
    expect(error.details.param).toBe(param);
    expect(error.message).toBe(`Invalid '${param}': expected ${reason}.`);
  });

  it.each([{ messages: null }, { messages: undefined }])('%j is a missing parameter', (fields) => {
    const error = errorOf(body(fields));
    expect([error.code, error.details.param]).toEqual(['missing_required_parameter', 'messages']);
  });

  it('does not stop fields that Sluice does not read', () => {
    expect(facts({ temperature: 'hot', stop: 7, vendor: { deep: [1] } }).model).toBe('m');
  });
});

describe('a body that is not one JSON object', () => {
  it.each([
    ['nothing', '', 'it is empty'],
    ['white space', ' \n', 'it is empty'],
    ['a list', '[1]', 'it does not start with "{"'],
    ['a string', '"secret"', 'it does not start with "{"'],
    ['half an object', '{"secret":', 'it ends too early'],
    ['an open string', '{"secret', 'it ends too early'],
    ['an open string after an escaped quote', `{"a":"${'x'.repeat(80)}\\"`, 'it ends too early'],
    ['a bare word', '{"a":\n  secret}', 'unexpected character at byte 8 (line 2, column 3)'],
    ['a second object', '{"a":1}{"secret":2}', 'unexpected character at byte 7 (line 1, column 8)'],
    ['a bad escape in a name', '{"secr\\xet":1}', 'unexpected character at byte 7 (line 1, column 8)'],
    ['a control character', '{"a":"\u0001"}', 'unexpected character at byte 6 (line 1, column 7)'],
  ])('is refused by position, never by a piece of it: %s', (_name, text, reason) => {
    const error = errorOf(text);
    expect(error.code).toBe('invalid_json');
    expect(error.message).toBe(`The request body must be one JSON object in UTF-8: ${reason}.`);
    expect(error.message).not.toContain('secret');
  });

  it('is refused when it is not UTF-8', () => {
    expect(errorOf(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])).message).toContain('it is not UTF-8');
  });

  it('may begin with a byte order mark', () => {
    const read = readRequestBody(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body({})]));
    expect(read.bytes.equals(body({}))).toBe(true);
  });
});

describe('the limits of a body', () => {
  const nested = (levels: number) =>
    `{"model":"m","messages":[{"role":"user"}],"x":${'['.repeat(levels)}${']'.repeat(levels)}}`;

  it('are 128 levels', () => {
    expect(readRequestBody(Buffer.from(nested(127))).facts.model).toBe('m');
    expect(errorOf(nested(128)).message).toContain('deeper than 128 levels');
  });

  it('are 250,000 values, counted before anything is parsed', () => {
    const flood = (count: number) =>
      body({ x: 'FLOOD' })
        .toString()
        .replace('"FLOOD"', `[${'{},'.repeat(count)}{}]`);
    expect(readRequestBody(Buffer.from(flood(124_000))).facts.model).toBe('m');
    expect(errorOf(flood(125_000)).message).toContain('more than 250000 values');
  });

  it('are one value for each field that is read', () => {
    expect(errorOf('{"model":"cheap","messages":[],"model":"dear"}').message).toContain('"model" is given twice');
    expect(errorOf('{"model":"cheap","mod\\u0065l":"dear"}').message).toContain('"model" is given twice');
  });

  it('are the exact name, because some upstreams read names without case', () => {
    const error = errorOf('{"model":"cheap","MODEL":"dear"}');
    expect([error.code, error.message]).toEqual(['bad_request', 'Write the name of the field "model" in lower case.']);
  });

  it('are names without escapes where the parser would misread them', () => {
    const written = (name: string) => `{"messages":[{"role":"user"}],"${name}":"m"}`;
    for (let round = 0; round < 20; round += 1) JSON.parse(written('mod\\\\'));
    const text = written('mod\\u0065l');
    const isMisread = !Object.hasOwn(JSON.parse(text) as object, 'model');
    if (isMisread) expect(errorOf(text).message).toContain('write the name of the field "model" without escapes');
    else expect(readRequestBody(Buffer.from(text)).facts.model).toBe('m');
  });

  it('leave other fields free to repeat', () => {
    const text = '{"x":1,"model":"m","messages":[{"role":"user","model":1,"model":2}],"x":2}';
    expect(readRequestBody(Buffer.from(text)).facts.model).toBe('m');
  });
});

describe('the parsed form', () => {
  it('is handed out once', () => {
    const read = readRequestBody(body({}));
    expect(read.takeParsed()).toEqual({ model: 'm', messages: MESSAGES });
    expect(() => read.takeParsed()).toThrow('twice');
  });

  const picture = (data: string) => userContent({ type: 'image_url', image_url: { url: data } });
  const urlOf = (parsed: unknown) =>
    (parsed as { messages: { content: { image_url: { url: string } }[] }[] }).messages[0]?.content[0]?.image_url.url;

  it('holds the first 4 KiB of a long data URL; the bytes hold all of it', () => {
    const url = `data:image/png;base64,${'A'.repeat(100_000)}`;
    const read = readRequestBody(body(picture(url)));
    expect(urlOf(read.takeParsed())).toBe(url.slice(0, 4096));
    expect(read.forUpstream({ model: 'm', includeUsage: false }).toString()).toContain(url);
  });

  it('cuts between characters', () => {
    const url = `data:text/plain,${'x'.repeat(4096 - 17)}${'é'.repeat(50_000)}`;
    expect(urlOf(readRequestBody(body(picture(url))).takeParsed())).toBe(url.slice(0, 4095));
  });

  it.each([
    ['is short', `data:,${'A'.repeat(60_000)}`],
    ['is not a data URL', 'A'.repeat(100_000)],
    ['holds an escape', `data:,${'A'.repeat(99_000)}\\"`],
  ])('keeps a string whole that %s', (_name, text) => {
    expect(urlOf(readRequestBody(body(picture(text))).takeParsed())).toBe(text);
  });

  it('keeps a long data URL whole that is no member of an object', () => {
    const url = `data:,${'A'.repeat(100_000)}`;
    expect(readRequestBody(body({ x: [url] })).takeParsed()).toMatchObject({ x: [url] });
  });

  it.each([40_000, 99_998, 99_999])('does not hide a control character at %d of a data URL', (at) => {
    const data = `${'A'.repeat(at)}\n${'A'.repeat(100_000 - at)}`;
    const text = body(picture('data:,URL')).toString().replace('URL', data);
    expect(errorOf(text).code).toBe('invalid_json');
  });
});

describe('the bytes for the upstream', () => {
  it('are the very buffer when nothing has to change', () => {
    const read = readRequestBody(body({ stream: true, stream_options: { include_usage: true } }));
    expect(read.forUpstream({ model: 'm', includeUsage: true })).toBe(read.bytes);
  });

  it('differ in the value of the top-level model only', () => {
    const text =
      '{ "a" : {"model":"x"},\n "mod\\u0065l" :  "m" , "messages":[{"role":"user"}], "seed":12345678901234567890 }';
    const sent = readRequestBody(Buffer.from(text)).forUpstream({ model: 'up"stream', includeUsage: false });
    expect(sent.toString()).toBe(text.replace('"m" ', '"up\\"stream" '));
  });

  it('get a model in front when the client named none', () => {
    const read = readRequestBody(Buffer.from('{"messages":[{"role":"user"}]}'));
    expect(read.forUpstream({ model: 'u', includeUsage: false }).toString()).toBe(
      '{"model":"u","messages":[{"role":"user"}]}',
    );
  });

  it('ask for usage, keeping the own options of the client', () => {
    const own = readRequestBody(body({ stream: true, stream_options: { include_obfuscation: false } }));
    expect(JSON.parse(own.forUpstream({ model: 'u', includeUsage: true }).toString())).toEqual({
      model: 'u',
      messages: MESSAGES,
      stream: true,
      stream_options: { include_obfuscation: false, include_usage: true },
    });
    const none = readRequestBody(body({ stream: true, stream_options: null }));
    expect(none.forUpstream({ model: 'm', includeUsage: true }).toString()).toContain('{"include_usage":true}');
  });

  it('get both members when both are missing', () => {
    const read = readRequestBody(Buffer.from('{"stream":true,"messages":[{"role":"user"}]}'));
    expect(JSON.parse(read.forUpstream({ model: 'u', includeUsage: true }).toString())).toEqual({
      model: 'u',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user' }],
    });
  });

  it('never ask for usage in a request that is not streamed', () => {
    const read = readRequestBody(body({}));
    expect(read.forUpstream({ model: 'm', includeUsage: true })).toBe(read.bytes);
  });
});

describe('another endpoint', () => {
  it('brings its own names and facts', () => {
    const reader = { names: new Set(['input']), facts: () => facts({}) };
    expect(readRequestBody(Buffer.from('{}'), reader).forUpstream({ model: 'e', includeUsage: false }).toString()).toBe(
      '{"model":"e"}',
    );
    expect(() => readRequestBody(Buffer.from('{"input":1,"input":2}'), reader)).toThrow('"input" is given twice');
  });
});
