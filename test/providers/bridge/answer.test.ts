import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessagesTranslator } from '../../../src/providers/anthropic/answer.ts';
import { readMessagesUsage } from '../../../src/providers/anthropic/usage.ts';
import { overChat } from '../../../src/providers/bridge/over-chat.ts';
import { readOpenAiUsage } from '../../../src/providers/openai-shaped/usage.ts';
import type { JsonObject, TranslationContext, Wire } from '../../../src/providers/wire.ts';
import { eventsIn, messageIn } from './read-stream.ts';

const CONTEXT: TranslationContext = { model: 'm', createdS: 1, inputTokens: 9, wantsThinking: true };
const USAGE = {
  prompt_tokens: 12,
  completion_tokens: 7,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};
const TOLD_USAGE = { input_tokens: 8, cache_creation_input_tokens: 0, cache_read_input_tokens: 4, output_tokens: 7 };

/** A vendor that speaks OpenAI's format. */
const PLAIN: Wire = { prepare: ({ body }) => ({ path: '/chat', headers: {}, body }) };

function translator(context: Partial<TranslationContext> = {}, chat: Wire = PLAIN) {
  const readUsage = (json: unknown) => readOpenAiUsage(json, { isReasoningApart: false });
  const made = overChat(chat, { vendor: 'acme', readUsage, asksForUsage: true }).translator?.({
    ...CONTEXT,
    ...context,
  });
  if (!made) throw new Error('no translator');
  return made;
}

function whole(message: object, choice: object = {}, context: Partial<TranslationContext> = {}): JsonObject {
  const choices = [{ index: 0, message: { role: 'assistant', content: null, ...message }, ...choice }];
  return translator(context).whole({ id: 'chatcmpl-7', model: 'gpt', choices, usage: USAGE });
}

/** The chunks with these deltas, the last one with a reason, then usage and an end. */
function streamed(deltas: readonly object[], choice: object = {}, context: Partial<TranslationContext> = {}): string {
  const made = translator(context);
  const chunk = (fields: object) => made.event({ name: null, json: { id: 'chatcmpl-7', model: 'gpt', ...fields } });
  const pieces = deltas.map((delta) => chunk({ choices: [{ index: 0, delta, finish_reason: null }] }));
  const end = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop', ...choice }] });
  return pieces.join('') + end + chunk({ choices: [], usage: USAGE }) + made.done?.();
}

function call(index: number | undefined, fields: { id?: string; name?: string; args?: string }): object {
  const { id, name, args } = fields;
  return { tool_calls: [{ index, id, type: 'function', function: { name, arguments: args } }] };
}

describe('an answer', () => {
  test('is a message', () => {
    expect(whole({ content: 'Hi' }, { finish_reason: 'stop' })).toEqual({
      id: 'msg_7',
      type: 'message',
      role: 'assistant',
      model: 'gpt',
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: TOLD_USAGE,
    });
  });

  test('has thoughts, a refusal, calls', () => {
    const message = {
      reasoning: 'Hm.',
      refusal: 'No.',
      tool_calls: [
        { id: 'a', function: { name: 'f', arguments: '{"x":1}' } },
        { id: '', function: { name: 'g', arguments: '' } },
        { id: 'not acceptable', function: { name: 'h', arguments: 'oops' } },
      ],
      function_call: { name: 'i', arguments: '{}' },
    };
    expect(whole(message, { finish_reason: 'stop' })).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: '' },
        { type: 'text', text: 'No.' },
        { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
        { type: 'tool_use', id: 'toolu_7_1', name: 'g', input: {} },
        { type: 'tool_use', id: expect.stringMatching(/^toolu_\w{24}$/), name: 'h', input: { arguments: 'oops' } },
        { type: 'tool_use', id: 'toolu_7_3', name: 'i', input: {} },
      ],
      stop_reason: 'tool_use',
    });
  });

  test('has no thoughts for those who have not asked', () => {
    const message = { content: 'Hi', reasoning_content: 'Hm.', extra_content: { a: 1 } };
    const asked = { wantsThinking: false };
    expect(whole(message, {}, asked)['content']).toEqual([{ type: 'text', text: 'Hi' }]);
    expect(messageIn(streamed([message], {}, asked))['content']).toEqual([{ type: 'text', text: 'Hi' }]);
  });

  test.each([
    [{ finish_reason: 'stop' }, 'end_turn', null],
    [{ finish_reason: 'length' }, 'max_tokens', null],
    [{ finish_reason: 'content_filter' }, 'refusal', null],
    [{ finish_reason: 'stop', stop_reason: '!' }, 'stop_sequence', '!'],
    [{ finish_reason: 'stop', stop_reason: 7 }, 'end_turn', null],
  ])('that ends with %j ends so in both forms', (choice, reason, sequence) => {
    const ending = { stop_reason: reason, stop_sequence: sequence };
    expect(whole({ content: 'Hi' }, choice)).toMatchObject(ending);
    expect(messageIn(streamed([{ content: 'Hi' }], choice))).toMatchObject(ending);
  });

  test('of a vendor that says little is told with what is known', () => {
    expect(translator().whole({})).toMatchObject({
      id: 'msg_1',
      model: 'm',
      content: [],
      usage: { input_tokens: 9 },
    });
    expect(translator({ inputTokens: undefined as never }).whole({ id: 'msg_a!' })).toMatchObject({
      id: 'msg_a',
      usage: { input_tokens: 0 },
    });
  });

  test.each([
    ['reasoning_content', 'sluice1.acme.'],
    ['reasoning', ''],
  ])('has thoughts that can be sent back where they are called %s: signed %j', (name, signature) => {
    const thinking = { type: 'thinking', thinking: 'Hm.', signature };
    expect(whole({ [name]: 'Hm.' })['content']).toEqual([thinking]);
    expect(messageIn(streamed([{ [name]: 'H' }, { [name]: 'm.' }]))['content']).toEqual([thinking]);
  });

  test('keeps what the vendor wants to have back, whole and streamed', () => {
    const extra = { extra_content: { google: { thought_signature: 'sig' } } };
    const details = { reasoning_details: [{ text: 'a' }, { text: 'b' }] };
    const calls = [{ id: 'a', ...extra, function: { name: 'f', arguments: '{}' } }];
    const content = [
      { type: 'tool_use', id: 'a', name: 'f', input: {} },
      { type: 'redacted_thinking', data: expect.stringMatching(/^sluice1\.acme\./) },
    ];
    const all = whole({ tool_calls: calls, ...details });
    expect(all['content']).toEqual(content);
    const deltas = [
      { reasoning_details: [{ text: 'a' }] },
      { reasoning_details: [{ text: 'b' }], tool_calls: [{ index: 0, ...calls[0] }] },
    ];
    expect(messageIn(streamed(deltas))['content']).toEqual(all['content']);
  });
});

describe('a stream', () => {
  test('is the events of a message, one block after the other', () => {
    const events = eventsIn(
      streamed([
        { role: 'assistant', content: '' },
        { reasoning_content: 'Hm' },
        { reasoning_content: '.' },
        { content: 'Hi' },
        { content: ' you' },
        call(0, { id: 'a', name: 'f', args: '' }),
        call(0, { args: '{"x":' }),
        call(0, { args: '1}' }),
        call(1, { id: 'b', name: 'g', args: '{}' }),
      ]),
    );
    const told = events.map(({ type, index, delta, content_block: block, usage }) => [
      type,
      index,
      delta ?? block ?? usage,
    ]);
    expect(told).toEqual([
      ['message_start', undefined, undefined],
      ['content_block_start', 0, { type: 'thinking', thinking: '', signature: '' }],
      ['content_block_delta', 0, { type: 'thinking_delta', thinking: 'Hm' }],
      ['content_block_delta', 0, { type: 'thinking_delta', thinking: '.' }],
      ['content_block_delta', 0, { type: 'signature_delta', signature: 'sluice1.acme.' }],
      ['content_block_stop', 0, undefined],
      ['content_block_start', 1, { type: 'text', text: '' }],
      ['content_block_delta', 1, { type: 'text_delta', text: 'Hi' }],
      ['content_block_delta', 1, { type: 'text_delta', text: ' you' }],
      ['content_block_stop', 1, undefined],
      ['content_block_start', 2, { type: 'tool_use', id: 'a', name: 'f', input: {} }],
      ['content_block_delta', 2, { type: 'input_json_delta', partial_json: '{"x":' }],
      ['content_block_delta', 2, { type: 'input_json_delta', partial_json: '1}' }],
      ['content_block_stop', 2, undefined],
      ['content_block_start', 3, { type: 'tool_use', id: 'b', name: 'g', input: {} }],
      ['content_block_delta', 3, { type: 'input_json_delta', partial_json: '{}' }],
      ['content_block_stop', 3, undefined],
      ['message_delta', undefined, { stop_reason: 'tool_use', stop_sequence: null }],
      ['message_stop', undefined, undefined],
    ]);
    expect(events.at(-2)).toMatchObject({ usage: TOLD_USAGE });
  });

  test('of calls without places and ids tells them apart', () => {
    const { content } = messageIn(
      streamed([
        call(undefined, { name: 'f', args: '{"x":' }),
        call(undefined, { args: '1}' }),
        call(undefined, { id: 'b', name: 'g', args: '{}' }),
        call(undefined, { id: 'b', args: '' }),
      ]),
    );
    expect(content).toMatchObject([
      { id: 'toolu_7_0', name: 'f', input: { x: 1 } },
      { id: 'b', name: 'g', input: {} },
    ]);
  });

  test('goes on with a call that another one has interrupted', () => {
    const { content } = messageIn(
      streamed([
        call(0, { id: 'a', name: 'f', args: '{"x":' }),
        call(1, { id: 'b', name: 'g', args: '{}' }),
        call(0, { args: '1}' }),
      ]),
    );
    expect(content).toMatchObject([{ input: { x: 1 } }, { input: {} }]);
  });

  test('passes over what comes before its first choice and after its last', () => {
    const made = translator();
    const choice = (fields: object) => ({ name: null, json: { choices: [{ delta: {}, ...fields }] } });
    expect(made.event({ name: null, json: { choices: [], prompt_filter_results: [] } })).toBe('');
    expect(made.event(choice({ finish_reason: 'stop' }))).toContain('message_start');
    expect(made.event(choice({ finish_reason: 'stop' }))).toBe('');
    expect(made.end('')).toContain('message_stop');
    expect(made.done?.()).toBe('');
  });

  test('that has not said why it ends has not ended', () => {
    const made = translator();
    made.event({ name: null, json: { choices: [{ delta: { content: 'Hi' } }] } });
    expect(made.end('')).toBe('');
  });

  test('that says only that it is over leaves it to the reader to judge', () => {
    expect(translator().done?.()).toBe('data: [DONE]\n\n');
  });

  test('that says that it is over, but not why, is over', () => {
    const made = translator();
    made.event({ name: null, json: { choices: [{ delta: { content: 'Hi' } }] } });
    expect(made.done?.()).toContain('"stop_reason":"end_turn"');
  });

  test.each([
    [null, { error: { message: 'No.' } }, { message: 'No.' }],
    [null, { object: 'error', message: 'No.' }, { object: 'error', message: 'No.' }],
    ['error', { message: 'No.' }, { message: 'No.' }],
    ['error', { error: { message: 'No.' } }, { message: 'No.' }],
    [
      null,
      { choices: [{ delta: {}, finish_reason: 'error' }] },
      { message: 'The model broke off its answer.', type: 'server_error' },
    ],
  ])('passes on an error as the vendor has put it: %s %j', (name, json, error) => {
    expect(translator().event({ name, json })).toBe(`event: error\ndata: ${JSON.stringify({ error })}\n\n`);
  });

  test('with what is no object is for the reader to judge', () => {
    expect(translator().event({ name: null, json: 7 })).toBe('data: 7\n\n');
  });
});

describe('a vendor with a format of its own', () => {
  /** Says "Hi", and its end only when the body has ended. */
  const translated = (done?: () => string): Wire => ({
    ...PLAIN,
    translator: () => ({
      whole: () => ({ id: 'x', choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] }),
      event: () => 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n: comment\n\n',
      ...(done ? { done } : {}),
      end: () => 'data: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\ndata: [DONE]\n\n',
    }),
  });

  test('answers through its own mapping, whole', () => {
    const message = translator({}, translated()).whole({ anything: 1, usage: USAGE });
    expect(message).toMatchObject({ id: 'msg_x', content: [{ text: 'Hi' }], usage: TOLD_USAGE });
  });

  test('answers through its own mapping, streamed', () => {
    const made = translator({}, translated());
    const events = made.event({ name: 'x', json: { usage: USAGE } }) + made.end('');
    expect(messageIn(events)).toMatchObject({
      content: [{ text: 'Hi' }],
      stop_reason: 'max_tokens',
      usage: TOLD_USAGE,
    });
  });

  test.each([
    ['may translate', () => 'data: [DONE]\n\n'],
    ['may leave alone', undefined],
  ])('has an end that it %s', (_what, done) => {
    const made = translator({}, translated(done));
    made.event({ name: 'x', json: {} });
    expect(made.done?.()).toContain('message_stop');
  });
});

describe('a message as a chat and as a message again', () => {
  const piece = fc.string({ minLength: 1, maxLength: 8 });
  const block = fc.oneof(
    piece.map((text) => ({ type: 'text', text })),
    fc.record({
      type: fc.constant('tool_use'),
      id: fc.uuid(),
      name: fc.constantFrom('f', 'g'),
      input: fc.dictionary(fc.constantFrom('a', 'b'), piece),
    }),
  );
  const usage = { input_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 2, output_tokens: 3 };

  /** A chat has one text, in front of all calls. */
  function sayable(blocks: readonly JsonObject[]): JsonObject[] {
    const text = blocks.map((each) => each['text'] ?? '').join('');
    return [...(text === '' ? [] : [{ type: 'text', text }]), ...blocks.filter(({ type }) => type === 'tool_use')];
  }

  function messageWith(content: readonly JsonObject[]): JsonObject {
    const stop_reason = content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn';
    return {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content,
      stop_reason,
      stop_sequence: null,
      usage,
    };
  }

  const claude: Wire = { ...PLAIN, translator: (context) => new MessagesTranslator(context) };
  const make = () => {
    const facts = { vendor: 'acme', readUsage: readMessagesUsage, asksForUsage: false };
    return overChat(claude, facts).translator?.({ ...CONTEXT, wantsThinking: false });
  };

  test('has lost nothing that a chat can say', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), (blocks) => {
        const message = messageWith(sayable(blocks));
        expect(make()?.whole(message)).toEqual(message);
      }),
    );
  });

  test('is the same streamed', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), (blocks) => {
        const message = messageWith(sayable(blocks));
        const made = make();
        const events = eventsOf(message).map((json) => made?.event({ name: null, json }));
        expect(messageIn(events.join(''))).toEqual(message);
      }),
    );
  });

  /** As Anthropic streams it. */
  function eventsOf(message: JsonObject): JsonObject[] {
    const { content, stop_reason, usage: used } = message;
    const blocks = (content as JsonObject[]).flatMap((each, index) => {
      const delta =
        each['type'] === 'text'
          ? { type: 'text_delta', text: each['text'] }
          : { type: 'input_json_delta', partial_json: JSON.stringify(each['input']) };
      const empty = each['type'] === 'text' ? { text: '' } : { input: {} };
      return [
        { type: 'content_block_start', index, content_block: { ...each, ...empty } },
        { type: 'content_block_delta', index, delta },
        { type: 'content_block_stop', index },
      ];
    });
    return [
      { type: 'message_start', message: { ...message, content: [], usage: used } },
      ...blocks,
      { type: 'message_delta', delta: { stop_reason }, usage: used },
      { type: 'message_stop' },
    ];
  }
});
