import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../src/providers/anthropic/anthropic.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { translateWhole } from '../contract-drive.ts';
import { message } from './messages.ts';

const USAGE = { input_tokens: 10, output_tokens: 4 };

function choiceOf(json: JsonObject): JsonObject {
  return (translateWhole(anthropic, json)['choices'] as JsonObject[])[0] as JsonObject;
}

describe('a whole answer', () => {
  it('is a chat completion to the letter', () => {
    expect(translateWhole(anthropic, message([{ type: 'text', text: 'Hi' }], 'end_turn', USAGE))).toEqual({
      id: 'msg_1',
      object: 'chat.completion',
      created: 1_767_225_600,
      model: 'claude-sonnet-4-5-20250929',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 4,
        total_tokens: 14,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    });
  });

  it('without anything in it is an empty answer', () => {
    expect(translateWhole(anthropic, {})).toMatchObject({ id: 'msg', model: 'asked-for' });
    expect(choiceOf({})).toMatchObject({ message: { content: '' }, finish_reason: 'stop' });
    expect(choiceOf({ content: [{ type: 'text' }, { type: 'thinking' }, { type: 'tool_use' }, 7] })).toMatchObject({
      message: { content: null, tool_calls: [{ id: 'call_0', function: { name: '', arguments: '{}' } }] },
    });
  });

  it('has the thoughts that a client must send back', () => {
    const thoughts = [
      { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
      { type: 'redacted_thinking', data: 'xyz' },
    ];
    expect(choiceOf(message([...thoughts, { type: 'text', text: 'Hi' }], 'end_turn', USAGE))['message']).toEqual({
      role: 'assistant',
      content: 'Hi',
      refusal: null,
      reasoning_content: 'Hm.',
      thinking_blocks: thoughts,
    });
  });

  it('that the model declined says so', () => {
    const refused = { ...message([], 'refusal', USAGE), stop_details: { explanation: 'Not this.' } };
    expect(choiceOf(refused)).toMatchObject({ message: { refusal: 'Not this.' }, finish_reason: 'content_filter' });
  });

  it('by tool is content', () => {
    const answer = { type: 'tool_use', id: 'toolu_1', name: 'sluice_json_answer', input: { answer: 42 } };
    expect(choiceOf(message([answer], 'tool_use', USAGE))).toEqual({
      index: 0,
      message: { role: 'assistant', content: '{"answer":42}', refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    });
  });
});

describe('usage', () => {
  const usageOf = (usage: unknown) => anthropic.readUsage({ usage }, null);

  it('adds up the runs of the model itself, not those of an adviser', () => {
    const iterations = [
      { type: 'compaction', input_tokens: 100, output_tokens: 10 },
      { type: 'message', input_tokens: 20 },
      { type: 'advisor_message', input_tokens: 900, output_tokens: 90 },
    ];
    expect(usageOf({ ...USAGE, iterations })).toMatchObject({ inputTokens: 120, outputTokens: 10 });
    expect(usageOf({ ...USAGE, iterations: [] })).toMatchObject({ inputTokens: 10, outputTokens: 4 });
  });

  it.each([null, {}, 'x', { input_tokens: -1 }, { output_tokens: 1e12 }])('is not there in %j', (usage) => {
    expect(usageOf(usage)).toBeNull();
  });

  it('is charged as the limiter does: no cap, nothing from the cache', () => {
    const reserved = anthropic.reservedCharge({
      inputTokens: 1_000,
      outputCapTokens: 4_000,
      predictedOutputTokens: 50,
    });
    expect(reserved).toEqual([1, 1_050, 1_000, 50, 1]);
    const usage = usageOf({
      input_tokens: 300,
      cache_creation_input_tokens: 100,
      cache_read_input_tokens: 600,
      output_tokens: 70,
    });
    expect(anthropic.settledCharge(usage, reserved)).toEqual([1, 470, 400, 70, 1]);
    expect(anthropic.settledCharge(null, reserved)).toEqual(reserved);
  });
});

describe('limits', () => {
  it.each([
    ['claude-opus-4-1-20250805', 'claude-opus-4*'],
    ['claude-opus-4-8', 'claude-opus-4*'],
    ['claude-opus-4', 'claude-opus-4*'],
    ['claude-sonnet-4-5', 'claude-sonnet-4*'],
    ['claude-haiku-4-5-20251001', 'claude-haiku-4-5*'],
    ['claude-haiku-4-5', 'claude-haiku-4-5*'],
    ['claude-opus-5', 'claude-opus-5*'],
    ['claude-3-5-haiku-latest', 'claude-3-5-haiku*'],
    ['kimi-k3', null],
  ])('of %s are those of %s', (model, family) => {
    expect(anthropic.limits.familyOf?.(model)).toBe(family);
  });
});

describe('an error', () => {
  it('is told from an answer', () => {
    expect(anthropic.readError({ type: 'error', error: { type: 'api_error', message: 'no' } })).toEqual({
      message: 'no',
      type: 'api_error',
      param: null,
      code: null,
    });
    expect(anthropic.readError({ error: 'no' })).toMatchObject({ message: 'no' });
    expect(anthropic.readError({ type: 'message_start', message: { id: 'msg_1' } })).toBeNull();
    expect(anthropic.readError(message([], 'end_turn', USAGE))).toBeNull();
  });
});
