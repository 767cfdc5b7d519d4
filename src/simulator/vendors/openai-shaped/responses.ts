import { type InvalidRequest, invalidRequest } from '../../api/failure.ts';
import { ANY_OBJECT, type ModelRequest, PLAIN_REQUEST } from '../../api/model-request.ts';
import type { Endpoint, Incoming } from '../../api/vendor-api.ts';
import { asObject, asObjects, asText, isCount, type Json, numberOf } from '../../json.ts';
import { type Prompt, promptTokens } from '../../prompt-size.ts';
import type { StoredThings } from '../../stored-things.ts';
import { calledFunctions, type ToolChoice } from '../called-functions.ts';
import { ResponseWriter } from './response-writer.ts';

/** Responses are made at one path, and found again, forgotten or looked into below it. */
export function responsesEndpoint({ method, path }: Incoming, at: string): Endpoint | null {
  if (path === at) return method === 'POST' ? RESPONSES : null;
  if (!path.startsWith(`${at}/`)) return null;
  const [id = '', rest] = path.slice(at.length + 1).split('/', 2);
  if (method === 'GET' && rest === undefined) return found(id, (response) => response);
  if (method === 'GET' && rest === 'input_items') {
    return found(id, () => ({ object: 'list', data: [], first_id: null, last_id: null, has_more: false }));
  }
  return method === 'DELETE' && rest === undefined ? forgotten(id) : null;
}

const RESPONSES: Endpoint = {
  kind: 'model',
  read: (body, stored) => {
    const mistake = mistakeIn(body, stored);
    if (mistake !== null) return mistake;
    const isStored = body['store'] !== false;
    return {
      request: requestOf(body),
      write: (answer) =>
        new ResponseWriter({
          answer,
          asked: { body, isStored },
          store: (id, response) => {
            if (isStored) stored.set(id, response);
          },
        }),
    };
  },
};

function mistakeIn(body: Json, stored: StoredThings): InvalidRequest | null {
  const { model, input, previous_response_id: previous } = body;
  if (typeof model !== 'string' || model === '') return invalidRequest('you must provide a model parameter');
  if (input === undefined) {
    return invalidRequest("Missing required parameter: 'input'.", 'input', 'missing_required_parameter');
  }
  if (!isCount(body['max_output_tokens'])) {
    return invalidRequest("Invalid 'max_output_tokens'.", 'max_output_tokens', 'integer_below_min_value');
  }
  if (previous === undefined || previous === null || stored.has(asText(previous))) return null;
  const message = `Previous response with id '${asText(previous).slice(0, 100)}' not found.`;
  return invalidRequest(message, 'previous_response_id', 'previous_response_not_found');
}

function requestOf(body: Json): ModelRequest {
  const input = inputOf(body);
  const format = asObject(asObject(body['text'])['format']);
  const schema = schemaOf(format);
  const tools = asObjects(body['tools']).filter(({ type }) => type === 'function');
  const prompt: Prompt = { messages: input, tools, schema: schema === ANY_OBJECT ? null : schema };
  const last = input.at(-1);
  const effort = asObject(body['reasoning'])['effort'];
  return {
    ...PLAIN_REQUEST,
    model: asText(body['model']),
    isStreaming: body['stream'] === true,
    choiceCap: numberOf(body['max_output_tokens']),
    calls: calledFunctions({
      choice: choiceOf(body['tool_choice']),
      tools,
      lastSaid: last?.['role'] === 'user' ? JSON.stringify(last['content'] ?? '') : null,
      isOneAtMost: body['parallel_tool_calls'] === false,
    }),
    schema,
    thinking: typeof effort === 'string' && effort !== 'none' ? 'hidden' : 'none',
    seq: asObject(body['metadata'])['seq'],
    user: body['user'],
    countPrompt: (count) => promptTokens(prompt, count),
  };
}

/** Items in the words that prompts are counted in. */
function inputOf({ input, instructions }: Json): Json[] {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : asObjects(input).map(messageOf);
  return typeof instructions === 'string' ? [{ role: 'system', content: instructions }, ...items] : items;
}

function messageOf(item: Json): Json {
  const { type, role, content, output } = item;
  if (type === 'function_call') return { role: 'assistant', tool_calls: [item] };
  if (type === 'function_call_output') return { role: 'tool', content: asText(output ?? '') };
  if (typeof content === 'string') return { role, content };
  return {
    role,
    content: asObjects(content).map((part) => (part['type'] === 'input_image' ? { type: 'image_url' } : part)),
  };
}

function choiceOf(choice: unknown): ToolChoice {
  if (choice === 'none' || choice === 'required') return choice;
  const { type, name } = asObject(choice);
  return type === 'function' ? { name: asText(name) } : 'auto';
}

function schemaOf({ type, schema }: Json): Json | null {
  if (type === 'json_object') return ANY_OBJECT;
  return type === 'json_schema' ? asObject(schema) : null;
}

function found(id: string, show: (response: unknown) => unknown): Endpoint {
  return {
    kind: 'plain',
    answer: ({ stored }) => (stored.has(id) ? { json: show(stored.get(id)) } : { kind: 'not_stored', id }),
  };
}

function forgotten(id: string): Endpoint {
  return {
    kind: 'plain',
    answer: ({ stored }) =>
      stored.delete(id) ? { json: { id, object: 'response', deleted: true } } : { kind: 'not_stored', id },
  };
}
