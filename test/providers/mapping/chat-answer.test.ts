import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ChatStreamWriter,
  errorChunk,
  usageOf,
  type WholeChoice,
  wholeChat,
} from '../../../src/providers/mapping/chat-answer.ts';
import { meaningOfStream, meaningOfWhole } from '../contract-answers.ts';

const HEAD = { id: 'x-1', model: 'm', createdS: 1_767_225_600 };
const USAGE = { inputTokens: 30, cachedInputTokens: 10, outputTokens: 20, reasoningTokens: 5 };
const PLAIN: WholeChoice = {
  content: 'Hi',
  reasoning: null,
  refusal: null,
  toolCalls: [],
  finishReason: 'stop',
};
const CALL = { id: 'a', name: 'clock', argumentsJson: '{"a":1}' };

describe('a whole chat', () => {
  it('has what typed clients rely on', () => {
    const chat = wholeChat(HEAD, [PLAIN], USAGE);
    expect(meaningOfWhole(chat)).toEqual({ content: 'Hi', reasoning: null, calls: [], finishReason: 'stop' });
    expect(chat['usage']).toEqual({
      prompt_tokens: 30,
      completion_tokens: 20,
      total_tokens: 50,
      prompt_tokens_details: { cached_tokens: 10 },
      completion_tokens_details: { reasoning_tokens: 5 },
    });
    expect(usageOf(USAGE)).toEqual(chat['usage']);
  });

  it('says nothing of usage that nobody knows, nor of reasoning that was not there', () => {
    const chat = wholeChat(HEAD, [{ ...PLAIN, reasoning: '' }], null);
    expect(chat).not.toHaveProperty('usage');
    expect(chat['choices']).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: 'Hi', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ]);
  });

  it('with calls alone has no content', () => {
    const chat = wholeChat(HEAD, [{ ...PLAIN, content: '', toolCalls: [{ ...CALL, extra: { x: 1 } }] }], null);
    expect(chat['choices']).toMatchObject([
      { message: { content: null, tool_calls: [{ id: 'a', type: 'function', x: 1 }] } },
    ]);
  });

  it('numbers its choices and carries what only one vendor says', () => {
    const second = { ...PLAIN, reasoning: 'Hm.', extra: { signed: true }, logprobs: { content: [] } };
    expect(wholeChat(HEAD, [PLAIN, second], null)['choices']).toMatchObject([
      { index: 0 },
      { index: 1, logprobs: { content: [] }, message: { reasoning_content: 'Hm.', signed: true } },
    ]);
  });
});

describe('a streamed chat', () => {
  const writer = () => new ChatStreamWriter(HEAD);

  it('means what was written, however it was cut', () => {
    const pieces = fc.array(fc.string(), { minLength: 1 });
    fc.assert(
      fc.property(pieces, pieces, (texts, thoughts) => {
        const stream = writer();
        const written = [
          ...thoughts.map((piece) => stream.reasoning(piece)),
          ...texts.map((piece) => stream.text(piece)),
          stream.finish('stop'),
          stream.done(USAGE),
        ];
        expect(meaningOfStream(written.join(''))).toEqual({
          content: texts.join(''),
          reasoning: thoughts.join('') || null,
          calls: [],
          finishReason: 'stop',
        });
      }),
    );
  });

  it('opens each choice once, by itself if need be', () => {
    const stream = writer();
    expect(stream.open()).toContain('"role":"assistant"');
    expect(stream.open()).toBe('');
    expect(stream.text('a')).not.toContain('role');
    expect(stream.text('b', 1)).toMatch(/"index":1,"delta":\{"role":"assistant".*\n\n.*"content":"b"/s);
  });

  it('puts calls together', () => {
    const stream = writer();
    const begun = stream.toolCall(0, { ...CALL, argumentsJson: '' });
    const text = begun + stream.toolArguments(0, '{"a"') + stream.toolArguments(0, ':1}') + stream.toolArguments(0, '');
    expect(meaningOfStream(text + stream.finish('tool_calls') + stream.done(null))).toMatchObject({
      content: null,
      calls: [{ name: 'clock', arguments: { a: 1 } }],
      finishReason: 'tool_calls',
    });
  });

  it('has no piece without anything in it', () => {
    const stream = writer();
    expect([stream.text(''), stream.reasoning(''), stream.refusal(''), stream.toolArguments(0, '')].join('')).toBe('');
  });

  it('may refuse, tell probabilities, and say what only one vendor says', () => {
    const stream = writer();
    expect(stream.refusal('No.')).toContain('"delta":{"refusal":"No."}');
    expect(stream.logprobs({ content: [] })).toContain('"delta":{},"logprobs":{"content":[]}');
    expect(stream.extra({ signed: true })).toContain('"delta":{"signed":true}');
  });

  it('ends once, with its usage if that is known', () => {
    const stream = writer();
    expect(stream.done(USAGE)).toMatch(/^data: .*"choices":\[\],"usage":.*\n\ndata: \[DONE\]\n\n$/);
    expect(stream.done(USAGE)).toBe('');
    expect(writer().done(null)).toBe('data: [DONE]\n\n');
  });

  it('tells an error in the words that it came in', () => {
    expect(errorChunk({ type: 'x' })).toBe('data: {"error":{"type":"x"}}\n\n');
  });
});
