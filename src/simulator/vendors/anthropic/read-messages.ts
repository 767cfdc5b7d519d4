import type { InvalidRequest } from '../../api/failure.ts';
import { type Beginning, type CacheUse, type ModelRequest, PLAIN_REQUEST } from '../../api/model-request.ts';
import { asObject, asObjects, asText, type Json, numberOf } from '../../json.ts';
import { type Prompt, promptTokens } from '../../prompt-size.ts';
import { calledFunctions, type ToolChoice } from '../called-functions.ts';
import { messageOf, systemMessages, textsOf } from './blocks.ts';
import { mistakeInMessages } from './mistakes.ts';

/** As far back as it looks for what it knows. */
const MOST_BEGINNINGS = 20;

/** Reads a request for a message; what Anthropic refuses is an error. */
export function readMessages(body: Json): ModelRequest | InvalidRequest {
  const mistake = mistakeInMessages(body);
  if (mistake) return mistake;
  const schema = schemaOf(body);
  const prompt = promptOf(body);
  const choice = asObject(body['tool_choice']);
  return {
    ...PLAIN_REQUEST,
    model: asText(body['model']),
    isStreaming: body['stream'] === true,
    choiceCap: numberOf(body['max_tokens']),
    calls: calledFunctions({
      choice: choiceOf(choice),
      tools: prompt.tools,
      lastSaid: lastSaid(asObjects(body['messages'])),
      isOneAtMost: choice['disable_parallel_tool_use'] === true,
    }),
    schema,
    thinking: isThinking(asObject(body['thinking'])) ? 'shown' : 'none',
    stops: [body['stop_sequences']].flat().filter((text) => typeof text === 'string'),
    seq: asObject(body['metadata'])['seq'],
    user: asObject(body['metadata'])['user_id'],
    cache: cacheUse(body, prompt),
    countPrompt: (count) => promptTokens(prompt, count),
  };
}

/** The prompt in the words that prompts are counted in. */
export function promptOf(body: Json): Prompt {
  return {
    messages: [...systemMessages(body['system']), ...asObjects(body['messages']).flatMap(messageOf)],
    tools: asObjects(body['tools']).map((tool) => ({ ...tool, parameters: tool['input_schema'] })),
    schema: schemaOf(body),
  };
}

function choiceOf({ type, name }: Json): ToolChoice {
  if (type === 'none') return 'none';
  if (type === 'any') return 'required';
  return type === 'tool' ? { name: asText(name) } : 'auto';
}

function isThinking({ type }: Json): boolean {
  return type === 'enabled' || type === 'adaptive';
}

function schemaOf(body: Json): Json | null {
  const format = asObject(asObject(body['output_config'])['format'] ?? body['output_format']);
  return format['type'] === 'json_schema' ? asObject(format['schema']) : null;
}

/** Results of tools are no words of the user. */
function lastSaid(messages: readonly Json[]): string | null {
  const last = messages.at(-1);
  const said = last?.['role'] === 'user' ? textsOf(last['content']).join('\n') : '';
  return said === '' ? null : said;
}

/**
 * Tools, system and messages up to the last one that is marked: the order in which the vendor reads them. It also knows
 * what was marked up to twenty blocks before.
 */
function cacheUse(body: Json, { tools, schema }: Prompt): CacheUse | null {
  const messages = asObjects(body['messages']);
  const last = isMarked(body) ? messages.length - 1 : messages.findLastIndex(({ content }) => hasMark(content));
  const hasEarlierMark = hasMark(body['system']) || hasMark(body['tools']);
  if (last < 0 && !hasEarlierMark) return null;
  const upTo = (end: number): Beginning => {
    const read = [...systemMessages(body['system']), ...messages.slice(0, end).flatMap(messageOf)];
    return {
      text: () => JSON.stringify([read, tools]),
      count: (count) => promptTokens({ messages: read, tools, schema }, count),
    };
  };
  const count = Math.min(last + 2, MOST_BEGINNINGS);
  const known = Array.from({ length: count }, (_, index) => upTo(last + 1 - index));
  return { known, kept: known.slice(0, 1), isMarked: true };
}

function hasMark(blocks: unknown): boolean {
  return asObjects(blocks).some(isMarked);
}

function isMarked(block: Json): boolean {
  return asObject(block['cache_control'])['type'] === 'ephemeral';
}
