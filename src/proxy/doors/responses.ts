import type { Capability } from '../../providers/provider.ts';
import type { Turns } from '../affinity/turns.ts';
import {
  ARRAY,
  BOOLEAN,
  CAP,
  invalidType,
  isObject,
  type JsonObject,
  listOf,
  missingParameter,
  OBJECT,
  optional,
  readModel,
  readUser,
} from '../request-body/fields.ts';
import { needsOfParts } from '../request-body/parts.ts';
import type { RequestFacts } from '../request-body.ts';
import type { Door } from './door.ts';
import { readResponsesEvent, responsesErrorEvent } from './responses-events.ts';
import { chatOfResponses } from './responses-input.ts';

const NAMES: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'max_output_tokens',
  'previous_response_id',
  'conversation',
  'prompt',
  'include',
  'stream',
  'text',
  'tools',
  'top_logprobs',
  'user',
]);

/** What an answer can go on from without any input of its own: it is kept by the upstream. */
const STORED = ['previous_response_id', 'conversation', 'prompt'];

/** OpenAI's Responses API: items in, items out, and a stream of events with names. */
export const responsesDoor: Door = {
  operation: 'responses',
  body: { names: NAMES, facts },
  generates: true,
  input: 'input',
  measure: (body) => ({ chat: chatOfResponses(body), knownTokens: 0 }),
  turns,
  grammar: readResponsesEvent,
  errorEvent: responsesErrorEvent,
};

function facts(body: JsonObject): RequestFacts {
  const items = readInput(body);
  const isStreaming = optional(body, 'stream', BOOLEAN) ?? false;
  return {
    model: readModel(body['model']),
    isStreaming,
    // It is a part of the last event, so every stream has it.
    wantsUsage: isStreaming,
    outputCapTokens: optional(body, 'max_output_tokens', CAP),
    n: 1,
    needs: [...new Set([...needsOfFields(body), ...items.flatMap(needsOfItem)])],
    user: readUser(body),
    hasUnseenInput: STORED.some((name) => body[name]),
  };
}

function turns({ input, instructions }: JsonObject): Turns {
  const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : listOf(input);
  return { instructions, messages };
}

/** The items of the input; none where it is a text. */
function readInput(body: JsonObject): readonly unknown[] {
  const { input } = body;
  if (input === undefined || input === null) {
    if (STORED.some((name) => body[name])) return [];
    throw missingParameter('input');
  }
  if (typeof input === 'string') return [];
  if (!Array.isArray(input)) throw invalidType('input', 'a string or an array of items', input);
  for (const [index, item] of input.entries()) {
    if (!isObject(item)) throw invalidType(`input[${index}]`, 'an object', item);
  }
  return input;
}

function needsOfFields(body: JsonObject): readonly Capability[] {
  const needs: Capability[] = [];
  const tools = optional(body, 'tools', ARRAY);
  if (tools && tools.length > 0) needs.push('tools');
  const format = optional(body, 'text', OBJECT)?.['format'];
  if (isObject(format) && format['type'] === 'json_schema') needs.push('json_schema');
  if (body['top_logprobs'] || listOf(body['include']).includes(WITH_LOGPROBS)) needs.push('logprobs');
  return needs;
}

const WITH_LOGPROBS = 'message.output_text.logprobs';

/** The parts of a message, or of what a tool has given back. */
function needsOfItem(item: unknown): readonly Capability[] {
  return isObject(item) ? [...needsOfParts(item['content']), ...needsOfParts(item['output'])] : [];
}
