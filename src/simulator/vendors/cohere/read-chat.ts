import { type InvalidRequest, invalidRequest } from '../../api/failure.ts';
import { ANY_OBJECT, type ModelRequest, PLAIN_REQUEST } from '../../api/model-request.ts';
import { asObject, asObjects, asText, isCount, isObject, type Json, numberOf } from '../../json.ts';
import { type Prompt, promptTokens } from '../../prompt-size.ts';
import { calledFunctions, type ToolChoice } from '../called-functions.ts';
import { PREAMBLE_TOKENS } from './chat-writer.ts';

const ROLES = ['system', 'user', 'assistant', 'tool'];
const MOST_STOPS = 5;

/** Fields of a request; any other is refused. */
const FIELDS = new Set(
  (
    'model messages stream tools strict_tools documents citation_options response_format safety_mode max_tokens ' +
    'stop_sequences temperature seed frequency_penalty presence_penalty k p logprobs tool_choice thinking priority ' +
    'raw_prompting'
  ).split(' '),
);

/** Reads a request to chat; what Cohere refuses is an error. */
export function readChat(body: Json): ModelRequest | InvalidRequest {
  const mistake = mistakeInFields(body) ?? mistakeInTools(body) ?? mistakeInMessages(asObjects(body['messages']));
  if (mistake !== null) return invalidRequest(mistake);
  const messages = asObjects(body['messages']);
  const tools = toolsOf(body);
  const schema = schemaOf(asObject(body['response_format']));
  const prompt: Prompt = {
    messages: messages.map(countedMessage),
    tools,
    schema: schema === ANY_OBJECT ? null : schema,
  };
  const last = messages.at(-1);
  return {
    ...PLAIN_REQUEST,
    model: asText(body['model']),
    isStreaming: body['stream'] === true,
    choiceCap: numberOf(body['max_tokens']),
    calls: calledFunctions({
      choice: choiceOf(body['tool_choice']),
      tools,
      lastSaid: last?.['role'] === 'user' ? asText(last['content'] ?? '') : null,
      isOneAtMost: false,
    }),
    schema,
    thinking: asObject(body['thinking'])['type'] === 'enabled' ? 'shown' : 'none',
    stops: [body['stop_sequences']].flat().filter((text) => typeof text === 'string'),
    countPrompt: (count) => PREAMBLE_TOKENS + promptTokens(prompt, count),
  };
}

function mistakeInFields(body: Json): string | null {
  const { model, messages, max_tokens: maxTokens, stop_sequences: stops } = body;
  if (typeof model !== 'string' || model === '') return 'model is required.';
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isObject)) return 'messages is required.';
  const unknown = Object.keys(body).find((name) => !FIELDS.has(name));
  if (unknown !== undefined) return `unknown field: parameter '${unknown}' is not a valid field.`;
  if (!isCount(maxTokens)) return 'max_tokens must be at least 1.';
  if (Array.isArray(stops) && stops.length > MOST_STOPS) return `stop_sequences may have at most ${MOST_STOPS} items.`;
  const wrong = ['frequency_penalty', 'presence_penalty'].find((name) => {
    const value = numberOf(body[name]) ?? 0;
    return value < 0 || value > 1;
  });
  return wrong === undefined ? null : `${wrong} must be between 0 and 1 inclusive.`;
}

function mistakeInTools(body: Json): string | null {
  const { tool_choice: choice } = body;
  if (choice !== undefined && choice !== 'REQUIRED' && choice !== 'NONE') {
    return 'tool_choice must be one of REQUIRED, NONE.';
  }
  const tools = toolsOf(body);
  if (choice !== undefined && tools.length === 0) return 'tool_choice may only be given with tools.';
  const isJson = asObject(body['response_format'])['type'] === 'json_object';
  return isJson && tools.length > 0 ? 'response_format may not be used together with tools.' : null;
}

function mistakeInMessages(messages: readonly Json[]): string | null {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const made = asObjects(message['tool_calls']).map(({ id }) => asText(id));
    const mistake = mistakeInMessage(message, made.length > 0);
    if (mistake !== null) return `messages[${index}]: ${mistake}`;
    if (message['role'] === 'tool' && !open.has(asText(message['tool_call_id']))) {
      return `messages[${index}]: tool_call_id is not of a call before it.`;
    }
    if (made.length > 0) open = new Set(made);
  }
  return null;
}

function mistakeInMessage({ role, content }: Json, isCalling: boolean): string | null {
  if (!ROLES.includes(asText(role))) return 'invalid role.';
  if (isCalling) return content === undefined ? null : 'content may not stand beside tool_calls.';
  return isEmpty(content) ? 'content is required.' : null;
}

function isEmpty(content: unknown): boolean {
  return (
    content === undefined || content === null || content === '' || (Array.isArray(content) && content.length === 0)
  );
}

function countedMessage({ role, content, tool_plan: plan, tool_calls: calls }: Json): Json {
  const parts = typeof content === 'string' ? content : asObjects(content).map(countedPart);
  return { role, content: content === undefined ? plan : parts, ...(calls === undefined ? {} : { tool_calls: calls }) };
}

function countedPart(part: Json): Json {
  const { type, document, text } = part;
  if (type === 'document') return { type: 'text', text: asText(asObject(document)['data'] ?? '') };
  return type === 'text' ? { type, text } : part;
}

function toolsOf({ tools }: Json): Json[] {
  return asObjects(tools).map((tool) => asObject(tool['function']));
}

function choiceOf(choice: unknown): ToolChoice {
  if (choice === 'REQUIRED') return 'required';
  return choice === 'NONE' ? 'none' : 'auto';
}

function schemaOf({ type, json_schema: schema }: Json): Json | null {
  if (type !== 'json_object') return null;
  return isObject(schema) ? schema : ANY_OBJECT;
}
