import { isObject, type JsonObject, listOf } from '../../request-body/fields.ts';

/** What is left of a picture in the estimate: enough for its size to be read from. */
const MAX_IMAGE_CHARACTERS = 4_000;

/** The chat that weighs about as much as a request of the Messages API: what estimates are made of. */
export function chatOfMessages(body: JsonObject): JsonObject {
  const { system, tools, tool_choice: choice } = body;
  const format = formatOf(body);
  return {
    messages: [
      ...(system ? [{ role: 'system', content: partsOf(system) }] : []),
      ...listOf(body['messages']).flatMap(messagesOf),
    ],
    ...(Array.isArray(tools) ? { tools: tools.map(toolOf) } : {}),
    ...(isObject(choice) && choice['type'] === 'tool' ? { tool_choice: { function: choice } } : {}),
    ...(isObject(format) ? { response_format: { json_schema: format } } : {}),
  };
}

function formatOf({ output_config: config, output_format: format }: JsonObject): unknown {
  return isObject(config) ? config['format'] : format;
}

function toolOf(tool: unknown): unknown {
  if (!isObject(tool)) return tool;
  const { name, description, input_schema: parameters } = tool;
  return parameters === undefined ? tool : { function: { name, description, parameters } };
}

/** A turn, and what it holds of calls and their results, each of which is a message of its own in a chat. */
function messagesOf(message: unknown): readonly unknown[] {
  if (!isObject(message)) return [message];
  const { role, content } = message;
  const blocks = listOf(content).filter(isObject);
  const calls = blocks.filter(({ type }) => type === 'tool_use').map(callOf);
  const results = blocks.filter(({ type }) => type === 'tool_result');
  return [
    { role, content: partsOf(content), ...(calls.length > 0 ? { tool_calls: calls } : {}) },
    ...results.map((result) => ({ role: 'tool', content: partsOf(result['content'] ?? '') })),
  ];
}

function callOf({ name, input }: JsonObject): JsonObject {
  return { function: { name, arguments: JSON.stringify(input ?? {}) } };
}

function partsOf(content: unknown): unknown {
  return Array.isArray(content) ? content.flatMap(partOf) : content;
}

function partOf(block: unknown): readonly unknown[] {
  if (!isObject(block)) return [block];
  switch (block['type']) {
    case 'text':
      return [{ type: 'text', text: block['text'] }];
    case 'thinking':
      return [{ type: 'text', text: block['thinking'] }];
    case 'image':
      return [{ type: 'image_url', image_url: { url: imageOf(block['source']) } }];
    case 'document':
      return documentOf(block['source']);
    case 'redacted_thinking':
    case 'tool_use':
    case 'tool_result':
      // Counted elsewhere, or in a form that says nothing of its length.
      return [];
    default:
      return [{ type: 'text', text: JSON.stringify(block) }];
  }
}

/** The first bytes of a picture tell its size. */
function imageOf(source: unknown): unknown {
  if (!isObject(source)) return null;
  const { url, data, media_type: type } = source;
  return typeof data === 'string' ? `data:${type};base64,${data.slice(0, MAX_IMAGE_CHARACTERS)}` : url;
}

function documentOf(source: unknown): readonly unknown[] {
  if (!isObject(source)) return [];
  const { type, data, content } = source;
  if (type === 'text') return [{ type: 'text', text: data }];
  if (type === 'content') return [partsOf(content)].flat();
  return [{ type: 'file', file: { file_data: data } }];
}
