import { expect } from 'vitest';
import { mistral } from '../../../src/providers/mistral/mistral.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { describeAdapter } from '../contract.ts';
import { answer, broken } from './chats.ts';

const MODEL = 'mistral-small-latest';
const ASKED = { model: MODEL, max_tokens: 100 };
const HELLO = { role: 'user', content: 'Hello' };
const QUESTION = { role: 'user', content: 'How is Paris?' };
const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const CLOCK = { type: 'function', function: { name: 'clock', parameters: { type: 'object', properties: {} } } };

/** What `call_1` and `call_2` become: nine letters and digits. */
const FIRST_ID = expect.stringMatching(/^[a-zA-Z0-9]{9}$/);

function call(city: string): JsonObject {
  return { id: FIRST_ID, type: 'function', function: { name: 'weather', arguments: `{"city":"${city}"}` } };
}

function lookAt(part: JsonObject): JsonObject {
  return { ...ASKED, messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, part] }] };
}

const PARIS = ['weather', '{"city":"Paris"}'] as const;
const ROME = ['weather', '{"city":"Rome"}'] as const;

describeAdapter({
  provider: mistral,
  model: MODEL,
  path: '/chat/completions',
  headers: { authorization: 'Bearer sk-test' },
  requests: {
    text: { ...ASKED, messages: [HELLO] },
    sampling: { ...ASKED, messages: [HELLO], temperature: 0.5, stop: ['END', 'STOP'] },
    oneStop: { ...ASKED, messages: [HELLO], stop: ['END'] },
    newCap: { ...ASKED, messages: [HELLO] },
    system: {
      ...ASKED,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'system', content: 'Be kind.' },
        HELLO,
        { role: 'assistant', content: 'Hi' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'And ' },
            { type: 'text', text: 'now?' },
          ],
        },
      ],
    },
    imageInline: lookAt({ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }),
    imageByUrl: lookAt({ type: 'image_url', image_url: { url: 'https://example.com/cat.png', detail: 'low' } }),
    // Some of its models take these two; a configuration says which.
    pdf: lookAt({
      type: 'document_url',
      document_url: 'data:application/pdf;base64,JVBERi0=',
      document_name: 'a.pdf',
    }),
    audio: lookAt({ type: 'input_audio', input_audio: 'UklGRg==' }),
    tools: { ...ASKED, messages: [QUESTION], tools: [WEATHER, CLOCK], tool_choice: 'auto' },
    toolNone: { ...ASKED, messages: [QUESTION], tools: [WEATHER], tool_choice: 'none' },
    toolRequired: { ...ASKED, messages: [QUESTION], tools: [WEATHER], tool_choice: 'any' },
    toolNamed: {
      ...ASKED,
      messages: [QUESTION],
      tools: [WEATHER],
      tool_choice: { type: 'function', function: { name: 'weather' } },
    },
    oneToolAtATime: { ...ASKED, messages: [QUESTION], tools: [WEATHER], parallel_tool_calls: false },
    toolResult: {
      ...ASKED,
      messages: [
        QUESTION,
        { role: 'assistant', content: '', tool_calls: [call('Paris')] },
        { role: 'tool', tool_call_id: FIRST_ID, name: 'weather', content: 'Rain' },
      ],
      tools: [WEATHER],
    },
    parallelToolResults: {
      ...ASKED,
      messages: [
        { role: 'user', content: 'How are Paris and Rome?' },
        { role: 'assistant', content: 'Let me look.', tool_calls: [call('Paris'), call('Rome')] },
        { role: 'tool', tool_call_id: FIRST_ID, name: 'weather', content: 'Rain' },
        { role: 'tool', tool_call_id: FIRST_ID, name: 'weather', content: 'Sun' },
        { role: 'user', content: 'Well?' },
      ],
      tools: [WEATHER],
    },
    jsonSchema: {
      ...ASKED,
      messages: [QUESTION],
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'answer',
          strict: true,
          schema: {
            type: 'object',
            properties: { answer: { type: 'integer', minimum: 0 } },
            required: ['answer'],
            additionalProperties: false,
          },
        },
      },
    },
    jsonObject: { ...ASKED, messages: [QUESTION], response_format: { type: 'json_object' } },
    reasoning: { model: MODEL, max_tokens: 8_000, messages: [QUESTION], reasoning_effort: 'high' },
    noReasoning: { ...ASKED, messages: [QUESTION], reasoning_effort: 'none' },
    user: { sends: { ...ASKED, messages: [QUESTION] }, drops: ['user'] },
    // It gives none, so nobody brings such a request here.
    logprobs: null,
  },
  streamedText: { ...ASKED, messages: [HELLO], stream: true },
  dropped: ['logit_bias', 'store', 'verbosity', 'unheard_of'],
  answers: {
    text: answer({ content: 'Hello, wörld 👋' }),
    tool: answer({ calls: [PARIS] }, 'tool_calls'),
    toolWithoutArguments: answer({ calls: [['clock', '']] }, 'tool_calls'),
    parallelTools: answer({ content: 'Let me look.', calls: [PARIS, ROME] }, 'tool_calls'),
    json: answer({ content: '{"answer":42}' }),
    reasoning: answer({ thinking: 'Six times seven.', content: '42' }),
    length: answer({ content: 'Once upon' }, 'length'),
  },
  stops: [
    ['stop', 'stop', answer({ content: 'Hm' })],
    ['length', 'length', answer({ content: 'Hm' }, 'length')],
    ['model_length', 'length', answer({ content: 'Hm' }, 'model_length')],
    ['tool_calls', 'tool_calls', answer({ calls: [PARIS] }, 'tool_calls')],
    ['content_filter', 'content_filter', answer({ content: 'Hm' }, 'content_filter')],
    ['a word of next year', 'stop', answer({ content: 'Hm' }, 'a word of next year')],
  ],
  noise: [],
  errorEvent: { event: { json: broken() }, outcome: { kind: 'failed' } },
  failures: [
    {
      status: 429,
      headers: {},
      json: error('1300', 'rate_limited', 'Rate limit exceeded'),
      outcome: { kind: 'wait', retryAfterMs: null, readings: [] },
    },
    {
      status: 429,
      headers: {},
      json: error('3505', 'service_tier_capacity_exceeded', 'Service tier capacity exceeded for this model.'),
      outcome: { kind: 'capacity', retryAfterMs: null },
    },
    {
      status: 401,
      headers: {},
      json: { detail: 'Unauthorized' },
      outcome: { kind: 'disabled', reason: 'credentials', scope: 'key' },
    },
    {
      status: 400,
      headers: {},
      json: error(
        '3051',
        'invalid_request_prompt',
        'Prompt contains 131073 tokens, too large for model with 131072 maximum context length',
      ),
      outcome: { kind: 'context' },
    },
    {
      status: 400,
      headers: {},
      json: error('3230', 'invalid_request_message_order', "Unexpected role 'user' after role 'tool'"),
      outcome: { kind: 'client' },
    },
    {
      status: 500,
      headers: {},
      json: error('1000', 'internal_server_error', 'Internal server error'),
      outcome: { kind: 'failed' },
    },
  ],
});

function error(code: string, type: string, message: string): JsonObject {
  return { object: 'error', message, type, param: null, code };
}
