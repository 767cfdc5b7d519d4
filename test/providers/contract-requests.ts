import type { JsonObject } from '../../src/providers/wire.ts';

const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

const CLOCK = { type: 'function', function: { name: 'clock' } };

const QUESTION = { role: 'user', content: 'How is Paris?' };

function call(id: string, city: string): JsonObject {
  return { id, type: 'function', function: { name: 'weather', arguments: `{"city":"${city}"}` } };
}

function asked(...messages: readonly JsonObject[]): JsonObject {
  return { messages, max_tokens: 100 };
}

function lookAt(part: JsonObject): JsonObject {
  return asked({ role: 'user', content: [{ type: 'text', text: 'What is this?' }, part] });
}

/** What every adapter is asked, as clients ask it; `model` is added by the suite. */
export const REQUESTS = {
  text: asked({ role: 'user', content: 'Hello' }),
  sampling: { ...asked({ role: 'user', content: 'Hello' }), temperature: 0.5, stop: ['END', 'STOP'] },
  oneStop: { ...asked({ role: 'user', content: 'Hello' }), stop: 'END' },
  newCap: { messages: [{ role: 'user', content: 'Hello' }], max_completion_tokens: 100 },
  system: asked(
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi' },
    { role: 'developer', content: 'Be kind.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'And ' },
        { type: 'text', text: 'now?' },
      ],
    },
  ),
  imageInline: lookAt({ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }),
  imageByUrl: lookAt({ type: 'image_url', image_url: { url: 'https://example.com/cat.png', detail: 'low' } }),
  pdf: lookAt({ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } }),
  audio: lookAt({ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }),
  tools: { ...asked(QUESTION), tools: [WEATHER, CLOCK], tool_choice: 'auto' },
  toolNone: { ...asked(QUESTION), tools: [WEATHER], tool_choice: 'none' },
  toolRequired: { ...asked(QUESTION), tools: [WEATHER], tool_choice: 'required' },
  toolNamed: { ...asked(QUESTION), tools: [WEATHER], tool_choice: { type: 'function', function: { name: 'weather' } } },
  oneToolAtATime: { ...asked(QUESTION), tools: [WEATHER], parallel_tool_calls: false },
  toolResult: {
    ...asked(
      QUESTION,
      { role: 'assistant', content: null, tool_calls: [call('call_1', 'Paris')] },
      { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
    ),
    tools: [WEATHER],
  },
  parallelToolResults: {
    ...asked(
      { role: 'user', content: 'How are Paris and Rome?' },
      { role: 'assistant', content: 'Let me look.', tool_calls: [call('call_1', 'Paris'), call('call_2', 'Rome')] },
      { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
      { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'Sun' }] },
      { role: 'user', content: 'Well?' },
    ),
    tools: [WEATHER],
  },
  jsonSchema: {
    ...asked(QUESTION),
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
  jsonObject: { ...asked(QUESTION), response_format: { type: 'json_object' } },
  reasoning: { ...asked(QUESTION), max_tokens: 8_000, reasoning_effort: 'high' },
  noReasoning: { ...asked(QUESTION), reasoning_effort: 'none' },
  user: { ...asked(QUESTION), user: 'u-1' },
  logprobs: { ...asked(QUESTION), logprobs: true, top_logprobs: 2 },
} as const satisfies Readonly<Record<string, JsonObject>>;

export type RequestName = keyof typeof REQUESTS;

/** Fields that most vendors have no word for. */
export const ODDITIES: JsonObject = {
  ...asked(QUESTION),
  seed: 7,
  logit_bias: { 50256: -100 },
  presence_penalty: 0.5,
  frequency_penalty: 0.25,
  prediction: { type: 'content', content: 'Rain' },
  store: true,
  verbosity: 'low',
  unheard_of: { a: 1 },
};
