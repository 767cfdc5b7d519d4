import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KEYS, provider, type Sluice, startSimulator, startSluice, together } from './world.ts';

/** All that a chat request may hold, so that there is something to spoil at every path. */
const VALID = {
  model: 'gpt-4o',
  messages: [
    { role: 'system', content: 'Be brief.', name: 'boss' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
        { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":"it"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'A cat.' },
  ],
  tools: [
    {
      type: 'function',
      function: {
        name: 'look',
        description: 'Looks.',
        parameters: { type: 'object', properties: { at: { type: 'string', enum: ['it'] } }, required: ['at'] },
        strict: true,
      },
    },
  ],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  response_format: { type: 'json_schema', json_schema: { name: 's', strict: true, schema: { type: 'object' } } },
  n: 2,
  stream: false,
  stream_options: { include_usage: true },
  max_tokens: 16,
  max_completion_tokens: 16,
  temperature: 0.5,
  top_p: 1,
  stop: ['x'],
  seed: 1,
  logit_bias: { '50256': -100 },
  logprobs: false,
  metadata: { seq: '1' },
  modalities: ['text'],
  prediction: { type: 'content', content: 'cat' },
  user: 'somebody',
  service_tier: 'auto',
};

/** As text, for much of it is nothing that a value could be written as. */
const ODD_TEXTS = [
  'null',
  'true',
  '0',
  '-1',
  '1e400',
  '-1e400',
  '1e-400',
  '-0',
  '9007199254740993',
  '0.1',
  '""',
  '"x"',
  '"NaN"',
  '"Infinity"',
  'NaN',
  '-Infinity',
  '0x10',
  '01',
  '[]',
  '{}',
  '[null]',
  '[[]]',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":null}}',
  '{"toString":1,"hasOwnProperty":2,"length":-1}',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000\\u0001"',
  '"\u2028\ufeff\u202e"',
  '"🧑‍🧑‍🧒‍🧒"',
  `"${'é'.repeat(3_000)}"`,
  `"${'a'.repeat(20_000)}"`,
  `${'['.repeat(100)}${']'.repeat(100)}`,
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
  `[${'0,'.repeat(20_000)}0]`,
  '{"role":"user","content":"Hello"}',
  '[{"role":"user","content":"Hello"}]',
  '{"type":"text","text":{}}',
  '{"type":"image_url","image_url":{"url":"http://127.0.0.1:1/secret"}}',
  '{"type":"image_url","image_url":{"url":"data:image/png;base64,!!!"}}',
];

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]))];
}

const PATHS = pathsOf(VALID);

type Change = { readonly path: Path; readonly text: string; readonly how: 'replace' | 'twice' | 'remove' | 'rename' };

/** JSON with the changes made in passing. */
function textOf(value: unknown, changes: readonly Change[], path: Path = []): string {
  const change = changes.find((each) => each.how === 'replace' && isSame(each.path, path));
  if (change) return change.text;
  if (Array.isArray(value))
    return `[${value.map((each, index) => textOf(each, changes, [...path, String(index)])).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .flatMap(([key, member]) => memberTexts([...path, key], textOf(member, changes, [...path, key]), changes))
    .join()}}`;
}

function memberTexts(path: Path, text: string, changes: readonly Change[]): string[] {
  const key = String(path.at(-1));
  const change = changes.find((each) => each.how !== 'replace' && isSame(each.path, path));
  const member = `${JSON.stringify(key)}:${text}`;
  switch (change?.how) {
    case 'remove':
      return [];
    case 'twice':
      return [member, `${JSON.stringify(key)}:${change.text}`];
    case 'rename':
      return [`"__proto__":${text}`, `"${key.replace(/./, '\\u0000')}":${change.text}`];
    default:
      return [member];
  }
}

function isSame(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((part, index) => part === other[index]);
}

const change = fc.record({
  path: fc.constantFrom(...PATHS),
  text: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...ODD_TEXTS) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
  ),
  how: fc.constantFrom('replace', 'replace', 'replace', 'twice', 'remove', 'rename'),
}) satisfies fc.Arbitrary<Change>;

const mutated = fc
  .tuple(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([changes, isStreamed]) => textOf({ ...VALID, stream: isStreamed }, changes));

/** Bytes that are spoilt where JSON does not look: cut, doubled, overwritten. */
const broken = fc
  .tuple(mutated, fc.double({ min: 0, max: 1, noNaN: true }), fc.uint8Array({ maxLength: 4 }), fc.boolean())
  .map(([text, where, bytes, isCut]) => {
    const whole = Buffer.from(text);
    const at = Math.floor(where * whole.length);
    return Buffer.concat([whole.subarray(0, at), bytes, isCut ? Buffer.alloc(0) : whole.subarray(at + bytes.length)]);
  });

async function post(sluice: Sluice, body: string | Buffer): Promise<void> {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  const text = await response.text();
  const told = `${response.status} ${text.slice(0, 400)}`;
  if (response.status === 200) {
    expect(text, told).not.toContain('"error":{');
    return;
  }
  expect(response.status, told).toBeGreaterThanOrEqual(400);
  expect(response.status, told).toBeLessThan(500);
  const { error } = JSON.parse(text) as { readonly error: Readonly<Record<string, unknown>> };
  expect(Object.keys(error).sort(), told).toEqual(['code', 'message', 'param', 'type']);
  expect(error['message'], told).toEqual(expect.any(String));
}

test('whatever is wrong with a body, it is served or refused in the shape of the API', async () => {
  const organizations = [{ keys: [{ name: 'good', key: KEYS.good }] }];
  await using vendor = await startSimulator({ organizations, contextLength: 128_000 });
  await using sluice = await startSluice({
    log: { level: 'info', format: 'json' },
    providers: [provider(vendor.url, [{ name: 'good', key: KEYS.good }])],
    models: [{ name: 'gpt-4o', targets: [{ provider: 'sim', model: 'gpt-4o' }] }],
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(mutated, mutated, broken), { minLength: 8, maxLength: 8 }), async (bodies) => {
      await together(bodies.length, (index) => post(sluice, bodies[index] as string | Buffer));
    }),
    { numRuns: 150, timeout: 10_000, endOnFailure: true },
  );
  expect(sluice.log.filter((line) => line.includes('unexpected failure'))).toEqual([]);
  expect(sluice.app.openLeases).toBe(0);
  expect(sluice.app.heldBodyBytes).toBe(0);
  // The server is as good as before.
  expect((await sluice.chat()).status).toBe(200);
});
