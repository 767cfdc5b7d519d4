import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../src/providers/anthropic/anthropic.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { meaningOfStream } from '../contract-answers.ts';
import { bytesOf, drive, type NativeEvent } from '../contract-drive.ts';
import { blockEvents, event, messageStream } from './messages.ts';

const USAGE = { input_tokens: 10, output_tokens: 4 };
const TEXT = { type: 'text', text: 'Hello' };

function streamed(events: readonly NativeEvent[]): string {
  return drive(anthropic, [bytesOf(events)]).text;
}

function chunksOf(text: string): JsonObject[] {
  const events = text.split('\n\n').filter((each) => each.startsWith('data: {'));
  return events.map((each) => JSON.parse(each.slice('data: '.length)) as JsonObject);
}

function deltasOf(text: string): JsonObject[] {
  const choices = chunksOf(text).flatMap((chunk) => (chunk['choices'] as JsonObject[] | undefined) ?? []);
  return choices.map(({ delta }) => delta as JsonObject);
}

const [START, ...REST] = messageStream([TEXT], 'end_turn', USAGE) as [NativeEvent, ...NativeEvent[]];
const [DELTA, STOP] = REST.slice(-2) as [NativeEvent, NativeEvent];

describe('a stream', () => {
  it('is told under the id and model that the API gives it', () => {
    expect(chunksOf(streamed([START]))).toEqual([
      {
        id: 'msg_1',
        object: 'chat.completion.chunk',
        created: 1_767_225_600,
        model: 'claude-sonnet-4-5-20250929',
        choices: [
          {
            index: 0,
            delta: { role: 'assistant', content: '', refusal: null },
            logprobs: null,
            finish_reason: null,
          },
        ],
      },
    ]);
  });

  it('without a beginning is told under the model that was asked for', () => {
    expect(chunksOf(streamed(REST))[0]).toMatchObject({ id: 'msg', model: 'asked-for' });
    expect(chunksOf(streamed([event('message_start', { message: {} })]))[0]).toMatchObject({ model: 'asked-for' });
    expect(meaningOfStream(streamed(REST)).content).toBe('Hello');
  });

  it('begun twice is one answer', () => {
    expect(streamed([START, START, ...REST])).toBe(streamed([START, ...REST]));
  });

  it('into which another message is spliced goes on with that, what was open being closed', () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'clock', input: {} };
    const other = event('message_start', { message: { id: 'msg_2', usage: USAGE } });
    const text = streamed([START, event('content_block_start', { index: 0, content_block: call }), other, ...REST]);
    expect(meaningOfStream(text)).toMatchObject({ content: 'Hello', calls: [{ name: 'clock', arguments: {} }] });
  });

  it('is over when it has said why it stopped, whatever still comes', () => {
    const late = [DELTA, event('message_start', { message: { id: 'msg_2' } }), ...blockEvents(TEXT, 5), STOP, STOP];
    expect(streamed([START, ...REST, ...late])).toBe(streamed([START, ...REST]));
  });

  it('may lose its last event, but not the reason why it stopped', () => {
    expect(meaningOfStream(streamed([START, ...REST.slice(0, -1)])).finishReason).toBe('stop');
    expect(streamed([START, ...REST.slice(0, -2)])).not.toContain('finish_reason":"');
  });

  it('may end without a reason', () => {
    expect(meaningOfStream(streamed([START, ...blockEvents(TEXT, 0), STOP])).finishReason).toBe('stop');
    const silent = event('message_delta', { delta: {}, usage: USAGE });
    expect(meaningOfStream(streamed([START, silent, STOP])).content).toBe('');
  });

  it('numbers calls by themselves, whatever stands between them', () => {
    const call = (id: string) => ({ type: 'tool_use', id, name: 'clock', input: { a: 1 } });
    const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} };
    const blocks = [TEXT, call('toolu_1'), search, call('toolu_2')];
    const searched = event('content_block_delta', { index: 2, delta: { partial_json: '{"query":"x"}' } });
    const events = [...messageStream(blocks, 'tool_use', USAGE)];
    events.splice(-5, 0, searched);
    expect(meaningOfStream(streamed(events)).calls).toEqual([
      { name: 'clock', arguments: { a: 1 } },
      { name: 'clock', arguments: { a: 1 } },
    ]);
  });

  it('may have blocks that are whole at once', () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'clock', input: { zone: 'UTC' } };
    const present = event('message_start', { message: { id: 'msg_1', content: [TEXT, call] } });
    const text = streamed([present, DELTA, STOP]);
    expect(meaningOfStream(text)).toMatchObject({ content: 'Hello', calls: [{ arguments: { zone: 'UTC' } }] });
  });

  it('may leave blocks open', () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'clock', input: {} };
    const text = streamed([START, event('content_block_start', { index: 0, content_block: call }), DELTA, STOP]);
    expect(meaningOfStream(text).calls).toEqual([{ name: 'clock', arguments: {} }]);
  });

  it('without members where they belong says nothing', () => {
    const bare = ['content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta'];
    const text = streamed(bare.map((type) => ({ name: type, json: {} })));
    expect(text).toBe('');
    const empty = ['text', 'thinking', 'tool_use', 'redacted_thinking'].flatMap((type, index) => {
      return [event('content_block_start', { index, content_block: { type } })];
    });
    expect(meaningOfStream(streamed([START, ...empty, DELTA, STOP]))).toMatchObject({
      calls: [{ name: '', arguments: {} }],
    });
  });

  it('that fails without words is an error all the same', () => {
    expect(streamed([{ name: 'error', json: { type: 'error' } }])).toBe('data: {"error":{"type":"error"}}\n\n');
  });
});

describe('what a client has to send back', () => {
  it('comes in one piece, before the end', () => {
    const thoughts = [
      { type: 'thinking', thinking: 'Six times seven.', signature: 'sig' },
      { type: 'redacted_thinking', data: 'xyz' },
    ];
    const deltas = deltasOf(streamed(messageStream([...thoughts, TEXT], 'end_turn', USAGE)));
    expect(deltas.filter((delta) => 'thinking_blocks' in delta)).toEqual([{ thinking_blocks: thoughts }]);
    expect(deltas.findIndex((delta) => 'thinking_blocks' in delta)).toBe(deltas.length - 2);
  });
});

describe('a refusal', () => {
  it('is told in words, its own if it has any', () => {
    const refused = (delta: JsonObject) =>
      deltasOf(streamed([START, event('message_delta', { delta: { stop_reason: 'refusal', ...delta } }), STOP]));
    const details = { stop_details: { type: 'refusal', explanation: 'Not this.' } };
    expect(refused(details)).toContainEqual({ refusal: 'Not this.' });
    expect(refused({})).toContainEqual({ refusal: 'The model declined to answer.' });
  });
});

describe('an answer by tool', () => {
  const input = { answer: 42 };
  const block = { type: 'tool_use', id: 'toolu_1', name: 'sluice_json_answer', input };

  it('is content', () => {
    expect(meaningOfStream(streamed(messageStream([block], 'tool_use', USAGE)))).toEqual({
      content: '{"answer":42}',
      reasoning: null,
      calls: [],
      finishReason: 'stop',
    });
  });

  it('without members is an empty object', () => {
    const empty = messageStream([{ ...block, input: {} }], 'tool_use', USAGE);
    expect(meaningOfStream(streamed(empty)).content).toBe('{}');
  });
});

describe('usage', () => {
  const usageOf = (...usages: readonly (JsonObject | null)[]) => {
    const events = usages.map((usage, index) => {
      return index === 0
        ? event('message_start', { message: { id: 'msg_1', usage } })
        : event('message_delta', { usage });
    });
    return drive(anthropic, [bytesOf(events)]).usage;
  };

  it('of the end replaces that of the beginning', () => {
    expect(usageOf({ input_tokens: 43, output_tokens: 1 }, { input_tokens: 61, output_tokens: 9 })).toEqual({
      inputTokens: 61,
      cachedInputTokens: 0,
      outputTokens: 9,
      reasoningTokens: 0,
    });
  });

  it('holds where the end says nothing of it', () => {
    const start = { input_tokens: 5, cache_read_input_tokens: 30, cache_creation_input_tokens: 8, output_tokens: 1 };
    expect(usageOf(start, { output_tokens: 9 }, { output_tokens_details: { thinking_tokens: 3 } })).toEqual({
      inputTokens: 43,
      cachedInputTokens: 30,
      outputTokens: 9,
      reasoningTokens: 3,
    });
    expect(usageOf({ output_tokens: 1 }, null)).toMatchObject({ inputTokens: 0, outputTokens: 1 });
    expect(usageOf({ input_tokens: 7 })).toMatchObject({ inputTokens: 7, outputTokens: 0 });
  });
});
