import { gemini } from '../../../src/providers/gemini/gemini.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import { describeAdapter, type NativeAnswer } from '../contract.ts';

const GENERATED = { maxOutputTokens: 100 };
const SENTINEL = 'skip_thought_signature_validator';
const WEATHER = {
  name: 'weather',
  description: 'The weather of a city.',
  parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

function user(...parts: readonly JsonObject[]): JsonObject {
  return { role: 'user', parts };
}

const HELLO = user({ text: 'Hello' });
const QUESTION = user({ text: 'How is Paris?' });

function lookAt(part: JsonObject): JsonObject {
  return { contents: [user({ text: 'What is this?' }, part)], generationConfig: GENERATED };
}

function asked(fields: JsonObject = {}): JsonObject {
  return { contents: [QUESTION], generationConfig: GENERATED, ...fields };
}

function calling(mode: JsonObject): JsonObject {
  return asked({ tools: [{ functionDeclarations: [WEATHER] }], toolConfig: { functionCallingConfig: mode } });
}

function called(id: string, city: string, signed: JsonObject): JsonObject {
  return { functionCall: { id, name: 'weather', args: { city } }, ...signed };
}

function result(id: string, weather: string): JsonObject {
  return { functionResponse: { id, name: 'weather', response: { result: weather } } };
}

/** The answer `text` used so much. */
const USED = {
  promptTokenCount: 30,
  cachedContentTokenCount: 10,
  candidatesTokenCount: 15,
  thoughtsTokenCount: 5,
  totalTokenCount: 50,
};

function response(parts: readonly JsonObject[] | null, finishReason?: string): JsonObject {
  const content = parts === null ? {} : { content: { role: 'model', parts } };
  return {
    candidates: [{ ...content, ...(finishReason ? { finishReason } : {}), index: 0 }],
    usageMetadata: USED,
    modelVersion: 'gemini-3-flash-preview',
    responseId: 'abcDEF123_-4',
  };
}

/** A whole answer and its stream, one event for each part, the last with the reason for the end. */
function answer(parts: readonly JsonObject[], finishReason = 'STOP'): NativeAnswer {
  const events = parts.map((part, index) => response([part], index === parts.length - 1 ? finishReason : undefined));
  return { whole: response(parts, finishReason), stream: events.map((json) => ({ json })) };
}

function call(name: string, args?: JsonObject): JsonObject {
  return { functionCall: { name, ...(args ? { args } : {}) } };
}

const SAID: readonly JsonObject[] = [{ text: 'Hel' }, { text: 'lo, wö' }, { text: 'rld ' }, { text: '👋' }];
const CALLS: readonly JsonObject[] = [
  { text: 'Let me look.' },
  { ...call('weather', { city: 'Paris' }), thoughtSignature: 'c2lnbmVk' },
  call('weather', { city: 'Rome' }),
];

function ended(word: string): NativeAnswer {
  return answer([{ text: 'So' }], word);
}

describeAdapter({
  provider: gemini,
  model: 'gemini-3-flash-preview',
  path: '/models/gemini-3-flash-preview:generateContent',
  streamPath: '/models/gemini-3-flash-preview:streamGenerateContent?alt=sse',
  headers: { 'x-goog-api-key': 'sk-test' },
  requests: {
    text: { contents: [HELLO], generationConfig: GENERATED },
    sampling: {
      contents: [HELLO],
      generationConfig: { ...GENERATED, temperature: 0.5, stopSequences: ['END', 'STOP'] },
    },
    oneStop: { contents: [HELLO], generationConfig: { ...GENERATED, stopSequences: ['END'] } },
    newCap: { contents: [HELLO], generationConfig: GENERATED },
    system: {
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        HELLO,
        { role: 'model', parts: [{ text: 'Hi' }] },
        user({ text: 'Be kind.' }),
        user({ text: 'And ' }, { text: 'now?' }),
      ],
      generationConfig: GENERATED,
    },
    imageInline: lookAt({ inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }),
    imageByUrl: { refuses: 'messages[0].content[1].image_url' },
    pdf: lookAt({ inlineData: { mimeType: 'application/pdf', data: 'JVBERi0=' } }),
    audio: lookAt({ inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } }),
    tools: asked({
      tools: [{ functionDeclarations: [WEATHER, { name: 'clock' }] }],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    }),
    toolNone: calling({ mode: 'NONE' }),
    toolRequired: calling({ mode: 'ANY' }),
    toolNamed: calling({ mode: 'ANY', allowedFunctionNames: ['weather'] }),
    oneToolAtATime: {
      sends: asked({ tools: [{ functionDeclarations: [WEATHER] }] }),
      drops: ['parallel_tool_calls'],
    },
    toolResult: {
      contents: [
        QUESTION,
        { role: 'model', parts: [called('call_1', 'Paris', { thoughtSignature: SENTINEL })] },
        user(result('call_1', 'Rain')),
      ],
      tools: [{ functionDeclarations: [WEATHER] }],
      generationConfig: GENERATED,
    },
    parallelToolResults: {
      contents: [
        user({ text: 'How are Paris and Rome?' }),
        {
          role: 'model',
          parts: [
            { text: 'Let me look.' },
            called('call_1', 'Paris', { thoughtSignature: SENTINEL }),
            called('call_2', 'Rome', {}),
          ],
        },
        user(result('call_1', 'Rain'), result('call_2', 'Sun')),
        user({ text: 'Well?' }),
      ],
      tools: [{ functionDeclarations: [WEATHER] }],
      generationConfig: GENERATED,
    },
    jsonSchema: asked({
      generationConfig: {
        ...GENERATED,
        responseMimeType: 'application/json',
        responseJsonSchema: {
          type: 'object',
          properties: { answer: { type: 'integer', minimum: 0 } },
          required: ['answer'],
          additionalProperties: false,
        },
      },
    }),
    jsonObject: asked({ generationConfig: { ...GENERATED, responseMimeType: 'application/json' } }),
    reasoning: asked({
      generationConfig: { maxOutputTokens: 8_000, thinkingConfig: { thinkingLevel: 'high', includeThoughts: true } },
    }),
    noReasoning: asked({
      generationConfig: { ...GENERATED, thinkingConfig: { thinkingLevel: 'minimal', includeThoughts: false } },
    }),
    user: { sends: asked(), drops: ['user'] },
    logprobs: asked({ generationConfig: { ...GENERATED, responseLogprobs: true, logprobs: 2 } }),
  },
  streamedText: { contents: [HELLO], generationConfig: GENERATED },
  dropped: ['logit_bias', 'prediction', 'store', 'verbosity', 'unheard_of'],
  answers: {
    text: answer(SAID),
    tool: answer([call('weather', { city: 'Paris' })]),
    toolWithoutArguments: answer([call('clock')]),
    parallelTools: {
      whole: response(CALLS, 'STOP'),
      // The calls come without a reason for the end, which follows in an event of its own with nothing in it.
      stream: [...CALLS.map((part) => ({ json: response([part]) })), { json: response([{ text: '' }], 'STOP') }],
    },
    json: answer([{ text: '{"answer"' }, { text: ':42}' }]),
    reasoning: answer([
      { text: 'Six times seven.', thought: true },
      { text: '42', thoughtSignature: 'c2lnbmVk' },
    ]),
    length: answer([{ text: 'Once upon' }], 'MAX_TOKENS'),
  },
  stops: [
    ['STOP', 'stop', ended('STOP')],
    ['STOP after a call', 'tool_calls', answer([call('clock')])],
    ['MAX_TOKENS', 'length', ended('MAX_TOKENS')],
    ...[
      ...['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'],
      ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION'],
    ].map((word) => [word, 'content_filter', ended(word)] as const),
    ['LANGUAGE', 'stop', ended('LANGUAGE')],
    ['OTHER', 'stop', ended('OTHER')],
    ['a word that is new', 'stop', ended('BORED')],
  ],
  noise: [{ json: {} }, { json: { candidates: [] } }, { json: { candidates: [{ index: 0 }] } }],
  errorEvent: {
    event: { json: { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } } },
    outcome: { kind: 'capacity', retryAfterMs: null },
  },
  failures: [
    failure(429, 'RESOURCE_EXHAUSTED: Please retry in 2s.', { kind: 'wait', retryAfterMs: 2_000, readings: [] }),
    failure(401, 'UNAUTHENTICATED: No.', { kind: 'disabled', reason: 'credentials', scope: 'key' }),
    failure(404, 'NOT_FOUND: models/x is not found.', { kind: 'disabled', reason: 'model', scope: 'key_model' }),
    failure(400, 'INVALID_ARGUMENT: The input token count (9) exceeds the maximum (8).', { kind: 'context' }),
    failure(400, 'INVALID_ARGUMENT: contents is not specified', { kind: 'client' }),
    failure(503, 'UNAVAILABLE: The model is overloaded.', { kind: 'capacity', retryAfterMs: null }),
    failure(500, 'INTERNAL: An internal error has occurred.', { kind: 'failed' }),
  ],
});

/** Google's word for an error begins its message here. */
function failure<O>(code: number, words: string, outcome: O) {
  const [status, message] = words.split(': ', 2);
  return { status: code, headers: {}, json: { error: { code, message, status } }, outcome };
}
