import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Encoding, loadEncoding } from '../../src/tokens/encoding.ts';
import { type ChatEstimate, estimateChat } from '../../src/tokens/estimate.ts';
import { familyOf } from '../../src/tokens/model-family.ts';
import { TextCounter } from '../../src/tokens/text-counter.ts';
import { nestedTools, textOf } from './texts.ts';

const exact = (text: string) => countTokens(text, { disallowedSpecial: new Set<string>() });
const standingClock = () => 0;

/** A clock on which every look takes so many milliseconds. */
function runningClock(msPerLook: number): () => number {
  let now = 0;
  return () => {
    now += msPerLook;
    return now;
  };
}

describe('estimateChat', () => {
  let encoding: Encoding;
  let older: Encoding;

  beforeAll(async () => {
    encoding = await loadEncoding('o200k_base');
    older = await loadEncoding('cl100k_base');
  });

  function estimate(request: unknown, options: { model?: string; now?: () => number } = {}): ChatEstimate {
    const family = familyOf(options.model ?? 'gpt-4o');
    const counter = new TextCounter(family.encoding === 'cl100k_base' ? older : encoding);
    return estimateChat(request, { counter, family, now: options.now ?? standingClock });
  }

  /** LLM tokens that a message adds to an empty chat. */
  function added(message: unknown, model?: string): number {
    const options = model === undefined ? {} : { model };
    return estimate({ messages: [message] }, options).inputTokens - estimate({ messages: [] }, options).inputTokens;
  }

  const user = <T>(content: T) => ({ role: 'user', content });

  it("equals OpenAI's count of its own sample conversation", () => {
    const messages = [
      {
        role: 'system',
        content: 'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.',
      },
      { role: 'system', name: 'example_user', content: 'New synergies will help drive top-line growth.' },
      { role: 'system', name: 'example_assistant', content: 'Things working well together will increase revenue.' },
      {
        role: 'system',
        name: 'example_user',
        content: "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
      },
      {
        role: 'system',
        name: 'example_assistant',
        content: "Let's talk later when we're less busy about how to do better.",
      },
      {
        role: 'user',
        content: "This late pivot means we don't have time to boil the ocean for the client deliverable.",
      },
    ];
    expect(estimate({ messages }).inputTokens).toBe(124);
    expect(estimate({ messages }, { model: 'gpt-4' }).inputTokens).toBe(129);
  });

  it('counts three LLM tokens and the role for a message, three for the answer to come', () => {
    expect(estimate({ messages: [] }).inputTokens).toBe(3);
    expect(added(user('hello'))).toBe(5);
    expect(added({ role: 'a role of its own', content: 'hello' })).toBe(4 + exact('a role of its own'));
  });

  it('counts the text of parts as the same text in one string', () => {
    const text = textOf('english', 500);
    expect(added(user([{ type: 'text', text }]))).toBe(added(user(text)));
    expect(added({ role: 'assistant', content: [{ type: 'refusal', refusal: text }] })).toBe(added(user(text)));
    expect(added({ role: 'assistant', content: null, refusal: text })).toBe(added(user(text)));
  });

  it('counts nothing for the content of an assistant that only called tools, but the calls', () => {
    const call = { name: 'get_weather', arguments: '{"city":"Paris"}' };
    const message = { role: 'assistant', content: null };
    const bare = added(message);
    expect(bare).toBe(4);
    const expected = bare + 3 + exact(call.name) + exact(call.arguments);
    expect(added({ ...message, tool_calls: [{ id: 'call_1', type: 'function', function: call }] })).toBe(expected);
    expect(added({ ...message, function_call: call })).toBe(expected);
    const custom = { name: call.name, input: call.arguments };
    expect(added({ ...message, tool_calls: [{ id: 'call_1', type: 'custom', custom }] })).toBe(expected);
    expect(added({ ...message, tool_calls: [{ id: 'call_1', type: 'other' }] })).toBeGreaterThan(bare);
    expect(added({ ...message, tool_calls: 'wrong' })).toBe(bare + exact('wrong'));
  });

  it('counts the result of a tool', () => {
    const content = textOf('json', 1000);
    expect(added({ role: 'tool', tool_call_id: 'call_1', content })).toBe(4 + exact(content));
  });

  it('counts pictures by formula, never by their base64', () => {
    const png = (width: number, height: number, bytes = 1_000_000) => {
      const head = Buffer.alloc(24);
      head.write('\x89PNG\r\n\x1a\n', 'latin1');
      head.writeUInt32BE(width, 16);
      head.writeUInt32BE(height, 20);
      return `data:image/png;base64,${Buffer.concat([head, Buffer.alloc(bytes)]).toString('base64')}`;
    };
    const image = (url: unknown, detail?: string) =>
      added(user([{ type: 'image_url', image_url: { url, detail } }])) - 4;
    expect(image(png(1024, 1024))).toBe(765);
    expect(image(png(2048, 4096), 'high')).toBe(1105);
    expect(image(png(2048, 4096), 'low')).toBe(85);
    expect(image('https://example.com/cat.png')).toBe(1105);
    expect(image(7)).toBe(1105);
    expect(added(user([{ type: 'image_url', image_url: png(1024, 1024) }]))).toBe(769);
  });

  it('counts sound by its length and files by their pages', () => {
    const second = 'A'.repeat(64_000);
    const audio = (format: string) => added(user([{ type: 'input_audio', input_audio: { data: second, format } }])) - 4;
    expect(audio('wav')).toBe(10);
    expect(audio('mp3')).toBe(30);
    expect(added(user([{ type: 'input_audio' }]))).toBe(204);
    expect(added({ role: 'assistant', audio: { id: 'audio_1' } })).toBe(204);
    const file = (value: unknown) => added(user([{ type: 'file', file: value }])) - 4;
    expect(file({ file_data: 'A'.repeat(100_000) })).toBe(6000);
    expect(file({ file_id: 'file-1' })).toBe(6000);
    expect(file({ file_data: 'd'.repeat(4096) })).toBe(6000);
    expect(file(null)).toBe(6000);
  });

  it('counts a part of an unknown kind as JSON, but no data: URL in it', () => {
    const part = { type: 'video_url', video_url: { url: `data:video/mp4;base64,${'A'.repeat(100_000)}` } };
    expect(added(user([part]))).toBeGreaterThan(6000);
    expect(added(user([part]))).toBeLessThan(6100);
    expect(added(user(['text']))).toBe(5);
  });

  it("counts flat function definitions by OpenAI's formula, in tools and in functions", () => {
    const weather = {
      name: 'get_current_weather',
      description: 'Get the current weather in a given location.',
      parameters: {
        type: 'object',
        properties: {
          location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' },
          unit: { type: 'string', description: 'The unit of temperature to return', enum: ['celsius', 'fahrenheit'] },
        },
        required: ['location'],
      },
    };
    const request = {
      messages: [
        {
          role: 'system',
          content: 'You are a helpful assistant that can answer to questions about the weather.',
        },
        { role: 'user', content: "What's the weather like in San Francisco?" },
      ],
    };
    // The published examples: 101 on gpt-4o, 105 on gpt-4.
    expect(estimate({ ...request, tools: [{ type: 'function', function: weather }] }).inputTokens).toBe(101);
    expect(estimate({ ...request, functions: [weather] }).inputTokens).toBe(101);
    expect(estimate({ ...request, functions: [weather] }, { model: 'gpt-4' }).inputTokens).toBe(105);
  });

  it('counts nested definitions and schemas like their JSON text, to within 10 %', () => {
    for (const count of [4, 40, 120]) {
      const tools = nestedTools(count);
      const counted = estimate({ messages: [], tools }).inputTokens;
      expect(Math.abs(counted / exact(JSON.stringify(tools)) - 1), `${count}`).toBeLessThan(0.1);
      const response_format = { type: 'json_schema', json_schema: { name: 'answer', schema: tools } };
      const schema = estimate({ messages: [], response_format }).inputTokens;
      expect(Math.abs(schema / exact(JSON.stringify(response_format.json_schema)) - 1), `${count}`).toBeLessThan(0.1);
    }
  });

  it('counts definitions of any other shape as JSON', () => {
    const empty = estimate({ messages: [] }).inputTokens;
    const withTools = (tools: unknown) => estimate({ messages: [], tools }).inputTokens - empty;
    expect(withTools([{ type: 'custom', custom: { name: 'run', format: { type: 'text' } } }])).toBeGreaterThan(20);
    expect(withTools([{ type: 'web_search' }])).toBeGreaterThan(20);
    expect(withTools([{ function: { name: 'f', parameters: { properties: {} } } }])).toBe(12 + 7 + exact('f:'));
    expect(withTools('wrong')).toBe(12 + exact('wrong'));
    expect(withTools([7])).toBe(12 + 7 + 1);
    expect(withTools(null)).toBe(0);
  });

  it('counts the name of a tool that must be called', () => {
    const empty = estimate({ messages: [] }).inputTokens;
    const withChoice = (tool_choice: unknown) => estimate({ messages: [], tool_choice }).inputTokens - empty;
    expect(withChoice('auto')).toBe(0);
    expect(withChoice({ type: 'function', function: { name: 'f' } })).toBeGreaterThan(4);
    expect(withChoice({ type: 'custom', custom: { name: 'f' } })).toBeGreaterThan(4);
    expect(withChoice({ type: 'allowed_tools', allowed_tools: {} })).toBe(4);
  });

  it('survives any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.jsonValue(), (value, other) => {
        for (const request of [
          value,
          { messages: value, tools: other },
          { messages: [value, user(value), user([value]), { ...user(other), tool_calls: value, name: value }] },
          {
            messages: [
              user([
                { type: 'image_url', image_url: value },
                { type: 'text', text: other },
              ]),
            ],
          },
          { functions: value, response_format: value, tool_choice: value, tools: [value, { function: value }] },
        ]) {
          const { inputTokens, atLeastTokens } = estimate(request);
          expect(inputTokens).toBeGreaterThanOrEqual(atLeastTokens);
          expect(Number.isSafeInteger(inputTokens)).toBe(true);
        }
      }),
    );
  });

  it('survives JSON that is deeper than the stack', () => {
    let deep: unknown = 'end';
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect(estimate({ messages: deep, tools: deep }).inputTokens).toBeGreaterThan(0);
  });

  it('is sure of nearly all of a text in the encoding of the model, and of less in a likeness', () => {
    const request = { messages: [user(textOf('english', 40_000))] };
    const own = estimate(request);
    expect(own.atLeastTokens).toBeLessThanOrEqual(own.inputTokens);
    expect(own.atLeastTokens).toBeGreaterThan(own.inputTokens * 0.95);
    const like = estimate(request, { model: 'claude-sonnet-4-5' });
    expect(like.atLeastTokens).toBeLessThan(like.inputTokens * 0.65);
  });

  it('leaves what it has no time for to others, with an estimate of its own', () => {
    const text = textOf('english', 200_000);
    const request = { messages: [user('short'), user(text)] };
    const truth = estimate(request).inputTokens;
    const hasty = estimate(request, { now: runningClock(0.05) });
    expect(Math.abs(hasty.inputTokens / truth - 1)).toBeLessThan(0.1);
    expect(hasty.atLeastTokens).toBeLessThan(truth * 0.6);
    expect(hasty.pending?.texts).toEqual([text]);
    const better = hasty.pending?.complete({ tokens: [exact(text)], isExact: [true] });
    expect(better?.inputTokens).toBe(truth);
    expect(better?.atLeastTokens).toBeGreaterThan(truth * 0.95);
  });

  it('leaves nothing to others where only small texts remain', () => {
    const messages = Array.from({ length: 500 }, (_, index) => user(`This is message number ${index} of many.`));
    const hasty = estimate({ messages }, { now: runningClock(0.01) });
    expect(hasty.pending).toBeNull();
    expect(Math.abs(hasty.inputTokens / estimate({ messages }).inputTokens - 1)).toBeLessThan(0.05);
  });

  it('leaves no prompt of everyday size to others: a sample of it is good enough', () => {
    const request = { messages: [user(textOf('english', 16_000)), user(textOf('code', 10_000))] };
    const hasty = estimate(request, { now: runningClock(0.05) });
    expect(hasty.pending).toBeNull();
    expect(Math.abs(hasty.inputTokens / estimate(request).inputTokens - 1)).toBeLessThan(0.1);
  });

  it('lets a sample stand for tens of thousands of messages', () => {
    const words = textOf('english', 400_000).split(' ');
    const messages = Array.from({ length: 40_000 }, (_, index) =>
      user(`${words[index] ?? ''} ${words[index + 1] ?? ''}`),
    );
    const truth = messages.reduce((sum, { content }) => sum + 4 + exact(content), 3);
    expect(Math.abs(estimate({ messages }).inputTokens / truth - 1)).toBeLessThan(0.03);
    expect(Math.abs(estimate({ messages }, { now: runningClock(0.005) }).inputTokens / truth - 1)).toBeLessThan(0.05);
  });

  it('judges small texts that it left out by characters when no small one stayed', () => {
    const large = Array.from({ length: 2049 }, () => user('word '.repeat(52)));
    const withFew = estimate({ messages: [...large, user('xy'), user('xy')] });
    expect(withFew.inputTokens - estimate({ messages: large }).inputTokens).toBe(8 + 4);
  });

  it('breaks off a walk that takes too long, and takes the rest to be alike', () => {
    const tools = nestedTools(200);
    const messages = [user('hello')];
    const whole = estimate({ messages, tools }).inputTokens;
    const hasty = estimate({ messages, tools }, { now: runningClock(0.05) }).inputTokens;
    expect(Math.abs(hasty / whole - 1)).toBeLessThan(0.15);
  });
});
