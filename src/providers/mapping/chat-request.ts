import type { JsonObject } from '../wire.ts';
import { fieldAt, flagAt, isObject, listAt, numberAt, objectAt, textAt } from './json.ts';

/**
 * A chat request in no vendor's format: OpenAI's spellings (`system` and `developer`, `max_tokens` and
 * `max_completion_tokens`, `tools` and `functions`, text and parts) are one here, and nothing is thrown away: what this has
 * no member for is in `rest`.
 */
export interface Chat {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolDefinition[];
  /** Tools that are no functions, such as those that a vendor runs itself, as the client sent them. */
  readonly otherTools: readonly JsonObject[];
  readonly toolChoice: ToolChoice | null;
  /** Null: the client did not say. */
  readonly allowsParallelCalls: boolean | null;
  readonly format: AnswerFormat;
  /** The largest cap given, of one choice. */
  readonly outputCapTokens: number | null;
  readonly stop: readonly string[];
  readonly n: number;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly seed: number | null;
  readonly presencePenalty: number | null;
  readonly frequencyPenalty: number | null;
  readonly reasoningEffort: string | null;
  readonly user: string | null;
  /** Every other top-level field that is not null, but `model`, `stream` and `stream_options`. */
  readonly rest: JsonObject;
}

export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly parts: readonly Part[]; readonly name: string | null }
  | {
      readonly role: 'assistant';
      readonly parts: readonly Part[];
      readonly toolCalls: readonly ToolCall[];
      /** What a reasoning model wrote, as `reasoning_content`; null when it is not sent back. */
      readonly reasoning: string | null;
      /** As the client sent it, for members that only one vendor knows. */
      readonly source: JsonObject;
    }
  | { readonly role: 'tool'; readonly callId: string; readonly parts: readonly Part[] };

/** `source` is a part as the client sent it, for members that only one vendor knows; absent where it was plain text. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly source?: JsonObject }
  /** `url` is a web address or a `data:` URL; `path` names it in errors: `messages[0].content[1]`. */
  | {
      readonly kind: 'image';
      readonly url: string;
      readonly detail: string | null;
      readonly path: string;
      readonly source?: JsonObject;
    }
  | {
      readonly kind: 'audio';
      readonly data: string;
      readonly format: string;
      readonly path: string;
      readonly source?: JsonObject;
    }
  | {
      readonly kind: 'file';
      readonly fileId: string | null;
      /** A `data:` URL or bare base64. */
      readonly data: string | null;
      readonly filename: string | null;
      readonly path: string;
      readonly source?: JsonObject;
    }
  | { readonly kind: 'other'; readonly type: string; readonly path: string; readonly source?: JsonObject };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly argumentsJson: string;
  readonly source: JsonObject;
}

export interface ToolDefinition {
  readonly name: string;
  readonly description: string | null;
  /** A JSON Schema; null: no parameters. */
  readonly parameters: JsonObject | null;
  readonly isStrict: boolean;
  /** As the client sent it, with what is around `function`. */
  readonly source: JsonObject;
}

type ToolChoice = { readonly kind: 'auto' | 'none' | 'required' } | { readonly kind: 'named'; readonly name: string };

type AnswerFormat =
  | { readonly kind: 'text' | 'json_object' }
  | { readonly kind: 'json_schema'; readonly name: string; readonly schema: JsonObject; readonly isStrict: boolean };

/** Fields that `Chat` has members for, and those that the proxy itself deals with. */
const READ: ReadonlySet<string> = new Set([
  ...['model', 'stream', 'stream_options', 'messages', 'tools', 'functions', 'tool_choice', 'function_call'],
  ...['parallel_tool_calls', 'response_format', 'max_tokens', 'max_completion_tokens', 'stop', 'n', 'temperature'],
  ...['top_p', 'seed', 'presence_penalty', 'frequency_penalty', 'reasoning_effort', 'user', 'safety_identifier'],
]);

/** Reads a body whose `messages` are known to be a list of objects with a `role`. */
export function readChat(body: JsonObject): Chat {
  const cap = Math.max(numberAt(body, 'max_tokens') ?? 0, numberAt(body, 'max_completion_tokens') ?? 0);
  const rest = Object.entries(body).filter(([name, value]) => !READ.has(name) && value !== null);
  return {
    messages: listAt(body, 'messages').flatMap((message, index) => readMessage(message, `messages[${index}]`)),
    tools: readTools(body),
    otherTools: listAt(body, 'tools')
      .filter((tool) => isObject(tool))
      .filter((tool) => objectAt(tool, 'function') === null),
    toolChoice: readToolChoice(body),
    allowsParallelCalls: flagAt(body, 'parallel_tool_calls'),
    format: readFormat(body),
    outputCapTokens: cap > 0 ? cap : null,
    stop: readStop(body['stop']),
    n: numberAt(body, 'n') ?? 1,
    temperature: numberAt(body, 'temperature'),
    topP: numberAt(body, 'top_p'),
    seed: numberAt(body, 'seed'),
    presencePenalty: numberAt(body, 'presence_penalty'),
    frequencyPenalty: numberAt(body, 'frequency_penalty'),
    reasoningEffort: textAt(body, 'reasoning_effort'),
    user: textAt(body, 'safety_identifier') ?? textAt(body, 'user'),
    rest: Object.fromEntries(rest),
  };
}

/** The text of a message, its other parts left out. */
export function textOf(parts: readonly Part[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}

function readMessage(message: unknown, path: string): ChatMessage[] {
  if (!isObject(message)) return [];
  const parts = readParts(message['content'], `${path}.content`);
  switch (message['role']) {
    case 'assistant':
      return [readAssistant(message, parts)];
    case 'tool':
      return [{ role: 'tool', callId: textAt(message, 'tool_call_id') ?? '', parts }];
    case 'function':
      // The legacy form names the function instead of the call.
      return [{ role: 'tool', callId: textAt(message, 'name') ?? '', parts }];
    case 'system':
    case 'developer':
      return [{ role: 'system', parts, name: textAt(message, 'name') }];
    default:
      return [{ role: 'user', parts, name: textAt(message, 'name') }];
  }
}

function readAssistant(message: JsonObject, parts: readonly Part[]): ChatMessage {
  const legacy = objectAt(message, 'function_call');
  const calls = listAt(message, 'tool_calls').flatMap((call) => readCall(call));
  const refusal = textAt(message, 'refusal');
  return {
    role: 'assistant',
    parts: parts.length === 0 && refusal ? [{ kind: 'text', text: refusal }] : parts,
    toolCalls: legacy ? [...calls, callOf(textAt(legacy, 'name') ?? '', legacy, legacy)] : calls,
    reasoning: textAt(message, 'reasoning_content') ?? textAt(message, 'reasoning'),
    source: message,
  };
}

function readCall(call: unknown): ToolCall[] {
  const called = objectAt(call, 'function');
  return isObject(call) && called ? [callOf(textAt(call, 'id') ?? textAt(called, 'name') ?? '', called, call)] : [];
}

function callOf(id: string, called: JsonObject, source: JsonObject): ToolCall {
  return { id, name: textAt(called, 'name') ?? '', argumentsJson: textAt(called, 'arguments') || '{}', source };
}

function readParts(content: unknown, path: string): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.flatMap((part, index) => readPart(part, `${path}[${index}]`));
}

function readPart(part: unknown, path: string): Part[] {
  if (!isObject(part)) return [];
  const type = textAt(part, 'type') ?? 'text';
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return [{ kind: 'text', text: textAt(part, 'text') ?? '', source: part }];
    case 'refusal':
      return [{ kind: 'text', text: textAt(part, 'refusal') ?? '', source: part }];
    case 'image_url':
      return [readImage(part, path)];
    case 'input_audio': {
      const audio = part['input_audio'];
      const [data, format] = [textAt(audio, 'data') ?? '', textAt(audio, 'format') ?? 'wav'];
      return [{ kind: 'audio', data, format, path, source: part }];
    }
    case 'file': {
      const { file } = part;
      const [fileId, data, filename] = ['file_id', 'file_data', 'filename'].map((name) => textAt(file, name));
      const told = { fileId: fileId ?? null, data: data ?? null, filename: filename ?? null };
      return [{ kind: 'file', ...told, path, source: part }];
    }
    default:
      return [{ kind: 'other', type, path, source: part }];
  }
}

/** Some clients write the URL itself where its wrap belongs. */
function readImage(part: JsonObject, path: string): Part {
  const url = textAt(part, 'image_url') ?? textAt(part['image_url'], 'url') ?? '';
  return { kind: 'image', url, detail: textAt(part['image_url'], 'detail'), path, source: part };
}

/** Without those that `allowed_tools` leaves out. */
function readTools(body: JsonObject): readonly ToolDefinition[] {
  const tools = [...listAt(body, 'tools').map(readTool), ...listAt(body, 'functions').map(readFunction)].flat();
  const allowed = allowedTools(body);
  if (allowed === null) return tools;
  const names = new Set(listAt(allowed, 'tools').map((tool) => textAt(fieldAt(tool, 'function') ?? tool, 'name')));
  return tools.filter(({ name }) => names.has(name));
}

function readTool(tool: unknown): ToolDefinition[] {
  const defined = objectAt(tool, 'function');
  return isObject(tool) && defined ? [toolOf(defined, tool)] : [];
}

function readFunction(defined: unknown): ToolDefinition[] {
  return isObject(defined) ? [toolOf(defined, defined)] : [];
}

function toolOf(defined: JsonObject, source: JsonObject): ToolDefinition {
  return {
    name: textAt(defined, 'name') ?? '',
    description: textAt(defined, 'description'),
    parameters: objectAt(defined, 'parameters'),
    isStrict: flagAt(defined, 'strict') ?? false,
    source,
  };
}

function readToolChoice(body: JsonObject): ToolChoice | null {
  const choice = allowedTools(body)?.['mode'] ?? body['tool_choice'] ?? body['function_call'];
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { kind: choice };
  const name = textAt(fieldAt(choice, 'function'), 'name') ?? textAt(choice, 'name');
  return name === null ? null : { kind: 'named', name };
}

/** The newer choice of some tools: `{type: "allowed_tools", allowed_tools: {mode, tools}}`. */
function allowedTools(body: JsonObject): JsonObject | null {
  const choice = objectAt(body, 'tool_choice');
  return choice?.['type'] === 'allowed_tools' ? (objectAt(choice, 'allowed_tools') ?? choice) : null;
}

function readFormat(body: JsonObject): AnswerFormat {
  const format = objectAt(body, 'response_format');
  if (format?.['type'] === 'json_object') return { kind: 'json_object' };
  const schema = objectAt(format, 'json_schema');
  if (format?.['type'] !== 'json_schema' || schema === null) return { kind: 'text' };
  return {
    kind: 'json_schema',
    name: textAt(schema, 'name') ?? 'answer',
    schema: objectAt(schema, 'schema') ?? {},
    isStrict: flagAt(schema, 'strict') ?? false,
  };
}

function readStop(stop: unknown): readonly string[] {
  if (typeof stop === 'string') return [stop];
  return Array.isArray(stop) ? stop.filter((each): each is string => typeof each === 'string') : [];
}
