import { describe, expect, it } from 'vitest';
import { createTokenCounter } from '../../src/simulator/count-tokens.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ASK, eventsOf, type Json, start } from './running.ts';

const count = createTokenCounter();

const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1 } } },
  },
};

describe('who may ask', () => {
  it('is told apart by bearer token, as OpenAI does', async () => {
    const { get, chat, url } = await start();
    const wrong = await chat({}, 'sk-wrong-key-1234');
    expect(wrong.status).toBe(401);
    expect(wrong.json()['error']).toMatchObject({
      type: 'invalid_request_error',
      code: 'invalid_api_key',
      param: null,
    });
    expect(wrong.text).toContain('Incorrect API key provided: sk-w****1234');
    expect((await chat({}, 'short')).text).toContain('provided: ****.');
    expect((await get('/v1/models', 'sk-wrong')).status).toBe(401);
    const none = await fetch(`${url}/v1/models`);
    expect(none.status).toBe(401);
    expect(await none.text()).toContain("You didn't provide an API key");
  });
});

describe('models', () => {
  it('are listed and found one by one', async () => {
    const { get } = await start({ models: ['a/b', 'c'] });
    const list = (await get('/v1/models')).json();
    expect(list['object']).toBe('list');
    expect(list['data']).toMatchObject([{ id: 'a/b', object: 'model' }, { id: 'c' }]);
    expect((await get('/v1/models/a%2Fb')).json()['id']).toBe('a/b');
    expect((await get('/v1/models/a/b')).json()['id']).toBe('a/b');
  });

  it('that do not exist are not found', async () => {
    const { get, chat } = await start();
    for (const answer of [await get('/v1/models/nope'), await get('/v1/models/%zz'), await chat({ model: 'nope' })]) {
      expect(answer.status).toBe(404);
      expect(answer.json()['error']?.['code']).toBe('model_not_found');
    }
  });
});

it('an unknown path or method is an unknown URL', async () => {
  const { get, post, url } = await start();
  expect((await get('/v1/chat/completions')).json()['error']?.['code']).toBe('unknown_url');
  expect((await post('/v1/embeddings', {})).status).toBe(401);
  const deleted = await fetch(`${url}/v1/models`, { method: 'DELETE', headers: { authorization: 'Bearer sk-sim-1' } });
  expect(deleted.status).toBe(404);
});

describe('a whole answer', () => {
  it('has the shape of OpenAI and counts its tokens exactly', async () => {
    const { chat } = await start({ answer: { outputTokens: 100 } });
    const answer = await chat();
    const body = answer.json();
    expect(body).toMatchObject({ object: 'chat.completion', model: 'gpt-4o', choices: [{ index: 0, logprobs: null }] });
    const [choice] = body['choices'] as unknown as [Json];
    expect(choice).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', refusal: null } });
    expect(count(String(choice['message']?.['content']))).toBe(100);
    expect(body['usage']).toMatchObject({ prompt_tokens: 8, completion_tokens: 100, total_tokens: 108 });
    expect(answer.headers.get('openai-organization')).toBe('org-sim-1');
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
    expect(answer.headers.get('openai-processing-ms')).toMatch(/^\d+$/);
  });

  it('ends with length at the cap, however it is given', async () => {
    const { chat } = await start({ answer: { outputTokens: 100 } });
    for (const cap of [{ max_tokens: 7 }, { max_completion_tokens: 7 }, { max_tokens: 9, max_completion_tokens: 7 }]) {
      const body = (await chat(cap)).json();
      expect(body['choices']?.[0]?.['finish_reason']).toBe('length');
      expect(body['usage']?.['completion_tokens']).toBe(7);
    }
  });

  it('comes n times', async () => {
    const { chat } = await start({ answer: { outputTokens: 5 } });
    const body = (await chat({ n: 3 })).json();
    expect(body['choices']).toHaveLength(3);
    expect(body['usage']?.['completion_tokens']).toBe(15);
  });

  it('counts more where the vendor counts more', async () => {
    const { chat } = await start({ usageFactor: 1.5, answer: { outputTokens: 10 } });
    expect((await chat()).json()['usage']).toMatchObject({ prompt_tokens: 12, completion_tokens: 15 });
    expect((await chat({ max_tokens: 6 })).json()['usage']).toMatchObject({ completion_tokens: 6 });
  });

  it('takes its time: first byte, then the pace', async () => {
    const clock = new FakeClock();
    const { chat, simulator } = await start(
      { answer: { firstByteMs: 200, tokensPerSecond: 100, outputTokens: 50 } },
      clock,
    );
    const answer = chat();
    await clockHasTimer(clock);
    clock.advance(699);
    expect(simulator.ledger().completed).toBe(0);
    clock.advance(1);
    expect(simulator.ledger().completed).toBe(1);
    expect((await answer).headers.get('openai-processing-ms')).toBe('700');
  });
});

describe('a streamed answer', () => {
  it('opens with the role, goes on token by token and ends with [DONE]', async () => {
    const { chat } = await start({ answer: { outputTokens: 3 } });
    const answer = await chat({ stream: true });
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = eventsOf(answer.text);
    const deltas = events.slice(0, -1).map((event) => event['choices']?.[0]?.['delta']);
    expect(deltas).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'This' },
      { content: ' answer' },
      { content: ' was' },
      {},
    ]);
    expect(events.at(-2)?.['choices']?.[0]?.['finish_reason']).toBe('stop');
    expect(events.at(-1)).toBe('[DONE]');
    expect(answer.text).not.toContain('"usage"');
    expect(new Set(events.slice(0, -1).map((event) => `${event['id']} ${event['created']}`)).size).toBe(1);
  });

  it('tells its usage at the end when asked, and null before', async () => {
    const { chat } = await start({ answer: { outputTokens: 3 } });
    const events = eventsOf((await chat({ stream: true, n: 2, stream_options: { include_usage: true } })).text);
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 8, completion_tokens: 6 } });
    expect(events.slice(0, -2).every((event) => event['usage'] === null)).toBe(true);
    expect(events.slice(0, -2).filter((event) => event['choices']?.[0]?.['finish_reason'])).toHaveLength(2);
  });

  it('is as long as asked, over many writes', async () => {
    const { chat } = await start({ answer: { outputTokens: 5000 } });
    const events = eventsOf((await chat({ stream: true })).text);
    const text = events.map((event) => event['choices']?.[0]?.['delta']?.['content'] ?? '').join('');
    expect(count(text)).toBe(5000);
  });

  it('keeps its pace', async () => {
    const clock = new FakeClock();
    const { url, simulator } = await start({ answer: { tokensPerSecond: 10, outputTokens: 3 } }, clock);
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-sim-1' },
      body: JSON.stringify({ ...ASK, stream: true }),
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const contents = async (): Promise<(string | undefined)[]> => {
      const { value = '' } = (await reader?.read()) ?? {};
      return eventsOf(value).map((event) => event['choices']?.[0]?.['delta']?.['content'] as unknown as string);
    };
    expect(await contents()).toEqual(['', 'This']);
    clock.advance(99);
    clock.advance(1);
    expect(await contents()).toEqual([' answer']);
    clock.advance(100);
    expect(await contents()).toEqual([' was', undefined, undefined]);
    expect(simulator.ledger().completed).toBe(1);
  });
});

describe('what is answered', () => {
  it.each([
    ['tool_choice required', { tool_choice: 'required' }],
    ['the function chosen by name', { tool_choice: { type: 'function', function: { name: 'get_weather' } } }],
    ['a prompt that speaks of a tool', { messages: [{ role: 'user', content: 'Please use the tool.' }] }],
    ['a prompt that names the function', { messages: [{ role: 'user', content: 'get_weather for Rome' }] }],
  ])('is a call of the function for %s', async (_, asked) => {
    const { chat } = await start();
    const body = (await chat({ tools: [WEATHER], ...asked })).json();
    const [choice] = body['choices'] as unknown as [Json];
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
    const call = choice['message']?.['tool_calls']?.[0];
    expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });
    expect(JSON.parse(String(call?.['function']?.['arguments']))).toEqual({ city: 'a', days: 1 });
  });

  it.each([
    ['tool_choice none', { tool_choice: 'none', messages: [{ role: 'user', content: 'Use the tool' }] }],
    ['a tool that is not there', { tool_choice: { type: 'function', function: { name: 'other' } } }],
    ['a prompt without need', {}],
    ['a tool that has answered', { messages: [{ role: 'tool', content: 'get_weather', tool_call_id: 'x' }] }],
  ])('is words for %s', async (_, asked) => {
    const { chat } = await start();
    const body = (await chat({ tools: [WEATHER], ...asked })).json();
    expect(body['choices']?.[0]?.['finish_reason']).toBe('stop');
  });

  it('streams the arguments of a call in pieces', async () => {
    const { chat } = await start();
    const tools = [{ type: 'function', function: { name: 'f' } }, { type: 'custom' }];
    const events = eventsOf((await chat({ tools, tool_choice: 'required', stream: true })).text).slice(0, -1);
    const calls = events.map((event) => event['choices']?.[0]?.['delta']?.['tool_calls']?.[0]);
    expect(calls[0]).toMatchObject({ index: 0, type: 'function', function: { name: 'f', arguments: '' } });
    expect(calls.map((call) => call?.['function']?.['arguments'] ?? '').join('')).toBe('{}');
    expect(events.at(-1)?.['choices']?.[0]?.['finish_reason']).toBe('tool_calls');
  });

  it('is JSON that obeys the schema', async () => {
    const { chat } = await start();
    const schema = {
      type: 'object',
      properties: { naïve: { type: 'boolean' }, colour: { enum: ['red', 'blue'] } },
      required: ['naïve', 'colour'],
    };
    const body = (await chat({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } })).json();
    const content = String(body['choices']?.[0]?.['message']?.['content']);
    expect(JSON.parse(content)).toEqual({ naïve: false, colour: 'red' });
    expect(body['usage']?.['completion_tokens']).toBe(count(content));
    const any = (await chat({ response_format: { type: 'json_object' } })).json();
    expect(any['choices']?.[0]?.['message']?.['content']).toBe('{}');
    const cut = (
      await chat({ max_tokens: 2, response_format: { type: 'json_schema', json_schema: { schema } } })
    ).json();
    expect(cut['choices']?.[0]?.['finish_reason']).toBe('length');
  });
});

describe('a request that is wrong', () => {
  it.each([
    ['no JSON', '{', null],
    ['no object', '[]', null],
    ['no model', '{}', null],
    ['no messages', '{"model":"gpt-4o"}', 'missing_required_parameter'],
    ['messages of the wrong type', '{"model":"gpt-4o","messages":"Hi"}', 'invalid_type'],
    ['a cap below 1', '{"model":"gpt-4o","messages":[{}],"max_tokens":0}', 'invalid_value'],
    ['too many answers', '{"model":"gpt-4o","messages":[{}],"n":129}', 'invalid_value'],
    ['what is nested beyond reason', `{"model":"m","messages":${'['.repeat(5000)}${']'.repeat(5000)}}`, null],
    ['half an answer', '{"model":"gpt-4o","messages":[{}],"n":0.5}', 'invalid_value'],
  ])('is refused for %s', async (_, body, code) => {
    const { url, simulator } = await start();
    const headers = { authorization: 'Bearer sk-sim-1' };
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', code } });
    expect(simulator.ledger().refused).toEqual({ invalid_request: 1 });
  });

  it('is refused over the context length', async () => {
    const { chat, simulator } = await start({ contextLength: 20 });
    const answer = await chat({ max_tokens: 13 });
    expect(answer.status).toBe(400);
    expect(answer.json()['error']).toMatchObject({ code: 'context_length_exceeded', param: 'messages' });
    expect((await chat({ max_tokens: 12 })).status).toBe(200);
    expect(simulator.ledger().refused).toEqual({ context_length_exceeded: 1 });
  });
});

async function clockHasTimer(clock: FakeClock): Promise<void> {
  while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
}
