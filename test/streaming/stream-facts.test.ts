import { describe, expect, it } from 'vitest';
import { readEvent } from '../../src/streaming/stream-facts.ts';
import { chunkEvent, eventOf, ROLE, STOP, sse, text, USAGE } from './events.ts';

describe('the kind of an event', () => {
  it.each([
    [': OPENROUTER PROCESSING\n\n', 'silent'],
    ['data\n\n', 'silent'],
    ['id: 1\n\n', 'silent'],
    ['data: [DONE]\n\n', 'done'],
    ['data:[DONE]\n\n', 'done'],
    ['data: [DONE] \n\n', 'done'],
    [sse({ error: { message: 'no' } }), 'error'],
    [sse({ error: 'no' }), 'error'],
    ['event: error\ndata: {"message":"no"}\n\n', 'error'],
    ['event: error\ndata: oops\n\n', 'error'],
    [sse({ object: 'error', message: 'no' }), 'error'],
    ['data: oops\n\n', 'malformed'],
    ['data: {"a":\n\n', 'malformed'],
    [ROLE, 'chunk'],
    [sse({ error: null, choices: [] }), 'chunk'],
    [sse([1]), 'chunk'],
    [sse(null), 'chunk'],
    ['data: {"choices":\ndata: []}\n\n', 'chunk'],
  ])('of %j is %s', (raw, kind) => {
    expect(readEvent(eventOf(raw)).kind).toBe(kind);
  });

  it('of an error tells its JSON, and null when it has none', () => {
    expect(readEvent(eventOf(sse({ error: 'no' })))).toEqual({ kind: 'error', json: { error: 'no' } });
    expect(readEvent(eventOf('event: error\ndata: oops\n\n'))).toEqual({ kind: 'error', json: null });
  });
});

describe('output', () => {
  it.each<[string, unknown]>([
    ['content', { content: 'a' }],
    ['a refusal', { refusal: 'no' }],
    ['a tool call', { tool_calls: [{ index: 0, function: { name: 'f' } }] }],
    ['a function call', { function_call: { name: 'f' } }],
    ['reasoning, as DeepSeek names it', { reasoning_content: 'hm' }],
    ['reasoning, as Groq names it', { role: 'assistant', reasoning: 'hm' }],
    ['audio', { audio: { data: '' } }],
  ])('is %s', (_name, delta) => {
    expect(readEvent(eventOf(chunkEvent({ delta })))).toMatchObject({ kind: 'chunk', hasOutput: true });
  });

  it('is a finish reason', () => {
    expect(readEvent(eventOf(STOP))).toMatchObject({ hasOutput: true, hasFinishReason: true });
  });

  it('is the text of a legacy completion', () => {
    expect(readEvent(eventOf(sse({ choices: [{ text: 'a' }] })))).toMatchObject({ hasOutput: true });
  });

  it.each<[string, string]>([
    ['a role', ROLE],
    ['an empty delta', chunkEvent({})],
    ['no tool calls', chunkEvent({ delta: { role: 'assistant', tool_calls: [], content: null } })],
    ['a first chunk without choices', sse({ choices: [], prompt_filter_results: [] })],
    ['a choice that is none', sse({ choices: [null, 3, { delta: null }] })],
    ['something else', sse({ hello: 'world' })],
    ['a number', sse(3)],
  ])('is not %s', (_name, raw) => {
    expect(readEvent(eventOf(raw))).toMatchObject({ kind: 'chunk', hasOutput: false, hasFinishReason: false });
  });
});

describe('the usage chunk', () => {
  it('has usage and no choices', () => {
    expect(readEvent(eventOf(USAGE))).toMatchObject({ isUsageOnly: true });
  });

  it.each<[string, string]>([
    ['usage beside content', chunkEvent({ delta: { content: 'a' } }, { usage: { prompt_tokens: 1 } })],
    ['usage that is null', text('a')],
    ['no choices and null usage', sse({ choices: [], usage: null })],
    ['usage without choices at all', sse({ usage: {} })],
  ])('is not %s', (_name, raw) => {
    expect(readEvent(eventOf(raw))).toMatchObject({ isUsageOnly: false });
  });
});
