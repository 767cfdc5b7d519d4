import { cohere } from '../../../src/providers/cohere/cohere.ts';
import type { FailedAnswer, Outcome } from '../../../src/providers/provider.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { describeAdapter } from '../contract.ts';
import { answer, ending } from './chats.ts';

const MODEL = 'command-a-reasoning-08-2025';
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

function call(id: string, city: string): JsonObject {
  return { id, type: 'function', function: { name: 'weather', arguments: `{"city":"${city}"}` } };
}

function lookAt(url: JsonObject): JsonObject {
  const parts = [
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: url },
  ];
  return { ...ASKED, messages: [{ role: 'user', content: parts }] };
}

const PARIS = ['weather', '{"city":"Paris"}'] as const;
const ROME = ['weather', '{"city":"Rome"}'] as const;
const TRIAL = 'You are using a Trial key, which is limited to';

describeAdapter({
  provider: cohere,
  model: MODEL,
  path: '/v2/chat',
  headers: { authorization: 'Bearer sk-test' },
  requests: {
    text: { ...ASKED, messages: [HELLO] },
    sampling: { ...ASKED, messages: [HELLO], temperature: 0.5, stop_sequences: ['END', 'STOP'] },
    oneStop: { ...ASKED, messages: [HELLO], stop_sequences: ['END'] },
    newCap: { ...ASKED, messages: [HELLO] },
    system: {
      ...ASKED,
      messages: [
        { role: 'system', content: 'Be brief.\nBe kind.' },
        HELLO,
        { role: 'assistant', content: 'Hi' },
        { role: 'user', content: 'And now?' },
      ],
    },
    imageInline: lookAt({ url: 'data:image/png;base64,iVBORw0KGgo=' }),
    imageByUrl: lookAt({ url: 'https://example.com/cat.png', detail: 'low' }),
    pdf: { refuses: 'messages[0].content[1]' },
    audio: { refuses: 'messages[0].content[1]' },
    tools: { ...ASKED, messages: [QUESTION], tools: [WEATHER, CLOCK] },
    toolNone: { ...ASKED, messages: [QUESTION], tools: [WEATHER], tool_choice: 'NONE' },
    toolRequired: { ...ASKED, messages: [QUESTION], tools: [WEATHER], tool_choice: 'REQUIRED' },
    toolNamed: { ...ASKED, messages: [QUESTION], tools: [WEATHER], tool_choice: 'REQUIRED' },
    oneToolAtATime: {
      sends: { ...ASKED, messages: [QUESTION], tools: [WEATHER] },
      drops: ['parallel_tool_calls'],
    },
    toolResult: {
      ...ASKED,
      messages: [
        QUESTION,
        { role: 'assistant', tool_calls: [call('call_1', 'Paris')] },
        { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
      ],
      tools: [WEATHER],
    },
    parallelToolResults: {
      ...ASKED,
      messages: [
        { role: 'user', content: 'How are Paris and Rome?' },
        {
          role: 'assistant',
          tool_plan: 'Let me look.',
          tool_calls: [call('call_1', 'Paris'), call('call_2', 'Rome')],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
        { role: 'tool', tool_call_id: 'call_2', content: 'Sun' },
        { role: 'user', content: 'Well?' },
      ],
      tools: [WEATHER],
    },
    jsonSchema: {
      ...ASKED,
      messages: [QUESTION],
      response_format: {
        type: 'json_object',
        json_schema: {
          type: 'object',
          properties: { answer: { type: 'integer', description: '{minimum: 0}' } },
          required: ['answer'],
          additionalProperties: false,
        },
      },
    },
    jsonObject: { ...ASKED, messages: [QUESTION], response_format: { type: 'json_object' } },
    reasoning: {
      model: MODEL,
      max_tokens: 8_000,
      messages: [QUESTION],
      thinking: { type: 'enabled', token_budget: 7_000 },
    },
    noReasoning: { ...ASKED, messages: [QUESTION], thinking: { type: 'disabled' } },
    user: { sends: { ...ASKED, messages: [QUESTION] }, drops: ['user'] },
    logprobs: { sends: { ...ASKED, messages: [QUESTION], logprobs: true }, drops: ['top_logprobs'] },
  },
  streamedText: { ...ASKED, messages: [HELLO], stream: true },
  dropped: ['logit_bias', 'prediction', 'store', 'verbosity', 'unheard_of'],
  answers: {
    text: answer({ text: 'Hello, wörld 👋' }),
    tool: answer({ calls: [PARIS] }, 'TOOL_CALL'),
    toolWithoutArguments: answer({ calls: [['clock', 'null']] }, 'TOOL_CALL'),
    parallelTools: answer({ plan: 'Let me look.', calls: [PARIS, ROME] }, 'TOOL_CALL'),
    json: answer({ text: '{"answer":42}' }),
    reasoning: answer({ thinking: 'Six times seven.', text: '42' }),
    length: answer({ text: 'Once upon' }, 'MAX_TOKENS'),
  },
  // It does not tell what was thought.
  usage: { reasoningTokens: 0 },
  stops: [
    ['COMPLETE', 'stop', answer({ text: 'Hm' })],
    ['STOP_SEQUENCE', 'stop', answer({ text: 'Hm' }, 'STOP_SEQUENCE')],
    ['MAX_TOKENS', 'length', answer({ text: 'Hm' }, 'MAX_TOKENS')],
    ['TOOL_CALL', 'tool_calls', answer({ calls: [PARIS] }, 'TOOL_CALL')],
    ['a word of next year', 'stop', answer({ text: 'Hm' }, 'a word of next year')],
  ],
  noise: [{ name: 'debug', json: { type: 'debug', prompt: 'x' } }],
  errorEvent: {
    event: ending({ finish_reason: 'ERROR', error: 'internal server error' }),
    outcome: { kind: 'failed' },
  },
  failures: [
    refusal(429, `${TRIAL} 20 API calls / minute. You can continue to use the Trial key for free.`, {
      kind: 'wait',
      retryAfterMs: null,
      readings: [{ unit: 'requests', windowMs: 60_000, limit: 20, used: null, requested: null }],
    }),
    refusal(429, `${TRIAL} 1000 API calls / month.`, { kind: 'exhausted', retryAfterMs: null }),
    refusal(401, 'invalid api token', { kind: 'disabled', reason: 'credentials', scope: 'key' }),
    refusal(400, 'too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292.', {
      kind: 'context',
    }),
    refusal(400, 'invalid request: message must be at least 1 token long.', { kind: 'client' }),
    refusal(500, 'internal server error', { kind: 'failed' }),
    refusal(503, 'service unavailable', { kind: 'capacity', retryAfterMs: null }),
  ],
});

function refusal(status: number, message: string, outcome: Outcome): FailedAnswer & { readonly outcome: Outcome } {
  return { status, headers: {}, json: { id: 'e0', message }, outcome };
}
