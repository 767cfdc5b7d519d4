import { describe, expect, it } from 'vitest';
import { eventsOf, type Json, start } from '../running.ts';

const MODEL = 'gpt-4o';

const post = async (path: string, body: object, options: object = {}) => {
  const { call } = await start(options);
  return call(path, { model: MODEL, ...body });
};

describe('chat', () => {
  it('calls every function that was named, unless one at most is wanted', async () => {
    const tools = ['get_weather', 'get_time'].map((name) => ({ type: 'function', function: { name } }));
    const body = { tools, messages: [{ role: 'user', content: 'get_weather and get_time' }] };
    const names = async (more: object): Promise<unknown[]> => {
      const { json } = await post('/v1/chat/completions', { ...body, ...more });
      const calls = json()['choices']?.[0]?.['message']?.['tool_calls'] as unknown as Json[];
      return calls.map((call) => call['function']?.['name']);
    };
    expect(await names({})).toEqual(['get_weather', 'get_time']);
    expect(await names({ parallel_tool_calls: false })).toEqual(['get_weather']);
    const events = eventsOf((await post('/v1/chat/completions', { ...body, stream: true })).text);
    const deltas = events.flatMap((event) => event['choices']?.[0]?.['delta']?.['tool_calls']?.[0] ?? []);
    expect(deltas.filter((call) => call['id'] !== undefined).map((call) => call['index'])).toEqual([0, 1]);
    expect(new Set(deltas.flatMap((call) => call['id'] ?? [])).size).toBe(2);
  });

  it('ends before a stop text', async () => {
    const body = { messages: [{ role: 'user', content: 'Hi' }], stop: [' was', ' made'] };
    const [choice] = (await post('/v1/chat/completions', body)).json()['choices'] as unknown as [Json];
    expect(choice).toMatchObject({ finish_reason: 'stop', message: { content: 'This answer' } });
  });

  it('thinks unseen where effort is asked for, and counts it', async () => {
    const body = { messages: [{ role: 'user', content: 'Hi' }], reasoning_effort: 'low' };
    const { json } = await post('/v1/chat/completions', body);
    expect(json()['usage']).toMatchObject({
      completion_tokens: 40,
      completion_tokens_details: { reasoning_tokens: 16 },
    });
    const cut = (await post('/v1/chat/completions', { ...body, max_completion_tokens: 16 })).json();
    expect(cut['choices']?.[0]).toMatchObject({ finish_reason: 'length', message: { content: '' } });
    const { text } = await post('/v1/chat/completions', { ...body, stream: true });
    expect(eventsOf(text)).toHaveLength(27);
  });

  it('remembers a long beginning for five minutes', async () => {
    const { call } = await start();
    const messages = [
      { role: 'system', content: 'word '.repeat(2000) },
      { role: 'user', content: 'Hi' },
    ];
    const cached = async (): Promise<unknown> =>
      (await call('/v1/chat/completions', { model: MODEL, messages })).json()['usage']?.['prompt_tokens_details']?.[
        'cached_tokens'
      ];
    expect([await cached(), await cached()]).toEqual([0, expect.any(Number)]);
    expect(await cached()).toBeGreaterThan(2000);
  });

  it('knows of the next turn of a conversation all that it has read', async () => {
    const { call } = await start();
    const usageOf = async (messages: object[]) =>
      (await call('/v1/chat/completions', { model: MODEL, messages })).json()['usage'];
    const first = [{ role: 'user', content: 'word '.repeat(2000) }];
    const read = (await usageOf(first))?.['prompt_tokens'];
    const more = [
      { role: 'assistant', content: 'Yes' },
      { role: 'user', content: 'And?' },
    ];
    expect((await usageOf([...first, ...more]))?.['prompt_tokens_details']?.['cached_tokens']).toBe(read);
    expect((await usageOf([...more, ...first]))?.['prompt_tokens_details']?.['cached_tokens']).toBe(0);
  });
});

describe('embeddings', () => {
  const embed = (body: object) => post('/v1/embeddings', body);

  it.each([
    ['a text', 'Hi', 1],
    ['texts', ['Hi', 'Ho'], 2],
    ['tokens', [1, 2, 3], 1],
    ['lists of tokens', [[1, 2], [3]], 2],
  ])('of %s', async (_, input, count) => {
    const { json } = await embed({ input, dimensions: 8 });
    expect(json()['data']).toHaveLength(count);
    expect(json()['data']?.[0]?.['embedding']).toHaveLength(8);
  });

  it('count what goes in, and are the same in base64', async () => {
    const floats = (await embed({ input: [1, 2, 3] })).json();
    expect(floats['usage']).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    const base64 = String(
      (await embed({ input: [1, 2, 3], encoding_format: 'base64' })).json()['data']?.[0]?.['embedding'],
    );
    const bytes = Buffer.from(base64, 'base64');
    const numbers = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
    expect(numbers).toEqual(floats['data']?.[0]?.['embedding']);
  });

  it.each([
    ['nothing', undefined],
    ['an empty list', []],
    ['an empty text', ['']],
    ['a number', 5],
    ['too many texts', Array(2049).fill('x')],
  ])('of %s are refused', async (_, input) => {
    expect((await embed({ input })).json()['error']).toMatchObject({ param: 'input' });
    expect((await embed({ input: 'x', model: '' })).status).toBe(400);
  });
});

describe('completions', () => {
  const complete = (body: object) => post('/v1/completions', body);

  it('go on where each prompt ends', async () => {
    const { json } = await complete({ prompt: ['Once', [1, 2]], n: 2, echo: true, max_tokens: 2 });
    expect(json()['object']).toBe('text_completion');
    const choices = json()['choices'] as unknown as Json[];
    expect(choices.map((choice) => choice['text'])).toEqual([
      ...['OnceThis answer', 'OnceThis answer', 'This answer', 'This answer'],
    ]);
    expect(json()['usage']).toEqual({ prompt_tokens: 3, completion_tokens: 8, total_tokens: 11 });
  });

  it('are short unless told otherwise, and may start from nothing', async () => {
    expect((await complete({})).json()['usage']).toMatchObject({ completion_tokens: 16 });
    expect((await complete({ prompt: [1, 2, 3] })).json()['usage']).toMatchObject({ prompt_tokens: 3 });
  });

  it('stream', async () => {
    const body = { prompt: 'Once', echo: true, max_tokens: 2, stream: true };
    const events = eventsOf((await complete({ ...body, stream_options: { include_usage: true } })).text);
    const texts = events.slice(0, -2).map((event) => event['choices']?.[0]?.['text']);
    expect(texts).toEqual(['Once', 'This', ' answer', '']);
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { completion_tokens: 2 } });
    const { text } = await complete({ ...body, echo: false });
    expect(text).not.toContain('usage');
    const cut = await post('/v1/completions', body, { faults: [{ kind: 'cut_json' }] });
    expect(cut.text.endsWith('"text_compl')).toBe(true);
  });

  it.each([
    ['no model', { model: '' }],
    ['a cap of nothing', { max_tokens: 0 }],
    ['too many answers', { n: 129 }],
    ['half an answer', { n: 0.5 }],
  ])('are refused for %s', async (_, body) => {
    expect((await complete(body)).status).toBe(400);
  });
});

it('moderations find nothing, and cost a request', async () => {
  const { call, simulator } = await start({ models: ['omni-moderation-latest'] });
  const { json } = await call('/v1/moderations', { input: ['Hi', 'Ho'] });
  expect(json()['results']).toMatchObject([{ flagged: false }, { flagged: false }]);
  expect((await call('/v1/moderations', { input: 'Hi' })).json()['results']).toHaveLength(1);
  expect((await call('/v1/moderations', {})).status).toBe(400);
  expect((await call('/v1/moderations', { input: Array(2049).fill('x') })).status).toBe(400);
  expect(simulator.ledger()).toMatchObject({ admitted: 2, requests: [{ input: 0, output: 0 }, {}] });
});

describe('responses', () => {
  const respond = (body: object, options: object = {}) => post('/v1/responses', { input: 'Hi', ...body }, options);
  const TOOLS = [{ type: 'function', name: 'get_weather', parameters: { type: 'object', properties: { a: {} } } }];

  const streamed = async (body: object, options: object = {}): Promise<Json[]> => {
    const { text } = await respond({ ...body, stream: true }, options);
    const events = eventsOf(text.replace(/^event: .*\n/gm, ''));
    expect(events.map((event) => event['sequence_number'])).toEqual(events.map((_, index) => index));
    return events;
  };

  it('have items, and tell their usage', async () => {
    const { json } = await respond({ instructions: 'Be brief.', user: 'me' }, { answer: { outputTokens: 2 } });
    expect(json()).toMatchObject({
      id: expect.stringMatching(/^resp_/),
      object: 'response',
      status: 'completed',
      instructions: 'Be brief.',
      output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'This answer' }] }],
      usage: { input_tokens: 15, output_tokens: 2, total_tokens: 17 },
      store: true,
    });
  });

  it('stream numbered events, the last with all of it', async () => {
    const events = await streamed({}, { answer: { outputTokens: 2 } });
    expect(events.map((event) => event['type'])).toEqual([
      ...['response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added'],
      ...['response.output_text.delta', 'response.output_text.delta', 'response.output_text.done'],
      ...['response.content_part.done', 'response.output_item.done', 'response.completed'],
    ]);
    expect(events[0]?.['response']).toMatchObject({ status: 'in_progress', output: [], usage: null });
    expect(events.at(-1)?.['response']).toMatchObject({ status: 'completed', usage: { output_tokens: 2 } });
  });

  it('that are cut are incomplete', async () => {
    const { json } = await respond({ max_output_tokens: 2 });
    expect(json()).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    expect((await streamed({ max_output_tokens: 2 })).at(-1)?.['type']).toBe('response.incomplete');
  });

  it('call functions', async () => {
    const body = { tools: TOOLS, tool_choice: { type: 'function', name: 'get_weather' } };
    const call = { type: 'function_call', name: 'get_weather', arguments: '{"a":"a"}', call_id: expect.any(String) };
    expect((await respond(body)).json()['output']).toMatchObject([call]);
    const events = await streamed(body);
    const deltas = events.filter((event) => String(event['type']) === 'response.function_call_arguments.delta');
    expect(deltas.map((event) => event['delta']).join('')).toBe('{"a":"a"}');
    expect(events.at(-1)?.['response']?.['output']).toMatchObject([call]);
    const input = [
      { role: 'user', content: [{ type: 'input_text', text: 'get_weather' }, { type: 'input_image' }] },
      { type: 'function_call', name: 'get_weather', call_id: 'x', arguments: '{}' },
      { type: 'function_call_output', call_id: 'x', output: 'Rain.' },
    ];
    expect((await respond({ ...body, tool_choice: 'auto', input })).json()['output']).toMatchObject([
      { type: 'message' },
    ]);
    expect((await respond({ tools: TOOLS, tool_choice: 'required' })).json()['output']).toMatchObject([call]);
  });

  it('think first where effort is asked for', async () => {
    const reasoning = { effort: 'low' };
    const { json } = await respond({ reasoning });
    expect(json()['output']).toMatchObject([{ type: 'reasoning' }, { type: 'message' }]);
    expect(json()['usage']).toMatchObject({ output_tokens_details: { reasoning_tokens: 16 } });
    const events = await streamed({ reasoning });
    expect(events.filter((event) => String(event['type']) === 'response.output_item.added')).toHaveLength(2);
  });

  it('are JSON, by a schema or any', async () => {
    const said = async (format: object): Promise<unknown> =>
      (await respond({ text: { format } })).json()['output']?.[0]?.['content']?.[0]?.['text'];
    const schema = { type: 'object', properties: { n: { type: 'integer' } } };
    expect(await said({ type: 'json_schema', name: 'x', schema })).toBe('{"n":0}');
    expect(await said({ type: 'json_object' })).toBe('{}');
  });

  it('stay with the key that made them, until they are deleted', async () => {
    const { call, url } = await start({ organizations: [{ keys: ['sk-sim-1', 'sk-sim-2'] }] });
    const { id } = (await call('/v1/responses', { model: MODEL, input: 'Hi' })).json();
    const kept = (await call('/v1/responses', { model: MODEL, input: 'Hi', store: false })).json();
    const path = `/v1/responses/${id}`;
    expect((await call(path)).json()['id']).toBe(id);
    expect((await call(`${path}/input_items`)).json()['object']).toBe('list');
    expect((await call(path, undefined, { authorization: 'Bearer sk-sim-2' })).status).toBe(404);
    expect((await call(`/v1/responses/${kept['id']}`)).status).toBe(404);
    const next = { model: MODEL, input: 'Hi', previous_response_id: id };
    expect((await call('/v1/responses', next)).status).toBe(200);
    const remove = () => fetch(`${url}${path}`, { method: 'DELETE', headers: { authorization: 'Bearer sk-sim-1' } });
    expect(await (await remove()).json()).toEqual({ id, object: 'response', deleted: true });
    expect((await remove()).status).toBe(404);
    expect((await call('/v1/responses', next)).json()['error']?.['code']).toBe('previous_response_not_found');
    expect((await call('/v1/responses')).status).toBe(404);
    expect((await call(`${path}/cancel`, {})).status).toBe(404);
  });

  it.each([
    ['no model', { model: '' }],
    ['no input', { input: undefined }],
    ['a cap of nothing', { max_output_tokens: 0 }],
  ])('are refused for %s', async (_, body) => {
    expect((await respond(body)).status).toBe(400);
  });

  it('break off within an event', async () => {
    const { text } = await respond({ stream: true }, { faults: [{ kind: 'cut_json' }] });
    expect(text.endsWith('"item')).toBe(true);
  });
});

describe('files, batches and jobs', () => {
  it.each([
    ['/v1/files', 'file-', 'file'],
    ['/v1/batches', 'batch_', 'batch'],
    ['/v1/fine_tuning/jobs', 'ftjob-', 'fine_tuning.job'],
  ])('are made, found, cancelled and deleted: %s', async (path, prefix, object) => {
    const { call, url } = await start({ organizations: [{ keys: ['sk-sim-1', 'sk-sim-2'] }] });
    const made = (await call(path, { purpose: 'batch' })).json();
    expect(made).toMatchObject({ id: expect.stringContaining(prefix), object, purpose: 'batch' });
    const one = `${path}/${made['id']}`;
    expect((await call(path)).json()['data']).toEqual([made]);
    expect((await call(one)).json()).toEqual(made);
    expect((await call(one, undefined, { authorization: 'Bearer sk-sim-2' })).status).toBe(404);
    expect((await call(`${one}/cancel`, {})).json()['status']).toBe('cancelled');
    expect((await call(`${one}/fly`, {})).json()['error']?.['code']).toBe('unknown_url');
    const remove = (at: string) =>
      fetch(`${url}${at}`, { method: 'DELETE', headers: { authorization: 'Bearer sk-sim-1' } });
    expect(await (await remove(one)).json()).toEqual({ id: made['id'], object, deleted: true });
    expect((await remove(path)).status).toBe(404);
    expect((await call(one)).status).toBe(404);
  });

  it('take a body that is no JSON', async () => {
    const { url } = await start();
    const form = new FormData();
    form.set('purpose', 'batch');
    form.set('file', new Blob(['{}']), 'a.jsonl');
    const headers = { authorization: 'Bearer sk-sim-1' };
    const made = await fetch(`${url}/v1/files`, { method: 'POST', headers, body: form });
    expect(await made.json()).toMatchObject({ object: 'file', status: 'processed' });
  });
});
