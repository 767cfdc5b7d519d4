import type { FailedAnswer, Outcome, Provider } from '../../../src/providers/provider.ts';
import type { JsonObject } from '../../../src/providers/wire.ts';
import type { AdapterContract, NativeAnswer } from '../contract.ts';
import type { NativeEvent } from '../contract-drive.ts';
import { REQUESTS, type RequestName } from '../contract-requests.ts';

const HEAD = { id: 'chatcmpl-1', created: 1_767_225_600, model: 'm' };
/** As most count: the output holds the reasoning. */
const OUTPUT_TOKENS = 20;
const ROLE = { role: 'assistant', content: '', refusal: null };

interface Said {
  readonly content?: string;
  readonly reasoning_content?: string;
  readonly calls?: readonly (readonly [name: string, json: string])[];
}

/** One answer in OpenAI's format, whole and in pieces. */
export function said(answer: Said, finishReason = 'stop', outputTokens = OUTPUT_TOKENS): NativeAnswer {
  const { content, reasoning_content, calls = [] } = answer;
  const toolCalls = calls.map(([name, json], index) => ({
    id: `call_${index}`,
    type: 'function',
    function: { name, arguments: json },
  }));
  const message = {
    role: 'assistant',
    content: content ?? null,
    refusal: null,
    ...(reasoning_content === undefined ? {} : { reasoning_content }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
  };
  const deltas: JsonObject[] = [
    ROLE,
    ...pieces(reasoning_content).map((piece) => ({ reasoning_content: piece })),
    ...pieces(content).map((piece) => ({ content: piece })),
    ...toolCalls.flatMap((call, index) => [
      { tool_calls: [{ index, ...call, function: { name: call.function.name, arguments: '' } }] },
      { tool_calls: [{ index, function: { arguments: call.function.arguments } }] },
    ]),
  ];
  return {
    whole: {
      ...HEAD,
      object: 'chat.completion',
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
      usage: used(outputTokens),
    },
    stream: [
      ...deltas.map((delta) => chunk([{ index: 0, delta, logprobs: null, finish_reason: null }])),
      chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: finishReason }]),
      chunk([], used(outputTokens)),
      { json: '[DONE]' },
    ],
  };
}

function used(outputTokens: number): JsonObject {
  return {
    prompt_tokens: 30,
    completion_tokens: outputTokens,
    total_tokens: 50,
    prompt_tokens_details: { cached_tokens: 10 },
    completion_tokens_details: { reasoning_tokens: 5 },
  };
}

function chunk(choices: readonly JsonObject[], usage: JsonObject | null = null): NativeEvent {
  return { json: { ...HEAD, object: 'chat.completion.chunk', choices, usage } };
}

function pieces(text = ''): string[] {
  return text === '' ? [] : [text.slice(0, 3), text.slice(3)];
}

const ERROR = { message: 'Too busy.', type: 'server_error', param: null, code: 'server_is_overloaded' };

/** What holds for whoever takes OpenAI's format as it is. */
export function openAiContract(provider: Provider, changes: Partial<AdapterContract> = {}): AdapterContract {
  const names = Object.keys(REQUESTS) as RequestName[];
  const asTheyCome = names.map((name): [RequestName, JsonObject] => [name, { model: 'm', ...REQUESTS[name] }]);
  return {
    provider,
    model: 'm',
    path: '/chat/completions',
    headers: { authorization: 'Bearer sk-test' },
    requests: Object.fromEntries(asTheyCome) as AdapterContract['requests'],
    streamedText: {
      model: 'm',
      ...REQUESTS.text,
      stream: true,
      ...(provider.streamUsage === 'ask' ? { stream_options: { include_usage: true } } : {}),
    },
    dropped: [],
    answers: {
      text: said({ content: 'Hello, wörld 👋' }),
      tool: said({ calls: [['weather', '{"city":"Paris"}']] }, 'tool_calls'),
      toolWithoutArguments: said({ calls: [['clock', '{}']] }, 'tool_calls'),
      parallelTools: said(
        {
          content: 'Let me look.',
          calls: [
            ['weather', '{"city":"Paris"}'],
            ['weather', '{"city":"Rome"}'],
          ],
        },
        'tool_calls',
      ),
      json: said({ content: '{"answer":42}' }),
      reasoning: said({ reasoning_content: 'Six times seven.', content: '42' }),
      length: said({ content: 'Once upon' }, 'length'),
    },
    stops: [['content_filter', 'content_filter', said({ content: 'Hm' }, 'content_filter')]],
    noise: [],
    errorEvent: { event: { json: { error: ERROR } }, outcome: { kind: 'capacity', retryAfterMs: null } },
    failures: FAILURES,
    ...changes,
  };
}

function failure(status: number, error: JsonObject, outcome: Outcome): FailedAnswer & { outcome: Outcome } {
  return { status, headers: {}, json: { error: { type: null, param: null, code: null, ...error } }, outcome };
}

const FAILURES = [
  failure(429, { message: 'Slow.' }, { kind: 'wait', retryAfterMs: null, readings: [] }),
  failure(401, { message: 'Who?' }, { kind: 'disabled', reason: 'credentials', scope: 'key' }),
  failure(404, { message: 'No.', code: 'model_not_found' }, { kind: 'disabled', reason: 'model', scope: 'key_model' }),
  failure(400, { message: 'Long.', code: 'context_length_exceeded' }, { kind: 'context' }),
  failure(400, { message: 'Wrong.' }, { kind: 'client' }),
  failure(500, { message: 'Oh.' }, { kind: 'failed' }),
];
