import { fieldAt, flagAt, isObject, listAt, numberAt, objectAt, textAt } from '../mapping/json.ts';
import type { JsonObject, Unsupported } from '../wire.ts';
import { effortOf } from './effort.ts';
import { chatTools, refusesTools } from './tools.ts';
import { chatTurns, refusesBlocks, systemOf } from './turns.ts';

export interface ChatRequest {
  /** A body of OpenAI's chats, without nulls. */
  readonly body: JsonObject;
  /** Fields of the client's that chats have no words for. */
  readonly dropped: readonly string[];
}

interface Asked {
  /** The upstream's name. */
  readonly model: string;
  readonly isStreaming: boolean;
  readonly vendor: string;
}

/** Longer ones are refused by OpenAI, and the user is told by the beginning. */
const MAX_USER_CHARACTERS = 64;

/** Fields of chats that a client or the configuration may give beside those of messages. */
const CHAT_FIELDS = [
  ...['reasoning_effort', 'verbosity', 'seed', 'presence_penalty', 'frequency_penalty', 'logit_bias'],
  ...['prompt_cache_key', 'prompt_cache_retention', 'parallel_tool_calls', 'response_format'],
];

/** What has become a part of the chat, or asks for nothing that a chat could miss. */
const SPOKEN: ReadonlySet<string> = new Set([
  ...['model', 'messages', 'system', 'max_tokens', 'stream', 'tools', 'tool_choice', 'stop_sequences', 'temperature'],
  ...['top_p', 'metadata', 'output_config', 'output_format', 'thinking', 'cache_control', 'mcp_servers'],
  ...CHAT_FIELDS,
]);

/** A request of the Messages API as a chat. */
export function chatRequest(body: JsonObject, { model, isStreaming, vendor }: Asked): ChatRequest {
  const turns = chatTurns(body, vendor);
  const effort = effortOf(body, model);
  const user = textAt(objectAt(body, 'metadata'), 'user_id');
  const stop = listAt(body, 'stop_sequences');
  const chat = {
    model,
    messages: [...systemOf(body['system']), ...turns.messages],
    max_completion_tokens: numberAt(body, 'max_tokens'),
    ...chatTools(body),
    stop: stop.length > 0 ? stop : null,
    temperature: numberAt(body, 'temperature'),
    top_p: numberAt(body, 'top_p'),
    reasoning_effort: effort.level,
    response_format: formatOf(body),
    user: user === null ? null : user.slice(0, MAX_USER_CHARACTERS),
    ...Object.fromEntries(
      CHAT_FIELDS.filter((name) => fieldAt(body, name) !== undefined).map((name) => [name, body[name]]),
    ),
    stream: isStreaming ? true : null,
  };
  const wordless = Object.keys(body).filter((name) => !SPOKEN.has(name) && isAsking(body, name));
  const dropped = [...wordless, ...(effort.isDropped ? ['thinking'] : []), ...(turns.hasLost ? ['messages'] : [])];
  return { body: withoutNulls(chat), dropped };
}

/** What no chat can say: the model would answer something else. */
export function refusesMessages(body: JsonObject): Unsupported | null {
  if (listAt(body, 'mcp_servers').length > 0) {
    return { param: 'mcp_servers', message: 'it reaches no MCP servers by itself. Connect them at the client.' };
  }
  return refusesTools(body) ?? refusesBlocks(body);
}

/** A field that is there, and no plain "no" or "as always". */
function isAsking(body: JsonObject, name: string): boolean {
  const value = body[name];
  return value !== null && value !== 'auto' && flagAt(body, name) !== false;
}

function formatOf(body: JsonObject): JsonObject | null {
  const format = objectAt(objectAt(body, 'output_config'), 'format') ?? objectAt(body, 'output_format');
  const schema = objectAt(format, 'schema');
  if (schema === null) return null;
  return {
    type: 'json_schema',
    json_schema: { name: textAt(format, 'name') ?? 'answer', schema, strict: isClosed(schema) },
  };
}

/** Whether OpenAI enforces it: objects must be closed and have no optional members. Others are only suggestions there. */
function isClosed(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isClosed);
  if (!isObject(schema)) return true;
  const properties = objectAt(schema, 'properties');
  const names = Object.keys(properties ?? {});
  const required = listAt(schema, 'required');
  const isFull = names.every((name) => required.includes(name)) && schema['additionalProperties'] === false;
  return (properties === null || isFull) && Object.values(schema).every(isClosed);
}

function withoutNulls(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}
