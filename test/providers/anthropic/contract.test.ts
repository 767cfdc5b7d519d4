import { anthropic } from '../../../src/providers/anthropic/anthropic.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { describeAdapter, type NativeAnswer } from '../contract.ts';
import type { NativeEvent } from '../contract-drive.ts';
import { message, messageStream } from './messages.ts';

const MODEL = 'claude-sonnet-4-5';
const ASKED = { model: MODEL, max_tokens: 100 };
const HELLO = { role: 'user', content: [{ type: 'text', text: 'Hello' }] };
const QUESTION = { role: 'user', content: [{ type: 'text', text: 'How is Paris?' }] };
const WEATHER = {
  name: 'weather',
  description: 'The weather of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const CLOCK = { name: 'clock', input_schema: { type: 'object' } };

const TEXT_USAGE = {
  input_tokens: 15,
  cache_creation_input_tokens: 5,
  cache_read_input_tokens: 10,
  output_tokens: 20,
  output_tokens_details: { thinking_tokens: 5 },
};

function lookAt(block: JsonObject): JsonObject {
  return { ...ASKED, messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, block] }] };
}

function use(id: string, name: string, input: JsonObject): JsonObject {
  return { type: 'tool_use', id, name, input };
}

function answer(blocks: readonly JsonObject[], stopReason: string, usage: JsonObject = TEXT_USAGE): NativeAnswer {
  return { whole: message(blocks, stopReason, usage), stream: messageStream(blocks, stopReason, usage) };
}

const PARIS = use('toolu_1', 'weather', { city: 'Paris' });
const ROME = use('toolu_2', 'weather', { city: 'Rome' });

const SAID = { type: 'text', text: 'Once upon' };
const overloaded: NativeEvent = {
  name: 'error',
  json: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
};

describeAdapter({
  provider: anthropic,
  model: MODEL,
  path: '/v1/messages',
  headers: { 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' },
  requests: {
    text: { ...ASKED, messages: [HELLO] },
    sampling: { ...ASKED, messages: [HELLO], temperature: 0.5, stop_sequences: ['END', 'STOP'] },
    oneStop: { ...ASKED, messages: [HELLO], stop_sequences: ['END'] },
    newCap: { ...ASKED, messages: [HELLO] },
    system: {
      ...ASKED,
      system: 'Be brief.\nBe kind.',
      messages: [
        HELLO,
        { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'And ' },
            { type: 'text', text: 'now?' },
          ],
        },
      ],
    },
    imageInline: lookAt({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' },
    }),
    imageByUrl: lookAt({ type: 'image', source: { type: 'url', url: 'https://example.com/cat.png' } }),
    pdf: lookAt({
      type: 'document',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
      title: 'a.pdf',
    }),
    audio: { refuses: 'messages[0].content[1]' },
    tools: { ...ASKED, messages: [QUESTION], tools: [WEATHER, CLOCK], tool_choice: { type: 'auto' } },
    toolNone: { ...ASKED, messages: [QUESTION], tools: [WEATHER], tool_choice: { type: 'none' } },
    toolRequired: { ...ASKED, messages: [QUESTION], tools: [WEATHER], tool_choice: { type: 'any' } },
    toolNamed: { ...ASKED, messages: [QUESTION], tools: [WEATHER], tool_choice: { type: 'tool', name: 'weather' } },
    oneToolAtATime: {
      ...ASKED,
      messages: [QUESTION],
      tools: [WEATHER],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    },
    toolResult: {
      ...ASKED,
      messages: [
        QUESTION,
        { role: 'assistant', content: [use('call_1', 'weather', { city: 'Paris' })] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'Rain' }] },
      ],
      tools: [WEATHER],
    },
    parallelToolResults: {
      ...ASKED,
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'How are Paris and Rome?' }] },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Let me look.' },
            use('call_1', 'weather', { city: 'Paris' }),
            use('call_2', 'weather', { city: 'Rome' }),
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_1', content: 'Rain' },
            { type: 'tool_result', tool_use_id: 'call_2', content: 'Sun' },
            { type: 'text', text: 'Well?' },
          ],
        },
      ],
      tools: [WEATHER],
    },
    jsonSchema: {
      ...ASKED,
      messages: [QUESTION],
      output_config: {
        format: {
          type: 'json_schema',
          schema: {
            type: 'object',
            properties: { answer: { type: 'integer', description: '{minimum: 0}' } },
            required: ['answer'],
            additionalProperties: false,
          },
        },
      },
    },
    jsonObject: {
      ...ASKED,
      system: 'Answer with one JSON object and nothing else, without a code fence.',
      messages: [QUESTION],
    },
    reasoning: {
      model: MODEL,
      max_tokens: 8_000,
      messages: [QUESTION],
      thinking: { type: 'enabled', budget_tokens: 6_000 },
    },
    noReasoning: { ...ASKED, messages: [QUESTION], thinking: { type: 'disabled' } },
    user: { ...ASKED, messages: [QUESTION], metadata: { user_id: 'u-1' } },
    logprobs: { refuses: 'logprobs' },
  },
  streamedText: { ...ASKED, messages: [HELLO], stream: true },
  dropped: [
    ...['seed', 'logit_bias', 'presence_penalty', 'frequency_penalty', 'prediction', 'store', 'verbosity'],
    'unheard_of',
  ],
  answers: {
    text: answer([{ type: 'text', text: 'Hello, wörld 👋' }], 'end_turn'),
    tool: answer([PARIS], 'tool_use'),
    toolWithoutArguments: answer([use('toolu_1', 'clock', {})], 'tool_use'),
    parallelTools: answer([{ type: 'text', text: 'Let me look.' }, PARIS, ROME], 'tool_use'),
    json: answer([{ type: 'text', text: '{"answer":42}' }], 'end_turn'),
    reasoning: answer(
      [
        { type: 'thinking', thinking: 'Six times seven.', signature: 'sig' },
        { type: 'text', text: '42' },
      ],
      'end_turn',
    ),
    length: answer([SAID], 'max_tokens'),
  },
  stops: [
    ['end_turn', 'stop', answer([SAID], 'end_turn')],
    ['stop_sequence', 'stop', answer([SAID], 'stop_sequence')],
    ['pause_turn', 'stop', answer([SAID], 'pause_turn')],
    ['max_tokens', 'length', answer([SAID], 'max_tokens')],
    ['model_context_window_exceeded', 'length', answer([SAID], 'model_context_window_exceeded')],
    ['tool_use', 'tool_calls', answer([PARIS], 'tool_use')],
    ['refusal', 'content_filter', answer([SAID], 'refusal')],
    ['a word of next year', 'stop', answer([SAID], 'a word of next year')],
  ],
  noise: [
    { name: 'ping', json: { type: 'ping' } },
    { name: 'something_new', json: { type: 'something_new', index: 0, delta: { text: 'x' } } },
  ],
  errorEvent: { event: overloaded, outcome: { kind: 'capacity', retryAfterMs: null } },
  failures: [
    {
      status: 429,
      headers: { 'retry-after': '11' },
      json: error('rate_limit_error', 'This would exceed your rate limit of 20,000 input tokens per minute.'),
      outcome: {
        kind: 'wait',
        retryAfterMs: 11_000,
        readings: [{ unit: 'input_tokens', windowMs: 60_000, limit: 20_000, used: null, requested: null }],
      },
    },
    {
      status: 401,
      headers: {},
      json: error('authentication_error', 'invalid x-api-key'),
      outcome: { kind: 'disabled', reason: 'credentials', scope: 'key' },
    },
    {
      status: 400,
      headers: {},
      json: error('invalid_request_error', 'prompt is too long: 213462 tokens > 200000 maximum'),
      outcome: { kind: 'context' },
    },
    {
      status: 400,
      headers: {},
      json: error('invalid_request_error', 'messages: roles must alternate'),
      outcome: { kind: 'client' },
    },
    { status: 500, headers: {}, json: error('api_error', 'Internal server error'), outcome: { kind: 'failed' } },
    {
      status: 529,
      headers: {},
      json: error('overloaded_error', 'Overloaded'),
      outcome: { kind: 'capacity', retryAfterMs: null },
    },
  ],
});

function error(type: string, words: string): JsonObject {
  return { type: 'error', error: { type, message: words }, request_id: 'req_1' };
}
