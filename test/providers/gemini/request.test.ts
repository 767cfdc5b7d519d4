import { describe, expect, test } from 'vitest';
import { chatWire } from '../../../src/providers/gemini/chat-wire.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';

interface Sent {
  readonly path: string;
  readonly native: Readonly<Record<string, unknown>>;
  readonly dropped: readonly string[];
}

const HELLO = { role: 'user', content: 'Hello' };
const TOOL = { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: { at: {} } } } };

function sent(body: JsonObject, model = 'gemini-2.5-flash'): Sent {
  const bytes = Buffer.from(JSON.stringify({ model, messages: [HELLO], ...body }));
  const common = { isStreaming: false, apiKey: 'k', basePath: '/v1beta', apiVersion: null };
  const { path, body: native, dropped = [] } = chatWire.prepare({ ...common, body: bytes, model });
  return { path, native: JSON.parse(native.toString()) as Sent['native'], dropped };
}

function contents(messages: readonly JsonObject[], model?: string): unknown {
  return sent({ messages }, model).native['contents'];
}

function config(body: JsonObject, model?: string): unknown {
  return sent(body, model).native['generationConfig'];
}

function calls(...all: readonly JsonObject[]): JsonObject {
  return { role: 'assistant', content: null, tool_calls: all };
}

function call(id: string, extra: JsonObject = {}, args = '{}'): JsonObject {
  return { id, type: 'function', function: { name: `f_${id}`, arguments: args }, ...extra };
}

const signed = (signature: string) => ({ extra_content: { google: { thought_signature: signature } } });

describe('the path', () => {
  test.each([
    ['gemini-2.5-flash', '/v1beta/models/gemini-2.5-flash:generateContent'],
    ['models/gemini-2.5-flash', '/v1beta/models/gemini-2.5-flash:generateContent'],
    ['tunedModels/mine', '/v1beta/tunedModels/mine:generateContent'],
    ['odd?name', '/v1beta/models/odd%3Fname:generateContent'],
  ])('of %s is %s', (model, path) => {
    expect(sent({}, model).path).toBe(path);
  });
});

describe('instructions', () => {
  const be = (what: string) => ({ role: 'system', content: what });

  test('of several messages at the beginning stand apart, as one', () => {
    const { native } = sent({ messages: [be('brief'), be('kind'), HELLO] });
    expect(native).toMatchObject({ systemInstruction: { parts: [{ text: 'brief' }, { text: 'kind' }] } });
  });

  test('alone are what the user says, since there must be something to answer', () => {
    expect(sent({ messages: [be('Write a poem.')] }).native).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'Write a poem.' }] }],
    });
  });

  test('stand before the first words of the user for models that know none', () => {
    const parts = [{ text: 'brief' }, { text: 'Hello' }];
    expect(sent({ messages: [be('brief'), HELLO] }, 'gemma-3-27b-it').native).toEqual({
      contents: [{ role: 'user', parts }],
    });
    const answered = { role: 'assistant', content: 'Hi' };
    expect(contents([be('brief'), answered], 'gemma-3-27b-it')).toEqual([
      { role: 'user', parts: [{ text: 'brief' }] },
      { role: 'model', parts: [{ text: 'Hi' }] },
    ]);
  });
});

describe('a turn without parts', () => {
  test('is left out, or the vendor would refuse all of it', () => {
    expect(contents([HELLO, { role: 'assistant', content: '' }, { role: 'user', content: [] }])).toHaveLength(1);
  });
});

describe('calls of tools', () => {
  const SENTINEL = 'skip_thought_signature_validator';
  const both = [call('a', signed('sig')), call('b')];

  test('go back with the signature that the client kept', () => {
    expect(contents([HELLO, calls(...both)], 'gemini-3-pro-preview')).toMatchObject([
      {},
      { parts: [{ functionCall: { id: 'a', name: 'f_a' }, thoughtSignature: 'sig' }, { functionCall: { id: 'b' } }] },
    ]);
  });

  test.each([
    ['gemini-3-pro-preview', SENTINEL],
    ['gemini-3.5-flash', SENTINEL],
    ['gemini-flash-latest', SENTINEL],
    ['gemini-2.5-pro', undefined],
    ['tunedModels/mine', undefined],
  ])('that lost it have for %s: %s, and on the first call only', (model, signature) => {
    const [, turn] = contents([HELLO, calls(call('a'), call('b'))], model) as { parts: JsonObject[] }[];
    expect(turn?.parts.map((part) => part['thoughtSignature'])).toEqual([signature, undefined]);
  });

  test('have no ids where older models know none', () => {
    expect(contents([calls(call('a'))])).toEqual([
      { role: 'model', parts: [{ functionCall: { name: 'f_a', args: {} } }] },
    ]);
  });

  test.each([
    ['{"x":1}', { x: 1 }],
    ['[1]', { arguments: '[1]' }],
    ['oops', { arguments: 'oops' }],
    [' ', {}],
  ])('with the arguments %j are sent with %j', (text, args) => {
    expect(contents([calls(call('a', {}, text))])).toMatchObject([{ parts: [{ functionCall: { args } }] }]);
  });

  test('may be of the old form, by the name of the function', () => {
    const legacy = { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{}' } };
    const answer = { role: 'function', name: 'look', content: 'a cat' };
    expect(contents([legacy, answer])).toMatchObject([
      { parts: [{ functionCall: { name: 'look' } }] },
      { parts: [{ functionResponse: { name: 'look', response: { result: 'a cat' } } }] },
    ]);
  });
});

describe('results of tools', () => {
  const result = (id: string, content: unknown) => ({ role: 'tool', tool_call_id: id, content });
  const asked = calls(call('a'), call('b'));

  test('stand in one turn in the order of their calls, whatever order they came in', () => {
    const turns = contents([asked, result('b', 'B'), result('x', 'X'), result('a', 'A')]) as { parts: unknown[] }[];
    expect(turns[1]?.parts).toEqual([
      { functionResponse: { name: 'f_a', response: { result: 'A' } } },
      { functionResponse: { name: 'f_b', response: { result: 'B' } } },
      { functionResponse: { name: 'x', response: { result: 'X' } } },
    ]);
  });

  test('belong to the calls before them where ids are used again', () => {
    const again = calls({ id: 'a', type: 'function', function: { name: 'other', arguments: '{}' } });
    expect(contents([asked, result('a', 'A'), HELLO, again, result('a', 'A')])).toMatchObject([
      {},
      { parts: [{ functionResponse: { name: 'f_a' } }] },
      {},
      {},
      { parts: [{ functionResponse: { name: 'other' } }] },
    ]);
  });

  test.each([
    ['{"ok":true}', { ok: true }],
    ['[1,2]', { result: [1, 2] }],
    ['42', { result: 42 }],
    ['null', { result: 'null' }],
    ['', { result: '' }],
  ])('of %j become the object %j', (content, response) => {
    expect(contents([asked, result('a', content)])).toMatchObject([
      {},
      { parts: [{ functionResponse: { response } }] },
    ]);
  });

  test('may show a picture: inside the result, or beside it for older models', () => {
    const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    const shown = { inlineData: { mimeType: 'image/png', data: 'AAAA' } };
    const messages = [asked, result('a', [{ type: 'text', text: 'see' }, picture])];
    expect(contents(messages, 'gemini-3-pro')).toMatchObject([
      {},
      { parts: [{ functionResponse: { id: 'a', response: { result: 'see' }, parts: [shown] } }] },
    ]);
    expect(contents(messages)).toEqual([
      expect.anything(),
      { role: 'user', parts: [{ functionResponse: { name: 'f_a', response: { result: 'see' } } }, shown] },
    ]);
  });
});

describe('the signature of a text', () => {
  test('goes back with its last part', () => {
    const said = { role: 'assistant', content: 'Hi', ...signed('sig') };
    expect(contents([said])).toEqual([{ role: 'model', parts: [{ text: 'Hi', thoughtSignature: 'sig' }] }]);
    expect(contents([{ ...said, content: '' }, HELLO])).toHaveLength(1);
  });
});

describe('parts of a message', () => {
  const seen = (part: JsonObject) => contents([{ role: 'user', content: [part] }]);
  const refused = (part: JsonObject) =>
    chatWire.refuses?.({ messages: [{ role: 'user', content: [part] }] }, 'gemini-3-pro')?.param ?? null;
  const image = (url: string) => ({ type: 'image_url', image_url: { url } });
  const file = (fields: JsonObject) => ({ type: 'file', file: fields });
  const inline = (mimeType: string, data: string) => ({ inlineData: { mimeType, data } });
  const uri = (fileUri: string) => ({ fileData: { fileUri } });
  const uploads = 'https://generativelanguage.googleapis.com/v1beta/files/abc-1';

  test.each([
    ['a picture without a type', image('data:;base64,AAAA'), inline('image/png', 'AAAA')],
    ['a picture that the vendor keeps', image(uploads), uri(uploads)],
    ['a video', image('https://www.youtube.com/watch?v=x'), uri('https://www.youtube.com/watch?v=x')],
    ['a sound', { type: 'input_audio', input_audio: { data: 'AA==', format: 'mp3' } }, inline('audio/mp3', 'AA==')],
    ['a file in bare base64', file({ file_data: 'JVBE', filename: 'notes.TXT' }), inline('text/plain', 'JVBE')],
    ['a file without a name', file({ file_data: 'JVBE' }), inline('application/pdf', 'JVBE')],
    ['an upload by its name', file({ file_id: 'files/abc-1' }), uri(uploads)],
    ['an upload by its address', file({ file_id: 'gs://bucket/a.pdf' }), uri('gs://bucket/a.pdf')],
  ])('%s is sent', (_what, part, native) => {
    expect(seen(part)).toEqual([{ role: 'user', parts: [native] }]);
    expect(refused(part)).toBeNull();
  });

  test.each([
    ['a picture elsewhere', image('https://example.com/a.png'), 'messages[0].content[0].image_url'],
    ['what only looks like the vendor', image('https://youtube.com.evil/x'), 'messages[0].content[0].image_url'],
    ["another vendor's upload", file({ file_id: 'file-123' }), 'messages[0].content[0].file'],
    ['an empty file', file({}), 'messages[0].content[0].file'],
    ['a part of an unknown kind', { type: 'hologram' }, 'messages[0].content[0]'],
  ])('%s is refused by its name', (_what, part, param) => {
    expect(refused(part)).toBe(param);
    expect(seen(part)).toEqual([]);
  });
});

describe('tools', () => {
  const declared = (tool: JsonObject, model?: string) => {
    const native = sent({ tools: [{ type: 'function', function: tool }] }, model).native['tools'];
    return (native as { functionDeclarations: unknown[] }[])[0]?.functionDeclarations[0];
  };

  test.each([
    [{}],
    [{ type: 'object' }],
    [{ type: 'object', properties: {} }],
    [{ type: 'object', properties: {}, additionalProperties: false }],
  ])('that take nothing, as %j, have no parameters', (parameters) => {
    expect(declared({ name: 'f', parameters })).toEqual({ name: 'f' });
  });

  test.each([
    [{ type: 'object', additionalProperties: { type: 'string' } }],
    [{ anyOf: [{ type: 'object' }] }],
    [{ type: 'array', items: {} }],
  ])('that take what has no names, as %j, keep it', (parameters) => {
    expect(declared({ name: 'f', parameters })).toEqual({ name: 'f', parametersJsonSchema: parameters });
  });

  test('have a schema of OpenAPI for older models', () => {
    const parameters = { type: 'object', properties: { a: { type: ['string', 'null'] } } };
    expect(declared({ name: 'f', parameters }, 'gemini-2.0-flash')).toEqual({
      name: 'f',
      parameters: { type: 'object', properties: { a: { type: 'string', nullable: true } } },
    });
  });

  test('that are strict are held to their schemas, unless the client chooses', () => {
    const strict = { type: 'function', function: { ...TOOL.function, strict: true } };
    const mode = (body: JsonObject) => sent({ tools: [strict], ...body }).native['toolConfig'];
    expect(mode({})).toEqual({ functionCallingConfig: { mode: 'VALIDATED' } });
    expect(mode({ tool_choice: 'required' })).toEqual({ functionCallingConfig: { mode: 'ANY' } });
  });

  test('that are no functions are dropped, and told so', () => {
    const custom = { type: 'custom', custom: { name: 'shell' } };
    const { native, dropped } = sent({ tools: [TOOL, custom] });
    expect(JSON.stringify(native)).not.toContain('shell');
    expect(dropped).toEqual(['tools']);
  });

  test('beside JSON are refused for models before Gemini 3, which do one of the two', () => {
    const body = { messages: [HELLO], tools: [TOOL], response_format: { type: 'json_object' } };
    expect(chatWire.refuses?.(body, 'gemini-2.5-pro')?.param).toBe('response_format');
    expect(chatWire.refuses?.(body, 'gemini-3-pro')).toBeNull();
  });
});

describe('thinking', () => {
  const thinking = (effort: string, model: string) =>
    sent({ reasoning_effort: effort }, model).native['generationConfig'];
  const level = (thinkingLevel: string, includeThoughts = true) => ({
    thinkingConfig: { thinkingLevel, includeThoughts },
  });
  const budget = (thinkingBudget: number, includeThoughts = true) => ({
    thinkingConfig: { thinkingBudget, includeThoughts },
  });

  test.each([
    ['none', 'gemini-3-flash', level('minimal', false)],
    ['none', 'gemini-3-pro-preview', level('low', false)],
    ['minimal', 'gemini-3.1-pro-preview', level('low')],
    ['low', 'gemini-3-flash', level('low')],
    ['medium', 'gemini-3-pro-preview', level('high')],
    ['medium', 'gemini-3.1-pro-preview', level('medium')],
    ['medium', 'gemini-3-flash', level('medium')],
    ['xhigh', 'gemini-3-flash', level('high')],
    ['none', 'gemini-2.5-flash', budget(0, false)],
    ['none', 'gemini-2.5-pro', budget(128, false)],
    ['minimal', 'gemini-2.5-flash-lite', budget(512)],
    ['low', 'gemini-2.5-flash', budget(1_024)],
    ['max', 'gemini-2.5-flash', budget(24_576)],
  ])('of the effort %s on %s is %j', (effort, model, expected) => {
    expect(thinking(effort, model)).toEqual(expected);
  });

  test('is dropped, and told so, where the model does not think or the word is unknown', () => {
    expect(sent({ reasoning_effort: 'high' }, 'gemini-2.0-flash').dropped).toEqual(['reasoning_effort']);
    expect(sent({ reasoning_effort: 'none' }, 'gemini-2.0-flash').dropped).toEqual([]);
    expect(sent({ reasoning_effort: 'utmost' }, 'gemini-3-flash').dropped).toEqual(['reasoning_effort']);
  });

  test.each(['extra_body', null])("may be asked for in the vendor's own words (%s), which go before", (wrap) => {
    const google = { thinking_config: { thinking_budget: 99, include_thoughts: true } };
    const body = { reasoning_effort: 'high', ...(wrap === null ? { google } : { [wrap]: { google } }) };
    const { native, dropped } = sent(body);
    expect(native['generationConfig']).toEqual(budget(99));
    expect(dropped).toEqual([]);
  });
});

describe('the rest of a request', () => {
  test('has its place', () => {
    const sampling = { temperature: 1, top_p: 0.5, top_k: 40, seed: 7, presence_penalty: 0.1, frequency_penalty: 0.2 };
    expect(config({ ...sampling, n: 2 })).toEqual({
      ...{ temperature: 1, topP: 0.5, topK: 40, seed: 7, presencePenalty: 0.1, frequencyPenalty: 0.2 },
      candidateCount: 2,
    });
    expect(config({ logprobs: true })).toEqual({ responseLogprobs: true });
    expect(config({ logprobs: false, top_logprobs: 0 })).toBeUndefined();
  });

  test('has schemas of OpenAPI for older models', () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'a', schema: { type: ['integer', 'null'] } } };
    const schema = { type: 'integer', nullable: true };
    expect(config({ response_format }, 'gemini-2.0-flash')).toEqual({
      responseMimeType: 'application/json',
      responseSchema: schema,
    });
  });

  test.each([
    ['flex', 'flex'],
    ['priority', 'priority'],
    ['auto', undefined],
    ['default', undefined],
  ])('asks with the tier %s for %s', (service_tier, serviceTier) => {
    expect(sent({ service_tier }).native['serviceTier']).toBe(serviceTier);
  });

  test('is not told to be dropped where it asks for nothing', () => {
    expect(sent({ store: false, service_tier: 'auto', modalities: ['text'] }).dropped).toEqual([]);
  });

  test("may be in the vendor's own words", () => {
    const google = { cached_content: 'cachedContents/1', safety_settings: [{ category: 'X', threshold: 'OFF' }] };
    expect(sent({ extra_body: { google } }).native).toMatchObject({
      cachedContent: 'cachedContents/1',
      safetySettings: [{ category: 'X', threshold: 'OFF' }],
    });
  });

  test('that is no JSON at all sends nothing of it', () => {
    const common = { isStreaming: true, apiKey: null, basePath: '', apiVersion: null, model: 'gemini-3-pro' };
    const { body, headers } = chatWire.prepare({ ...common, body: Buffer.from('[]') });
    expect([JSON.parse(body.toString()), headers]).toEqual([{ contents: [] }, {}]);
  });
});
